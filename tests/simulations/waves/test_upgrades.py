"""Who is let in to the simulated Waves provider by a WebSocket, and what the others are told."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import MockClock
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulations.waves.accounts import Plan
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import (
    LIVE,
    TEN,
    ask,
    dialled,
    frames_until,
    next_frame,
    provider,
    spelling_voice,
)


def refused(status: int) -> pytest.RaisesGroup[InvalidStatus]:
    """Expect a handshake to be answered with this status."""
    return pytest.RaisesGroup(pytest.RaisesExc(InvalidStatus, match=str(status)))


async def test_a_socket_too_many_is_refused_before_the_upgrade(autojump_clock: MockClock) -> None:
    """Socket number links + 1 gets HTTP 429; when one has closed there is room again."""
    server = provider(links=2)
    async with dialled(server):
        async with dialled(server):
            with pytest.RaisesGroup(pytest.RaisesExc(InvalidStatus, match="429")):
                async with dialled(server):
                    pass
        await trio.sleep(0.01)
        async with dialled(server) as socket:
            await socket.send(ask(TEN))
            await frames_until(socket)
    books = server.snapshot()
    assert (books["links"], books["max_open"], books["opened"], books["refused_links"]) == (2, 2, 3, 1)
    assert WavesOptions(slots=3).links == 15


@pytest.mark.parametrize("key", ["", "wrong"])
async def test_a_wrong_key_is_refused_before_the_upgrade(autojump_clock: MockClock, key: str) -> None:
    """With a key set, any other and none is HTTP 401; the right one is let in."""
    server = provider(api_key="right")
    with pytest.RaisesGroup(pytest.RaisesExc(InvalidStatus, match="401")):
        async with dialled(server, key=key):
            pass
    assert (server.snapshot()["refused_auth"], server.snapshot()["opened"]) == (1, 0)
    async with dialled(server, key="right") as socket:
        await socket.send(ask(TEN))
        await frames_until(socket)


@pytest.mark.parametrize(
    "path", ["/waves/v1/tts", "/waves/v2/tts/live", LIVE + "?timeout=0", LIVE + "?timeout=x", "/waves/v1/stt/live"]
)
async def test_a_wrong_address_is_refused_before_the_upgrade(autojump_clock: MockClock, path: str) -> None:
    """Unknown paths, time-outs that are no number and recognition without a model get an HTTP error."""
    with pytest.RaisesGroup(pytest.RaisesExc(InvalidStatus, match="40[04]")):
        async with dialled(provider(), path=path):
            pass


@pytest.mark.parametrize("name", ["token", "api_key"])
async def test_a_key_may_stand_in_the_query(autojump_clock: MockClock, name: str) -> None:
    """Browsers can't set headers: keys and short-lived tokens are taken from there, too, and wrong ones refused."""
    server = provider(api_key="right")
    accounts = server.provider.accounts
    token = accounts.issue_token(accounts.first, seconds=300, now=trio.current_time(), rng=server.provider.ids)
    for key in ("right", token):
        async with dialled(server, path=f"{LIVE}?{name}={key}") as socket:
            await socket.send(ask(TEN))
            await frames_until(socket)
    with refused(401):
        async with dialled(server, path=f"{LIVE}?{name}=wrong"):
            pass
    await trio.sleep(301)
    with refused(401):
        async with dialled(server, path=f"{LIVE}?{name}={token}"):
            pass


async def test_accounts_do_not_share_their_slots(autojump_clock: MockClock) -> None:
    """Two keys of two accounts are served at a time, two sockets of one are not; each has its own books."""
    server = WavesServer(
        WavesOptions(close_after_complete=False), spelling_voice, plans={"one": Plan(name="a"), "two": Plan(name="b")}
    )
    async with dialled(server, key="one") as one, dialled(server, key="two") as two, dialled(server, key="two") as more:
        for socket in (one, two, more):
            await socket.send(ask(TEN))
        assert (await next_frame(more))["status"] == "error"
        for socket in (one, two):
            await frames_until(socket)
    books = server.provider.accounts.snapshot(trio.current_time())["accounts"]
    found = {name: (page["completed"], page["refused_concurrency"], page["opened"]) for name, page in books.items()}
    assert found == {"a": (1, 0, 1), "b": (1, 1, 2)}


@pytest.mark.parametrize("code", [1008, 1013])
async def test_a_socket_too_many_may_be_closed_instead(autojump_clock: MockClock, code: int) -> None:
    """By option: it is let in, told why, and closed with the code of a neighbouring service."""
    server = provider(links=1, links_refusal=str(code))
    async with dialled(server), dialled(server) as surplus:
        frame = json.loads(await surplus.recv())
        assert (frame["status"], frame["message"]) == ("error", "Connection limit reached")
        with pytest.raises(ConnectionClosed) as closed:
            await surplus.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
    assert (server.books.refused_links, server.books.max_open) == (1, 1)


@pytest.mark.parametrize("base", ["waves", "api"])
@pytest.mark.parametrize("path", ["lightning-v3.1/get_speech/stream", "streaming-tts/stream"])
async def test_older_paths_are_served(autojump_clock: MockClock, base: str, path: str) -> None:
    """Those of the SDKs of version 4, under both bases."""
    async with dialled(provider(), path=f"/{base}/v1/{path}") as socket:
        await socket.send(ask(TEN))
        await frames_until(socket)


async def test_retired_models_are_refused(autojump_clock: MockClock) -> None:
    """With 410, unless none is retired; an unknown one with 404."""
    path = "/waves/v1/lightning-v2/get_speech/stream"
    with refused(410):
        async with dialled(provider(), path=path):
            pass
    with refused(404):
        async with dialled(provider(), path=path.replace("v2", "v9")):
            pass
    async with dialled(provider(retired=()), path=path) as socket:
        await socket.send(ask(TEN))
        await frames_until(socket)


async def test_recognition_needs_a_key_too(autojump_clock: MockClock) -> None:
    """401 comes before what is wrong with the query; with the key it is served, and is no speech socket."""
    path = "/waves/v1/stt/live?model=pulse&sample_rate=8000"
    server = provider(api_key="right")
    with refused(401):
        async with dialled(server, path=path):
            pass
    async with dialled(server, path=path, key="right") as socket:
        await socket.send('{"type": "close_stream"}')
        assert json.loads(await socket.recv())["is_last"]
    assert server.books.opened == 0
