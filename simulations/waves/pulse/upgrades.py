"""Lets clients in to Pulse's WebSocket or refuses them; whose key it is was checked before, what a session does is
socket.py's."""

from __future__ import annotations

from functools import partial

import trio
from attrs import define, field
from trio_websocket import WebSocketConnection

from orchestrator.port.messages import Request, Response
from simulations.waves.accounts import Account
from simulations.waves.handshake import close_socket, serve_socket
from simulations.waves.http.refusals import new_id
from simulations.waves.provider import Provider
from simulations.waves.pulse.frames import Frames, error_frame
from simulations.waves.pulse.hearing import Recognizer
from simulations.waves.pulse.query import BadQuery, Listening, read_query, takes
from simulations.waves.pulse.sessions import Sessions
from simulations.waves.pulse.socket import TOO_MANY, PulseSocket
from simulations.waves.pulse.turns import Turns

__all__ = ["TOO_MANY_MESSAGE", "Pulse", "takes"]

TOO_MANY_MESSAGE = "Concurrency limit reached"
"""The text is not published."""
_LARGEST_MESSAGE = 1024 * 1024
"""Bytes: 6 s of the largest sound that is taken, for clients that send a recording in one go."""


@define(eq=False, kw_only=True)
class Pulse:
    """Pulse's sockets at one provider, for all accounts: one object a server."""

    _provider: Provider
    _recognizer: Recognizer
    _sessions: dict[Account, Sessions] = field(factory=dict, init=False)

    async def serve(self, stream: trio.abc.Stream, request: Request, *, account: Account) -> Response | None:
        """Serve one upgrade to a path that `takes`; a Response, returned before the stream was touched, refuses it.

        `account` is whose key the request bears. A client that leaves, or never spoke WebSocket, raises nothing.
        """
        try:
            listening = read_query(request.path, request.query)
        except BadQuery as bad:
            return Response.json(bad.body(), status=400)
        serve = partial(self._serve_session, listening=listening, sessions=self.sessions(account))
        await serve_socket(stream, serve, largest_message=_LARGEST_MESSAGE)
        return None

    def sessions(self, account: Account) -> Sessions:
        """Return the counts of an account's sessions."""
        return self._sessions.setdefault(account, Sessions())

    async def _serve_session(self, socket: WebSocketConnection, *, listening: Listening, sessions: Sessions) -> None:
        if not sessions.enter():
            await socket.send_message(error_frame(TOO_MANY_MESSAGE))
            await close_socket(socket, TOO_MANY, reason=TOO_MANY_MESSAGE)
            return
        try:
            await self._session(socket, listening, sessions=sessions).serve()
        finally:
            sessions.leave()

    def _session(self, socket: WebSocketConnection, listening: Listening, *, sessions: Sessions) -> PulseSocket:
        return PulseSocket(
            socket=socket,
            listening=listening,
            hearing=self._recognizer.begin(),
            frames=Frames(new_id(self._provider), listening),
            sessions=sessions,
            turns=Turns(
                rate=listening.rate,
                quiet=listening.quiet,
                vad_quiet=listening.vad_quiet,
                growing=self._recognizer.growing,
            ),
        )
