"""Writing to a carrier: one at a time, whole messages whatever is cancelled, and no waiting for peers that are deaf."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from orchestrator.adapters.telephony.socket import open_carrier_socket
from orchestrator.adapters.telephony.wire import open_carrier_bytes
from orchestrator.errors import CarrierFault
from orchestrator.port.replay import PortStream
from tests.adapters.carrier_world import REQUEST, carrier


class DeafStream(trio.abc.Stream):
    """Takes `room` bytes of what is sent, then nothing more; gives what `inner` does."""

    def __init__(self, inner: trio.abc.Stream, *, room: int) -> None:
        self._inner = inner
        self._room = room
        self._closed = trio.Event()
        self.broken_off = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        if self._closed.is_set():
            raise trio.ClosedResourceError
        taken, self._room = min(self._room, len(data)), max(0, self._room - len(data))
        await self._inner.send_all(bytes(data)[:taken])
        if taken < len(data):
            try:
                await self._closed.wait()
            except trio.Cancelled:
                self.broken_off = True
                raise
            raise trio.ClosedResourceError

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return bytes(await self._inner.receive_some(max_bytes))

    async def aclose(self) -> None:
        self._closed.set()
        await self._inner.aclose()


async def test_a_peer_that_never_reads_is_dropped(autojump_clock: MockClock) -> None:
    """After five seconds, with whatever else waits to be sent; nobody has to wait for it."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(REQUEST % b"")
    async with open_carrier_socket(DeafStream(ours, room=1000)) as socket:
        socket.send([bytes(2000)])
        socket.flush_soon()
        await trio.testing.wait_all_tasks_blocked(0.01)
        socket.send(["more"])
        began = trio.current_time()
        await socket.wait_sent()
        assert trio.current_time() - began == pytest.approx(5, abs=0.1)
        assert socket.over.is_set()


@pytest.mark.parametrize("inline", [True, False])
async def test_shutting_down_waits_a_second_for_a_deaf_peer_and_no_longer(
    inline: bool, autojump_clock: MockClock
) -> None:
    """Whoever is sending to it, and whoever waits for that."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(REQUEST % b"")
    with trio.move_on_after(0.5):
        async with open_carrier_socket(DeafStream(ours, room=500)) as socket:
            socket.send([bytes(2000)])
            if inline:
                await socket.flush()
            else:
                socket.flush_soon()
                await trio.sleep_forever()
    assert trio.current_time() <= 1.6


async def test_a_cancel_waits_for_nothing_but_an_own_send(autojump_clock: MockClock) -> None:
    """Who queued something and waits is free at once, and what was queued still goes out whole."""
    async with carrier() as (socket, peer, _):
        with trio.move_on_after(0) as scope:
            socket.send([bytes(5000)])
            socket.flush_soon()
            await socket.wait_sent()
        assert scope.cancelled_caught
        assert await peer.get_message() == bytes(5000)


async def test_a_cancel_at_any_checkpoint_leaves_whole_messages(autojump_clock: MockClock) -> None:
    """The peer gets every message whole and in order, wherever the sender was cancelled."""
    for steps in range(12):
        async with carrier() as (socket, peer, _), trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(cancel_after, steps, scope)
                socket.send(["first" * 1000])
                await socket.flush()
                await trio.lowlevel.checkpoint()
            socket.send(["second"])
            await socket.flush()
            assert await peer.get_message() == "first" * 1000
            assert await peer.get_message() == "second"


async def cancel_after(steps: int, scope: trio.CancelScope) -> None:
    """Cancel after so many checkpoints."""
    for _ in range(steps):
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_many_writers_never_write_at_once(autojump_clock: MockClock) -> None:
    """Each message arrives once and whole, and those of one task in its order."""
    async with carrier() as (socket, peer, _):

        async def write(name: str) -> None:
            for number in range(20):
                socket.send([f"{name}{number}"])
                if number % 2:
                    await socket.flush()
                else:
                    socket.flush_soon()
                    await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            for name in "abc":
                nursery.start_soon(write, name)
        got = [await peer.get_message() for _ in range(60)]
        assert all([text for text in got if text[0] == name] == [f"{name}{n}" for n in range(20)] for name in "abc")


async def test_what_is_dropped_is_not_sent(autojump_clock: MockClock) -> None:
    """What is being sent goes on; a close behind it, too."""
    async with carrier() as (socket, peer, _):
        socket.send(["no"])
        socket.drop_unsent()
        socket.send(["yes"])
        await socket.flush()
        assert await peer.get_message() == "yes"


async def test_a_plain_stream_has_the_same_rules(autojump_clock: MockClock) -> None:
    """Bytes of one read are one message, messages go out whole; the end is the end."""
    ours, theirs = memory_stream_pair()
    async with open_carrier_bytes(ours) as wire:
        await theirs.send_all(b"abc")
        assert await wire.receive() == [b"abc"]
        wire.send([b"head", b"tail"])
        await wire.flush()
        assert bytes(await theirs.receive_some()) == b"headtail"
        await theirs.send_stream.aclose()
        assert await wire.receive() == []


async def test_errors_inside_come_out_as_they_are(autojump_clock: MockClock) -> None:
    """Not wrapped in groups: the tasks of a socket raise nothing of their own."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(REQUEST % b"")
    with pytest.raises(CarrierFault, match="mine"):
        async with open_carrier_socket(ours):
            raise CarrierFault("mine")


@pytest.mark.realtime
@pytest.mark.parametrize("behind_the_port", [True, False])
async def test_on_real_sockets_no_byte_is_lost_or_doubled(behind_the_port: bool) -> None:
    """What the machine takes at once, what it takes only later, and what comes when the peer has left."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    peer = await trio.open_tcp_stream(*listener.socket.getsockname())
    ours: trio.abc.Stream = await listener.accept()
    await listener.aclose()
    if behind_the_port:
        ours = PortStream(ours, send_within=10)
    sent = b"".join(number.to_bytes(4, "big") for number in range(2_000_000))
    async with open_carrier_bytes(ours) as wire:
        async with trio.open_nursery() as nursery:

            async def read_slowly() -> None:
                got = bytearray()
                while len(got) < len(sent):
                    await trio.sleep(0.001)
                    got += await peer.receive_some(200_000)
                assert got == sent

            nursery.start_soon(read_slowly)
            for start in range(0, len(sent), 1_000_000):
                wire.send([sent[start : start + 1_000_000]])
                await wire.flush()
        await peer.aclose()
        assert await wire.receive() == []
        wire.send([b"nobody"])
        await wire.flush()
