"""A network within one process: HTTP clients reach hosts by their names over memory streams; who serves is told it."""

# ruff: noqa: ASYNC109 (time-outs as parameters: httpcore2's signatures)

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2
import httpx2
import trio
from attrs import define, field, frozen

from simulations.lipsync.life import Life
from simulations.lipsync.mortal import MortalStream
from simulations.waves.transport import stream_pair

TRANSPORT = 0.02
"""Seconds that bytes are under way."""
_AT_A_TIME = 50
Take = Callable[[trio.abc.Stream], None]
"""Takes a connection that was opened: it begins to serve it, and returns."""


@frozen(kw_only=True)
class Exchange:
    """A request of the program that was answered (run clock): `answered` is when the answer began to come."""

    begun: float
    answered: float
    method: str
    target: str
    status: int


def _unheard(_exchange: Exchange) -> None:
    pass


@define(eq=False)
class Network:
    """Hosts by their names: nobody is at home where there is none."""

    hosts: dict[str, Take] = field(factory=dict)
    heard: Callable[[Exchange], None] = _unheard
    """Called with each exchange of the process that may be killed."""

    def transport(self, life: Life | None = None) -> httpx2.AsyncBaseTransport:
        """Return what HTTP clients send through: those of a process that may be killed with its `life`."""
        return _Transport(self, life)


class _Transport(httpx2.AsyncHTTPTransport):
    """httpx2's own transport, but for where connections come from: it takes no network from outside.

    Each request has a connection of its own: how long one is kept is counted by the real clock, not by Trio's.
    """

    def __init__(self, network: Network, life: Life | None) -> None:
        self._network = network
        self._life = life
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # unused: the usual one reads all authorities
            max_connections=_AT_A_TIME,
            max_keepalive_connections=0,
            network_backend=_Backend(network, life),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        begun = trio.current_time()
        response = await super().handle_async_request(request)
        if self._life is not None:
            answered, target = trio.current_time(), request.url.raw_path.decode()
            self._network.heard(
                Exchange(
                    begun=begun,
                    answered=answered,
                    method=request.method,
                    target=target,
                    status=response.status_code,
                )
            )
        return response


class _Backend(httpcore2.AsyncNetworkBackend):
    def __init__(self, network: Network, life: Life | None) -> None:
        self._network = network
        self._life = life

    async def connect_tcp(  # the signature is httpcore2's
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        await trio.lowlevel.checkpoint()
        if self._life is not None:
            self._life.step("request: before a connection is opened")
        take = self._network.hosts.get(host)
        if take is None:
            raise httpcore2.ConnectError(f"nobody is at home at {host}")
        near, far = stream_pair(TRANSPORT)
        take(far)
        return _Bytes(near if self._life is None else MortalStream(near, self._life))


class _Bytes(httpcore2.AsyncNetworkStream):
    """One connection as httpcore2 wants it."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            with trio.fail_after(_seconds(timeout)):
                return bytes(await self._stream.receive_some(max_bytes))
        except trio.TooSlowError:
            raise httpcore2.ReadTimeout from None
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpcore2.ReadError(str(error)) from None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            with trio.fail_after(_seconds(timeout)):
                await self._stream.send_all(buffer)
        except trio.TooSlowError:
            raise httpcore2.WriteTimeout from None
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpcore2.WriteError(str(error)) from None

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(  # the signature is httpcore2's
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        return self  # nobody listens inside a process

    def get_extra_info(self, info: str) -> Any:
        return None


def _seconds(timeout: float | None) -> float:
    return float("inf") if timeout is None else timeout
