"""How many calls fit: `talkingstick capacity`, from a run's verdict over the search to the table and its page."""
