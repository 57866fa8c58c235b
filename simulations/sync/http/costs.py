"""Estimates what a generation costs, in the old shape and in the new one; nothing is fetched for it."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from attrs import define
from starlette.requests import Request
from starlette.routing import Route

from simulations.sync.account import Account
from simulations.sync.http.door import Json, api_routes, invalid
from simulations.sync.http.forms import read_create
from simulations.sync.refusals import Refusal
from simulations.sync.service import Service
from simulations.sync.wanted import MODELS, read_json
from simulations.waves.http.pages import read_body

DOLLARS: Mapping[str, float] = {"lipsync-2": 0.04, "lipsync-2-pro": 0.067, "sync-3": 0.107}
"""Per second at 25 frames: the least of what is published; of the other models nothing is."""
_PRICED_AT, _OLD_RATE, _RATE = 25.0, 25.0, 30.0
_MOST_SECONDS, _MOST_RATE = 36_000, 240


def routes(service: Service) -> list[Route]:
    """Return the pages' routes: the SDKs' own, and the documented one with its alias."""
    pages = _Pages(service)
    return [
        *api_routes(service, "/v2/analyze/cost", POST=pages.old),
        *api_routes(service, "/v2/generations/estimate", POST=pages.new),
        *api_routes(service, "/v2/generate/estimate-cost", POST=pages.new),
    ]


@define
class _Pages:
    _service: Service

    async def old(self, request: Request, account: Account) -> Json:
        """Of the body of a create request."""
        wanted = await read_create(self._service, request, account=account)
        frames = ceil(self._service.studio.duration(wanted) * _OLD_RATE)
        dollars = DOLLARS.get(wanted.model, DOLLARS["lipsync-2"])
        return Json([{"estimatedFrameCount": frames, "estimatedGenerationCost": _cost(frames, dollars)}])

    async def new(self, request: Request, _account: Account) -> Json:
        """Of a model and a length."""
        body = read_json(await read_body(request, largest=64 * 1024), what="body")
        if not isinstance(body, dict) or body.get("model") not in MODELS:
            raise invalid(f"model must be one of {', '.join(MODELS)}")
        frames = ceil(
            _positive(body, "duration", most=_MOST_SECONDS) * _positive(body, "fps", most=_MOST_RATE, usual=_RATE)
        )
        if body["model"] not in DOLLARS:
            raise Refusal(422, f"There is no estimate for {body['model']}", code="cost_estimate_unavailable")
        cost = _cost(frames, DOLLARS[body["model"]])
        return Json({"estimatedFrameCount": frames, "estimatedGenerationCost": cost, "estimatedCredits": None})


def _cost(frames: int, dollars: float) -> float:
    return round(frames / _PRICED_AT * dollars, 6)


def _positive(body: Mapping[str, Any], name: str, *, most: float, usual: float | None = None) -> float:
    value = body.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise invalid(f"{name} must be a number from 0 to {most}")
    return value
