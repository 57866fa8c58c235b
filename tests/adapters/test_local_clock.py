"""A leg that our own clock paces: one whole frame each 20 ms, a cut stops it at once, and the line never falls silent
for so long that Asterisk hangs up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import attrs
import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from orchestrator.adapters.telephony.codecs.audiosocket import AudioSocketCodec
from orchestrator.adapters.telephony.local_clock import LocalClockLeg, open_clock_leg
from orchestrator.errors import CarrierFault, LegClosed
from orchestrator.ports import Digits, HungUp, LegEvent, MarkPlayed, SpeechStarted, UserTurn
from tests.adapters.carrier_world import LOUD, OPTIONS, QUIET, RATE, Tape, pcm

UUID = b"\x01\x00\x10" + bytes(range(16))


def sound(payload: bytes) -> bytes:
    """A frame as Asterisk sends it."""
    return b"\x10" + len(payload).to_bytes(2, "big") + payload


class Asterisk:
    """The other end of the TCP stream: what came, send by send, with when it came."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self.stream = stream
        self.got: list[tuple[float, bytes]] = []
        self.closed = trio.Event()

    async def listen(self) -> None:
        """Take what comes until the end."""
        while data := await self.stream.receive_some():
            self.got.append((round(trio.current_time(), 6), bytes(data)))
        self.closed.set()

    @property
    def frames(self) -> list[tuple[float, bytes]]:
        """The sound that came: every send was one whole frame."""
        for _, data in self.got:
            assert len(data) == 323
            assert data[:3] == b"\x10\x01\x40"
        return [(at, data[3:]) for at, data in self.got]


async def write_on(leg: LocalClockLeg) -> None:
    """Write for ten seconds."""
    for _ in range(100):
        await leg.write(pcm(0.1))


class World:
    """A call: our leg, Asterisk, and the events so far."""

    def __init__(self, leg: LocalClockLeg, asterisk: Asterisk) -> None:
        self.leg = leg
        self.asterisk = asterisk
        self.events: list[LegEvent] = []
        self.ended = trio.Event()

    async def note(self) -> None:
        """Note what the leg tells."""
        async for event in self.leg.events():
            self.events.append(event)
        self.ended.set()

    async def hear(self, frames: Sequence[bytes]) -> None:
        """Send the caller's sound, a frame each 20 ms."""
        for frame in frames:
            await trio.sleep(0.02)
            await self.asterisk.stream.send_all(sound(frame))


@asynccontextmanager
async def call(*, tape: Tape | None = None, rate: int = 0) -> AsyncIterator[World]:
    """Yield a call that has begun, at time 0."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(UUID)
    options = attrs.evolve(OPTIONS, rate=rate)
    with trio.fail_after(3600):
        async with trio.open_nursery() as nursery:
            opened = open_clock_leg(ours, AudioSocketCodec(), options=options, now=trio.current_time, tap=tape)
            async with opened as leg:
                world = World(leg, Asterisk(theirs))
                nursery.start_soon(world.note)
                nursery.start_soon(world.asterisk.listen)
                yield world
            nursery.cancel_scope.cancel()


async def test_frames_leave_each_at_its_time(autojump_clock: MockClock) -> None:
    """Header and sound in one send, none ahead, no drift; however it was written."""
    async with call() as world:
        await trio.sleep(0.1)
        for number in range(100):
            await world.leg.write(pcm(0.1, number + 1))
        await trio.sleep(1)
        times = [at for at, frame in world.asterisk.frames if frame != QUIET]
        assert len(times) == 500
        assert times == pytest.approx([0.1 + 0.02 * number for number in range(500)], abs=1e-4)
        assert world.leg.facts.id


async def test_marks_are_told_when_their_sound_is_over(autojump_clock: MockClock) -> None:
    """By our own clock: the latency is none. At once where nothing sounds."""
    async with call() as world:
        world.leg.mark("before")
        await world.leg.write(pcm(0.25))
        world.leg.mark("end")
        await trio.sleep(1)
        assert (world.leg.latency, world.leg.rate) == (0.0, RATE)
        assert [(event.name, round(event.at, 4)) for event in world.events if isinstance(event, MarkPlayed)] == [
            ("before", 0.0),
            ("end", 0.25),
        ]


async def test_a_cut_stops_the_sound_at_once(autojump_clock: MockClock) -> None:
    """Nothing follows, no mark is told, and the next utterance has a schedule of its own."""
    async with call() as world:
        await world.leg.write(pcm(0.4))
        world.leg.mark("cut")
        await trio.sleep(0.11)
        world.leg.clear()
        await trio.sleep(0.5)
        assert len(world.asterisk.frames) == 6
        await trio.sleep(0.003)
        began = trio.current_time()
        await world.leg.write(pcm(0.1))
        await trio.sleep(0.2)
        assert world.asterisk.frames[6][0] == pytest.approx(began, abs=1e-5)
        assert world.events == []


async def test_a_cut_at_any_checkpoint_of_a_write_is_final(autojump_clock: MockClock) -> None:
    """No sound of a write that was cut follows the clear."""
    for steps in range(8):
        async with call() as world:
            with trio.CancelScope() as scope:

                async def cut(steps: int = steps, world: World = world, scope: trio.CancelScope = scope) -> None:
                    await trio.sleep(0.5)
                    for _ in range(steps):
                        await trio.lowlevel.checkpoint()
                    world.leg.clear()
                    scope.cancel()
                    world.asterisk.got.clear()

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(cut)
                    for _ in range(50):
                        await world.leg.write(pcm(0.1))
            await trio.sleep(0.5)
            assert len(world.asterisk.got) <= 1, steps  # the frame that was on its way


async def test_a_silent_line_is_kept_open(autojump_clock: MockClock) -> None:
    """With a frame of silence about once a second, so that Asterisk's two seconds never pass."""
    async with call() as world:
        await trio.sleep(10)
        times = [at for at, _ in world.asterisk.frames]
        assert 9 <= len(times) <= 12
        assert max(later - earlier for earlier, later in pairwise([0.0, *times])) <= 1
        assert {frame for _, frame in world.asterisk.frames} == {QUIET}


async def test_a_caller_who_is_heard_keeps_the_line_open_himself(autojump_clock: MockClock) -> None:
    """Then nothing is sent while the bot is silent."""
    async with call() as world:
        await world.hear([QUIET] * 250)
        assert world.asterisk.got == []


async def test_turns_end_by_the_clock_where_nothing_comes(autojump_clock: MockClock) -> None:
    """Asterisk sends no silence on some channels: gaps are silence. Frames may be short, or split anywhere."""
    async with call() as world:
        await world.hear([LOUD] * 20)
        await trio.sleep(2)
        stream = sound(LOUD[:60]) + sound(LOUD) * 5 + b"\x03\x00\x017\x03\x00\x01#"
        for start in range(0, len(stream), 7):
            await world.asterisk.stream.send_all(stream[start : start + 7])
        await trio.sleep(2)
        kinds = [type(event) for event in world.events]
        assert kinds[:2] == [SpeechStarted, UserTurn]
        assert sorted(kind.__name__ for kind in kinds[2:]) == ["Digits", "SpeechStarted", "UserTurn"]
        assert Digits("7") in world.events
        first = world.events[1]
        assert isinstance(first, UserTurn)
        assert (first.text, round(first.started, 2), round(first.ended, 2)) == ("yes", 0.0, 0.4)


async def test_after_a_stall_no_burst_follows(autojump_clock: MockClock) -> None:
    """Asterisk keeps no buffer: what is late by more than two frames begins a schedule of its own."""
    async with call() as world:
        wire = world.leg._wire._stream
        send_all, held = wire.send_all, False

        async def stall(data: bytes | bytearray | memoryview) -> None:
            nonlocal held
            if not held and len(world.asterisk.got) == 5:
                held = True
                await trio.sleep(0.5)
            await send_all(data)

        wire.send_all = stall  # type: ignore[method-assign]
        await world.leg.write(pcm(0.4))
        world.leg.mark("end")
        await trio.sleep(2)
        times = [at for at, _ in world.asterisk.frames]
        gaps = [round(later - earlier, 3) for earlier, later in pairwise(times)][:19]
        assert (gaps[4], gaps[5]) == (0.52, 0.0)  # the frame that was held, and the first of the new schedule
        assert set(gaps[:4] + gaps[6:]) == {0.02}
        assert [round(event.at, 2) for event in world.events if isinstance(event, MarkPlayed)] == [
            pytest.approx(0.9, abs=0.03)
        ]


async def test_the_bot_hangs_up_by_a_message_of_three_bytes(autojump_clock: MockClock) -> None:
    """And closes the connection; transferring is leaving, for the dialplan goes on."""
    for deed in ("hang_up", "transfer"):
        async with call() as world:
            await (world.leg.hang_up() if deed == "hang_up" else world.leg.transfer("+1"))
            await world.asterisk.closed.wait()
            assert [data for _, data in world.asterisk.got] == [b"\0\0\0"]
            assert trio.current_time() <= 3
            assert world.ended.is_set()
            assert world.events == []
            with pytest.raises(LegClosed):
                await world.leg.write(pcm(0.1))


async def test_asterisks_end_is_a_closed_connection(autojump_clock: MockClock) -> None:
    """Told once; a writer is told, too."""
    async with call() as world:
        await world.asterisk.stream.send_eof()
        with pytest.raises(LegClosed):
            await write_on(world.leg)
        await world.ended.wait()
        assert [type(event) for event in world.events] == [HungUp]


@pytest.mark.parametrize(("said", "error"), [(b"", LegClosed), (b"GET / HTTP/1.1\r\n\r\n", CarrierFault)])
async def test_what_is_no_call_is_given_up(said: bytes, error: type[Exception], autojump_clock: MockClock) -> None:
    """Nothing within five seconds, or another protocol; the connection is closed."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(said)
    with pytest.raises(error):
        async with open_clock_leg(ours, AudioSocketCodec(), options=OPTIONS, now=trio.current_time):
            pass
    assert trio.current_time() <= 6.1
    assert await theirs.receive_some() == b""


async def test_a_recording_hears_both_sides(autojump_clock: MockClock) -> None:
    """Each frame at the time when it left or came."""
    tape = Tape()
    async with call(tape=tape) as world, trio.open_nursery() as nursery:
        nursery.start_soon(world.leg.write, pcm(0.1))
        await world.hear([QUIET] * 3)
        await trio.sleep(0.01)
    assert tape.caller == [(0.0, 320), (0.02, 320), (0.04, 320)]
    assert tape.bot[:3] == [(0.0, 320), (0.02, 320), (0.04, 320)]


async def test_another_rate_than_asterisks_is_resampled(autojump_clock: MockClock) -> None:
    """Frame by frame: as much leaves as was written, but for what the resampler holds back."""
    async with call(rate=16000) as world:
        await world.leg.write(pcm(0.5) + pcm(0.5))
        await trio.sleep(1)
        assert world.leg.rate == 16000
        frames = [frame for _, frame in world.asterisk.frames if frame != QUIET]
        assert len(frames) == pytest.approx(25, abs=1)
