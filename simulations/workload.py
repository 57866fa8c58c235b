"""What simulated callers and their bots do, drawn at random from what a scenario says of them; pure.

Every number follows from (seed, call, turn) alone: neither the policy nor the course of a run changes what is said.
"""

from __future__ import annotations

from attrs import field, frozen, validators

_positive = validators.gt(0.0)
_not_negative = validators.ge(0.0)


@frozen(kw_only=True)
class Traits:
    """What the callers of a group, and the bot that talks with them, are like. The defaults are the reference workload.

    Times in seconds, lognormal with the given mean and coefficient of variation (`_cv`). Chances lie between 0 and 1.
    """

    speaks: float = field(default=3.0, validator=_positive)
    """How long the caller speaks."""
    speaks_cv: float = field(default=0.6, validator=_not_negative)
    thinking: float = field(default=0.9, validator=_not_negative)
    """From the end of the caller's speech until the bot's text begins to stream: end-of-turn detection and thinking."""
    thinking_cv: float = field(default=0.4, validator=_not_negative)
    sentences: float = field(default=2.2, validator=validators.ge(1.0))
    """Sentences of a reply, geometric."""
    most_sentences: int = field(default=8, validator=validators.ge(1))
    endless: bool = False
    """The bot's reply never ends (`sentences` is ignored)."""
    sentence: float = field(default=2.8, validator=_positive)
    """Seconds of speech of a sentence."""
    sentence_cv: float = field(default=0.5, validator=_not_negative)
    clause: float = field(default=1.3, validator=_positive)
    """Seconds of speech of a clause: a sentence has as many as fit best, all as long as each other."""
    characters_per_second: float = field(default=15.0, validator=_positive)
    """How fast the bot's voice speaks."""
    streams: float = field(default=8.0, validator=_positive)
    """How many times faster than speech the bot's text comes."""
    reacts: float = field(default=0.6, validator=_not_negative)
    """From the last sound of the bot until the caller speaks again."""
    reacts_cv: float = field(default=0.5, validator=_not_negative)
    barge_in: float = field(default=0.0, validator=[_not_negative, validators.le(1.0)])
    """Chance that a reply is interrupted, at a moment drawn evenly over its length."""
    silent: float = field(default=0.0, validator=[_not_negative, validators.lt(1.0)])
    """Chance that the caller says nothing when it is its turn, for as long as it would have spoken."""
    hang_up: float = field(default=0.0, validator=[_not_negative, validators.le(1.0)])
    """Chance that the caller hangs up in the middle of a reply; the next call on this line begins 2 s later."""
    minutes: float = field(default=0.0, validator=_not_negative)
    """How long a call lasts, in minutes, lognormal; 0: as long as the run."""
    minutes_cv: float = field(default=0.5, validator=_not_negative)
    together: float = field(default=0.0, validator=_not_negative)
    """Every caller stops speaking at a multiple of so many seconds, all in one instant; 0: each in its own time."""
    language: str = field(default="en", validator=validators.in_(("en", "hi")))
    """Of the bot's text: English-like words, or Hindi."""
