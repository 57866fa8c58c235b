"""Who comes to the ports: counts connections, closes those too many, does TLS, and hands the rest on."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import trio
from attrs import define, field

from orchestrator import events
from orchestrator.port.bridge import serve_connection
from orchestrator.port.guests import Guests
from orchestrator.port.messages import App, Limits, Upgrade
from orchestrator.port.tls import secured
from orchestrator.ports import Emit, Now
from orchestrator.settings import ServeSettings

_log = logging.getLogger(__name__)

TakeCall = Callable[[trio.abc.Stream, str], Awaitable[None]]
"""Takes a call from a stream and its peer's IP address, until it is over."""
_TOLD_EVERY = 1.0
"""Seconds between two events about connections too many: a flood is told, but must not flood the log."""
_PROXY_IDLE = 75.0
"""Seconds that a proxy's idle connection is kept: longer than proxies keep them (60 mostly), or a request of theirs
could meet the close."""
_BODY_BYTES = 256 * 1024
"""A webhook's body, which is read before anybody knows who sent it: carriers' are of a few KB, the video service's hold
a whole script; what it may tell us is lipsync/webhooks.py's to say, and no less may come in here."""


@define(kw_only=True)
class Door:
    """The connections to the ports. `context` is TLS's, where we do that ourselves."""

    settings: ServeSettings
    guests: Guests
    context: ssl.SSLContext | None
    emit: Emit
    now: Now
    _told_at: float = field(default=float("-inf"), init=False)

    async def serve(
        self, stream: trio.abc.Stream, *, peer: str, draining: trio.Event, app: App, upgrade: Upgrade
    ) -> None:
        """Serve one connection to the one port until it ends: a listener's ServeStream with its app and upgrade."""
        inside: trio.abc.Stream | None = stream
        with self._admitted(peer) as admitted:
            if not admitted:
                await self._turn_away(stream, peer)
                return
            if self.context is not None:
                inside = await secured(stream, self.context, within=self.settings.handshake_within)
            if inside is not None:
                await serve_connection(
                    inside, peer=peer, app=app, upgrade=upgrade, limits=self._limits, draining=draining
                )

    async def serve_call(self, stream: trio.abc.Stream, *, peer: str, draining: trio.Event, call: TakeCall) -> None:
        """Serve one connection to AudioSocket's port until it ends: a listener's ServeStream with who takes calls."""
        with self._admitted(peer, proxied=False) as admitted:
            if not admitted or draining.is_set():
                await self._turn_away(stream, peer)
                return
            try:
                await call(stream, peer)
            except* Exception:
                _log.exception("a call ended by a failure of ours")

    @contextmanager
    def _admitted(self, peer: str, *, proxied: bool = True) -> Iterator[bool]:
        """Count a connection; a proxy's many are its callers', who are counted by their streams."""
        address = "" if self.settings.forwarded and proxied else peer
        with self.guests.admit_from(address) as from_there:
            if not from_there:
                yield False
                return
            with self.guests.admit() as in_all:
                yield in_all

    @property
    def _limits(self) -> Limits:
        within = self.settings.handshake_within
        return Limits(
            body_bytes=_BODY_BYTES,
            head_within=within,
            body_within=within,
            idle_within=_PROXY_IDLE if self.settings.forwarded else within,
            send_within=within,
        )

    async def _turn_away(self, stream: trio.abc.Stream, peer: str) -> None:
        await trio.aclose_forcefully(stream)
        if self.now() >= self._told_at + _TOLD_EVERY:
            self._told_at = self.now()
            reason = "too many connections are open"
            self.emit(events.RequestRefused(at=self.now(), line="", address=peer, status=503, reason=reason))
