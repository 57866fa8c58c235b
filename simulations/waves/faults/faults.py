"""Which faults are armed at one provider and which have struck: a schedule; what they do where they strike is not
decided here.

A fault is armed at its time whether anybody looks or not, and stays so until it strikes. Where nothing was ordered,
nothing is drawn.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable

import attrs
from attrs import define, frozen

from orchestrator.ports import Now
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.gates import Gates

_STRUCK_KEPT = 1000
_LOOKED_BACK = 1000
"""Recurrences that are drawn although they are lost: so what strikes when does not hang on how often somebody asks."""
_NEVER = float("inf")


@frozen(kw_only=True)
class Armed:
    """A fault that will strike: the next time at `next` (provider's clock), `waiting` times as soon as it can."""

    fault: Fault
    next: float
    waiting: int


@define(eq=False, kw_only=True)
class _Order:
    """A fault that was ordered: `armed` has the times from which on it waits for somebody to strike.

    What recurs while one waits is lost: else a provider that nobody asks would strike its next clients in a row.
    """

    fault: Fault
    seed: str
    first: float
    recurs: float = _NEVER
    armed: deque[float] = attrs.Factory(deque)
    struck: int = 0
    rng: random.Random = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.recurs = self.first + self._pause()

    def arm(self, now: float) -> None:
        """Arm what is due by now."""
        if self.first <= now:
            self.armed.extend([self.first] * self.fault.count)
            self.first = _NEVER
        while self.recurs <= now:
            if not self.armed:
                self.armed.append(self.recurs)
            elif now - self.recurs > _LOOKED_BACK * (self.fault.every or 0.0):
                self.recurs = now  # a Poisson process has no memory
            self.recurs += self._pause()

    @property
    def next(self) -> float:
        """When it strikes, or could have; infinity if it never will again."""
        first = self.first if self.fault.count else _NEVER
        return self.armed[0] if self.armed else min(first, self.recurs)

    def strike(self) -> Fault:
        """Return the fault as it strikes now."""
        self.armed.popleft()
        self.struck += 1
        return attrs.evolve(self.fault, noise=f"{self.seed}:{self.struck}")

    def _pause(self) -> float:
        return _NEVER if self.fault.every is None else self.rng.expovariate(1 / self.fault.every)


def _nothing() -> None:
    pass


def _not_told(_name: str) -> None:
    pass


def _any(_fault: Fault) -> bool:
    return True


class Faults:
    """The faults of one provider. Struck where the provider asks: `strike("stall", ...)` at the point of each kind.

    `gates` are what faults shut for connections. `ordered` and `cleared` are called after such a change: the engine
    (engine.py) listens there.
    """

    def __init__(self, *, now: Now, rng: random.Random) -> None:
        self.gates = Gates()
        self.ordered: Callable[[], None] = _nothing
        self.cleared: Callable[[], None] = _nothing
        self.noted: Callable[[str], None] = _not_told
        """Called with the name of each fault as it strikes."""
        self.lasting: Counter[str] = Counter()
        """How many of each kind go on, of those that the engine carries out."""
        self.struck: deque[tuple[float, str]] = deque(maxlen=_STRUCK_KEPT)
        """The latest strikes: when (provider's clock), and what."""
        self._now = now
        self._rng = rng
        self._seed: int | None = None
        self._numbers: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._orders: list[_Order] = []

    def order(self, fault: Fault) -> None:
        """Have a fault strike; its times count from now."""
        if self._seed is None:
            self._seed = self._rng.getrandbits(64)
        self._numbers[fault.name] += 1
        seed = f"{self._seed}:{fault.name}:{self._numbers[fault.name]}"  # its own: kinds do not disturb each other
        self._orders.append(_Order(fault=fault, seed=seed, first=self._now() + fault.at))
        self.ordered()

    def strike(self, *names: str, fits: Callable[[Fault], bool] = _any) -> Fault | None:
        """Return the fault of these names that fits and has waited for longest: it strikes now, and is noted. None as
        mostly."""
        if not self._orders:
            return None
        now = self._now()
        order = self._due(names, now, fits=fits)
        if order is None:
            return None
        fault = order.strike()
        if order.next == _NEVER:
            self._orders.remove(order)
        self.note(fault.name)
        return fault

    def next_at(self, *names: str) -> float:
        """Return when the next fault of these names is armed, in the past if one is; infinity if none will be."""
        return min((order.next for order in self._orders if order.fault.name in names), default=_NEVER)

    def note(self, name: str) -> None:
        """Count a strike that nobody asked for with `strike`."""
        self.struck.append((self._now(), name))
        self._counts[name] += 1
        self.noted(name)

    def clear(self) -> None:
        """Forget what was ordered, and end what lasts."""
        self._orders.clear()
        self.cleared()

    def armed(self) -> list[Armed]:
        """Return what was ordered and will strike, in the order of ordering."""
        now = self._now()
        for order in self._orders:
            order.arm(now)
        return [Armed(fault=order.fault, next=order.next, waiting=len(order.armed)) for order in self._orders]

    def snapshot(self) -> dict[str, int]:
        """Return how often each fault has struck, by its name, in alphabetical order."""
        return dict(sorted(self._counts.items()))

    def _due(self, names: tuple[str, ...], now: float, *, fits: Callable[[Fault], bool]) -> _Order | None:
        due = []
        for order in self._orders:
            if order.fault.name in names and fits(order.fault):
                order.arm(now)
                due += [order] if order.armed else []
        return min(due, key=lambda order: order.armed[0], default=None)
