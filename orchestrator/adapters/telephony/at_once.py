"""What a plain socket can do that Trio's streams don't offer: writing and reading without a round of the loop or a look
in vain, and noticing that the peer is gone. Whoever has more to send, or another stream, is served elsewhere."""

from __future__ import annotations

import os
import socket as sockets
from collections.abc import Mapping
from contextlib import suppress

import trio

_PROBES = 5


def plain_socket(stream: object) -> trio.SocketStream | None:
    """Return the socket to which a stream's bytes go as they are, None where there is none."""
    while not isinstance(stream, trio.SocketStream | None):
        stream = getattr(stream, "beneath", None)
    return stream if os.name == "posix" else None


def taken_at_once(data: bytes, socket: trio.SocketStream | None) -> bytes:
    """Write what the machine takes without waiting and return the rest.

    It nearly always takes all. That saves Trio's round of the loop behind every send: a sixth of what an echo costs.
    """
    if socket is None:
        return data
    try:
        return data[os.write(socket.socket.fileno(), data) :]
    except OSError:  # full, or gone: whoever waits for it will be told
        return data


async def arrived(socket: trio.SocketStream, size: int) -> bytes | None:
    """Wait until something can be read and return it; None where that is for the stream itself to tell.

    For who has read all there was: Trio would look before it waits, which is an eighth of what a frame costs.
    """
    try:
        await trio.lowlevel.wait_readable(socket.socket)
        return os.read(socket.socket.fileno(), size)
    except (OSError, ValueError):  # a false alarm, reset, or closed before
        return None


def watch_peer(socket: trio.SocketStream, *, within: float) -> None:
    """Have the machine break a connection whose peer acknowledged nothing for so many seconds, sound or a probe.

    Where a machine does not know an option (Linux knows all), its own times hold, which may be hours.
    """
    seconds = max(1, round(within))
    options: Mapping[str, int] = {
        "TCP_KEEPIDLE": max(1, seconds // 2),
        "TCP_KEEPINTVL": max(1, seconds // 2 // _PROBES),
        "TCP_KEEPCNT": _PROBES,
        "TCP_USER_TIMEOUT": 1000 * seconds,
    }
    socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_KEEPALIVE, 1)
    for name, value in options.items():
        if hasattr(sockets, name):
            with suppress(OSError):  # no TCP: a Unix socket knows by itself
                socket.setsockopt(sockets.IPPROTO_TCP, getattr(sockets, name), value)
