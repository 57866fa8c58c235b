"""Opens the provider's side of a WebSocket over a connection that asks for one; ends it whatever the client does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto import ConnectionType, WSConnection
from wsproto.utilities import ProtocolError

_WITHIN = 5.0
_CLOSE_WITHIN = 1.0
"""Seconds that the client gets to answer our close."""
_LARGEST_MESSAGE = 256 * 1024
"""Bytes: far more text than is spoken in one go."""
_RECEIVED = 1024
"""Bytes at a time: whatever frames they are, no other connection has a turn until all are taken."""


async def serve_socket(
    stream: trio.abc.Stream,
    serve: Callable[[WebSocketConnection], Awaitable[None]],
    *,
    largest_message: int = _LARGEST_MESSAGE,
) -> None:
    """Open the socket and `serve` it; a client that leaves, or never spoke WebSocket, ends that and raises nothing.

    A message of more than `largest_message` bytes ends the socket with 1009.
    """
    try:
        async with trio.open_nursery() as reading:
            with trio.fail_after(_WITHIN):
                socket = await _accepted(reading, stream, largest_message=largest_message)
            await serve(socket)
            reading.cancel_scope.cancel()
    except* (ConnectionClosed, ProtocolError, UnicodeError, trio.TooSlowError):
        pass


async def _accepted(reading: trio.Nursery, stream: trio.abc.Stream, *, largest_message: int) -> WebSocketConnection:
    """Do what trio_websocket.wrap_server_stream does, but for our own kind of socket."""
    socket = _Socket(
        stream,
        WSConnection(ConnectionType.SERVER),
        max_message_size=largest_message,
        receive_buffer_size=_RECEIVED,
    )
    reading.start_soon(socket._reader_task)
    return await (await socket._get_request()).accept()


class _Socket(WebSocketConnection):
    """A socket that takes so many parts of a message only: the library counts nothing but their bytes.

    They may be empty, and each costs as much as a message; the largest message comes in half as many.
    """

    async def _handle_message_event(self, event: Any) -> None:
        if len(self._message_parts) >= 2 * self._max_message_size // _RECEIVED:
            self._message_size = self._max_message_size + 1  # is refused with 1009, as all that is too large
        await super()._handle_message_event(event)


async def close_socket(socket: WebSocketConnection, code: int = 1000, *, reason: str | None = None) -> None:
    """Close a socket, for as long as the client takes to agree, at most a second.

    Which codes the provider uses is mostly not known.
    """
    with trio.move_on_after(_CLOSE_WITHIN):
        await socket.aclose(code, reason)
