"""Owns the ways of sharing the slot that simulations compare, ours and three others; running them is world.py's.

All go through the same program: the same links, the same provider, the same `ready` from which a wait counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import attrs

from orchestrator.app import DEADLINE, Policy, RunningSlots
from orchestrator.ports import Ask, Emit, Now
from orchestrator.settings import ProviderSettings, Settings, SpeechSettings
from orchestrator.slot.account import Account
from orchestrator.slot.pace import Pace
from orchestrator.slot.place import LocalPlace
from orchestrator.slot.queue import SlotQueue, Ticket
from orchestrator.slot.scheduler import Scheduler
from orchestrator.speech.chunking import Piece
from orchestrator.speech.portions import Situation, Sparing
from simulations.scenario import PolicyName
from simulations.tries import Tries

_LONGEST_REQUEST = 2000
"""Characters: the largest `speech.piece_characters`; replies of the reference workload have 700 at most."""
_STILL_AHEAD = 1.0
"""Seconds left to hear at which a sentence is asked for even if it is longer than the look-ahead."""


# --- a plain lock ---


class _FirstComeQueue(SlotQueue):
    """The order of asking, whatever comes later: need-by is when a ticket was asked for, and stays."""

    def join(self, call: str, *, need_by: float, expected: float = 0.0, first: bool = False) -> Ticket:
        """Queue up; a reply's first piece is like any other."""
        return super().join(call, need_by=need_by, expected=expected)

    def revise(self, ticket: Ticket, *, need_by: float) -> None:
        """Without effect."""

    def resume(self, ticket: Ticket, *, need_by: float) -> None:
        """End a hold, at the old place."""
        super().resume(ticket, need_by=ticket.need_by)


class PlainLock(Scheduler):
    """The account's slots as a plain lock: who asks first gets one first."""

    def __init__(self, settings: ProviderSettings, *, emit: Emit, now: Now) -> None:
        queue = _FirstComeQueue(slots=settings.slots, bound=float("inf"))
        super().__init__(queue, emit=emit, now=now, account=Account.of(settings))

    def join(self, ask: Ask) -> LocalPlace:
        """Queue up behind all who wait."""
        return super().join(attrs.evolve(ask, need_in=0.0))


# --- what is asked for ---


class Sentences:
    """One whole sentence a piece, never joined; only what is longer than a request may be is broken, at its clauses."""

    def __init__(self, settings: SpeechSettings, pace: Pace) -> None:
        self._most = settings.piece_characters
        self._ours = Sparing(settings, pace)

    def next_piece(self, now: Situation) -> Piece | None:
        """Return the next sentence, the reply's first one too; None while it is not complete."""
        sentence = now.text.first_sentence(now.start, most_characters=self._most)
        return sentence or now.text.next_piece(now.start, most_characters=self._most)

    def too_early(self, piece: Piece | None, now: Situation) -> float:
        """Return the seconds until `piece` fits into the look-ahead as ours would have to, or little is left to hear.

        A sentence longer than the look-ahead (3 of 100 in the reference workload) never fits before there is silence.
        """
        if piece is None:
            return float("inf")
        return min(self._ours.excess(piece, now), now.ahead - _STILL_AHEAD)


class WholeReplies:
    """The whole reply in one request once the bot has said all; one too long for that in as few as can be."""

    def __init__(self, settings: SpeechSettings, _pace: Pace) -> None:
        self._settings = settings

    def next_piece(self, now: Situation) -> Piece | None:
        """Return all that is left of the reply; None while more may come that would fit into the request."""
        most = self._settings.piece_characters
        if not now.text.finished and now.text.length - now.start <= most:
            return None
        return now.text.next_piece(now.start, most_characters=most)

    def too_early(self, piece: Piece | None, now: Situation) -> float:
        """Return 0: the whole reply knows no look-ahead. Only what is left of one too long for that waits for it: a bot
        that never ends would be spoken hours ahead."""
        if piece is None:
            return float("inf")
        return max(0.0, now.ahead - self._settings.look_ahead) if now.start else 0.0


# --- by name ---


def _lock(settings: Settings, _pace: Pace, emit: Emit, now: Now) -> RunningSlots:  # Policy.slots' signature
    return PlainLock(settings.provider, emit=emit, now=now)


def _retry(rng: random.Random) -> Policy:
    def tries(settings: Settings, _pace: Pace, emit: Emit, now: Now) -> RunningSlots:  # Policy.slots' signature
        return Tries(bound=settings.slot.bound, rng=rng, emit=emit, now=now)

    return Policy(slots=tries, portions=Sentences)


POLICIES: Mapping[PolicyName, Callable[[random.Random], Policy]] = {
    "deadline": lambda _rng: DEADLINE,
    "fifo": lambda _rng: Policy(slots=_lock, portions=Sentences),
    "turn": lambda _rng: Policy(slots=_lock, portions=WholeReplies),
    "retry": _retry,
}
"""Ours and what it is compared with, each made with the generator for its jitter."""


def policy_named(name: PolicyName, *, rng: random.Random) -> Policy:
    """Return the policy of that name; `rng` is for the jitter of `retry`. Run it with `settings_for` its name."""
    return POLICIES[name](rng)


def settings_for(name: PolicyName, settings: Settings) -> Settings:
    """Return `settings` with what the policy of that name needs changed.

    `turn` needs requests as long as a reply; `retry` all the links the account allows, for its calls ask at once.
    """
    if name == "turn":
        return attrs.evolve(settings, speech=attrs.evolve(settings.speech, piece_characters=_LONGEST_REQUEST))
    if name == "retry":
        provider = settings.provider
        at_once = max(provider.slots, provider.links - 2)  # the pool keeps one link more, and one place stays free
        return attrs.evolve(settings, provider=attrs.evolve(provider, slots=at_once))
    return settings
