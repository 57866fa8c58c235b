"""Starlette, which others wrote, on the bridge: routes, forms, streams and who leaves them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import httpx2
import pytest
import trio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from trio.testing import MockClock

from orchestrator.port.messages import Limits
from tests.port.peers import CHUNKED, answers_in, now, read_all
from tests.port.peers import bridged as bridged_app

noted: list[tuple[float, Any]] = []
"""What the pages below saw, and when."""


class Ticks:
    """Three words, one a second."""

    def __init__(self) -> None:
        self._said = 0

    def __aiter__(self) -> Ticks:
        return self

    async def __anext__(self) -> bytes:
        if self._said == 3:
            raise StopAsyncIteration
        await trio.sleep(1)
        self._said += 1
        return b"tick "


class Noted(StreamingResponse):
    """Notes how it ended."""

    async def __call__(self, *arguments: Any) -> None:
        try:
            await super().__call__(*arguments)
        except ClientDisconnect:
            noted.append((now(), "disconnected"))
            raise
        noted.append((now(), "complete"))


async def ticks(request: Request) -> Response:
    """Answer word by word."""
    return Noted(Ticks(), media_type="text/plain")


async def upload(request: Request) -> Response:
    """Tell what a form brought."""
    async with request.form() as form:
        sizes = {}
        for name, value in form.items():
            sizes[name] = len(value if isinstance(value, str) else await value.read())
    return JSONResponse({"sizes": sizes, "client": request.client, "url": str(request.url)})


async def collect(request: Request) -> Response:
    """Note how much of a body came."""
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
    except ClientDisconnect:
        noted.append((now(), size))
        raise
    return PlainTextResponse(str(size))


async def poll(request: Request) -> Response:
    """Look every second whether somebody is still there."""
    while not await request.is_disconnected():  # noqa: ASYNC110 (the page is about polling)
        await trio.sleep(1)
    noted.append((now(), "left"))
    return Response()


async def teapot(request: Request) -> Response:
    """Refuse."""
    raise HTTPException(418, "short and stout", headers={"X-It": "y"})


async def broken(request: Request) -> Response:
    """Fail."""
    raise ValueError("on purpose")


PAGES = {"/ticks": ticks, "/upload": upload, "/collect": collect, "/poll": poll, "/teapot": teapot, "/broken": broken}
APP = Starlette(routes=[Route(path, page, methods=["GET", "POST"]) for path, page in PAGES.items()])
bridged = partial(bridged_app, APP)


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    noted.clear()


def get(path: str) -> bytes:
    """Return the bytes of a GET."""
    return f"GET {path} HTTP/1.1\r\nHost: here:81\r\n\r\n".encode()


async def test_pages_and_refusals(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """Routes, unknown pages, wrong methods, exceptions with a status and without: all on one connection."""
    async with bridged() as peer:
        for path in ("/nowhere", "/teapot", "/broken"):
            await peer.send_all(get(path))
        await peer.send_all(get("/ticks").replace(b"GET", b"PUT"))
        await peer.send_all(get("/ticks"))
        await peer.send_eof()
        answers = await read_all(peer)
    assert [status for status, _, _ in answers] == [404, 418, 500, 405, 200]
    assert answers[1][1] == b"short and stout"
    assert answers[4][1] == b"tick tick tick "
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_form_brings_a_large_file(autojump_clock: MockClock) -> None:
    """3 MB of a form's file arrive where the body's limit is raised for them."""
    form = httpx2.Request(
        "POST", "http://here:81/upload?a=b", data={"name": "Avery"}, files={"file": ("a.wav", b"x" * 3_000_000)}
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in form.headers.items())
    limits = Limits(body_bytes=4_000_000)
    async with bridged(limits=limits) as peer:
        await peer.send_all(f"POST /upload?a=b HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode() + form.read())
        [(status, body, _)] = await read_all(peer)
    assert status == 200
    said = {"sizes": {"name": 5, "file": 3_000_000}, "client": ["10.0.0.1", 0], "url": "http://here:81/upload?a=b"}
    assert json.loads(body) == said


async def test_a_stream_ends_with_its_peer(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """Starlette's own streaming response is told that nobody reads on, and nothing is logged as a failure."""
    async with bridged() as peer:
        await peer.send_all(get("/ticks"))
        await trio.sleep(1.5)
        await peer.aclose()
    assert noted == [(2, "disconnected")]
    assert caplog.records == []


async def test_polling_for_the_peer_s_end_works(autojump_clock: MockClock) -> None:
    """`is_disconnected` sees in passing that the peer left."""
    async with bridged() as peer:
        await peer.send_all(get("/poll"))
        await trio.sleep(4.5)
        await peer.aclose()
    assert noted == [(5, "left")]


async def test_a_body_that_breaks_off_is_told_of(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """A page that reads a body gets Starlette's ClientDisconnect: at the peer's end and when the body is too long."""
    start = CHUNKED.replace(b"/", b"/collect", 1)
    async with bridged() as peer:
        await peer.send_all(start + b"3\r\nabc\r\n")
        await trio.sleep(1)
        await peer.aclose()
    async with bridged() as peer:
        await peer.send_all(start + b"3e8\r\n" + b"x" * 1000)
        await trio.sleep(1)
        await peer.send_all(b"\r\n3e9\r\n" + b"x" * 1001)
        assert [answer[0] for answer in answers_in(bytes(await peer.receive_some()))] == [413]
    assert [when for when, _ in noted] == [1, 2]
    assert noted[0][1] == 3
    assert 1000 <= noted[1][1] <= 2000
    assert caplog.records == []
