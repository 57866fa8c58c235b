"""The Sync API for tests: one without any socket that notes what it is asked, and a TCP server that says any bytes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from email.message import Message
from email.parser import BytesParser
from functools import partial
from typing import Any

import httpx2
import trio

from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.lanes import InlineLane
from orchestrator.ports import VideoRequest
from orchestrator.settings import LipsyncSettings

KEY = "sync-key-of-the-account"
ADDRESS = "https://api.sync.so"
REQUEST = VideoRequest(
    model="lipsync-2",
    input=({"type": "video", "url": "https://a.example/v.mp4"}, {"type": "audio", "url": "https://a.example/a.wav"}),
    options={"sync_mode": "loop"},
    webhook_url="https://bots.example.com/hooks/sync?job=7",
    output_file_name="greeting",
)
GENERATION: dict[str, Any] = {
    "id": "0b7e-1",
    "createdAt": "2026-01-02T03:04:05.500Z",
    "status": "PENDING",
    "model": "lipsync-2",
    "input": list(REQUEST.input),
    "outputUrl": None,
    "webhookUrl": "https://bots.example.com/hooks/sync?job=7",
}
Talk = Callable[[trio.SocketStream, bytes], Awaitable[None]]
"""What a server does with a connection, and with the request that it read from it."""


class FakeSync:
    """Answers every request with the next of `answers`, the last one for ever; `asked` are the requests.

    An answer is JSON, a response, an error that is raised, or a function of the request.
    """

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[httpx2.Request] = []
        self.transport = httpx2.MockTransport(self._handle)

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if callable(answer):
            answer = await answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx2.Response) else httpx2.Response(200, json=answer)

    @property
    def lines(self) -> list[str]:
        """Method and URL of each request."""
        return [f"{request.method} {request.url}" for request in self.asked]

    def json(self, which: int = 0) -> Any:
        """Return the JSON of a request."""
        assert self.asked[which].headers["content-type"] == "application/json"
        return json.loads(self.asked[which].content)

    def form(self, which: int = 0) -> dict[str, tuple[str | None, str, bytes]]:
        """Return the fields of a request's form: the file's name, the type and what is in it."""
        return form_of(self.asked[which].headers["content-type"], self.asked[which].content)


def form_of(content_type: str, body: bytes) -> dict[str, tuple[str | None, str, bytes]]:
    """Return the fields of a multipart form, read by the standard library's mail parser."""
    whole = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parts = whole.get_payload()
    assert isinstance(parts, list)
    messages = [part for part in parts if isinstance(part, Message)]
    return {str(part.get_param("name", header="content-disposition")): _field(part) for part in messages}


def _field(part: Message) -> tuple[str | None, str, bytes]:
    held = part.get_payload(decode=True)
    assert isinstance(held, bytes)
    return part.get_filename(), part.get_content_type(), held


@asynccontextmanager
async def service_of(fake: FakeSync) -> AsyncIterator[SyncService]:
    """Have the client of a service that is `fake`."""
    settings = LipsyncSettings(address=ADDRESS)
    async with SyncService(settings, KEY, transport=fake.transport, lane=InlineLane()) as service:
        yield service


@asynccontextmanager
async def served(talk: Talk) -> AsyncIterator[str]:
    """Have a TCP server on loopback that reads a request and then talks; yield its address."""

    async def handle(stream: trio.SocketStream) -> None:
        async with stream:
            request = await _read_request(stream)
            if request:
                try:
                    await talk(stream, request)
                except trio.BrokenResourceError:
                    return  # the client has had enough, as it may

    async with trio.open_nursery() as nursery:
        listeners: Sequence[trio.SocketListener] = await nursery.start(
            partial(trio.serve_tcp, handle, 0, host="127.0.0.1")
        )
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def _read_request(stream: trio.SocketStream) -> bytes:
    """Return one request, its body too; empty if the client left before."""
    request = b""
    while b"\r\n\r\n" not in request:
        chunk = await stream.receive_some()
        if not chunk:
            return b""
        request += chunk
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    left = int(lengths[0].partition(b":")[2]) - len(body) if lengths else 0
    while left > 0:
        chunk = await stream.receive_some(left)
        if not chunk:
            return b""
        request, left = request + chunk, left - len(chunk)
    return request


@asynccontextmanager
async def service_at(address: str, within: float = 5.0) -> AsyncIterator[SyncService]:
    """Have the client of the service at an address."""
    settings = LipsyncSettings(address=address, request_within=within)
    async with SyncService(settings, KEY, lane=InlineLane()) as service:
        yield service


def http(status: str, body: bytes, *headers: str) -> bytes:
    """Return an HTTP answer as bytes."""
    head = "\r\n".join((f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers))
    return head.encode() + b"\r\n\r\n" + body


def saying(*pieces: bytes) -> Talk:
    """Return a server that says some bytes and leaves."""

    async def talk(stream: trio.SocketStream, _request: bytes) -> None:
        for piece in pieces:
            await stream.send_all(piece)

    return talk
