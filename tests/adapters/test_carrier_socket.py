"""Our WebSocket understands a peer that somebody else wrote, writes whole messages whatever is cancelled, and gets rid
of peers that are gone, deaf or hostile, in time."""

from __future__ import annotations

import struct

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair
from trio_websocket import ConnectionClosed

from orchestrator.adapters.telephony.socket import open_carrier_socket
from orchestrator.adapters.telephony.wire import WireLimits
from orchestrator.errors import CarrierFault
from tests.adapters.carrier_world import REQUEST, carrier
from tests.adapters.test_carrier_wire import DeafStream
from tests.port.peers import read_until_end


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """A client's frame, masked with zeros."""
    head = bytes([opcode | (0x80 if fin else 0)])
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size)
    return head + length + bytes(4) + payload


async def test_messages_go_both_ways_and_the_close_is_clean(autojump_clock: MockClock) -> None:
    """Text stays text, binary stays binary; the peer sees 1000."""
    async with carrier() as (socket, peer, _):
        await peer.send_message("\u20ac")
        await peer.send_message(b"\0\1")
        assert await socket.receive() == ["\u20ac", b"\0\1"]
        socket.send(["one", b"two"])
        await socket.flush()
        assert [await peer.get_message(), await peer.get_message()] == ["one", b"two"]
        socket.send(["last"])
    assert await peer.get_message() == "last"
    with pytest.raises(ConnectionClosed) as closed:
        await peer.get_message()
    assert closed.value.reason is not None
    assert closed.value.reason.code == 1000
    assert socket.over.is_set()
    assert trio.current_time() < 1.5


async def test_the_peers_close_ends_reading(autojump_clock: MockClock) -> None:
    """Receive gives nothing from then on, and nothing more can be sent; leaving takes no time."""
    async with carrier() as (socket, peer, _):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.aclose)
            assert await socket.receive() == []
        assert await socket.receive() == []
        socket.send(["nobody"])
        await socket.flush()
        began = trio.current_time()
    assert trio.current_time() == began


@pytest.mark.parametrize(("offers", "agreed"), [(None, ""), (["b", "a"], "a"), (["c"], "")])
async def test_subprotocols_are_ours_to_choose(
    offers: list[str] | None, agreed: str, autojump_clock: MockClock
) -> None:
    """The first of ours that the peer offers; one that offers none of them is taken without."""
    async with carrier(subprotocols=("a", "b"), offers=offers) as (socket, peer, _):
        assert (socket.subprotocol, peer.subprotocol or "") == (agreed, agreed)


async def test_what_one_read_brings_is_handed_over_together() -> None:
    """Also what came with the request, and a message in pieces; half a message waits."""
    ours, theirs = memory_stream_pair()
    first = frame(1, b"a") + frame(2, b"b") + frame(1, b"c", fin=False)
    await theirs.send_all(REQUEST % b"" + first)
    async with open_carrier_socket(ours) as socket:
        assert await socket.receive() == ["a", b"b"]
        await theirs.send_all(frame(0, b"d") + frame(0x9, b"hello") + frame(1, b"e")[:-1])
        assert await socket.receive() == ["cd"]
        await theirs.send_all(b"e")
        assert await socket.receive() == ["e"]
        await theirs.aclose()


async def test_no_compression_is_agreed_on() -> None:
    """Whatever the peer offers."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(REQUEST % b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
    async with open_carrier_socket(ours) as socket:
        answer = bytes(await theirs.receive_some())
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert b"deflate" not in answer
        await theirs.aclose()
        assert await socket.receive() == []


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ids=["nothing", "half a request", "TLS", "no upgrade"],
)
@pytest.mark.parametrize("stays", [True, False])
async def test_who_does_not_shake_hands_is_dropped_in_time(sent: bytes, stays: bool, autojump_clock: MockClock) -> None:
    """With CarrierFault, after five seconds at most; the stream is closed."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(sent)
    if not stays:
        await theirs.send_stream.aclose()
    with pytest.raises(CarrierFault, match="no WebSocket handshake"):
        async with open_carrier_socket(ours):
            pass
    assert trio.current_time() <= 5.1
    assert b"101" not in await read_until_end(theirs)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(2, bytes(2000)), 1009),
        (b"".join([frame(2, bytes(600), fin=False), frame(0, bytes(600))]), 1009),
        (frame(1, b"\xff\xfe"), 1007),
        (b"\x01\x01a", 1002),
        (bytes(range(7, 200)), 1002),
    ],
    ids=["too long", "too long in pieces", "no UTF-8", "not masked", "garbage"],
)
async def test_who_breaks_the_protocol_is_told_and_left(sent: bytes, code: int, autojump_clock: MockClock) -> None:
    """At once, with the code that says why."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(REQUEST % b"")
    async with open_carrier_socket(ours, limits=WireLimits(message_bytes=1000)) as socket:
        await theirs.receive_some()
        await theirs.send_all(frame(1, b"before") + sent)
        assert await socket.receive() == ["before"]
        assert await socket.receive() == []
    told = bytes(await theirs.receive_some())
    assert (told[0], int.from_bytes(told[2:4], "big")) == (0x88, code)
    assert trio.current_time() < 1.1


async def test_a_peer_that_answers_pings_stays(autojump_clock: MockClock) -> None:
    """For an hour without a word; ours and its pings are answered."""
    async with carrier() as (socket, peer, _):
        with trio.move_on_after(3600):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(socket.receive)
                await trio.sleep(1800)
                with trio.fail_after(1):
                    await peer.ping()
        assert not socket.over.is_set()


async def test_a_peer_that_vanished_is_noticed(autojump_clock: MockClock) -> None:
    """It answers no ping: within ten seconds its connection is over."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(REQUEST % b"")
    async with open_carrier_socket(ours) as socket:
        assert await socket.receive() == []
        assert 5 < trio.current_time() <= 10.2


@pytest.mark.parametrize("answered", [True, False])
async def test_a_pong_that_came_while_we_were_held_up_counts(answered: bool, autojump_clock: MockClock) -> None:
    """It lies behind seconds of sound when the time is over: that is read before the peer is judged gone."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(REQUEST % b"")
    async with open_carrier_socket(ours) as socket, trio.open_nursery() as nursery:

        async def read() -> None:
            while await socket.receive():
                pass

        nursery.start_soon(read)
        await trio.sleep(6)
        await theirs.send_all(frame(2, bytes(320)) * 300 + (frame(0xA, b"") if answered else b""))
        autojump_clock.jump(6)
        await trio.sleep(1)
        assert socket.over.is_set() is not answered
        nursery.cancel_scope.cancel()


async def test_pings_of_a_peer_that_takes_no_pong_are_not_read(autojump_clock: MockClock) -> None:
    """What is owed to it stays small, for the five seconds until it is dropped."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(REQUEST % b"")
    async with open_carrier_socket(DeafStream(ours, room=1000)) as socket, trio.open_nursery() as nursery:
        nursery.start_soon(socket.receive)
        socket.send([bytes(2000)])
        socket.flush_soon()
        await trio.sleep(0.1)
        for _ in range(100):
            await theirs.send_all(frame(0x9, bytes(125)) * 100)
            await trio.sleep(0.01)
        assert len(await ours.receive_some()) > 1_300_000
        nursery.cancel_scope.cancel()
