"""The HTTP/1.1 bridge: serves one connection, request by request, to an ASGI app, and hands upgrades over.

Which app answers and who takes an upgrade are arguments. It opens no port (listener.py does), there is no lifespan, and
of a WebSocket it knows only the request that asks for it.
"""

from __future__ import annotations

import logging

import attrs
import trio

from orchestrator.port.exchange import Exchange
from orchestrator.port.heads import Refused, asks_upgrade, check_body, http_scope, read_request
from orchestrator.port.messages import App, Limits, Request, Response, Scope, Upgrade
from orchestrator.port.replay import PortStream
from orchestrator.port.wire import PeerLeft, Wire, send_whole

_log = logging.getLogger(__name__)

_CHUNK = 4096
_LINGER_SECONDS = 1.0
"""How long a peer is still listened to after its last answer: closing on unread bytes would destroy it on its way."""


async def serve_connection(
    stream: trio.abc.Stream,
    *,
    peer: str,
    app: App,
    upgrade: Upgrade,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    draining: trio.Event | None = None,
) -> None:
    """Serve one connection until it ends, and close it; whatever the peer sends, only a cancel comes out of here.

    `peer` is its IP address. Once `draining` is set, every answer is the connection's last and an idle one is closed.
    A failure of `app` is a 500, or the end of the connection where its answer was under way; one of `upgrade` ends the
    connection; all are logged. A peer that leaves cancels nothing: `receive` gives `http.disconnect`, and `send` raises
    OSError once nothing reaches the peer. One that only ends its own side may still be answered.
    """
    bounded = PortStream(stream, send_within=limits.send_within)
    bridge = _Bridge(
        stream=bounded,
        client=(peer, _peer_port(stream)),
        app=app,
        upgrade=upgrade,
        limits=limits,
        draining=trio.Event() if draining is None else draining,
    )
    try:
        await bridge.serve()
    except* (trio.BrokenResourceError, trio.ClosedResourceError, PeerLeft):
        pass  # the peer is gone: nobody is left to tell
    except* Exception:
        _log.exception("a connection ended by a failure of ours")
    finally:
        await trio.aclose_forcefully(bounded)


@attrs.define(kw_only=True)
class _Bridge:
    """One connection, and the exchange it is at."""

    _stream: PortStream
    _client: tuple[str, int]
    _app: App
    _upgrade: Upgrade
    _limits: Limits
    _draining: trio.Event

    async def serve(self) -> None:
        """Serve exchange after exchange."""
        while first := await self._wait_request():
            wire = Wire(stream=self._stream, limits=self._limits)
            try:
                await self._serve_exchange(wire, first)
            except Refused as refused:
                await send_whole(wire, refused.response, last=True)
            if not wire.may_go_on:
                if wire.answered:
                    await self._linger()
                return
            self._stream.push_back(wire.rest)

    async def _wait_request(self) -> bytes:
        """Return a request's first bytes, b"" if none will come."""
        data = b""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when, self._draining, nursery.cancel_scope)
            with trio.move_on_after(self._limits.idle_within):
                data = await self._stream.receive_some(_CHUNK)
            nursery.cancel_scope.cancel()
        return data

    async def _serve_exchange(self, wire: Wire, first: bytes) -> None:
        """Serve one request. Raises Refused where its head is no good."""
        head = await wire.read_head(first)
        if head is None:
            return
        request = read_request(head, self._client[0])
        if asks_upgrade(request):
            await self._hand_over(wire, request)
            return
        check_body(request, self._limits)
        scope = http_scope(head, client=self._client)
        await self._answer(wire, scope)

    async def _answer(self, wire: Wire, scope: Scope) -> None:
        """Let the app answer, and see to it that there is an answer."""
        exchange = Exchange(wire=wire, draining=self._draining)
        failure = await self._ask(exchange, scope)
        meant = exchange.told or isinstance(failure, ConnectionAbortedError)
        asked = f"{scope['method']} {scope['path']}"
        if failure is not None and meant:
            _log.info("%s ended early: %r", asked, failure)
        elif failure is not None:
            _log.error("%s failed", asked, exc_info=failure)
        elif not (exchange.complete or meant):
            _log.error("%s got no whole answer", asked)
        if wire.answerable and not meant:
            await send_whole(wire, Response.refusal(500), last=self._draining.is_set() or wire.unasked)
        await wire.drain()

    async def _ask(self, exchange: Exchange, scope: Scope) -> Exception | None:
        """Run the app and return its failure."""
        failure = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exchange.watch)
            try:
                await self._app(scope, exchange.receive, exchange.send)
            except Exception as error:
                failure = error
            nursery.cancel_scope.cancel()
        return failure

    async def _hand_over(self, wire: Wire, request: Request) -> None:
        self._stream.push_back(wire.raw)
        refusal = await self._upgrade(self._stream, request)
        if refusal is not None:
            await send_whole(wire, refusal, last=True)

    async def _linger(self) -> None:
        """Let the peer read its last answer before the connection goes."""
        with trio.move_on_after(_LINGER_SECONDS):
            await self._stream.send_eof()
            while await self._stream.receive_some(_CHUNK):
                pass


async def _cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


def _peer_port(stream: trio.abc.Stream) -> int:
    """Return the peer's TCP port, 0 where it has none."""
    if not isinstance(stream, trio.SocketStream):
        return 0
    try:
        return int(stream.socket.getpeername()[1])
    except OSError:  # it left
        return 0
