"""The simulated line behind a link: everything arrives a latency later, a cut's clear is the very next message, and the
calls that are made on it keep every rule."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator.errors import LegClosed
from orchestrator.events import BargedIn, CallEnded, FirstAudioPlayed, LegCleared
from simulations.invariants import Invariants
from simulations.line import RATE, REMOTE_AHEAD, SimulatedLeg
from simulations.scenario import Group, Scenario
from simulations.workload import Traits
from simulations.world import run
from simulations.world_events import SoundPlayed
from tests.simulations.test_line import Listened, listened, sound

LINK = 0.05


async def write_on(leg: SimulatedLeg) -> None:
    """Write as fast as the leg takes it."""
    while True:
        await leg.write(sound(0.2))


async def test_sound_and_marks_are_under_way(autojump_clock: MockClock) -> None:
    """It sounds a latency after it was written; its mark comes back another one after it is over."""
    async with listened(LINK) as line:
        assert (line.leg.latency, line.leg.stride) == (LINK, 0.2)
        line.leg.mark("start")
        await line.leg.write(sound(0.5))
        line.leg.mark("a")
        await trio.sleep(2)
    assert dict(line.marks) == pytest.approx({"start": 0.1, "a": 0.6})
    assert [at for at, _ in line.told] == pytest.approx([0.1, 0.6])
    assert line.sounds == [(0.05, 0.55, "1")]


async def test_no_more_than_a_second_and_a_half_is_ahead(autojump_clock: MockClock) -> None:
    """A write waits for room; one that is longer waits until nothing is ahead; a clear makes room."""
    async with listened(LINK) as line:
        for _ in range(7):
            await line.leg.write(sound(0.2))
        assert trio.current_time() == 0.0
        await line.leg.write(sound(0.2))
        assert trio.current_time() == pytest.approx(1.6 - REMOTE_AHEAD)
        await line.leg.write(sound(2.0))
        assert trio.current_time() == pytest.approx(1.6)
        line.leg.clear()
        await line.leg.write(sound(1.5))
        assert trio.current_time() == pytest.approx(1.6)
        await trio.sleep(5)
    assert line.sounds == [(0.05, 1.65, "1"), (1.65, 3.15, "1")]


async def test_a_clear_takes_its_time_and_touches_nothing_that_follows(autojump_clock: MockClock) -> None:
    """Sound goes on until it arrives; the marks of what it threw away turn up with word of it."""
    async with listened(LINK) as line:
        await line.leg.write(sound(0.2))
        line.leg.mark("heard")
        await line.leg.write(sound(1.0))
        line.leg.mark("thrown away")
        await trio.sleep(0.23)
        line.leg.clear()
        await line.leg.write(sound(0.3))
        line.leg.mark("next")
        await trio.sleep(5)
    assert line.sounds == [(0.05, 0.28, "1"), (0.28, 0.58, "1")]
    assert dict(line.marks) == pytest.approx({"heard": 0.3, "thrown away": 0.33, "next": 0.63})


async def test_a_writer_that_waits_learns_of_the_end(autojump_clock: MockClock) -> None:
    """At once; what was under way sounds until word of the end arrives."""
    async with listened(LINK) as line:

        async def end() -> None:
            await trio.sleep(0.3)
            line.leg.end()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(end)
            with pytest.raises(LegClosed):
                await write_on(line.leg)
        assert trio.current_time() == pytest.approx(0.3)
    assert line.sounds == [(0.05, 0.35, "1")]


async def test_a_cut_while_a_write_waits(autojump_clock: MockClock) -> None:
    """The leg is cleared and the writer cancelled in one step: nothing of it is sent after the clear."""
    async with listened(LINK) as line:
        with trio.CancelScope() as reply:

            async def cut() -> None:
                await trio.sleep(0.31)
                line.leg.clear()
                reply.cancel()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(cut)
                await write_on(line.leg)
        await trio.sleep(3)
    assert reply.cancelled_caught
    assert line.sounds == [(0.05, 0.36, "1")]


Step = tuple[float, float | None]


@given(st.lists(st.tuples(st.floats(0, 3), st.one_of(st.none(), st.floats(0.0002, 1.4))), max_size=25), st.floats(0, 1))
def test_any_course_of_writes_and_clears(steps: Sequence[Step], link: float) -> None:
    """What sounds is where a simple account of the same course has it, at the other side."""

    async def live() -> tuple[Listened, list[tuple[float, float | None]]]:
        course: list[tuple[float, float | None]] = []
        async with listened(link) as line:
            for wait, seconds in steps:
                await trio.sleep(wait)
                if seconds is None:
                    line.leg.clear()
                else:
                    await line.leg.write(sound(seconds))
                course.append((trio.current_time() + link, None if seconds is None else round(seconds * RATE) / RATE))
            await trio.sleep(200)
        return line, course

    line, course = trio.run(live, clock=MockClock(autojump_threshold=0))
    due, sounded = -math.inf, 0.0
    for arrived, seconds in course:
        if seconds is None:
            sounded -= max(0.0, due - arrived)
            due = min(due, arrived)
        else:
            due = max(due, arrived) + seconds
            assert due - arrived <= REMOTE_AHEAD + 1e-6
            sounded += seconds
    assert sum(end - begin for begin, end, _ in line.sounds) == pytest.approx(sounded, abs=1e-4)
    assert all(a[1] <= b[0] + 1e-6 for a, b in zip(line.sounds, line.sounds[1:], strict=False))


# --- whole calls ---


@pytest.mark.parametrize("latency", [0.0, 0.05, 0.4])
@pytest.mark.parametrize("lifelike", [False, True])
def test_calls_over_a_link_keep_every_rule(latency: float, lifelike: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With barge-ins and hang-ups: after each cut the next message is the clear, and no sound outlasts its way."""
    sent: dict[str, list[tuple[float, str]]] = {}

    class Watched(SimulatedLeg):
        async def write(self, pcm: bytes) -> None:
            await super().write(pcm)
            sent.setdefault(self.facts.id, []).append((trio.current_time(), "sound"))

        def clear(self) -> None:
            sent.setdefault(self.facts.id, []).append((trio.current_time(), "clear"))
            super().clear()

    monkeypatch.setattr("simulations.calls.SimulatedLeg", Watched)
    traits = Traits(barge_in=0.5, hang_up=0.1)
    group = Group(calls=4, traits=traits, leg="remote", leg_latency=latency)
    scenario = Scenario(name="remote", hours=0.03, wire=False, lifelike=lifelike, groups=(group,))
    invariants = Invariants(scenario)
    events = run(scenario, 3)
    for event in events:
        invariants.add(event)
    assert invariants.finish() == []
    barged = [event for event in events if isinstance(event, BargedIn)]
    assert len(barged) > 9
    for cut in barged:
        assert any(isinstance(event, LegCleared) and (event.call, event.at) == (cut.call, cut.at) for event in events)
        assert next(message for time, message in sent[cut.call] if time >= cut.at) == "clear"
    assert {event.reason for event in events if isinstance(event, CallEnded)} == {"caller", "run"}
    late = [event for event in events if isinstance(event, FirstAudioPlayed)]
    assert len(late) > 20


def test_marks_come_back_a_latency_after_the_ear() -> None:
    """So the program knows when the caller heard the first of a reply: when it did."""
    group = Group(calls=1, leg="remote", leg_latency=0.3)
    events = run(Scenario(name="remote", hours=0.02, wire=False, groups=(group,)), 1)
    heard = [event.began for event in events if isinstance(event, SoundPlayed)]
    told = [event.at for event in events if isinstance(event, FirstAudioPlayed)]
    assert len(told) > 4
    assert all(min(abs(at - 0.3 - began) for began in heard) < 0.001 for at in told)
