"""What becomes of a request for a WebSocket at the simulated provider: speech, recognition, or a refusal.

What happens on a socket that was let in is socket.py's (speech) and pulse/'s (recognition).
"""

from __future__ import annotations

import re

import trio
from attrs import define, frozen
from starlette.responses import Response as Page
from trio_websocket import WebSocketConnection

from orchestrator.port.messages import Request, Response
from simulations.waves.accounts import Account
from simulations.waves.faults.gates import refusal_at_open
from simulations.waves.frames import Problem, error_frame
from simulations.waves.handshake import close_socket, serve_socket
from simulations.waves.http import refusals
from simulations.waves.provider import Provider
from simulations.waves.pulse.upgrades import Pulse, takes
from simulations.waves.socket import WavesSocket

LINKS_MESSAGE = "Connection limit reached"

_SPEECH = re.compile(
    r"/(?:waves|api)/v1/(?:tts/live|(?P<older>streaming-tts)/stream|(?P<model>[\w.\-]+)/get_speech/stream)"
)
"""The unified path, an older one without a model that SDKs of version 4 and 5 still have, and the older ones of one."""
_TOO_MANY_LINKS = Problem(message=LINKS_MESSAGE, code="CONNECTION_LIMIT")


@frozen(kw_only=True)
class _Speech:
    """A request for speech that is let in: `model` is what an older path names, `idle` in seconds."""

    account: Account
    model: str | None
    idle: float


@define(eq=False, kw_only=True)
class Upgrades:
    """The door for WebSockets of one provider."""

    _provider: Provider
    _pulse: Pulse

    async def take(self, stream: trio.abc.Stream, request: Request) -> Response | None:
        """Serve a socket to its end; a Response, returned before the stream was touched, refuses it."""
        refused = await self._refused_by_fault()
        if refused is not None:
            return refused
        path = _SPEECH.fullmatch(request.path)
        if path is None and not takes(request.path):
            return _as_refusal(refusals.refused(404))
        account = self._account_of(request)
        if account is None:
            return self._unauthorized()
        if path is None:
            return await self._pulse.serve(stream, request, account=account)
        asked = self._read(request, path, account=account)
        if isinstance(asked, Response):
            return asked
        books = asked.account.books
        if not books.open_link():
            return await self._refuse_link(stream)
        try:
            await self._serve_speech(stream, asked)
        finally:
            books.close_link()
        return None

    async def _refused_by_fault(self) -> Response | None:
        status = await refusal_at_open(self._provider.faults, upgrade=True)
        if status == 401:
            return self._unauthorized()
        return None if status is None else _as_refusal(refusals.server_error())

    def _account_of(self, request: Request) -> Account | None:
        """Whose key it bears: in a header, or in the query, as browsers must."""
        key = refusals.bearer_of(request.headers) or request.query.get("token") or request.query.get("api_key")
        return self._provider.accounts.find(key, trio.current_time())

    def _unauthorized(self) -> Response:
        self._provider.accounts.refuse_stranger()
        return _as_refusal(refusals.unauthorized())

    def _read(self, request: Request, path: re.Match[str], *, account: Account) -> _Speech | Response:
        """Return what is asked for, or why it is refused."""
        refused = refusals.model_refusal(self._provider, path["model"]) if path["model"] else None
        if refused is not None:
            return _as_refusal(refused)
        idle = self._idle(request)
        if idle is None:
            issue = {"code": "custom", "path": ["timeout"], "message": "timeout must be a positive integer"}
            return _as_refusal(refusals.bad_request([issue]))
        return _Speech(account=account, model=path["model"] or path["older"], idle=idle)

    def _idle(self, request: Request) -> float | None:
        """The idle time-out that the request asks for, the usual one if it does not ask, None if it is no number."""
        asked = request.query.get("timeout")
        if asked is None:
            return self._provider.options.idle_timeout
        return int(asked) if re.fullmatch(r"0*[1-9][0-9]{0,8}", asked, re.ASCII) else None

    async def _refuse_link(self, stream: trio.abc.Stream) -> Response | None:
        options = self._provider.options
        if options.links_refusal == "429":
            return Response.refusal(429, LINKS_MESSAGE, headers=refusals.retry_after(self._provider))
        await serve_socket(stream, self._close_surplus)
        return None

    async def _close_surplus(self, socket: WebSocketConnection) -> None:
        options = self._provider.options
        await socket.send_message(error_frame(_TOO_MANY_LINKS, shape=options.error_shape))
        await close_socket(socket, int(options.links_refusal), reason=LINKS_MESSAGE)

    async def _serve_speech(self, stream: trio.abc.Stream, asked: _Speech) -> None:
        async def serve(socket: WebSocketConnection) -> None:
            await WavesSocket(
                socket=socket,
                stream=stream,
                provider=self._provider,
                account=asked.account,
                idle=asked.idle,
                model=asked.model,
            ).serve()

        await serve_socket(stream, serve)


def _as_refusal(page: Page) -> Response:
    """Return a page as the refusal of an upgrade."""
    length = {"content-length"}  # the bridge adds its own
    headers = {name: value for name, value in page.headers.items() if name not in length}
    return Response(page.status_code, headers, bytes(page.body))
