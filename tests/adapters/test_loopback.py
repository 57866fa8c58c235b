"""Claims about the loopback line: sound on the 20 ms clock, marks to the sample, nothing after a clear or the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from attrs import Factory, define
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator.adapters.telephony.loopback import LoopbackLeg, Phone, open_loopback
from orchestrator.errors import LegClosed
from orchestrator.ports import CallFacts, Digits, HungUp, LegEvent, MarkPlayed, SpeechStarted, UserTurn

RATE = 8000
SECOND = 2 * RATE


@define
class Tape:
    """Notes what sounded on the line, and when."""

    bot: list[tuple[float, bytes]] = Factory(list)
    caller: list[tuple[float, bytes]] = Factory(list)

    def from_caller(self, at: float, pcm: bytes) -> None:
        """Note it."""
        self.caller.append((at, pcm))

    def to_caller(self, at: float, pcm: bytes) -> None:
        """Note it."""
        self.bot.append((at, pcm))

    @property
    def sound(self) -> bytes:
        """All that the caller heard."""
        return b"".join(pcm for _, pcm in self.bot)


@define
class Rig:
    """A line, what it told, and what sounded on it."""

    leg: LoopbackLeg
    phone: Phone
    tape: Tape
    told: list[LegEvent] = Factory(list)
    ended: bool = False

    async def listen(self) -> None:
        """Note the events until they end."""
        async for event in self.leg.events():
            self.told.append(rounded(event))
        self.ended = True

    @property
    def marks(self) -> list[tuple[str, float]]:
        """The marks that came back."""
        return [(event.name, round(event.at, 6)) for event in self.told if isinstance(event, MarkPlayed)]


def rounded(event: LegEvent) -> LegEvent:
    """The event with its times to the microsecond."""
    times: dict[str, Any] = {n: round(v, 6) for n, v in attrs.asdict(event).items() if isinstance(v, float)}
    return attrs.evolve(event, **times)


@asynccontextmanager
async def line() -> AsyncIterator[Rig]:
    """Open a line at time 0."""
    tape, began = Tape(), trio.current_time()
    with trio.fail_after(600):
        async with open_loopback(CallFacts("c1"), rate=RATE, now=lambda: trio.current_time() - began, tap=tape) as both:
            rig = Rig(*both, tape)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(rig.listen)
                yield rig
                nursery.cancel_scope.cancel()


def tone(seconds: float) -> bytes:
    """Sound, each sample another than its neighbours."""
    return b"".join(index.to_bytes(2, "little") for index in range(round(seconds * RATE)))


async def test_sound_leaves_in_frames_of_20_ms_on_the_clock(autojump_clock: MockClock) -> None:
    """None ahead of its time; the last frame may be short; the tap gets exactly what sounded, when it did."""
    async with line() as rig:
        await trio.sleep(1.003)
        await rig.leg.write(tone(0.05))
        await trio.sleep(0.021)
        assert len(rig.tape.bot) == 2
        await trio.sleep(1)
        assert [(round(at, 6), len(pcm)) for at, pcm in rig.tape.bot] == [(1.003, 320), (1.023, 320), (1.043, 160)]
        assert rig.tape.sound == tone(0.05)
        assert rig.leg.statistics.frames == 3
        assert rig.leg.statistics.late_frames == 0


async def test_marks_come_back_when_the_sound_before_them_is_over(autojump_clock: MockClock) -> None:
    """To the sample, in the middle of a frame, too; at once where nothing is waiting."""
    async with line() as rig:
        rig.leg.mark("at once")
        await rig.leg.write(tone(0.1))
        rig.leg.mark("frame's end")
        await rig.leg.write(tone(0.033))
        rig.leg.mark("mid-frame")
        rig.leg.mark("again")
        await trio.sleep(0.12)
        assert rig.marks == [("at once", 0.0), ("frame's end", 0.1)]
        await trio.sleep(2)
        rig.leg.mark("later")
        await trio.sleep(1)
        assert rig.marks[2:] == [("mid-frame", 0.133), ("again", 0.133), ("later", 2.12)]


async def test_a_clear_silences_the_line_within_a_frame(autojump_clock: MockClock) -> None:
    """And the marks before it never come back; what is written after it sounds."""
    async with line() as rig:
        await rig.leg.write(tone(0.3))
        rig.leg.mark("cut")
        await trio.sleep(0.105)
        rig.leg.clear()
        await trio.sleep(1)
        assert max(at + len(pcm) / SECOND for at, pcm in rig.tape.bot) <= 0.125
        assert rig.marks == []
        await rig.leg.write(b"\1\1" * 80)
        rig.leg.mark("next")
        await trio.sleep(1)
        assert [(round(at, 6), pcm) for at, pcm in rig.tape.bot[-1:]] == [(1.105, b"\1\1" * 80)]
        assert rig.marks == [("next", 1.115)]


async def test_a_write_waits_while_the_leg_is_far_enough_ahead(autojump_clock: MockClock) -> None:
    """Not more than 0.4 s, and one write on top, are taken ahead."""
    async with line() as rig:
        for _ in range(3):
            await rig.leg.write(tone(0.2))
        assert trio.current_time() == pytest.approx(0.0)
        await rig.leg.write(tone(0.2))
        assert trio.current_time() == pytest.approx(0.2, abs=0.021)


@pytest.mark.parametrize("by_caller", [True, False])
async def test_the_end_of_the_call_ends_everything(by_caller: bool, autojump_clock: MockClock) -> None:
    """From either side: a write that waits gets LegClosed, so does the next; events end, nothing sounds any more."""
    async with line() as rig:
        await rig.leg.write(tone(0.6))
        rig.leg.mark("never")

        async def end() -> None:
            await trio.sleep(0.11)
            if by_caller:
                rig.phone.hang_up()
            else:
                await rig.leg.hang_up()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(end)
            with pytest.raises(LegClosed):
                await rig.leg.write(tone(0.1))
        with pytest.raises(LegClosed):
            await rig.leg.write(tone(0.1))
        await rig.leg.hang_up()
        rig.phone.hang_up()
        await rig.phone.speak(tone(0.1), "too late")
        await rig.phone.wait_bot_speaks()
        await rig.phone.wait_bot_quiet(9)
        await trio.sleep(1)
        assert rig.ended
        assert rig.told == ([HungUp(0.11)] if by_caller else [])
        assert max(at for at, _ in rig.tape.bot) < 0.11
        assert rig.tape.caller == []


async def test_a_transfer_notes_where_to_and_leaves(autojump_clock: MockClock) -> None:
    """There is nobody to hand over to in here."""
    async with line() as rig:
        await rig.leg.transfer("+49 30 1")
        assert rig.leg.transferred_to == "+49 30 1"
        assert rig.phone.call_over.is_set()


async def test_the_caller_speaks_in_real_time(autojump_clock: MockClock) -> None:
    """The sound begins with the first sample, the words come at the end; keys take their time."""
    async with line() as rig:
        await trio.sleep(1)
        await rig.phone.speak(tone(0.55), "hello")
        await rig.phone.press("1#")
        await trio.testing.wait_all_tasks_blocked()
        assert rig.told == [SpeechStarted(1.0), UserTurn("hello", 1.0, 1.55), Digits("1#")]
        assert trio.current_time() == pytest.approx(2.05)
        assert b"".join(pcm for _, pcm in rig.tape.caller) == tone(0.55)
        assert [at for at, _ in rig.tape.caller] == pytest.approx([1.0, 1.1, 1.2, 1.3, 1.4, 1.5])


async def test_a_caller_who_stops_in_mid_word_has_said_it(autojump_clock: MockClock) -> None:
    """Cancelled, the turn ends there and then."""
    async with line() as rig:
        with trio.move_on_after(0.25):
            await rig.phone.speak(tone(2), "hello")
        await trio.testing.wait_all_tasks_blocked()
        assert rig.told == [SpeechStarted(0.0), UserTurn("hello", 0.0, 0.25)]


async def test_the_phone_hears_when_the_bot_speaks_and_when_it_is_quiet(autojump_clock: MockClock) -> None:
    """A pause that is shorter than asked for is none."""
    async with line() as rig:

        async def talk() -> None:
            await trio.sleep(1)
            await rig.leg.write(tone(0.2))
            await trio.sleep(0.5)  # 0.3 s of silence
            await rig.leg.write(tone(0.1))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(talk)
            await rig.phone.wait_bot_speaks()
            assert trio.current_time() == pytest.approx(1.0)
            await rig.phone.wait_bot_quiet(0.5)
            assert trio.current_time() == pytest.approx(2.1)


CHUNKS = st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 0.3)), max_size=12)


@given(CHUNKS)
def test_whatever_is_written_sounds_once_in_order_and_one_frame_at_a_time(chunks: list[tuple[int, float]]) -> None:
    """For any chunks and pauses, and each mark comes back when so much has sounded, not earlier."""

    async def main() -> None:
        async with line() as rig:
            written, positions = b"", list[int]()
            for samples, pause in chunks:
                chunk = tone(samples / RATE)
                await rig.leg.write(chunk)
                written += chunk
                positions.append(len(written))
                rig.leg.mark(str(len(positions) - 1))
                await trio.sleep(pause)
            await trio.sleep(2)
            assert rig.tape.sound == written
            ends = [at + len(pcm) / SECOND for at, pcm in rig.tape.bot]
            assert all(end <= at + 1e-9 for end, (at, _) in zip(ends, rig.tape.bot[1:], strict=False))
            assert [name for name, _ in rig.marks] == [str(number) for number in range(len(chunks))]
            for position, (_, at) in zip(positions, rig.marks, strict=True):
                assert position <= sounded_by(rig.tape, at)

    trio.run(main, clock=MockClock(autojump_threshold=0))


def sounded_by(tape: Tape, at: float) -> int:
    """How many bytes had sounded then, to the sample."""
    parts = (min(len(pcm), 2 * round((at - began) * RATE)) for began, pcm in tape.bot if began <= at)
    return sum(parts)
