"""The simulated line: sound takes exactly its time, marks come back in their moment, and what sounded is told."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import Factory, define
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestrator.errors import LegClosed
from orchestrator.events import Event
from orchestrator.ports import CallFacts, HungUp, LegEvent, MarkPlayed
from simulations.line import RATE, SimulatedLeg
from simulations.plain_voice import mark_of
from simulations.world_events import SoundPlayed


def sound(seconds: float, call: str = "1") -> bytes:
    """Return sound that bears a call's mark; silence for ""."""
    return (mark_of(call) if call else 0).to_bytes(2, "little") * round(seconds * RATE)


@define
class Listened:
    """A line with everything that came from it, and when that was."""

    leg: SimulatedLeg
    told: list[tuple[float, LegEvent]] = Factory(list)
    heard: list[SoundPlayed] = Factory(list)

    @property
    def marks(self) -> list[tuple[str, float]]:
        """The marks that came back, each with what it says when that was."""
        return [(event.name, event.at) for _, event in self.told if isinstance(event, MarkPlayed)]

    @property
    def sounds(self) -> list[tuple[float, float, str]]:
        """What sounded."""
        return [(round(event.began, 6), round(event.ended, 6), event.of) for event in self.heard]


@asynccontextmanager
async def listened(link: float | None = None) -> AsyncIterator[Listened]:
    """Open a line and listen to it; a remote one where its `link` has a latency, in seconds."""
    found: list[Event] = []
    line = Listened(SimulatedLeg(CallFacts("1"), now=trio.current_time, emit=found.append, link=link))

    async def listen() -> None:
        async for event in line.leg.events():
            line.told.append((trio.current_time(), event))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        yield line
        await wait_all_tasks_blocked()
        line.leg.end()
    line.heard += [event for event in found if isinstance(event, SoundPlayed)]


async def test_sound_takes_exactly_its_time(autojump_clock: MockClock) -> None:
    """Half a minute is taken at once; marks come back to the sample, those without sound before them at once."""
    async with listened() as line:
        line.leg.mark("start")
        await line.leg.write(sound(0.5))
        line.leg.mark("a")
        await line.leg.write(sound(29.123125))
        line.leg.mark("b")
        line.leg.mark("again b")
        assert trio.current_time() == 0
        await trio.sleep(60)
        line.leg.mark("late")
        await trio.sleep(1)
    assert line.marks == [
        ("start", 0.0),
        ("a", 0.5),
        ("b", pytest.approx(29.623125)),
        ("again b", pytest.approx(29.623125)),
        ("late", 60.0),
    ]
    assert [at for at, _ in line.told] == pytest.approx([at for _, at in line.marks])
    assert line.sounds == [(0.0, 29.623125, "1")]


async def test_sound_without_a_pause_is_one_run(autojump_clock: MockClock) -> None:
    """What is written while sound is on, or in the instant when it ends, goes on with it; after a pause begins anew."""
    async with listened() as line:
        for wait in (0.0, 0.3, 0.7, 1.0):  # the third comes just as the first two have sounded
            await trio.sleep(wait)
            await line.leg.write(sound(0.5))
        await trio.sleep(5)
        assert line.leg.over.is_set() is False
    assert line.sounds == [(0.0, 1.5, "1"), (2.0, 2.5, "1")]
    assert [event.at for event in line.heard] == pytest.approx([1.5, 2.5])


async def test_a_clear_stops_the_sound_now(autojump_clock: MockClock) -> None:
    """Nothing of it sounds after, its marks do not come back, and new sound begins when it is written."""
    async with listened() as line:
        await line.leg.write(sound(2.0))
        line.leg.mark("lost")
        await trio.sleep(0.75)
        line.leg.clear()
        await line.leg.write(sound(0.5))
        line.leg.mark("kept")
        await trio.sleep(5)
        line.leg.clear()  # nothing is there
    assert line.sounds == [(0.0, 0.75, "1"), (0.75, 1.25, "1")]
    assert line.marks == [("kept", 1.25)]


async def test_the_end_of_the_call_stops_the_sound(autojump_clock: MockClock) -> None:
    """Whoever ends it; what happened before is still told, then the events end, and no sound is taken."""
    async with listened() as line:
        await line.leg.write(sound(2.0))
        await trio.sleep(0.5)
        line.leg.tell(HungUp(0.5))
        await line.leg.hang_up()
        line.leg.tell(HungUp(9.9))
        with pytest.raises(LegClosed):
            await line.leg.write(sound(1.0))
        await line.leg.transfer("+4930")
    assert line.sounds == [(0.0, 0.5, "1")]
    assert line.told == [(0.5, HungUp(0.5))]
    assert line.leg.transferred_to == "+4930"


async def test_whose_sound_it_was(autojump_clock: MockClock) -> None:
    """Each call's sound is a run of its own; silence goes with what it follows, or with what follows it."""
    async with listened() as line:
        for seconds, call in [(0.1, ""), (0.4, "1"), (0.1, ""), (0.4, "1"), (1.0, "7"), (0.5, "1")]:
            await line.leg.write(sound(seconds, call))
        await trio.sleep(3)
        await line.leg.write(sound(1.0, ""))
    assert line.sounds == [(0.0, 1.0, "1"), (1.0, 2.0, "7"), (2.0, 2.5, "1")]


async def test_sound_that_bears_no_mark_is_nobodys(autojump_clock: MockClock) -> None:
    """A run of it is told all the same."""
    async with listened() as line:
        await line.leg.write(b"\x00\x10\x00\xf0" * RATE)
        await trio.sleep(3)
    assert line.sounds == [(0.0, 2.0, "")]


async def test_sound_that_is_cut_while_it_is_written_is_not_taken(autojump_clock: MockClock) -> None:
    """A cut clears the leg and cancels the writer in one step: nothing may sound after it."""
    async with listened() as line:
        with trio.CancelScope() as scope:
            scope.cancel()
            await line.leg.write(sound(1.0))
        await trio.sleep(2)
    assert scope.cancelled_caught
    assert line.sounds == []


class Steps(trio.abc.Instrument):
    """Counts how often any task runs."""

    count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += 1


async def test_nothing_wakes_up_while_nothing_can_be_observed(autojump_clock: MockClock) -> None:
    """An hour of sound and an hour of silence cost a handful of steps: there are no ticks."""
    async with listened() as line:
        steps = Steps()
        trio.lowlevel.add_instrument(steps)
        for _ in range(120):
            await line.leg.write(sound(30.0))
        await trio.sleep(7200)
        trio.lowlevel.remove_instrument(steps)
    assert steps.count < 10
    assert line.sounds == [(0.0, 3600.0, "1")]


Step = tuple[float, float | None]


@given(st.lists(st.tuples(st.floats(0, 3), st.one_of(st.none(), st.floats(0.0002, 4))), max_size=25), st.booleans())
def test_any_course_of_writes_and_clears(steps: Sequence[Step], late: bool) -> None:
    """Marks and sound are where a simple account of the same course has them, also late in a long run."""

    async def live() -> Listened:
        await trio.sleep(123_456.789 if late else 0.0)
        async with listened() as line:
            for number, (wait, seconds) in enumerate(steps):
                await trio.sleep(wait)
                if seconds is None:
                    line.leg.clear()
                else:
                    await line.leg.write(sound(seconds))
                    line.leg.mark(str(number))
            await trio.sleep(200)
        return line

    line = trio.run(live, clock=MockClock(autojump_threshold=0))
    now, due = (123_456.789 if late else 0.0), -math.inf
    marks: dict[str, float] = {}
    sounded = 0.0
    for number, (wait, seconds) in enumerate(steps):
        now += wait
        if seconds is None:
            marks = {name: at for name, at in marks.items() if at <= now}
            sounded -= max(0.0, due - now)
            due = min(due, now)
        else:
            length = round(seconds * RATE) / RATE
            due = max(due, now) + length
            sounded += length
            marks[str(number)] = due
    assert dict(line.marks) == pytest.approx(marks, abs=1e-6)
    assert all(at == pytest.approx(event.at, abs=1e-6) for at, event in line.told if isinstance(event, MarkPlayed))
    assert sum(end - begin for begin, end, _ in line.sounds) == pytest.approx(sounded, abs=1e-4)
    assert all(a[1] <= b[0] for a, b in zip(line.sounds, line.sounds[1:], strict=False))
