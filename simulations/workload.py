"""What simulated callers and their bots do, drawn at random from what a scenario says of them; pure.

Every number follows from (seed, group, caller, turn) alone: neither the policy nor the course of a run changes what is
said. Which words are said is wording.py's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from random import Random

import attrs
from attrs import field, frozen, validators

from simulations.draws import lognormal
from simulations.wording import LEAST, ROOMY, clauses

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

    @property
    def mean_reply(self) -> float:
        """Seconds of speech of a reply, on the average (of an endless one: as if `endless` were not set)."""
        chance = 1 / self.sentences
        return self.sentence * self.sentences * (1 - (1 - chance) ** self.most_sentences)


# --- one turn ---


@frozen
class Sentence:
    """How long a sentence is, its marks and spaces counted, and into how many clauses it falls."""

    characters: int
    clauses: int


@frozen
class Clause:
    """A clause as the bot yields it, and how many seconds after the thinking its last character has streamed."""

    text: str
    at: float


@frozen(kw_only=True)
class TurnPlan:
    """What one turn of the caller and the bot's answer to it will be like. Times in seconds.

    `silent`: the caller says nothing for `speaks` seconds. `interrupt_after` and `hangs_up_after` count from the first
    sound of the reply, None where the caller does not; who hangs up does not interrupt. `seconds` is how long the reply
    sounds, infinite where it is endless.
    """

    silent: bool
    speaks: float
    thinking: float
    reacts: float
    seconds: float
    interrupt_after: float | None
    hangs_up_after: float | None
    _traits: Traits
    _key: str
    _sentences: tuple[Sentence, ...]

    def clauses(self) -> Iterator[Clause]:
        """Yield the reply's clauses, each time the same; without end where it is endless."""
        rng = Random(f"{self._key}:words")
        traits = self._traits
        streamed, pace = 0, 1 / (traits.characters_per_second * traits.streams)
        for sentence in _endless(traits, rng) if traits.endless else self._sentences:
            for text in clauses(sentence.characters, parts=sentence.clauses, language=traits.language, rng=rng):
                streamed += len(text)
                yield Clause(text, streamed * pace)


class Plans:
    """The turns of all of a group's calls. `caller` names who calls in every run alike: "2.1" is the first on line 2.

    `strange` says that the replies are not ours (the bot is the user's own): moments in them are drawn over the mean
    length of a reference reply then.
    """

    def __init__(self, traits: Traits, *, seed: int, group: str | None = None, strange: bool = False) -> None:
        self.traits = traits
        self._drawn = lru_cache(maxsize=256)(self._draw)  # the bot and its caller ask for the same turn
        self._key = f"{seed}:{group or ''}"
        self._strange = strange

    def turn(self, caller: str, number: int) -> TurnPlan:
        """Return what the caller's turn `number` and the answer to it will be like."""
        return self._drawn(caller, number)

    def call_seconds(self, caller: str) -> float:
        """Return how long a call lasts: infinite where it lasts as long as the run."""
        traits, rng = self.traits, Random(f"{self._key}:{caller}:length")
        return 60 * lognormal(rng, mean=traits.minutes, cv=traits.minutes_cv) if traits.minutes else math.inf

    def _draw(self, caller: str, number: int) -> TurnPlan:
        traits, key = self.traits, f"{self._key}:{caller}:{number}"
        rng = Random(key)
        silent = rng.random() < traits.silent
        speaks = lognormal(rng, mean=traits.speaks, cv=traits.speaks_cv)
        thinking = lognormal(rng, mean=traits.thinking, cv=traits.thinking_cv)
        reacts = lognormal(rng, mean=traits.reacts, cv=traits.reacts_cv)
        interrupts, cuts_in_at, hangs_up, hangs_up_at = (rng.random() for _ in range(4))
        sentences = () if traits.endless else tuple(_sentences(traits, rng))
        characters = sum(sentence.characters for sentence in sentences)
        seconds = math.inf if traits.endless else characters / traits.characters_per_second
        length = traits.mean_reply if self._strange or traits.endless else seconds
        leaves = hangs_up < traits.hang_up
        return TurnPlan(
            silent=silent,
            speaks=speaks,
            thinking=thinking,
            reacts=reacts,
            seconds=seconds,
            interrupt_after=cuts_in_at * length if interrupts < traits.barge_in and not leaves else None,
            hangs_up_after=hangs_up_at * length if leaves else None,
            traits=traits,
            key=key,
            sentences=sentences,
        )


def _sentences(traits: Traits, rng: Random) -> Iterator[Sentence]:
    """Draw a reply's sentences; what is lost in rounding to characters is made up for in the next."""
    drawn, given = 0.0, 0
    for _ in range(_geometric(traits.sentences, rng, most=traits.most_sentences)):
        seconds = lognormal(rng, mean=traits.sentence, cv=traits.sentence_cv)
        drawn += seconds
        sentence = _sentence(traits, seconds, characters=round(drawn * traits.characters_per_second) - given)
        given += sentence.characters
        yield sentence


def _endless(traits: Traits, rng: Random) -> Iterator[Sentence]:
    for _ in count():
        seconds = lognormal(rng, mean=traits.sentence, cv=traits.sentence_cv)
        yield _sentence(traits, seconds, characters=round(seconds * traits.characters_per_second))


def _sentence(traits: Traits, seconds: float, *, characters: int) -> Sentence:
    parts = max(1, min(round(seconds / traits.clause), characters // ROOMY))
    return Sentence(max(LEAST, characters), parts)


def _geometric(mean: float, rng: Random, *, most: int) -> int:
    draw = 1.0 - rng.random()
    return 1 if mean <= 1 else min(most, 1 + int(math.log(draw) / math.log1p(-1 / mean)))


# --- talk share ---

_SHARE = 0.57
"""The talk share of the default traits: waits and the rounding of lengths included, hence not their mere quotient."""
_USUAL = Traits()


def at_talk_share(traits: Traits, share: float) -> Traits:
    """Return the traits with `speaks` such that the bot's speech is `share` of the whole cycle.

    0.57 leaves the default traits as they are. Raises ValueError where no length of the caller's speech makes it so.
    """
    _check_share(traits)
    if not 0 < share < 1:
        raise ValueError(f"talk share {share:g}: must lie between 0 and 1")
    heard, usual, more = _heard(traits), _heard(_USUAL), _more_than_usual(traits)
    speaks = (_USUAL.speaks + (heard / share - usual / _SHARE) - more) * (1 - traits.silent)
    if speaks <= 0:
        most = heard / (more + usual / _SHARE - _USUAL.speaks)
        raise ValueError(f"talk share {share:g}: must be less than {most:.3f}, even if callers hardly spoke")
    return attrs.evolve(traits, speaks=speaks)


def talk_share(traits: Traits) -> float:
    """Return the bot's speech as a part of the whole cycle: 0.57 for the default traits.

    Raises ValueError where the callers' speech does not decide it.
    """
    _check_share(traits)
    spoken = traits.speaks / (1 - traits.silent) - _USUAL.speaks
    return _heard(traits) / (spoken + _more_than_usual(traits) + _heard(_USUAL) / _SHARE)


def _check_share(traits: Traits) -> None:
    if traits.endless or traits.together:
        what = "the reply is endless" if traits.endless else "they all stop speaking at once"
        raise ValueError(f"talk share: how long callers speak does not decide it where {what}")


def _more_than_usual(traits: Traits) -> float:
    """By how many seconds the part of a cycle in which the caller does not speak is longer than the default traits'."""
    rest, usual = (_heard(each) + each.thinking + each.reacts * (1 - each.barge_in) for each in (traits, _USUAL))
    return rest - usual


def _heard(traits: Traits) -> float:
    """Seconds that are heard of a reply, on the average: half of one that is interrupted."""
    return traits.mean_reply * (1 - traits.barge_in / 2)
