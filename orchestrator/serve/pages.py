"""The pages of the port: whether it lives, whether it can answer calls, and the carriers' webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestrator import events
from orchestrator.errors import CarrierFault
from orchestrator.lipsync.webhooks import SyncHook
from orchestrator.port.bodies import body_within
from orchestrator.port.messages import App
from orchestrator.port.routes import SYNC_HOOK, caller_address, own_path, path_of, place_of, public_url
from orchestrator.ports import Emit, Now
from orchestrator.serve.fetching import Fetching
from orchestrator.serve.gate import Asked, Gate, Refused
from orchestrator.serve.lines import PhoneLine
from orchestrator.serve.readiness import Readiness
from orchestrator.serve.webhooks import Webhooks
from orchestrator.settings import ServeSettings

_RETRY_AFTER = {"retry-after": "5"}
_MOST_BYTES = 64 * 1024
"""Of a carrier's webhook: they are of a few KB, and a form is taken apart before its signature is known to be right."""


@define(kw_only=True)
class Pages:
    """The Starlette application's pages."""

    settings: ServeSettings
    lines: Sequence[PhoneLine]
    gate: Gate
    webhooks: Webhooks
    fetching: Fetching
    readiness: Readiness
    emit: Emit
    now: Now
    sync_hook: SyncHook | None = None
    """Hears of videos; None where nobody tells of any."""

    def app(self) -> App:
        """Return the application."""
        routes = [
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/{path:path}", self._webhook, methods=["GET", "POST"]),
        ]
        return Starlette(routes=routes)

    async def _healthz(self, request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def _readyz(self, request: Request) -> Response:
        reason = self.readiness.reason
        if reason:
            return JSONResponse({"ready": False, "reason": reason}, 503, headers=_RETRY_AFTER)
        return JSONResponse({"ready": True})

    async def _webhook(self, request: Request) -> Response:
        path = own_path(self.settings, request.url.path)
        if path == SYNC_HOOK and self.sync_hook is not None and request.method == "POST":
            return await self.sync_hook.answer(request, address=self._address(request))
        place = place_of(path, [line.settings for line in self.lines])
        if place is None or place.token:
            return _refusal(404, "nothing is here")
        line = next(line for line in self.lines if line.settings is place.line)
        # Plivo's and Twilio's signatures of a GET cover no body: what it says was said by anybody.
        body = await body_within(request, _MOST_BYTES) if request.method == "POST" else b""
        if body is None:
            return _refusal(413, f"a webhook has {_MOST_BYTES} bytes at most")
        asked = self._asked(request, body)
        refused = self.gate.webhook(line, asked)
        if refused is not None:
            self._tell_refused(line, request, status=refused.status, reason=refused.reason)
            return _refusal(refused.status, "this request shows no right to call")
        if self.readiness.draining:
            return _refusal(503, self.readiness.reason)
        if line.settings.media_url:
            return await self._fetch(line, request, asked=asked)
        try:
            document = self.webhooks.answer(line, asked, host=request.headers.get("host", ""))
        except CarrierFault as fault:
            error = f"its webhook: {fault}"
            self.emit(events.StreamFailed(at=self.now(), line=path_of(line.settings), address="", error=error))
            return _refusal(422, str(fault))
        if document is None:
            return _refusal(426, f"{line.settings.carrier} comes here with a WebSocket, and asks no webhook")
        return Response(document.body, media_type=document.content_type, headers={"cache-control": "no-store"})

    async def _fetch(self, line: PhoneLine, request: Request, *, asked: Asked) -> Response:
        fetched: Mapping[str, str] | Refused = Refused(426, "post connection_id here, or come with a WebSocket")
        if request.method == "POST":
            fetched = await self.fetching.fetch(line, asked, address=self._address(request))
        if not isinstance(fetched, Refused):
            return JSONResponse(fetched)
        if fetched.status in (400, 426):  # what may be the dialplan's fault; the others are told, or soon over
            self._tell_refused(line, request, status=fetched.status, reason=fetched.reason)
        return _refusal(fetched.status, fetched.reason)

    def _asked(self, request: Request, body: bytes) -> Asked:
        target = bytes(request.scope["raw_path"])
        if query := request.scope["query_string"]:
            target += b"?" + query
        url = public_url(
            self.settings,
            own_path(self.settings, target.decode("latin-1")),
            host=request.headers.get("host", ""),
        )
        return Asked(method=request.method, url=url, headers=dict(request.headers), body=body)

    def _tell_refused(self, line: PhoneLine, request: Request, *, status: int, reason: str) -> None:
        path, address = path_of(line.settings), self._address(request)
        self.emit(events.RequestRefused(at=self.now(), line=path, address=address, status=status, reason=reason))

    def _address(self, request: Request) -> str:
        peer = request.client.host if request.client is not None else ""
        named = ",".join(request.headers.getlist("x-forwarded-for"))
        return caller_address(peer, named, forwarded=self.settings.forwarded)


def _refusal(status: int, reason: str) -> Response:
    headers = {"www-authenticate": "Basic"} if status == 401 else _RETRY_AFTER if status == 503 else None
    return JSONResponse({"error": reason}, status, headers=headers)
