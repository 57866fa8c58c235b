"""Claims about a line behind a link: everything is under way for its latency, in order, and a clear is the next message
after a cut."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
from attrs import Factory, define
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator.adapters.telephony.loopback import LoopbackLeg, Phone, open_loopback
from orchestrator.adapters.telephony.remote import FarLine, RemoteLeg, open_link
from orchestrator.audio import seconds_of
from orchestrator.errors import LegClosed
from orchestrator.ports import CallFacts, HungUp, Leg, LegEvent, MarkPlayed, SpeechStarted, UserTurn
from tests.adapters.test_loopback import RATE, SECOND, Tape, rounded, tone

LATENCY = 0.05


class Watched(LoopbackLeg):
    """The far line, with each message that arrived there and when."""

    def __init__(self, facts: CallFacts, *, rate: int, now: object, tap: Tape) -> None:
        super().__init__(facts, rate=rate, now=trio.current_time, tap=tap)
        self.arrived: list[tuple[float, str]] = []

    def take(self, pcm: bytes) -> None:
        self._note("sound")
        super().take(pcm)

    def mark(self, name: str) -> None:
        self._note(f"mark {name}")
        super().mark(name)

    def clear(self) -> None:
        self._note("clear")
        super().clear()

    def _note(self, message: str) -> None:
        if not self.over.is_set():
            self.arrived.append((round(trio.current_time(), 6), message))


@define
class Rig:
    """Both ends of a line, what it told at ours, and what sounded at the other."""

    leg: RemoteLeg
    far: Watched
    phone: Phone
    tape: Tape
    told: list[tuple[float, LegEvent]] = Factory(list)
    ended: bool = False

    async def listen(self) -> None:
        """Note the events until they end."""
        async for event in self.leg.events():
            self.told.append((round(trio.current_time(), 6), rounded(event)))
        self.ended = True

    @property
    def marks(self) -> list[tuple[str, float]]:
        """The marks that came back, and when they say so."""
        return [(event.name, event.at) for _, event in self.told if isinstance(event, MarkPlayed)]


@asynccontextmanager
async def line(monkeypatch: pytest.MonkeyPatch, latency: float = LATENCY) -> AsyncIterator[Rig]:
    """Open a line at time 0."""
    tape = Tape()
    monkeypatch.setattr("orchestrator.adapters.telephony.loopback.LoopbackLeg", Watched)
    async with open_loopback(CallFacts("c1"), rate=RATE, now=trio.current_time, tap=tape) as (far, phone):
        assert isinstance(far, Watched)
        async with open_link(far, latency=latency, now=trio.current_time) as leg:
            rig = Rig(leg, far, phone, tape)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(rig.listen)
                yield rig
                nursery.cancel_scope.cancel()


async def write_on(leg: RemoteLeg) -> None:
    """Write as fast as the leg takes it."""
    while True:
        await leg.write(tone(0.2))


def test_it_is_a_leg() -> None:
    """And what it needs of the other side a loopback line has."""
    far = LoopbackLeg(CallFacts("c1"), rate=RATE, now=lambda: 0.0)
    line: FarLine = far
    leg: Leg = RemoteLeg(line, latency=LATENCY, now=lambda: 0.0)
    assert (leg.latency, leg.stride, leg.rate, leg.facts) == (LATENCY, 0.2, RATE, far.facts)


async def test_sound_and_marks_are_under_way(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound begins a latency after it was written; its mark says when that came back, a latency after it was over."""
    async with line(monkeypatch) as rig:
        rig.leg.mark("start")
        await rig.leg.write(tone(0.2))
        rig.leg.mark("a")
        await rig.leg.write(tone(0.133))
        rig.leg.mark("b")
        await trio.sleep(2)
        assert [round(rig.tape.bot[0][0], 6), len(rig.tape.sound)] == [0.05, round(0.333 * SECOND)]
        assert rig.marks == [("start", 0.1), ("a", 0.3), ("b", 0.433)]
        assert [at for at, _ in rig.told] == pytest.approx([0.1, 0.3, 0.44], abs=0.011)  # frames are 20 ms


async def test_no_more_than_a_second_and_a_half_is_ahead(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write waits until it has room; one that is longer waits until nothing is ahead."""
    async with line(monkeypatch) as rig:
        for _ in range(7):
            await rig.leg.write(tone(0.2))
        assert trio.current_time() == 0.0
        await rig.leg.write(tone(0.2))
        assert trio.current_time() == pytest.approx(0.1)
        await rig.leg.write(tone(2.0))
        assert trio.current_time() == pytest.approx(1.6)
        await trio.sleep(4)
        assert len(rig.tape.sound) == round(3.6 * SECOND)
        assert all(b[0] - a[0] == pytest.approx(0.02) for a, b in pairwise(rig.tape.bot))


async def test_the_clear_is_the_next_message_after_a_cut(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut clears the leg and cancels whoever writes: nothing is sent between, sound ends when the clear arrives."""
    async with line(monkeypatch) as rig:
        with trio.CancelScope() as reply:

            async def cut() -> None:
                await trio.sleep(0.31)
                rig.leg.clear()
                reply.cancel()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(cut)
                for number in range(50):
                    rig.leg.mark(str(number))
                    await rig.leg.write(tone(0.2))
        assert trio.current_time() == pytest.approx(0.31)
        await trio.sleep(0.01)
        await rig.leg.write(tone(0.1))
        rig.leg.mark("next")
        await trio.sleep(1)
        after = [(at, message) for at, message in rig.far.arrived if at > 0.31 + LATENCY - 1e-6]
        assert after == [(0.36, "clear"), (0.37, "sound"), (0.37, "mark next")]
        assert [message for _, message in rig.far.arrived].count("sound") == 9 + 1
        cut_at = [at + len(pcm) / SECOND for at, pcm in rig.tape.bot if at < 0.365]
        assert max(cut_at) <= 0.36 + 0.02 + 1e-6
        assert rig.marks[-2:] == [("1", 0.3), ("next", pytest.approx(0.53, abs=0.02))]


async def test_a_clear_makes_room(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a writer that is not cancelled with it."""
    async with line(monkeypatch) as rig:
        for _ in range(7):
            await rig.leg.write(tone(0.2))
        rig.leg.clear()
        await rig.leg.write(tone(1.4))
        assert trio.current_time() == 0.0
        await trio.sleep(3)
        assert len(rig.tape.sound) == pytest.approx(1.4 * SECOND, abs=0.021 * SECOND)


@pytest.mark.parametrize("by_caller", [True, False])
async def test_the_end_of_the_call_ends_everything(
    by_caller: bool, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Word of it takes its time: the side that ends it knows first; a write that waits gets LegClosed."""
    async with line(monkeypatch) as rig:

        async def end() -> None:
            await trio.sleep(0.11)
            if by_caller:
                rig.phone.hang_up()
            else:
                await rig.leg.hang_up()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(end)
            with pytest.raises(LegClosed):
                await write_on(rig.leg)
        assert trio.current_time() == pytest.approx(0.11 + (LATENCY if by_caller else 0.0), abs=1e-6)
        with pytest.raises(LegClosed):
            await rig.leg.write(tone(0.1))
        await rig.leg.transfer("+49 30 1")
        await trio.sleep(1)
        assert rig.ended
        assert rig.phone.call_over.is_set()
        assert rig.told == ([(0.16, HungUp(0.11))] if by_caller else [])
        assert rig.leg.transferred_to == "+49 30 1"
        ends = max(at + len(pcm) / SECOND for at, pcm in rig.tape.bot)
        assert ends <= (0.11 if by_caller else 0.16) + 0.02 + 1e-6


async def test_word_of_the_caller_comes_later(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, with the times at which things happened."""
    async with line(monkeypatch) as rig:
        await rig.phone.speak(tone(0.5), "hello")
        await trio.sleep(1)
        assert rig.told == [(0.05, SpeechStarted(0.0)), (0.55, UserTurn("hello", 0.0, 0.5))]


STEPS = st.lists(st.tuples(st.floats(0, 1), st.one_of(st.none(), st.integers(1, 4000))), max_size=12)


@given(STEPS, st.floats(0, 0.5))
def test_whatever_is_written_after_a_clear_sounds(steps: list[tuple[float, int | None]], latency: float) -> None:
    """For any writes, pauses and clears: nothing of what follows a clear is lost, and what went before ends in time."""

    async def main() -> None:
        with pytest.MonkeyPatch.context() as monkeypatch:
            async with line(monkeypatch, latency) as rig:
                since, cleared = 0, -math.inf
                for wait, samples in steps:
                    await trio.sleep(wait)
                    if samples is None:
                        rig.leg.clear()
                        since, cleared = 0, trio.current_time()
                    else:
                        await rig.leg.write(b"\1\0" * samples)
                        since += samples
                await trio.sleep(10)
                late = [pcm for at, pcm in rig.tape.bot if at >= cleared + latency - 1e-9]
                assert sum(map(len, late)) >= 2 * since
                early = [at + seconds_of(pcm, RATE) for at, pcm in rig.tape.bot if at < cleared + latency - 1e-9]
                assert all(end <= cleared + latency + 0.02 + 1e-6 for end in early)

    trio.run(main, clock=MockClock(autojump_threshold=0))
