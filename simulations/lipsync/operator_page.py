"""The operator's own server, which is told of each job's end, and takes not every notice at the first time."""

from __future__ import annotations

import random

import trio
from attrs import define, field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestrator.port.bridge import serve_connection
from orchestrator.port.messages import Request as Upgrading
from orchestrator.port.messages import Response as Refusal

_BUSY = 0.1
"""How many notices find it busy."""


@define(eq=False)
class OperatorPage:
    """The server; `told` has what it was told of each job, the latest last."""

    _rng: random.Random
    told: dict[str, list[str]] = field(factory=dict)

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serve one connection."""
        app = Starlette(routes=[Route("/ended", self._take, methods=["POST"])])
        await serve_connection(stream, peer="127.0.0.1", app=app, upgrade=_no_upgrade)

    async def _take(self, request: Request) -> Response:
        notice = await request.json()
        if self._rng.random() < _BUSY:
            return Response(status_code=503)
        self.told.setdefault(notice["job"], []).append(notice["state"])
        return Response(status_code=204)


async def _no_upgrade(_stream: trio.abc.Stream, _request: Upgrading) -> Refusal:
    return Refusal.refusal(404)
