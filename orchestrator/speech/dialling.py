"""Opens WebSockets to a speech provider and maps what `websockets` raises to faults, once; owns no link."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime

import trio
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.trio.client import ClientConnection, connect

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Connection
from orchestrator.redaction import redacted
from orchestrator.slot.limits import kind_of_close, kind_of_status

_MOST_BYTES = 4 * 2**20
"""A message larger than this is nobody's audio: about a minute of it at 24 kHz in base64."""
_MOST_FRAMES = 4096
"""Frames that may wait for the keeper, which always reads. With few, the library pauses on a dropped link that has much
under way, and sees its close only after seconds."""
_CLOSE_WITHIN = 1.0
_LONGEST_WAIT = 3600.0
"""Seconds: a `Retry-After` beyond that is no wait but nonsense."""


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

    Raises ProviderFault: FINAL for a refused key or path, LINKS for too many sockets, RETRY for what may pass; with
    `retry_after` where the answer has such a header.
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
        status, wait = error.response.status_code, _retry_after(error.response.headers)
        said = redacted(_words(error.response.body), headers.get("Authorization", "").removeprefix("Bearer "))
        message = f"{address} answered HTTP {status}: {said}"
        raise ProviderFault(kind_of_status(status), message, retry_after=wait) from error
    except InvalidURI as error:
        raise ProviderFault(FaultKind.FINAL, f"{address} is no WebSocket address") from error
    except TimeoutError as error:
        raise ProviderFault(FaultKind.RETRY, f"{address} did not answer within {within:g} s") from error
    except (OSError, InvalidHandshake, ConnectionClosed, trio.BrokenResourceError) as error:
        raise ProviderFault(FaultKind.RETRY, f"{address} cannot be reached: {error}") from error


def _closed(error: ConnectionClosed) -> ProviderFault:
    close = error.rcvd
    if close is None:
        return ProviderFault(FaultKind.RETRY, "the connection is lost")
    return ProviderFault(kind_of_close(close.code), f"closed with {close.code} {close.reason}".strip())


def _retry_after(headers: Headers) -> float | None:
    """For how many seconds the answer asks to be left alone: a number, or a date by the answer's own clock."""
    said = next(iter(headers.get_all("Retry-After")), "").strip()
    seconds = float(said) if said.isascii() and said.isdecimal() else _seconds_between(_date(headers), _as_date(said))
    return None if seconds is None or seconds > _LONGEST_WAIT else max(0.0, seconds)


def _date(headers: Headers) -> datetime | None:
    return _as_date(next(iter(headers.get_all("Date")), ""))


def _as_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _seconds_between(begin: datetime | None, end: datetime | None) -> float | None:
    if begin is None or end is None or (begin.tzinfo is None) != (end.tzinfo is None):
        return None
    return (end - begin).total_seconds()


def _words(body: bytes | bytearray | None) -> str:
    return bytes(body or b"").decode("utf-8", "replace")[:200]
