"""A serving program without a port, for tests: its pages and streams over memory streams, its events in a list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import trio
from attrs import Factory, define
from trio.testing import memory_stream_pair
from trio_websocket import WebSocketConnection, wrap_client_stream

from orchestrator.app import Orchestrator, Surroundings, open_orchestrator, run_clock
from orchestrator.events import Event
from orchestrator.lanes import InlineLane
from orchestrator.port.bridge import serve_connection
from orchestrator.port.guests import Guests
from orchestrator.port.messages import App
from orchestrator.ports import Now
from orchestrator.serve.calls import Calls
from orchestrator.serve.fetching import Fetching
from orchestrator.serve.gate import Gate
from orchestrator.serve.lines import open_lines
from orchestrator.serve.pages import Pages
from orchestrator.serve.readiness import Readiness
from orchestrator.serve.recordings import Recordings
from orchestrator.serve.streams import Streams
from orchestrator.serve.webhooks import Webhooks
from orchestrator.settings import BotSettings, LineSettings, ServeSettings, Settings
from orchestrator.testing import instant_voice
from tests.port.peers import answers_in, read_until_end

PUBLIC = "https://bots.example.com"
WALL = 1_800_000_000.0
"""Unix time at every moment of a test."""
E = TypeVar("E", bound=Event)


def settings_of(*lines: LineSettings, bot: str = "audio-echo", **serve: Any) -> Settings:
    """Return settings with these lines."""
    return Settings(bot=BotSettings(use=bot), serve=ServeSettings(**{"public_url": PUBLIC, "lines": lines, **serve}))


@define
class Desk:
    """The parts that a serving program has."""

    settings: Settings
    now: Now
    gate: Gate
    readiness: Readiness
    calls: Calls
    streams: Streams
    fetching: Fetching
    app: App
    events: list[Event] = Factory(list)

    def told(self, kind: type[E]) -> list[E]:
        """Return the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def ask(self, data: bytes, *, peer: str = "192.0.2.1") -> tuple[int, bytes]:
        """Send one request and return the status and the body of its answer."""
        near, far = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._serve, far, peer)
            await near.send_all(data)
            await near.send_eof()
            (answer,) = answers_in(await read_until_end(near))
        return answer[:2]

    async def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Ask for a page."""
        return await self.ask(_head("GET", path, headers) + b"\r\n")

    async def post(self, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Post a form, or what `content_type` says."""
        given = {"content_type": "application/x-www-form-urlencoded", **headers, "content_length": str(len(body))}
        return await self.ask(_head("POST", path, given) + b"\r\n" + body)

    async def upgrade(self, path: str, **headers: str) -> int:
        """Ask for a WebSocket and return the status of the answer; where it is taken, the call has an end at once."""
        near, far = memory_stream_pair()
        given = {"upgrade": "websocket", "connection": "Upgrade", "sec_websocket_version": "13", **headers}
        given.setdefault("sec_websocket_key", "dGhlIHNhbXBsZSBub25jZQ==")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._serve, far, "192.0.2.1")
            await near.send_all(_head("GET", path, given) + b"\r\n")
            head = bytes(await near.receive_some())
            await near.aclose()
        return int(head.split()[1])

    @asynccontextmanager
    async def websocket(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[WebSocketConnection]:
        """Yield a carrier's end of a stream."""
        near, far = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._serve, far, "192.0.2.1")
            extra = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
            socket = await wrap_client_stream(  # its type is narrower than what it takes
                nursery,
                near,  # type: ignore[arg-type]
                "bots.example.com",
                path,
                extra_headers=extra,
            )
            async with socket:
                yield socket

    async def _serve(self, stream: trio.abc.Stream, peer: str) -> None:
        await serve_connection(stream, peer=peer, app=self.app, upgrade=self.streams.take)


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: proxy.internal:8080"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "".join(line + "\r\n" for line in lines).encode()


def desk(settings: Settings, *, talkers: Orchestrator | None = None, **given: Any) -> Desk:
    """Put the parts together. `given` are `now`, `happened` (events), `recordings`, `sync_hook`, if there are any."""
    serve, now = settings.serve, given.get("now") or run_clock()
    happened: list[Event] = given.get("happened", [])
    lines, emit = open_lines(settings), happened.append
    guests = Guests(most=serve.most_connections, per_address=serve.connections_per_address)
    gate = Gate(now=now, wall=lambda: WALL)
    readiness = Readiness(guests=guests, talkers=talkers, emit=emit, now=now)
    calls = Calls(talkers=talkers, recordings=given.get("recordings"))
    shared: dict[str, Any] = {"settings": serve, "lines": lines, "gate": gate, "emit": emit, "now": now}
    streams = Streams(**shared, guests=guests, readiness=readiness, calls=calls)
    fetching = Fetching(streams=streams)
    pages = Pages(
        **shared,
        webhooks=Webhooks(settings=serve, gate=gate),
        fetching=fetching,
        readiness=readiness,
        sync_hook=given.get("sync_hook"),
    )
    return Desk(settings, now, gate, readiness, calls, streams, fetching, pages.app(), happened)


@asynccontextmanager
async def open_desk(settings: Settings, *, recordings: bool = False) -> AsyncIterator[Desk]:
    """Yield a desk whose bots speak, in virtual time: the provider is one that answers at once."""
    now, happened = run_clock(), list[Event]()
    surroundings = Surroundings(emit=happened.append, now=now, dial=instant_voice, lane=InlineLane())
    kept = None
    if recordings:
        kept = Recordings(settings=settings.serve.recording, emit=happened.append, now=now, lane=InlineLane())
        kept.prepare()
    async with open_orchestrator(settings, surroundings) as talkers:
        yield desk(settings, talkers=talkers, now=now, happened=happened, recordings=kept)
