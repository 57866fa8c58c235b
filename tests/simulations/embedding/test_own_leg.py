"""Claims about the example's line, in virtual time: it is a leg by the letter of the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import Factory, define
from trio.testing import MockClock

from orchestrator import CallFacts, HungUp, Leg, LegClosed, MarkPlayed
from simulations.embedding.own_leg import AHEAD, FRAME, Line

SOUND = b"\x01\x10"


@define
class Ear:
    """A line, and what is heard on it."""

    line: Line
    frames: list[bytes] = Factory(list)
    events: list[object] = Factory(list)

    @property
    def sounding(self) -> int:
        """Bytes of sound that were heard."""
        return sum(frame.count(SOUND) for frame in self.frames) * 2


@asynccontextmanager
async def open_line() -> AsyncIterator[Ear]:
    """Run a line and note its events."""
    frames: list[bytes] = []
    line = Line(CallFacts("a"), now=trio.current_time, hear=frames.append)
    leg: Leg = line
    ear = Ear(line, frames)

    async def listen() -> None:
        async for event in leg.events():
            ear.events.append(event)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.run)
        nursery.start_soon(listen)
        yield ear
        await line.hang_up()


async def test_a_mark_comes_back_when_what_is_before_it_has_sounded(autojump_clock: MockClock) -> None:
    """At once where nothing is waiting; to 20 ms."""
    async with open_line() as ear:
        ear.line.mark("nothing")
        await ear.line.write(SOUND * 800)  # 0.1 s
        ear.line.mark("all")
        await trio.sleep(0.5)
        first, second = ear.events
        assert first == MarkPlayed("nothing", 0.0)
        assert isinstance(second, MarkPlayed)
        assert second.at == pytest.approx(0.1, abs=0.021)
        assert ear.sounding == 1600


async def test_what_is_cleared_never_sounds_and_its_marks_are_gone(autojump_clock: MockClock) -> None:
    """What comes after it does."""
    async with open_line() as ear:
        await ear.line.write(SOUND * 3000)
        ear.line.mark("cut")
        await trio.sleep(0.05)
        ear.line.clear()
        heard = ear.sounding
        await trio.sleep(0.5)
        assert ear.sounding == heard <= 4 * FRAME
        await ear.line.write(SOUND * 160)
        ear.line.mark("next")
        await trio.sleep(0.1)
        assert [event.name for event in ear.events if isinstance(event, MarkPlayed)] == ["next"]
        assert ear.sounding == heard + FRAME


async def test_it_takes_no_more_ahead_than_it_says(autojump_clock: MockClock) -> None:
    """A write waits for room; a cut meanwhile cancels it, and nothing of it sounds."""
    async with open_line() as ear:
        await ear.line.write(bytes(2 * AHEAD))
        with trio.move_on_after(0.3) as cut:
            await ear.line.write(SOUND)
        assert cut.cancelled_caught
        ear.line.clear()
        await trio.sleep(1)
        assert ear.sounding == 0


async def test_a_closed_line_takes_nothing_and_tells_nothing(autojump_clock: MockClock) -> None:
    """Whoever waits for room is told."""
    async with open_line() as ear:
        await ear.line.write(bytes(2 * AHEAD))
        with pytest.RaisesGroup(LegClosed):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ear.line.write, SOUND)
                await trio.testing.wait_all_tasks_blocked()
                await ear.line.hang_up()
        ear.line.caller_hangs_up()
        await trio.sleep(0.1)
        assert not any(isinstance(event, HungUp) for event in ear.events)
