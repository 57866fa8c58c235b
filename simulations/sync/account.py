"""The accounts of one service: whose key is whose, and everything that one account has."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from attrs import Factory, define, field, frozen

from simulations.sync.books import Books
from simulations.sync.generation import Batch, Generation
from simulations.sync.options import Plan, SyncOptions

NAME = re.compile(r"(?!sk|whsec)[A-Za-z0-9_][A-Za-z0-9_. \-]{0,63}")
"""What an account may be called: nothing that looks like a key."""
KEY = re.compile(r"[!-~]{1,500}")
_KEPT = 20_000
"""Generations, and keys, that an account keeps; beyond it the oldest are forgotten, which bounds memory."""


@frozen(kw_only=True)
class Holder:
    """An account as it is set up: its plan, and the secret that signs its webhooks ("": drawn)."""

    name: str
    plan: Plan
    secret: str = field(default="", repr=False)


@define(eq=False, kw_only=True)
class Kept:
    """What an Idempotency-Key stands for, until it is forgotten."""

    digest: str
    generation: Generation
    until: float


@define(eq=False, kw_only=True)
class Account:
    """One account: what it is called in books and logs (never its key), and what it has."""

    name: str
    plan: Plan
    secret: str = field(repr=False)
    """What signs its webhooks."""
    drawn: bool
    """Whether nobody gave it, so that somebody has to be told."""
    books: Books
    generations: dict[str, Generation] = Factory(dict)
    """By id, the oldest first; of batches as well."""
    batches: dict[str, Batch] = Factory(dict)
    keys: dict[str, Kept] = Factory(dict)
    serial: int = 0
    """Of the generation that was begun last."""
    _live: list[Generation] = Factory(list)

    def live(self, now: float) -> int:
        """Return how many generations count against the plan."""
        self._live = [each for each in self._live if each.live(now)]
        return len(self._live)

    def next_end(self, now: float) -> float:
        """Return when the next place is free; infinity where nothing is live."""
        return min((each.ends for each in self._live if each.live(now)), default=float("inf"))

    def live_batches(self, now: float) -> int:
        """Return how many batches are being worked on."""
        return sum(now < batch.ends for batch in self.batches.values())

    def add(self, generation: Generation, *, now: float) -> None:
        """Keep a generation; one that is of no batch counts against the plan."""
        self.generations[generation.id] = generation
        if generation.source != "batch":
            self._live.append(generation)
            self.books.most_live = max(self.books.most_live, self.live(now))
        if len(self.generations) > _KEPT:
            oldest = next(iter(self.generations.values()))
            if not oldest.live(now):
                del self.generations[oldest.id]

    def keep(self, key: str, kept: Kept) -> None:
        """Keep what an Idempotency-Key has begun; of too many the oldest is forgotten."""
        self.keys.pop(key, None)
        self.keys[key] = kept
        if len(self.keys) > _KEPT:
            del self.keys[next(iter(self.keys))]

    def add_batch(self, batch: Batch, *, now: float) -> None:
        """Keep a batch and its generations."""
        self.batches[batch.id] = batch
        for line in batch.lines:
            self.add(line.generation, now=now)
        self.books.most_batches = max(self.books.most_batches, self.live_batches(now))


class Accounts:
    """All accounts of one service: those of `holders` by their keys, or one that is everybody's."""

    def __init__(self, options: SyncOptions, *, holders: Mapping[str, Holder], started: float) -> None:
        own = Holder(name="default", plan=options.plan, secret=options.webhook_secret)
        named = {**({options.api_key: own} if options.api_key else {}), **holders}
        self._by_key = {key: _opened(holder, options, started=started) for key, holder in named.items()}
        self._everybody = None if named else _opened(own, options, started=started)
        self.strangers = 0
        """Requests with nobody's key."""

    @property
    def all(self) -> list[Account]:
        """Every account, in the order in which they were named."""
        return [self._everybody] if self._everybody else list(self._by_key.values())

    def find(self, key: str) -> Account | None:
        """Return whose key it is; None, and counted, for nobody's, and for none."""
        account = self._by_key.get(key, self._everybody) if key else None
        self.strangers += account is None
        return account

    def named(self, name: str) -> Account | None:
        """Return the account of this name."""
        return next((account for account in self.all if account.name == name), None)


def _opened(holder: Holder, options: SyncOptions, *, started: float) -> Account:
    drawn = f"whsec_{random.Random(f'{options.seed}:secret:{holder.name}').getrandbits(192):048x}"
    return Account(
        name=holder.name,
        plan=holder.plan,
        secret=holder.secret or drawn,
        drawn=not holder.secret,
        books=Books.of(options, limits=(holder.plan.creates, holder.plan.others), started=started),
    )
