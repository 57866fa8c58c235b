"""A leg whose sound lies at the carrier: it is a bounded lead ahead, a cut is the next thing on the wire, and only what
was heard counts as heard."""

from __future__ import annotations

import json
from base64 import b64decode

import attrs
import pytest
import trio
from trio.testing import MockClock

from orchestrator.adapters.telephony.codecs.exotel import ExotelCodec
from orchestrator.adapters.telephony.remote_buffer import open_remote_leg
from orchestrator.ports import Digits, SpeechStarted, UserTurn
from tests.adapters.carrier_world import LOUD, OPTIONS, QUIET, RATE, FarEnd, Tape, ToyCodec, carrier, pcm
from tests.adapters.remote_world import World, call

EXOTEL_START = '{"event":"start","stream_sid":"S","start":{"stream_sid":"S","call_sid":"C"}}'


async def test_the_carrier_is_a_bounded_lead_ahead(autojump_clock: MockClock) -> None:
    """At most 1.5 s lie there, however much is written; each mark is told when its sound is over."""
    async with call() as world, trio.open_nursery() as nursery:
        nursery.start_soon(world.talk, 30)
        ahead = []
        for _ in range(60):
            await trio.sleep(0.1)
            ahead.append(world.far.ahead)
        assert 1.3 <= max(ahead) <= 1.5 + 0.02 + 1e-6  # the frame that is sounding
        await trio.sleep(1)
        assert [name for name, _ in world.heard] == [f"{number + 1}" for number in range(30)]
        assert [at for _, at in world.heard] == pytest.approx([0.2 * (number + 1) for number in range(30)], abs=0.03)


async def test_strides_go_out_together_once_the_lead_was_full(autojump_clock: MockClock) -> None:
    """One send for three of them, and never less than 0.9 of 1.5 s at the carrier."""
    async with call() as world, trio.open_nursery() as nursery:
        nursery.start_soon(world.talk, 30)
        await trio.sleep(0.1)
        ahead = []
        for _ in range(80):
            await trio.sleep(0.05)
            ahead.append(world.far.ahead)
        assert min(ahead) >= 0.88
        times = {round(at, 2) for at, message in world.far.got if isinstance(message, bytes) and at > 0.05}
        assert len(times) <= 4.1 / 0.6 + 1
        nursery.cancel_scope.cancel()


async def test_a_mark_that_tells_of_less_ahead_wakes_whoever_waits(autojump_clock: MockClock) -> None:
    """The carrier plays faster than was thought: it gets more at once, not when our own count is over."""
    async with carrier() as (socket, peer, _), trio.open_nursery() as nursery:
        await peer.send_message("call 7")
        async with open_remote_leg(socket, ToyCodec(), options=OPTIONS, now=trio.current_time) as leg:
            far = FarEnd(peer)
            nursery.start_soon(far.listen)
            nursery.start_soon(World(leg, peer, far).talk, 30)
            await trio.sleep(0.1)
            before = len(far.got)
            await peer.send_message([message for _, message in far.got if isinstance(message, str)][-1])
            await trio.sleep(0.001)
            assert len(far.got) > before
            nursery.cancel_scope.cancel()


async def test_marks_say_when_the_ear_has_heard(autojump_clock: MockClock) -> None:
    """That is later than word of them came, by the setting: at a cut rather too little counts as heard."""
    async with call(lag=0.08) as world:
        assert (world.leg.latency, world.leg.stride, world.leg.rate) == (0.0, 0.2, RATE)
        await world.talk(1)
        await trio.sleep(1)
        assert dict(world.heard) == pytest.approx({"1": 0.2 + 0.08 + 0.08})


@pytest.mark.parametrize("returns", [True, False])
async def test_a_cut_is_the_next_message_and_what_it_threw_away_was_not_heard(
    returns: bool, autojump_clock: MockClock
) -> None:
    """Whether the carrier returns the marks or not; the next utterance is as new."""
    async with call(returns=returns) as world:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.talk, 30)
            await trio.sleep(0.9)
            nursery.cancel_scope.cancel()
            world.leg.clear()
        cut_at = trio.current_time()
        await trio.sleep(0.001)
        assert world.far.got[-1][1] == "clear"
        assert world.far.got[-1][0] == pytest.approx(cut_at, abs=1e-3)
        assert world.far.cleared > 0
        await trio.sleep(2)
        assert [name for name, _ in world.heard] == ["1", "2", "3", "4"]
        await world.leg.write(pcm(0.2))
        world.leg.mark("new")
        began = trio.current_time()
        await trio.sleep(1)
        name, at = world.heard[-1]
        assert name == "new"
        assert at == pytest.approx(began + 0.2, abs=0.03)


async def test_what_waits_here_is_dropped_by_a_cut(autojump_clock: MockClock) -> None:
    """Sound and marks that were written in the same tick never reach the wire."""
    async with call() as world:
        await world.leg.write(pcm(0.2))
        world.leg.mark("gone")
        world.leg.clear()
        await trio.sleep(1)
        assert [message for _, message in world.far.got] == ["clear"]
        assert world.heard == []


async def test_a_cut_at_any_checkpoint_of_a_write_is_final(autojump_clock: MockClock) -> None:
    """Wherever the write was: no sound of it follows the clear on the wire."""
    for steps in range(10):
        async with call() as world:
            with trio.CancelScope() as scope:

                async def cut(steps: int = steps, world: World = world, scope: trio.CancelScope = scope) -> None:
                    for _ in range(steps):
                        await trio.lowlevel.checkpoint()
                    world.leg.clear()
                    scope.cancel()

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(cut)
                    for _ in range(50):
                        await world.leg.write(pcm(0.1))
            await trio.sleep(0.5)
            messages = [message for _, message in world.far.got]
            assert messages[-1] == "clear", steps
            assert messages.count("clear") == 1


async def test_a_carrier_that_wants_no_more_gets_no_more(autojump_clock: MockClock) -> None:
    """Until it does; one that never says so is not believed for more than ten seconds."""
    async with call() as world:
        await world.peer.send_message("full")
        await trio.sleep(0.01)
        with trio.move_on_after(5) as scope:
            await world.leg.write(pcm(0.2))
        assert scope.cancelled_caught
        await world.peer.send_message("free")
        await trio.sleep(0.01)
        with trio.fail_after(0.1):
            await world.leg.write(pcm(0.2))
        await world.peer.send_message("full")
        await trio.sleep(1)
        began = trio.current_time()
        await world.leg.write(pcm(0.2))
        assert trio.current_time() - began == pytest.approx(9, abs=0.1)


async def test_what_fills_no_frame_is_sent_at_the_end_of_the_spurt(autojump_clock: MockClock) -> None:
    """Filled up with silence, shortly before all that was sent is over; not while sound still comes."""
    async with call() as world:
        for _ in range(3):
            await world.leg.write(pcm(0.03))
        await trio.sleep(1)
        sizes = [len(message) for _, message in world.far.got if isinstance(message, bytes)]
        assert sum(sizes) == 5 * 320
        assert world.far.got[-1][0] == pytest.approx(0.02, abs=0.001)
        await world.leg.write(pcm(0.01))
        world.leg.clear()
        await trio.sleep(1)
        assert world.far.got[-1][1] == "clear"


async def test_more_is_kept_by_a_codec_of_longer_messages_and_sent_as_much_earlier(autojump_clock: MockClock) -> None:
    """All that it may keep can be missing at the carrier, which would fall silent before the rest came."""
    codec = ToyCodec()
    codec.keeps = 0.2
    async with call(codec) as world:
        await world.leg.write(pcm(1.01))
        await trio.sleep(2)
        assert world.far.got[-1][0] == pytest.approx(1.01 - 0.25, abs=0.001)


@pytest.mark.parametrize("piece", [0.1, 0.3])
async def test_a_voice_as_slow_as_speech_gets_no_silence_between(piece: float, autojump_clock: MockClock) -> None:
    """Messages of Exotel's size have to wait for it; only the last one is filled up, when nothing followed."""
    codec = ExotelCodec()
    async with carrier() as (socket, peer, _), trio.open_nursery() as nursery:
        await peer.send_message(EXOTEL_START)
        got: list[bytes] = []

        async def listen() -> None:
            while True:
                got.append(b64decode(json.loads(await peer.get_message())["media"]["payload"]))

        async with open_remote_leg(socket, codec, options=OPTIONS, now=trio.current_time) as leg:
            nursery.start_soon(listen)
            for _ in range(11):
                await leg.write(pcm(piece))
                await trio.sleep(piece)
            await trio.sleep(1)
            said = b"".join(got)
            assert said.rstrip(b"\0") == pcm(11 * piece)
            assert all(len(message) >= 3200 and len(message) % 320 == 0 for message in got)
            nursery.cancel_scope.cancel()


async def test_few_marks_at_a_time_where_the_carrier_keeps_few(autojump_clock: MockClock) -> None:
    """All of them are told all the same, in order."""
    async with call(ToyCodec(most_marks=2)) as world:
        await world.talk(10, size=0.1)
        await trio.sleep(2)
        assert [name for name, _ in world.heard] == [f"{number + 1}" for number in range(10)]
        assert world.heard[-1][1] == pytest.approx(1.0, abs=0.05)


async def test_a_carrier_without_word_of_marks_stops_nobody(autojump_clock: MockClock) -> None:
    """An hour of speech: as much is sent as the clock lets, and nothing piles up."""
    async with carrier() as (socket, peer, _), trio.open_nursery() as nursery:
        await peer.send_message("call 7")
        async with open_remote_leg(socket, ToyCodec(), options=OPTIONS, now=trio.current_time) as leg:
            nursery.start_soon(FarEnd(peer).listen)
            for number in range(500):
                await leg.write(pcm(0.2))
                leg.mark(str(number))
            assert 98.3 <= trio.current_time() <= 99.0  # from a lead that is full to one with room
        nursery.cancel_scope.cancel()


async def test_the_caller_speaks_and_presses_keys(autojump_clock: MockClock) -> None:
    """Speech by its level, in the lines of the settings; keys as one input, after # or two seconds."""
    async with call() as world:
        for frame in [QUIET] * 10 + [LOUD] * 20 + [QUIET] * 30 + [LOUD] * 5:
            await trio.sleep(0.02)
            await world.peer.send_message(frame)
        await world.peer.send_message("key 12#4")
        await trio.sleep(3)
        told = [attrs.astuple(event) for event in world.events]
        rounded = [tuple(round(part, 2) if isinstance(part, float) else part for part in event) for event in told]
        assert rounded == [(0.2,), ("yes", 0.2, 0.6), (1.2,), ("12",), ("no", 1.2, 1.3), ("4",)]
        kinds = [SpeechStarted, UserTurn, SpeechStarted, Digits, UserTurn, Digits]
        assert [type(event) for event in world.events] == kinds


async def test_a_recording_hears_what_the_caller_heard(autojump_clock: MockClock) -> None:
    """Laid by the marks less the latency, and cut where the sound was."""
    tape = Tape()
    async with call(lag=0.08, tape=tape) as world:
        with trio.move_on_after(0.5):
            await world.talk(30)
        world.leg.clear()
        assert [round(at, 2) for at, _ in tape.bot] == pytest.approx([0.0, 0.2, 0.4], abs=0.03)
        assert sum(size for _, size in tape.bot) == pytest.approx(2 * RATE * 0.5, abs=2 * RATE * 0.1)
        await world.peer.send_message(QUIET)
        await trio.sleep(0.1)
        assert [size for _, size in tape.caller] == [320]


async def test_another_rate_than_the_carriers_is_resampled(autojump_clock: MockClock) -> None:
    """As much is heard as was written, and marks lie where they lay."""
    async with carrier() as (socket, peer, _), trio.open_nursery() as nursery:
        await peer.send_message("call 7")
        options = attrs.evolve(OPTIONS, rate=16000)
        tape = Tape()
        async with open_remote_leg(socket, ToyCodec(), options=options, now=trio.current_time, tap=tape) as leg:
            world = World(leg, peer, FarEnd(peer))
            for task in (world.note, world.far.listen, world.far.play):
                nursery.start_soon(task)
            for _ in range(5):
                await leg.write(bytes(2 * 3200))
            leg.mark("end")
            for _ in range(10):
                await peer.send_message(QUIET)
            await trio.sleep(2)
            assert leg.rate == 16000
            sizes = [len(message) for _, message in world.far.got if isinstance(message, bytes)]
            assert sum(sizes) == pytest.approx(2 * RATE * 1.0, abs=320)
            assert [name for name, _ in world.heard] == ["end"]
            assert world.heard[0][1] == pytest.approx(1.0 + options.carrier_latency, abs=0.05)
            assert sum(size for _, size in tape.caller) == pytest.approx(2 * 3200, abs=320)
        nursery.cancel_scope.cancel()
