"""Opens WebSockets to a speech provider and maps what `websockets` raises to faults, once; owns no link."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.trio.client import ClientConnection, connect

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Connection
from orchestrator.redaction import redacted

_MOST_BYTES = 4 * 2**20
"""A message larger than this is nobody's audio: about a minute of it at 24 kHz in base64."""
_MOST_FRAMES = 4096
"""Frames that may wait for the keeper, which always reads. With few, the library pauses on a dropped link that has much
under way, and sees its close only after seconds."""
_CLOSE_WITHIN = 1.0
_STATUS_KINDS = {
    400: FaultKind.REQUEST,
    401: FaultKind.FINAL,
    403: FaultKind.FINAL,
    404: FaultKind.FINAL,
    410: FaultKind.FINAL,
    429: FaultKind.LINKS,
}


class WebSocketConnection:
    """One WebSocket as ports.Connection: messages in and out, faults instead of the library's exceptions."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, message: str) -> None:
        """Send one text message; raises ProviderFault(RETRY) when the peer is gone."""
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def receive(self) -> str | bytes:
        """Wait for a message; raises ProviderFault when the peer is gone."""
        try:
            return await self._socket.recv()
        except ConnectionClosed as error:
            raise _closed(error) from error


@asynccontextmanager
async def dial(
    address: str, headers: Mapping[str, str], *, within: float = 10.0, stream: trio.abc.Stream | None = None
) -> AsyncIterator[Connection]:
    """Open a WebSocket in at most `within` seconds, over `stream` where one is given: implements ports.Dial.

    Raises ProviderFault: FINAL for a refused key or path, LINKS for too many sockets, RETRY for what may pass.
    """
    try:
        # The close is bounded here as well: with its queue full the library waits for a broken stream for ever.
        with trio.CancelScope() as closing:
            async with connect(
                address,
                stream=stream,
                additional_headers=dict(headers),
                proxy=None,
                compression=None,
                open_timeout=within,
                close_timeout=_CLOSE_WITHIN,
                max_size=_MOST_BYTES,
                max_queue=_MOST_FRAMES,
            ) as socket:
                try:
                    yield WebSocketConnection(socket)
                finally:
                    closing.deadline = trio.current_time() + 2 * _CLOSE_WITHIN
    except InvalidStatus as error:
        status = error.response.status_code
        kind = _STATUS_KINDS.get(status, FaultKind.RETRY)
        said = redacted(_words(error.response.body), headers.get("Authorization", "").removeprefix("Bearer "))
        raise ProviderFault(kind, f"{address} answered HTTP {status}: {said}") from error
    except InvalidURI as error:
        raise ProviderFault(FaultKind.FINAL, f"{address} is no WebSocket address") from error
    except TimeoutError as error:
        raise ProviderFault(FaultKind.RETRY, f"{address} did not answer within {within:g} s") from error
    except (OSError, InvalidHandshake, ConnectionClosed, trio.BrokenResourceError) as error:
        raise ProviderFault(FaultKind.RETRY, f"{address} cannot be reached: {error}") from error


def _closed(error: ConnectionClosed) -> ProviderFault:
    close = error.rcvd
    reason = f"closed with {close.code} {close.reason}".strip() if close else "the connection is lost"
    # 1008 and 1013 are how the provider's other services refuse one socket too many.
    return ProviderFault(FaultKind.LINKS if close and close.code in (1008, 1013) else FaultKind.RETRY, reason)


def _words(body: bytes | bytearray | None) -> str:
    return bytes(body or b"").decode("utf-8", "replace")[:200]
