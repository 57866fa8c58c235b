"""The HTTP/1.1 bridge: serves one connection with h11, request by request, under limits.

Who answers and who takes an upgrade are arguments. It opens no port (listener.py does) and of a WebSocket it knows only
the request that asks for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import responses

import attrs
import h11
import trio

from orchestrator.port.heads import Refused, asks_upgrade, check_body, read_request
from orchestrator.port.messages import Answer, Limits, Request, Response, Upgrade
from orchestrator.port.replay import PortStream

_log = logging.getLogger(__name__)

_CHUNK = 4096
_LINGER_SECONDS = 1.0
"""How long a refused peer is still listened to: closing on unread bytes would destroy the answer on its way."""


async def serve_connection(
    stream: trio.abc.Stream,
    *,
    peer: str,
    answer: Answer,
    upgrade: Upgrade,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    draining: trio.Event | None = None,
) -> None:
    """Serve one connection until it ends, and close it; whatever the peer sends, only a cancel comes out of here.

    `peer` is its IP address. Once `draining` is set, every answer is the connection's last and an idle one is closed.
    A failure of `answer` is a 500, one of `upgrade` ends the connection; both are logged.
    """
    bounded = PortStream(stream, send_within=limits.send_within)
    draining = trio.Event() if draining is None else draining
    bridge = _Bridge(stream=bounded, peer=peer, answer=answer, upgrade=upgrade, limits=limits, draining=draining)
    try:
        await bridge.serve()
    except* (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # the peer is gone: nobody is left to tell
    except* Exception:
        _log.exception("a connection ended by a failure of ours")
    finally:
        await trio.aclose_forcefully(bounded)


@attrs.define(kw_only=True)
class _Bridge:
    """One connection, and the exchange it is at."""

    _stream: PortStream
    _peer: str
    _answer: Answer
    _upgrade: Upgrade
    _limits: Limits
    _draining: trio.Event
    _http: h11.Connection = attrs.field(init=False)
    _raw: bytearray = attrs.field(init=False)
    """What was read of the exchange so far: an upgrade gets it again."""
    _method: str = attrs.field(init=False)

    async def serve(self) -> None:
        """Serve exchange after exchange."""
        while first := await self._wait_request():
            self._begin(first)
            try:
                goes_on = await self._serve_exchange()
            except Refused as refused:
                await self._send(refused.response, last=True)
                await self._linger()
                return
            if not goes_on:
                return
            self._stream.push_back(self._http.trailing_data[0])

    async def _wait_request(self) -> bytes:
        """Return a request's first bytes, b"" if none will come."""
        data = b""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when, self._draining, nursery.cancel_scope)
            with trio.move_on_after(self._limits.idle_within):
                data = await self._stream.receive_some(_CHUNK)
            nursery.cancel_scope.cancel()
        return data

    def _begin(self, first: bytes) -> None:
        # A new h11 connection for each exchange: what it was fed is then exactly what an upgrade must see again.
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.head_bytes)
        self._http.receive_data(first)
        self._raw = bytearray(first)
        self._method = ""

    async def _serve_exchange(self) -> bool:
        """Serve one request; True if another may follow on this connection."""
        with _or_too_late(self._limits.head_within):
            head = await self._read_head()
        if head is None:
            return False
        request = read_request(head, self._peer)
        self._method = request.method
        if asks_upgrade(request):
            await self._hand_over(request)
            return False
        with _or_too_late(self._limits.body_within):
            request = attrs.evolve(request, body=await self._read_body(request))
        response = await self._answered(request)
        await self._send(response, last=self._draining.is_set())
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _hand_over(self, request: Request) -> None:
        self._stream.push_back(bytes(self._raw))
        refusal = await self._upgrade(self._stream, request)
        if refusal is not None:
            await self._send(refusal, last=True)

    async def _read_head(self) -> h11.Request | None:
        """Return a request's head, None if the peer left."""
        while (event := self._next_event()) is h11.NEED_DATA:
            self._raw += await self._receive()
        return event if isinstance(event, h11.Request) else None

    async def _read_body(self, request: Request) -> bytes:
        """Return the body, after asking for it where the peer waits to be asked."""
        check_body(request, self._limits)
        if self._http.they_are_waiting_for_100_continue:
            await self._stream.send_all(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        body = bytearray()
        while not isinstance(event := self._next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                body += event.data
            else:
                await self._receive()
            if len(body) > self._limits.body_bytes:
                raise Refused(413)
        return bytes(body)

    async def _answered(self, request: Request) -> Response:
        """Ask whoever answers; its failure is an answer, too."""
        try:
            return await self._answer(request)
        except Exception:
            _log.exception("no answer for %s", request.path)
            return Response.refusal(500)

    async def _send(self, response: Response, *, last: bool) -> None:
        """Send an answer in one go."""
        headers = [*response.headers.items(), ("content-length", str(len(response.body)))]
        if last:
            headers.append(("connection", "close"))
        status = response.status
        head = h11.Response(status_code=status, headers=headers, reason=responses.get(status, "").encode())
        data = self._http.send(head) or b""
        if self._method != "HEAD":
            data += self._http.send(h11.Data(data=response.body)) or b""
        await self._stream.send_all(data + (self._http.send(h11.EndOfMessage()) or b""))

    async def _linger(self) -> None:
        """Let a refused peer read its answer before the connection goes."""
        with trio.move_on_after(_LINGER_SECONDS):
            await self._stream.send_eof()
            while await self._stream.receive_some(_CHUNK):
                pass

    async def _receive(self) -> bytes:
        data = await self._stream.receive_some(_CHUNK)
        self._http.receive_data(data)
        return data

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise Refused(error.error_status_hint) from error


async def _cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


@contextmanager
def _or_too_late(seconds: float) -> Iterator[None]:
    """Give the peer so many seconds for what is inside, then a 408."""
    with trio.move_on_after(seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise Refused(408)
