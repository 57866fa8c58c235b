"""Opens the provider's side of a WebSocket over a connection that asks for one; ends it whatever the client does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream
from wsproto.utilities import ProtocolError

_WITHIN = 5.0
_LARGEST_MESSAGE = 1024 * 1024


@asynccontextmanager
async def open_socket(stream: trio.abc.Stream) -> AsyncIterator[WebSocketConnection]:
    """Yield the socket; a client that leaves, or never spoke WebSocket, ends what is inside and raises nothing."""
    try:
        async with trio.open_nursery() as reading:
            with trio.fail_after(_WITHIN):
                proposal = await wrap_server_stream(reading, stream, max_message_size=_LARGEST_MESSAGE)
                socket = await proposal.accept()
            yield socket
            reading.cancel_scope.cancel()
    except* (ConnectionClosed, ProtocolError, UnicodeError, trio.TooSlowError):
        pass
