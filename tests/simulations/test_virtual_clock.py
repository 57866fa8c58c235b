"""The clock of simulated worlds: what Trio's own does when it jumps by itself, to the last bit."""

from __future__ import annotations

import random

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from simulations.virtual_clock import VirtualClock

WAITS = st.lists(st.lists(st.floats(0, 100), max_size=6), max_size=5)


async def story(waits: list[list[float]], *, draw: random.Random) -> list[tuple[int, float]]:
    """Return when which of several sleepers woke up; each also gives way now and then without sleeping."""
    woke: list[tuple[int, float]] = []

    async def sleep(number: int, naps: list[float]) -> None:
        for nap in naps:
            await trio.sleep(nap)
            woke.append((number, trio.current_time()))
            if draw.random() < 0.5:
                await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        for number, naps in enumerate(waits):
            nursery.start_soon(sleep, number, naps)
    return [*woke, (len(waits), trio.current_time())]


@given(WAITS)
def test_it_jumps_as_the_mock_clock_does(waits: list[list[float]]) -> None:
    """The same sleepers wake at the same times; only Trio's dice decide who is first of those that wake together."""
    clocks: list[trio.abc.Clock] = [MockClock(autojump_threshold=0), VirtualClock()]
    ours, theirs = [sorted(trio.run(lambda: story(waits, draw=random.Random("ways")), clock=clock)) for clock in clocks]
    assert [number for number, _ in ours] == [number for number, _ in theirs]
    assert all(abs(a - b) < 1e-9 for (_, a), (_, b) in zip(ours, theirs, strict=True))


def test_it_starts_at_0_and_is_read_outside_too() -> None:
    """Its time needs no look into Trio."""
    clock = VirtualClock()
    assert clock.current_time() == 0.0
    trio.run(trio.sleep, 2.5, clock=clock)
    assert clock.current_time() == 2.5


def test_nothing_passes_while_somebody_can_run() -> None:
    """However often others have their turn meanwhile."""

    async def busy() -> float:
        with trio.move_on_after(1.0):
            for _ in range(100):
                await trio.lowlevel.checkpoint()
        return trio.current_time()

    assert trio.run(busy, clock=VirtualClock()) == 0.0
