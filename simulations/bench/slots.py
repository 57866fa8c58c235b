"""Measures what the queue for the slot costs with few tickets and with many; who gets the slot is not looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from orchestrator.slot.queue import SlotQueue
from simulations.bench.figures import MICROSECONDS, Figure, Tell, least_seconds

_FEW, _MANY = 100, 10_000
_ROUNDS = 2000
_TRIES = 5
_HELD = 0.4
"""Seconds that a piece holds the slot."""
_FIRST = 0.4
"""The share of first pieces: a reply of the reference workload has two or three."""


def measure(tell: Tell) -> Iterator[Figure]:
    """Yield the cost of a round (a slot comes back, the next ticket gets it, its call asks again), and how it grows."""
    costs = {}
    for waiting in (_FEW, _MANY):
        tell(f"{waiting} tickets")
        queues = [_queue(waiting) for _ in range(_TRIES)]
        seconds = least_seconds([partial(_turn_over, queue, random.Random("rounds")) for queue in queues])
        costs[waiting] = seconds / _ROUNDS * MICROSECONDS
    # A thousandth of what the shortest piece holds the slot; and ten thousand may cost what a tree's depth does.
    for waiting, cost in costs.items():
        yield Figure(bench="queue", name=f"grant + free + join, {waiting} waiting", value=cost, unit="us", limit=200)
    ratio = costs[_MANY] / costs[_FEW]
    yield Figure(bench="queue", name=f"{_MANY} waiting to {_FEW}", value=ratio, unit="times", limit=2)


def _queue(waiting: int) -> SlotQueue:
    draw = random.Random("queue")
    queue = SlotQueue(slots=1, bound=2.0)
    for call in range(waiting + 1):
        queue.begin_reply(str(call))
        queue.join(str(call), need_by=draw.random(), expected=_HELD, first=draw.random() < _FIRST)
    return queue


def _turn_over(queue: SlotQueue, draw: random.Random) -> None:
    (ticket,) = queue.settle(0.0)
    for number in range(_ROUNDS):
        now = _HELD * number
        queue.free(ticket, seconds=_HELD + 0.1 * draw.random())
        need_by = now + 3 * draw.random()
        queue.join(ticket.account.call, need_by=need_by, expected=_HELD, first=draw.random() < _FIRST)
        (ticket,) = queue.settle(now)
