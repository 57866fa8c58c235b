"""A client of the whole app for tests: h11 over memory streams, through the real bridge; it sees when a piece comes."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import h11
import trio
from attrs import define, field, frozen
from trio.testing import memory_stream_pair

from orchestrator.port.bridge import serve_connection
from orchestrator.port.listener import serve_port
from orchestrator.port.messages import App, Limits, Request, Response
from simulations.waves.http.app import create_app
from simulations.waves.http.speech import LARGEST_BODY
from simulations.waves.provider import Provider
from tests.simulations.waves.http.pages_client import OURS

TTS = "/waves/v1/tts"
LIVE = "/waves/v1/tts/live"


def ask(text: str, **more: Any) -> dict[str, Any]:
    """Return a request's fields."""
    return {"text": text, "voice_id": "avery", "sample_rate": 8000, **more}


@frozen
class Answer:
    """A whole answer: `at` is when its end came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@define
class Visitor:
    """One connection to the provider."""

    stream: trio.abc.Stream
    _http: h11.Connection = field(factory=lambda: h11.Connection(h11.CLIENT), init=False)

    async def send(self, path: str, fields: Any, *, key: str = OURS, method: str = "POST", **headers: str) -> None:
        """Send a request; `_` in the name of a header stands for `-`."""
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        more = [(name.replace("_", "-"), value) for name, value in headers.items()]
        more += [("authorization", f"Bearer {key}")] if key else []
        shown = [("host", "waves"), ("content-length", str(len(body))), *more]
        data = self._http.send(h11.Request(method=method, target=path, headers=shown)) or b""
        data += self._http.send(h11.Data(data=body)) or b""
        await self.stream.send_all(data + (self._http.send(h11.EndOfMessage()) or b""))

    async def head(self) -> tuple[int, dict[str, str]]:
        """Return status and headers of the answer, names in lower case."""
        event = await self._next()
        assert isinstance(event, h11.Response)
        return event.status_code, {name.decode(): value.decode() for name, value in event.headers}

    async def pieces(self) -> AsyncIterator[tuple[float, bytes]]:
        """Yield (when, what) of the body as it comes. Raises h11.RemoteProtocolError where it is cut off."""
        while isinstance(event := await self._next(), h11.Data):
            yield trio.current_time(), bytes(event.data)
        assert isinstance(event, h11.EndOfMessage)
        self._http.start_next_cycle()

    async def answer(self) -> Answer:
        """Return the whole answer."""
        status, headers = await self.head()
        body = b"".join([data async for _, data in self.pieces()])
        return Answer(status, headers, body, trio.current_time())

    async def _next(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(bytes(await self.stream.receive_some()))
        return event


@asynccontextmanager
async def visiting(provider: Provider, *, app: App | None = None) -> AsyncIterator[Visitor]:
    """Yield a connection to `provider`; leaving it closes it, and the provider's end must end, too."""
    near, far = memory_stream_pair()
    app = app or create_app(provider)
    limits = Limits(body_bytes=4 * LARGEST_BODY)

    async def serve() -> None:
        await serve_connection(far, peer="127.0.0.1", app=app, upgrade=refuse, limits=limits)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        yield Visitor(near)
        await near.aclose()


async def asked(provider: Provider, path: str, fields: Any, **more: Any) -> Answer:
    """Return the answer to one request on a connection of its own."""
    async with visiting(provider) as visitor:
        await visitor.send(path, fields, **more)
        return await visitor.answer()


def audio_of(body: bytes) -> bytes:
    """Return the sound of the events; each is as the specification has it, and the last is the end."""
    *audio, done, rest = body.decode().split("\n\n")
    assert (done, rest) == ('data: {"status":"200","done":true}', "")
    sound = b""
    for event in audio:
        name, data = event.split("\n")
        fields = json.loads(data.removeprefix("data: "))
        assert (name, fields["done"], fields["status"]) == ("event: audio", False, "206")
        sound += base64.b64decode(fields["audio"])
    return sound


async def refuse(_stream: trio.abc.Stream, _request: Request) -> Response | None:
    """Take no upgrade."""
    return Response.refusal(404)


@asynccontextmanager
async def served(provider: Provider) -> AsyncIterator[str]:
    """Yield the address at which the app is served on a loopback port."""
    serve = partial(serve_port, host="127.0.0.1", port=0, app=create_app(provider), upgrade=refuse)
    async with trio.open_nursery() as nursery:
        opened = await nursery.start(serve)
        yield f"http://127.0.0.1:{opened.number}"
        nursery.cancel_scope.cancel()
