"""Both ends of a served connection for tests: an app that says back what it was asked, a peer over memory streams."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import h11
import trio
from trio.testing import MemoryReceiveStream, MemorySendStream, memory_stream_pair

from orchestrator.port.bridge import serve_connection
from orchestrator.port.messages import App, Limits, Message, Receive, Request, Response, Scope, Send

Peer = trio.StapledStream[MemorySendStream, MemoryReceiveStream]
AnyPeer = Peer | trio.StapledStream[trio.abc.SendStream, trio.abc.ReceiveStream]
LIMITS = Limits(head_bytes=1000, body_bytes=2000, idle_within=60, head_within=10, body_within=30, send_within=5)
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def now() -> float:
    """Return the time of a test's clock, in whole milliseconds."""
    return round(trio.current_time(), 3)


async def whole_body(receive: Receive, *, pause: float = 0.0) -> bytes:
    """Return a request's body, read with a pause before each piece. Raises ConnectionError where it isn't whole."""
    body, more = b"", True
    while more:
        await trio.sleep(pause)
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError("no whole body")
        body, more = body + message["body"], message["more_body"]
    return body


def start(status: int = 200, **headers: str) -> Message:
    """Return the beginning of an answer; `_` stands for the `-` of a header's name."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


def piece(body: bytes, *, more: bool = True) -> Message:
    """Return a piece of an answer's body."""
    return {"type": "http.response.body", "body": body, "more_body": more}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Say back what the request was."""
    body = await whole_body(receive)
    if scope["path"] == "/broken":
        raise ValueError("no answer")
    said = {
        "method": scope["method"],
        "path": scope["path"],
        "query": dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
        "peer": scope["client"][0],
        "body": body.decode("latin-1"),
        "x": [value.decode() for name, value in scope["headers"] if name == b"x-it"],
    }
    data = json.dumps(said).encode()
    await send(start(content_length=str(len(data))))
    await send(piece(data, more=False))


async def tick(scope: Scope, receive: Receive, send: Send) -> None:
    """Send one piece a second, three in all."""
    await send(start())
    for number in range(3):
        await send(piece(b"%d" % number))
        await trio.sleep(1)
    await send(piece(b"", more=False))


class Recorder:
    """An app that does what `app` does and notes when and how that ended, and what it received."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.received: list[tuple[float, str]] = []
        self.ended: list[tuple[float, type[BaseException] | None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noted() -> Message:
            message = await receive()
            self.received.append((now(), message["type"].removeprefix("http.")))
            return message

        failure: type[BaseException] | None = None
        try:
            await self._app(scope, noted, send)
        except BaseException as error:
            failure = type(error)
            raise
        finally:
            self.ended.append((now(), failure))


async def listen(scope: Scope, receive: Receive, send: Send) -> None:
    """Wait until the peer leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def answer_late(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer after ten seconds without asking for anything."""
    await trio.sleep(10)
    await send(start(content_length="2"))
    await send(piece(b"ok", more=False))


async def refuse(stream: trio.abc.Stream, request: Request) -> Response | None:
    """Take no upgrade."""
    return Response.refusal(403, "not here")


@asynccontextmanager
async def bridged(
    app: App = echo, *, limits: Limits = LIMITS, draining: trio.Event | None = None
) -> AsyncIterator[Peer]:
    """Yield the peer's end of a served connection; on leaving, serving must have ended by itself."""
    near, far = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        serve: dict[str, Any] = {"peer": "10.0.0.1", "app": app, "upgrade": refuse, "limits": limits}
        nursery.start_soon(lambda: serve_connection(far, draining=draining, **serve))
        yield near
        await near.aclose()


async def read_until_end(peer: AnyPeer) -> bytes:
    """Return all bytes until the connection ends."""
    data = b""
    while some := await peer.receive_some():
        data += bytes(some)
    return data


def answers_in(data: bytes) -> list[tuple[int, bytes, bool]]:
    """Return (status, body, whether it is the last) of every answer in `data`, which are answers to GET or POST."""
    answers = []
    while data:
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
        client.send(h11.EndOfMessage())
        client.receive_data(data)
        body, last, status = b"", False, 0
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            assert isinstance(event, h11.Response | h11.Data | h11.InformationalResponse), event
            if isinstance(event, h11.Response):
                status, last = event.status_code, (b"connection", b"close") in event.headers
            elif isinstance(event, h11.Data):
                body += event.data
        answers.append((status, body, last))
        data = client.trailing_data[0]
    return answers


async def read_all(peer: Peer) -> list[tuple[int, bytes, bool]]:
    """Return every answer until the connection ends, as `answers_in` does."""
    return answers_in(await read_until_end(peer))
