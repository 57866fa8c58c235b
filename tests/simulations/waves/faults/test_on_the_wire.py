"""Every fault of a request as a client sees it on a real WebSocket, and what the books say of it afterwards."""

from __future__ import annotations

import json

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock
from websockets.exceptions import ConnectionClosed
from websockets.trio.client import ClientConnection

from simulations.waves.faults.catalogue import CATALOGUE, WEBSOCKET_REQUEST_FAULTS
from simulations.waves.faults.engine import striking
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.parsing import parse_fault, read_order
from simulations.waves.faults.spoiling import ERROR_MESSAGE
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import TEN, ask, dialled, frames_until, provider

CHUNK = "chunk"
FIVE = [CHUNK] * 5
"""Half of the spoken text, in chunks of 50 ms."""
ALL = [CHUNK] * 10
LONGEST = 30.0

SEEN = {
    "close_before": ["cut"],
    "close_during": [*FIVE, "cut"],
    "close_after": [*ALL, "cut"],
    "half_close": [*FIVE, "cut"],
    "stall": [*ALL, "complete", "silence"],
    "no_audio": ["silence"],
    "empty": ["complete", "silence"],
    "complete_late": [*ALL, "complete", "silence"],
    "complete_twice": [*ALL, "complete", "complete", "silence"],
    "complete_never": [*ALL, "silence"],
    "error": [*FIVE, "error", "silence"],
    "error_nested": [*FIVE, "error", "silence"],
    "garbage": [*FIVE, "protocol error"],
    "binary": [*FIVE, "binary", *FIVE, "complete", "silence"],
    "not_json": [*FIVE, "no JSON", *FIVE, "complete", "silence"],
    "oversized": [*FIVE, "chunk", *FIVE, "complete", "silence"],
    "wrong_ids": [*ALL, "complete", "silence"],
}


async def next_seen(socket: ClientConnection) -> str:
    """Return what comes next, in a word."""
    try:
        message = await socket.recv()
    except ConnectionClosed as closed:
        return "protocol error" if closed.sent and closed.sent.code == 1002 else "cut"
    if isinstance(message, bytes):
        return "binary"
    try:
        return str(json.loads(message)["status"])
    except ValueError:
        return "no JSON"


async def all_seen(server: WavesServer, text: str = TEN) -> list[str]:
    """Have a text spoken on a socket of its own; return what is seen until it ends or nothing comes for 30 s."""
    seen: list[str] = []
    async with dialled(server) as socket:
        await socket.send(ask(text))
        while not seen or seen[-1] not in ("cut", "protocol error", "silence"):
            came = "silence"
            with trio.move_on_after(LONGEST):
                came = await next_seen(socket)
            seen.append(came)
    return seen


def slow_server() -> WavesServer:
    """Return a provider with chunks that are told apart by their time: 50 ms of sound in 50 ms."""
    return provider(ttfb=0.5, rtf=1.0, chunk_ms=50.0, settle=0.05)


def fault_of(name: str) -> Fault:
    """Return a fault that strikes once, behind a quarter of a second of sound."""
    after = {"after": 0.25} if "after" in CATALOGUE[name].figures else {}
    size = {"megabytes": 0.5} if name == "oversized" else {}
    return read_order({"name": name, **after, **size})


@pytest.mark.parametrize("name", WEBSOCKET_REQUEST_FAULTS)
async def test_a_client_sees_what_the_catalogue_says(autojump_clock: MockClock, name: str) -> None:
    """Once; the next request is served as ever, and the books know where all requests and slots went."""
    server = slow_server()
    server.provider.faults.order(fault_of(name))
    assert await all_seen(server) == SEEN[name]
    assert server.provider.faults.snapshot() == {name: 1}
    await trio.sleep(0.1)
    assert await all_seen(server) == [*ALL, "complete", "silence"]
    books = server.snapshot()
    assert (books["in_flight"], books["sockets"], books["max_in_flight"]) == (0, 0, 1)
    assert books["requests"] == books["completed"] + books["abandoned"] + books["errors"] == 2
    assert books["errors"] == name.startswith("error")


async def test_times_are_as_ordered(autojump_clock: MockClock) -> None:
    """A stall holds its slot for three seconds more, a late `complete` does not."""
    held = []
    for name in ("stall", "complete_late"):
        server = slow_server()
        began = trio.current_time()
        server.provider.faults.order(fault_of(name))
        async with dialled(server) as socket:
            await socket.send(ask(TEN))
            await frames_until(socket)
        assert trio.current_time() - began == pytest.approx(0.5 + 0.5 + 3.0)
        held.append(server.books.snapshot(trio.current_time())["slot_seconds"])
    assert held == pytest.approx([4.0, 1.0])


async def test_no_audio_holds_its_slot_until_the_client_leaves(autojump_clock: MockClock) -> None:
    """And for as long as a request settles."""
    server = slow_server()
    server.provider.faults.order(fault_of("no_audio"))
    async with dialled(server) as socket:
        await socket.send(ask(TEN))
        await trio.sleep(20.0)
        assert server.books.in_flight(trio.current_time()) == 1
    await trio.sleep(0.04)
    assert server.books.in_flight(trio.current_time()) == 1
    await trio.sleep(0.02)
    assert server.books.in_flight(trio.current_time()) == 0


@pytest.mark.parametrize("name", ["error", "error_nested"])
async def test_an_error_has_its_shape_and_its_request(autojump_clock: MockClock, name: str) -> None:
    """Clients that look for their own id find it; the slot is free at once."""
    server = slow_server()
    server.provider.faults.order(fault_of(name))
    async with dialled(server) as socket:
        await socket.send(ask(TEN, request_id="mine"))
        *chunks, error = await frames_until(socket, "error")
        assert server.books.in_flight(trio.current_time()) == 0
    assert error["external_request_id"] == "mine"
    assert error["request_id"] == chunks[0]["request_id"]
    assert (error["error"] if name == "error_nested" else error)["message"] == ERROR_MESSAGE


async def test_wrong_ids_are_nobodys(autojump_clock: MockClock) -> None:
    """Neither the client's own nor the provider's, on every frame."""
    server = slow_server()
    server.provider.faults.order(fault_of("wrong_ids"))
    async with dialled(server) as socket:
        await socket.send(ask(TEN, request_id="mine", session_id="ours"))
        frames = await frames_until(socket)
    assert {frame["external_session_id"] for frame in frames} == {"ours"}
    assert len({frame["external_request_id"] for frame in frames} - {"mine"}) == 1


async def test_faults_on_one_socket_leave_the_others_alone(autojump_clock: MockClock) -> None:
    """Whoever shares the account is served meanwhile."""
    server = provider(ttfb=0.5, rtf=1.0, slots=2)
    server.provider.faults.order(fault_of("close_during"))
    seen: dict[str, list[str]] = {}

    async def client(name: str, wait: float) -> None:
        await trio.sleep(wait)
        seen[name] = await all_seen(server)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(client, "first", 0.0)
        nursery.start_soon(client, "second", 0.1)
    assert seen["first"] == [*[CHUNK] * 13, "cut"]
    assert seen["second"] == [*[CHUNK] * 25, "complete", "silence"]


@given(
    orders=st.lists(
        st.tuples(st.sampled_from(sorted(set(CATALOGUE) - {"oversized"})), st.floats(0, 20), st.floats(0.5, 5)),
        max_size=8,
    )
)
def test_whatever_strikes_when_the_books_add_up_in_the_end(orders: list[tuple[str, float, float]]) -> None:
    """No slot is lost, no limit passed, and no task left, whichever faults come together."""
    faults = [
        parse_fault(f"{name}:at={at}" + (f",seconds={seconds}" if "seconds" in CATALOGUE[name].figures else ""))
        for name, at, seconds in orders
    ]

    async def client(server: WavesServer) -> None:
        for _ in range(4):
            try:
                with trio.move_on_after(6.0):
                    async with dialled(server) as socket:
                        await socket.send(ask(TEN))
                        await frames_until(socket)
            except* Exception:
                await trio.sleep(1.0)

    async def main() -> None:
        server = slow_server()
        async with striking(server.provider, faults):
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(client, server)
            await trio.sleep(30.0)
        await trio.sleep(1.0)
        books = server.snapshot()
        assert (books["in_flight"], books["sockets"]) == (0, 0)
        assert books["max_in_flight"] <= 1
        assert books["max_open"] <= 5
        assert books["completed"] + books["abandoned"] + books["errors"] == books["requests"]

    trio.run(main, clock=MockClock(autojump_threshold=0))
