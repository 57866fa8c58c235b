"""What there is: the models, and the catalogue of error codes."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from starlette.requests import Request
from starlette.routing import Route

from simulations.sync.account import Account
from simulations.sync.http.door import Json, api_routes
from simulations.sync.refusals import CODES
from simulations.sync.service import Service
from simulations.sync.wanted import MODELS


def routes(service: Service) -> list[Route]:
    """Return the pages' routes; the errors are told to anybody."""
    return [*api_routes(service, "/v2/models", GET=_models), Route("/v2/errors", _errors, methods=["GET"])]


async def _models(_request: Request, _account: Account) -> Json:
    return Json([_model(name) for name in MODELS])


async def _errors(_request: Request) -> Json:
    """The shape is not published."""
    return Json([{"code": code, "description": words} for code, words in CODES.items()])


def _model(name: str) -> dict[str, str]:
    family, _, version = name.partition("-")
    return {
        "id": str(uuid5(NAMESPACE_URL, f"sync:{name}")),
        "name": name,
        "type": "react" if family == "react" else "lipsync",
        "version": version,
        "description": f"The model {name}, simulated.",
    }
