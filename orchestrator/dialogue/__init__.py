"""One call: the bot, what was said and heard, and the states between them."""
