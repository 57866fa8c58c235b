"""Opens the provider's side of a WebSocket over a connection that asks for one; ends it whatever the client does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream
from wsproto.utilities import ProtocolError

_WITHIN = 5.0
_CLOSE_WITHIN = 1.0
"""Seconds that the client gets to answer our close."""
_LARGEST_MESSAGE = 1024 * 1024


async def serve_socket(stream: trio.abc.Stream, serve: Callable[[WebSocketConnection], Awaitable[None]]) -> None:
    """Open the socket and `serve` it; a client that leaves, or never spoke WebSocket, ends that and raises nothing."""
    try:
        async with trio.open_nursery() as reading:
            with trio.fail_after(_WITHIN):
                proposal = await wrap_server_stream(reading, stream, max_message_size=_LARGEST_MESSAGE)
                socket = await proposal.accept()
            await serve(socket)
            reading.cancel_scope.cancel()
    except* (ConnectionClosed, ProtocolError, UnicodeError, trio.TooSlowError):
        pass


async def close_socket(socket: WebSocketConnection, code: int = 1000, *, reason: str | None = None) -> None:
    """Close a socket, for as long as the client takes to agree, at most a second.

    Which codes the provider uses is mostly not known.
    """
    with trio.move_on_after(_CLOSE_WITHIN):
        await socket.aclose(code, reason)
