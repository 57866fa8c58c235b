"""talkingstick: many phone conversations share one text-to-speech slot. These are the public names."""

from orchestrator.dialogue.bot import Bot, Heard, Say, Talk, Turn

__all__ = ["Bot", "Heard", "Say", "Talk", "Turn"]
