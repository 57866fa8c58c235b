"""What faults make of the speech on a socket, and of the books."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair
from websockets.exceptions import ConnectionClosed
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, TextMessage
from wsproto.events import Request as WebSocketRequest

from simulations.waves.faults.fault import Fault
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import (
    LIVE,
    TEN,
    ask,
    dialled,
    frames_until,
    hoarse_voice,
    provider,
    spelling_voice,
)


async def told(server: WavesServer, *, within: float = 30.0) -> list[str]:
    """Ask for half a second of sound; return what comes, run together, and how it ends."""
    seen: list[str] = []
    async with dialled(server) as socket:
        await socket.send(ask(TEN, request_id="r"))
        with trio.move_on_after(within) as waiting:
            try:
                while True:
                    message = await socket.recv()
                    body = json.loads(message) if isinstance(message, str) else {"status": "bytes"}
                    seen += [] if seen[-1:] == [body["status"]] else [body["status"]]
            except ConnectionClosed as closed:
                seen.append(str(closed.rcvd.code) if closed.rcvd else "cut")
            except json.JSONDecodeError:
                seen.append("not JSON")
        if waiting.cancelled_caught:
            seen.append("silence")
    return seen


@pytest.mark.parametrize(
    ("name", "seen", "counted"),
    [
        ("close_before", ["cut"], "abandoned"),
        ("close_during", ["chunk", "cut"], "abandoned"),
        ("close_after", ["chunk", "cut"], "abandoned"),
        ("half_close", ["chunk", "cut"], "abandoned"),
        ("no_audio", ["silence"], "abandoned"),
        ("empty", ["complete", "1000"], "completed"),
        ("complete_late", ["chunk", "complete", "1000"], "completed"),
        ("complete_twice", ["chunk", "complete", "1000"], "completed"),
        ("complete_never", ["chunk", "silence"], "abandoned"),
        ("error", ["chunk", "error", "silence"], "errors"),
        ("binary", ["chunk", "bytes", "chunk", "complete", "1000"], "completed"),
        ("not_json", ["chunk", "not JSON"], None),
        ("garbage", ["chunk", "cut"], None),
        ("wrong_ids", ["chunk", "complete", "1000"], "completed"),
    ],
)
async def test_a_fault_shows_on_the_socket_and_in_the_books(
    autojump_clock: MockClock, name: str, seen: list[str], counted: str | None
) -> None:
    """Each does what it says, once; its request is counted once, no slot is lost, and the next request is served."""
    server = WavesServer(WavesOptions(), spelling_voice)
    server.provider.faults.order(Fault(name=name, after=0.2, seconds=2.0))
    assert await told(server) == seen
    await trio.sleep(1)
    books = server.snapshot()
    assert (books["in_flight"], books["sockets"], books["requests"]) == (0, 0, 1)
    assert books["completed"] + books["abandoned"] + books["errors"] == 1
    assert counted is None or books[counted] == 1
    assert await told(server) == ["chunk", "complete", "1000"]


async def test_a_half_closed_connection_is_open_until_the_client_leaves(autojump_clock: MockClock) -> None:
    """After its end of the stream the provider reads on, and the request holds its slot."""
    server = provider()
    server.provider.faults.order(Fault(name="half_close"))
    near, far = memory_stream_pair()
    client = WSConnection(ConnectionType.CLIENT)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve_stream, far)
        await near.send_all(client.send(WebSocketRequest(host="waves", target=LIVE)))
        client.receive_data(bytes(await near.receive_some()))
        assert [type(event) for event in client.events()] == [AcceptConnection]
        await near.send_all(client.send(TextMessage(ask(TEN))))
        async for _ in near:
            pass
        await near.send_all(client.send(TextMessage(ask(" "))))
        await trio.sleep(5)
        assert (server.snapshot()["sockets"], server.snapshot()["in_flight"]) == (1, 1)
        await near.aclose()
    await trio.sleep(1)
    assert (server.snapshot()["sockets"], server.snapshot()["in_flight"]) == (0, 0)


@pytest.mark.parametrize("name", ["close_before", "close_during", "half_close"])
async def test_a_voice_that_failed_is_counted_once(autojump_clock: MockClock, name: str) -> None:
    """Also where the link ends before the client was told of it."""
    server = WavesServer(WavesOptions(), hoarse_voice())
    server.provider.faults.order(Fault(name=name))
    await told(server)
    await trio.sleep(1)
    books = server.snapshot()
    assert (books["requests"], books["errors"], books["abandoned"], books["in_flight"]) == (1, 1, 0, 0)


async def test_a_fault_of_one_request_leaves_the_others_alone(autojump_clock: MockClock) -> None:
    """Two requests on one socket, one of them without sound: the other is whole."""
    server = provider(slots=2)
    server.provider.faults.order(Fault(name="no_audio"))
    async with dialled(server) as socket:
        await socket.send(ask(TEN, request_id="struck"))
        await socket.send(ask(TEN, request_id="whole"))
        frames = await frames_until(socket)
        assert {frame["external_request_id"] for frame in frames} == {"whole"}
        assert len(frames) == 26
        assert server.snapshot()["in_flight"] == 1
