"""The one listener: opens a port, gives each connection to the bridge, and drains; the app is an argument."""

from __future__ import annotations

import errno
from functools import partial
from typing import Protocol

import trio
from attrs import field, frozen

from orchestrator.port.bridge import serve_connection
from orchestrator.port.messages import App, Limits, Upgrade


class ServeStream(Protocol):
    """Serves one connection until it ends, such as `serve_connection` with its app; raises nothing but a cancel."""

    async def __call__(self, stream: trio.abc.Stream, *, peer: str, draining: trio.Event) -> None:
        """`peer` is its IP address; once `draining` is set, the connection ends as soon as it may."""


class PortTaken(OSError):
    """Somebody else listens on the port; the message says which it is."""

    def __init__(self, port: int) -> None:
        super().__init__(errno.EADDRINUSE, f"port {port} is taken")
        self.port = port

    def __str__(self) -> str:
        return f"port {self.port} is taken"


@frozen(eq=False)
class OpenPort:
    """A port that takes connections, `number` being its own; `serve` must be called, once."""

    number: int
    _listeners: list[trio.SocketListener] = field(repr=False)
    _draining: trio.Event = field(factory=trio.Event, init=False, repr=False)

    async def serve(self, serve_stream: ServeStream) -> None:
        """Serve every connection with `serve_stream` until the port is drained or this is cancelled."""
        serve = partial(_serve, serve_stream=serve_stream, draining=self._draining)
        async with trio.open_nursery() as connections, trio.open_nursery() as accepting:
            accepting.start_soon(partial(trio.serve_listeners, serve, self._listeners, handler_nursery=connections))
            await self._draining.wait()
            accepting.cancel_scope.cancel()

    async def close(self) -> None:
        """Close a port that is not being served; harmless afterwards."""
        for listener in self._listeners:
            await listener.aclose()

    def drain(self) -> None:
        """Take no new connection, let each open one finish its exchange; serving ends with the last of them."""
        self._draining.set()


async def open_port(*, host: str | None, port: int) -> OpenPort:
    """Open a TCP port (0: a free one) of `host` (None: every interface).

    Raises PortTaken where somebody else has it, any other OSError as it is.
    """
    try:
        listeners = await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port) from error
        raise
    return OpenPort(listeners[0].socket.getsockname()[1], listeners)


async def serve_port(
    *,
    host: str | None,
    port: int,
    app: App,
    upgrade: Upgrade,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    task_status: trio.TaskStatus[OpenPort] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Open a port, report it and serve it until it is drained or this is cancelled. Raises what open_port raises."""
    opened = await open_port(host=host, port=port)
    task_status.started(opened)
    await opened.serve(partial(serve_connection, app=app, upgrade=upgrade, limits=limits))


async def _serve(stream: trio.SocketStream, *, serve_stream: ServeStream, draining: trio.Event) -> None:
    try:
        peer = str(stream.socket.getpeername()[0])
    except OSError:  # it left before it was greeted
        await trio.aclose_forcefully(stream)
        return
    await serve_stream(stream, peer=peer, draining=draining)
