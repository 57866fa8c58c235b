"""A WebSocket that we open, for a stack that waits to be called (Asterisk's `/media/<id>`): connects, with TLS or not,
and asks for the upgrade. Everything from there on is as on the sockets that carriers open: socket.py, wire.py.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import cache

import trio
from websockets.client import ClientProtocol
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from orchestrator.adapters.telephony.socket import CarrierSocket
from orchestrator.adapters.telephony.wire import WireLimits
from orchestrator.errors import CarrierFault

Connect = Callable[[str, int], Awaitable[trio.abc.Stream]]
"""Opens a connection to a host and a port, such as trio.open_tcp_stream; raises OSError."""


class DialledSocket(CarrierSocket):
    """Our end of a WebSocket of which we are the client."""

    def __init__(
        self, stream: trio.abc.Stream, *, uri: WebSocketURI, subprotocols: Sequence[str], limits: WireLimits
    ) -> None:
        self._uri = uri
        super().__init__(stream, subprotocols=subprotocols, limits=limits)

    async def accept(self) -> None:
        """Ask for the upgrade. Raises CarrierFault where it is not granted in time, with the status that came."""
        protocol = self._protocol
        assert isinstance(protocol, ClientProtocol)
        protocol.send_request(protocol.connect())
        await self.flush()
        await super().accept()

    @property
    def finished(self) -> bool:
        """Whether the closing handshake is through: the server closes the connection then, but need not be trusted."""
        return super().finished or self._protocol.close_rcvd is not None

    def _speak(self, subprotocols: Sequence[Subprotocol]) -> ClientProtocol:
        return ClientProtocol(self._uri, subprotocols=subprotocols, max_size=self.limits.message_bytes)


async def dial_socket(
    address: str,
    *,
    subprotocols: Sequence[str] = (),
    limits: WireLimits = WireLimits(),  # noqa: B008 (frozen)
    connect: Connect = trio.open_tcp_stream,
    context: ssl.SSLContext | None = None,
) -> CarrierSocket:
    """Open a WebSocket to a ws:// or wss:// address within `limits.handshake_within`; keep it with `wire.kept_open`.

    `context` is for wss:// other than the machine's own trust. Raises CarrierFault, which says what went wrong.
    """
    uri = parse_uri(address)
    missing = "connection"
    with trio.move_on_after(limits.handshake_within):
        try:
            stream = await connect(uri.host, uri.port)
        except (OSError, ValueError) as error:  # ValueError: a host that can't be written as DNS does
            raise CarrierFault(f"{address}: {_cause(error)}") from None
        missing = "WebSocket handshake"
        try:
            if uri.secure:
                stream = await _secured(stream, context or _trust(), host=uri.host)
            socket = DialledSocket(stream, uri=uri, subprotocols=subprotocols, limits=limits)
            await socket.accept()
        except BaseException as error:
            await trio.aclose_forcefully(stream)
            if isinstance(error, CarrierFault | trio.BrokenResourceError):
                raise CarrierFault(f"{address}: {_cause(error)}") from None
            raise
        return socket
    raise CarrierFault(f"{address}: no {missing} within {limits.handshake_within:g} s")


async def _secured(stream: trio.abc.Stream, context: ssl.SSLContext, *, host: str) -> trio.abc.Stream:
    inside = trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
    await inside.do_handshake()
    return inside


@cache
def _trust() -> ssl.SSLContext:
    """Made once: it takes 20 ms."""
    return ssl.create_default_context()


def _cause(error: BaseException) -> str:
    """Return what is at the bottom of an error, in one line of its own words."""
    while isinstance(error.__cause__, BaseException):  # trio: "all attempts to connect failed", because of
        error = error.__cause__
    if isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())
