"""The call that writes back what it hears: every frame, at once and in order, on any carrier's wire."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from orchestrator.adapters.telephony.codecs.audiosocket import AudioSocketCodec
from orchestrator.adapters.telephony.echo import echo_call
from orchestrator.adapters.telephony.wire import open_carrier_bytes
from orchestrator.errors import CarrierFault, LegClosed
from simulations.carriers.audiosocket import FakeAudioSocket
from simulations.carriers.carrier import Call
from tests.adapters.carrier_world import ToyCodec, carrier


async def test_every_frame_comes_back_at_once(autojump_clock: MockClock) -> None:
    """Frames of one read come back in one, words are left alone, and the end of the call is the end."""
    async with carrier() as (socket, peer, _), trio.open_nursery() as nursery:
        await peer.send_message("call 7")
        nursery.start_soon(echo_call, socket, ToyCodec())
        frames = [bytes([number]) * 320 for number in range(1, 40)]
        for frame in frames:
            await trio.sleep(0.02)
            sent = trio.current_time()
            await peer.send_message("key 1")
            await peer.send_message(frame)
            assert await peer.get_message() == frame
            assert trio.current_time() == sent
        await peer.aclose()


async def test_a_call_that_does_not_begin_or_talks_nonsense_is_an_error(autojump_clock: MockClock) -> None:
    """For whoever serves it to tell of."""
    async with carrier() as (socket, peer, _):
        with pytest.raises(LegClosed):
            await echo_call(socket, ToyCodec())
        assert trio.current_time() == pytest.approx(5)
        await peer.send_message("call 7")
        await peer.send_message("what?")
        with pytest.raises(CarrierFault):
            await echo_call(socket, ToyCodec())


async def test_audiosocket_echoes_too(autojump_clock: MockClock) -> None:
    """What fills no frame yet waits for the rest of it."""
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:

        async def serve() -> None:
            async with open_carrier_bytes(ours) as wire:
                await echo_call(wire, AudioSocketCodec())

        nursery.start_soon(serve)
        frame = b"\x10\x01\x40" + b"\x01\x02" * 160
        await theirs.send_all(b"\x01\x00\x10" + bytes(range(16)) + frame + frame[:100])
        assert bytes(await theirs.receive_some()) == frame
        await theirs.send_all(frame[100:])
        assert bytes(await theirs.receive_some()) == frame
        await theirs.send_eof()


async def test_a_caller_who_says_nothing_is_not_hung_up_on(autojump_clock: MockClock) -> None:
    """Asterisk ends a call after 2 s without a frame either way; a silent channel gets one of silence each half second,
    and one that speaks nothing but its own."""
    ours, theirs = memory_stream_pair()
    asterisk = FakeAudioSocket(Call(call="a" * 32, stream="b" * 32))
    asterisk.sparse = True
    quiet, loud = bytes(320), b"\0\x20" * 160
    came: list[bytes] = []

    async def serve() -> None:
        async with open_carrier_bytes(ours) as wire:
            await echo_call(wire, AudioSocketCodec())

    async def listen() -> None:
        while data := bytes(await theirs.receive_some()):
            came.append(data)
            asterisk.receive(data, trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        nursery.start_soon(listen)
        await theirs.send_all(b"".join(message for message in asterisk.opening() if isinstance(message, bytes)))
        for frame in [quiet] * 500 + [loud] * 100:
            asterisk.due(trio.current_time())
            assert not asterisk.dropped
            await theirs.send_all(b"".join(sent for sent in asterisk.media(frame) if isinstance(sent, bytes)))
            await trio.sleep(0.02)
        await theirs.send_eof()
    silent = [data for data in came if not any(data[3:])]
    assert 15 <= len(silent) <= 20
    assert came[len(silent) :] == [b"\x10\x01\x40" + loud] * 100


async def test_the_call_is_over_when_the_carrier_says_so(autojump_clock: MockClock) -> None:
    """Though its connection stays open."""
    async with carrier() as (socket, peer, _):
        await peer.send_message("call 7")
        await peer.send_message("bye")
        with trio.fail_after(1):
            await echo_call(socket, ToyCodec())
