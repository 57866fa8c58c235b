"""Puts the provider's pages together to one ASGI app, and answers what is on none of them."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from attrs import field, frozen
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from simulations.waves.faults.gates import refusal_at_open
from simulations.waves.http import admin, cloning, dictionaries, faults, models, speech, tokens, voices
from simulations.waves.http.refusals import BASES, refused, server_error, unauthorized
from simulations.waves.provider import Provider


def create_app(provider: Provider, *, more: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the app that serves every page of `provider`, and `more`."""
    pages = (speech, admin, tokens, voices, models, dictionaries, faults)
    app = Starlette(
        routes=[
            *cloning.routes(provider, provider.clones),
            *(route for page in pages for route in page.routes(provider)),
            *more,
        ],
        exception_handlers={HTTPException: _refuse, ClientDisconnect: _say_nothing, Exception: _fail},
        middleware=[Middleware(_Door, provider=provider)],
    )
    app.router.redirect_slashes = False  # some clients make a GET of a redirected POST
    return app


@frozen
class _Door:
    """Refuses what a fault refuses at the door: not the pages for this machine, which tell of the faults."""

    _app: ASGIApp
    _provider: Provider = field(kw_only=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # ASGI's signature
        status = None
        if scope["path"].startswith(BASES):
            status = await refusal_at_open(self._provider.faults, upgrade=False)
        if status is None:
            await self._app(scope, receive, send)
            return
        if status == 401:
            self._provider.accounts.refuse_stranger()
        await (unauthorized() if status == 401 else server_error())(scope, receive, send)


async def _refuse(_request: Request, error: Exception) -> Response:
    """Answer 404, 405 and what else the framework finds wrong."""
    assert isinstance(error, HTTPException)
    told = "" if error.detail == HTTPStatus(error.status_code).phrase else error.detail
    response = refused(error.status_code, message=told)
    response.headers.update(error.headers or {})
    return response


async def _say_nothing(_request: Request, _error: Exception) -> Response:
    """Nobody is left to read it."""
    return Response(status_code=400)


async def _fail(_request: Request, _error: Exception) -> Response:
    return server_error()
