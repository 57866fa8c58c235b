"""The simulated Waves provider: its routes, who is let in, and its life on a port or over any stream.

A socket that was let in is socket.py's, limits and counts are books.py's, HTTP is orchestrator/port/'s.
The legacy buffer of requests without a context (`continue`, `flush`) is not kept: such a message is spoken by itself.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address
from typing import Any

import trio
from trio_websocket import ConnectionClosed, wrap_server_stream
from wsproto.utilities import ProtocolError

from orchestrator.port.bridge import serve_connection
from orchestrator.port.listener import OpenPort, open_port
from orchestrator.port.messages import Limits, Request, Response
from simulations.voices import Voice, voice_named
from simulations.waves.accounts import Accounts, Plan
from simulations.waves.books import Books
from simulations.waves.faults.faults import Faults
from simulations.waves.options import WavesOptions
from simulations.waves.provider import Provider
from simulations.waves.socket import WavesSocket
from simulations.waves.speech import WavesSpeech
from simulations.waves.synthesis import Synthesizer

LINKS_MESSAGE = "Connection limit reached"

_LIVE = "/waves/v1/tts/live"
_PER_MODEL = re.compile(r"/waves/v1/[\w.\-]+/get_speech/stream")
_HANDSHAKE_WITHIN = 5.0
_LARGEST_MESSAGE = 1024 * 1024


class WavesServer:
    """One provider with one account. `address` is its base address once it is on a port.

    `synthesizer` is what every link to it speaks with, `books` what every link is noted in.
    """

    def __init__(self, options: WavesOptions, voice: Voice, *, plans: Mapping[str, Plan] | None = None) -> None:
        self.options = options
        plan = Plan(slots=options.slots, links=options.links, requests_per_minute=options.requests_per_minute)
        plans = {**({options.api_key: plan} if options.api_key else {}), **(plans or {})}
        self.provider = Provider(
            options=options,
            accounts=Accounts(plans, default=None if plans else plan),
            synthesizer=Synthesizer(options=options, voice=voice),
            faults=Faults(now=trio.current_time, rng=random.Random(f"{options.seed}:faults")),
            ids=random.Random(options.seed),
        )
        self.address = ""
        self._limits = Limits(send_within=options.send_within)

    @property
    def books(self) -> Books:
        """The books of the first account: the only one, mostly."""
        return self.provider.accounts.first.books

    @property
    def synthesizer(self) -> Synthesizer:
        """What every link speaks with."""
        return self.provider.synthesizer

    def snapshot(self) -> dict[str, int | float]:
        """Return the books as of now, as `GET /books` shows them."""
        return self.books.snapshot(trio.current_time())

    async def serve_stream(self, stream: trio.abc.Stream, peer: str = "127.0.0.1") -> None:
        """Serve one connection from `peer` (an IP address) over any stream until it ends; only a cancel is raised."""
        await serve_connection(stream, peer=peer, answer=self._answer, upgrade=self._upgrade, limits=self._limits)

    async def serve_port(self, opened: OpenPort) -> None:
        """Serve an open port until cancelled."""
        await opened.serve(answer=self._answer, upgrade=self._upgrade, limits=self._limits)

    async def _answer(self, request: Request) -> Response:
        if (request.method, request.path) != ("GET", "/books"):
            return Response.refusal(404)
        if not _is_loopback(request.peer):
            return Response.refusal(403, "the books are open to this machine only")
        return Response.json(self.snapshot())

    async def _upgrade(self, stream: trio.abc.Stream, request: Request) -> Response | None:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            await self._serve_socket(stream, request)
        except* (ConnectionClosed, ProtocolError, UnicodeError, trio.TooSlowError):
            pass  # the client left, or never spoke WebSocket
        finally:
            self.books.close_link()
        return None

    def _refusal(self, request: Request) -> Response | None:
        """Return why a socket is not let in; None lets it in and counts it."""
        if request.path != _LIVE and not _PER_MODEL.fullmatch(request.path):
            return Response.refusal(404)
        if self.options.api_key and request.headers.get("authorization") != f"Bearer {self.options.api_key}":
            self.books.refused_auth += 1
            body = {"error": "Unauthorized", "message": "Bearer token is missing or invalid."}
            return Response.json(body, status=401)
        if _idle_timeout(request, self.options) is None:
            return Response.refusal(400, "timeout must be a positive integer")
        if not self.books.open_link():
            return Response.refusal(429, LINKS_MESSAGE)
        return None

    async def _serve_socket(self, stream: trio.abc.Stream, request: Request) -> None:
        async with trio.open_nursery() as reading:
            with trio.fail_after(_HANDSHAKE_WITHIN):
                proposal = await wrap_server_stream(reading, stream, max_message_size=_LARGEST_MESSAGE)
                connection = await proposal.accept()
            speech = WavesSpeech(
                socket=connection, synthesizer=self.synthesizer, books=self.books, ids=self.provider.ids
            )
            socket = WavesSocket(
                socket=connection,
                options=self.options,
                books=self.books,
                speech=speech,
                idle=_idle_timeout(request, self.options) or self.options.idle_timeout,
                per_model=request.path != _LIVE,
            )
            await socket.serve()
            reading.cancel_scope.cancel()


def _idle_timeout(request: Request, options: WavesOptions) -> float | None:
    """Return the idle time-out that the request asks for, the usual one if it doesn't ask, None if it is no number."""
    asked = request.query.get("timeout")
    if asked is None:
        return options.idle_timeout
    return int(asked) if re.fullmatch(r"0*[1-9][0-9]{0,8}", asked, re.ASCII) else None


def _is_loopback(peer: str) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


@asynccontextmanager
async def open_waves_server(
    options: WavesOptions, voice: Voice, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[WavesServer]:
    """Yield a provider that serves a port (0: a free one); leaving ends it and every socket. Raises PortTaken."""
    opened = await open_port(host=host, port=port)
    server = WavesServer(options, voice)
    server.address = f"ws://{host}:{opened.number}"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve_port, opened)
        yield server
        nursery.cancel_scope.cancel()


async def run(*, port: int, voice: str | None, host: str = "127.0.0.1", **options: Any) -> int:
    """Run the command `waves-server` until Ctrl-C and return its exit status; `options` are those of WavesOptions.

    Raises PortTaken.
    """
    try:
        async with open_waves_server(WavesOptions(**options), voice_named(voice), host=host, port=port) as server:
            books = server.address.replace("ws://", "http://") + "/books"
            limits = f"slots: {server.options.slots}, sockets: {server.options.links}"
            print(f"Waves server on {server.address} ({limits}); its books: {books}", file=sys.stderr, flush=True)
            await trio.sleep_forever()
    except* KeyboardInterrupt:
        pass  # the way to end it
    return 0
