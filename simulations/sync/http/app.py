"""Puts the service's pages together to one ASGI app, and answers what is on none of them."""

from __future__ import annotations

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from simulations.sync.faults import READER
from simulations.sync.http import admin, assets, batches, costs, creating, generations, known, outputs
from simulations.sync.http.door import Json, plain_refusal
from simulations.sync.refusals import server_error
from simulations.sync.service import Service
from simulations.waves.http.faults import fault_routes


def create_app(service: Service) -> Starlette:
    """Return the app that serves every page of `service`."""
    pages = (creating, costs, generations, outputs, batches, assets, known, admin)

    async def fail(_request: Request, _error: Exception) -> Response:
        return Json(server_error(500, request_id=service.new_id()).body, 500)

    app = Starlette(
        routes=[
            *(route for page in pages for route in page.routes(service)),
            *fault_routes(service.faults, reader=READER, started=service.started),
        ],
        exception_handlers={HTTPException: _refuse, ClientDisconnect: _say_nothing, Exception: fail},
    )
    app.router.redirect_slashes = False
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer 404, 405 and what else the framework finds wrong."""
    assert isinstance(error, HTTPException)
    known = error.detail == HTTPStatus(error.status_code).phrase
    said = f"Cannot {request.method} {request.url.path}" if known and error.status_code == 404 else error.detail
    return Json(plain_refusal(error.status_code, said).body, error.status_code, headers=error.headers)


async def _say_nothing(_request: Request, _error: Exception) -> Response:
    """Nobody is left to read it."""
    return Response(status_code=400)
