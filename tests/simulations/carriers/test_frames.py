"""Frames that are read and written by hand, at wsproto, which knows all of RFC 6455."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import memory_stream_pair
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Ping, Request, TextMessage

from simulations.carriers.frames import frame_span, masked_frame
from simulations.carriers.target import Target, WireClosed, parse_url
from simulations.carriers.wire import WebSocketWire

SIZES = st.sampled_from((0, 1, 2, 125, 126, 127, 65_535, 65_536, 70_001))


@given(size=SIZES, text=st.booleans())
def test_a_message_arrives_as_it_was(size: int, text: bool) -> None:
    """Of each of the three ways to write its length; masked, as a server demands."""
    server = Connection(ConnectionType.SERVER)
    server.receive_data(masked_frame(b"a" * size, text=text))
    events = list(server.events())
    assert all(isinstance(event, TextMessage if text else BytesMessage) for event in events)
    assert sum(len(event.data) for event in events if isinstance(event, TextMessage | BytesMessage)) == size
    assert all(set(event.data) <= {"a", 97} for event in events if isinstance(event, TextMessage | BytesMessage))


@given(size=SIZES, cut=st.integers(0, 70_020))
def test_a_frames_end_is_known_as_soon_as_its_head_is_there(size: int, cut: int) -> None:
    """At any place of a buffer; before that there is no answer."""
    frame = Connection(ConnectionType.SERVER).send(BytesMessage(data=bytes(size)))
    head = len(frame) - size
    span = frame_span(b"xy" + frame[:cut], 2)
    assert span == ((2 + head, 2 + len(frame)) if cut >= head else None)


async def open_wire(*messages: Event) -> tuple[WebSocketWire, WSConnection]:
    """Return a client to whom a server sent this together with its answer, and the server."""
    ours, theirs = memory_stream_pair()
    wire, server = WebSocketWire(ours), WSConnection(ConnectionType.SERVER)

    async def answer() -> None:
        server.receive_data(bytes(await theirs.receive_some()))
        assert isinstance(next(server.events()), Request)
        await theirs.send_all(b"".join(server.send(each) for each in (AcceptConnection(), *messages)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        await wire.shake_hands(Target(url=parse_url("ws://a/")))
    return wire, server


async def test_what_is_no_whole_message_in_one_frame_is_read_as_well() -> None:
    """In parts, with a ping between them; in any pieces; together with the answer to the upgrade; a close."""
    wire, server = await open_wire(TextMessage(data="early"), TextMessage(data="in ", message_finished=False))
    assert wire.early == ["early"]
    sent = [Ping(), TextMessage(data="parts"), BytesMessage(data=b"\1" * 300), TextMessage(data="\u00e4")]
    data = b"".join(server.send(each) for each in sent)
    found = [message for at in range(len(data)) for message in wire.completed(data[at : at + 1])]
    assert found == ["in parts", b"\1" * 300, "\u00e4"]
    with pytest.raises(WireClosed, match="1001 away"):
        wire.completed(server.send(CloseConnection(code=1001, reason="away")))
    with pytest.raises(WireClosed):
        wire.framed("late")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x02\xff\xff", 1007),
        (b"\x82\x7f" + (5_000_000).to_bytes(8, "big"), 1009),
        (b"\x83\x00", 1002),
        (b"\x80\x00", 1002),
        (masked_frame(b"hello", text=False), 1002),
        (masked_frame(b"hello", text=True), 1002),
    ],
    ids=["no UTF-8", "too large", "unknown opcode", "no beginning", "masked bytes", "masked text"],  # masks are drawn
)
async def test_what_no_server_may_send_ends_the_call(frame: bytes, code: int) -> None:
    """Text that is none, more than any carrier reads, an opcode that there is not, the rest of nothing, a mask."""
    wire, _ = await open_wire()
    with pytest.raises(WireClosed) as closed:
        wire.completed(frame)
    assert closed.value.code == code
