"""Answers which voices a model has: `GET {base}/{model}/get_voices`, each model's own pool only."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulations.waves.accounts import Account
from simulations.waves.http.pages import account_routes
from simulations.waves.http.refusals import Json, model_refusal
from simulations.waves.http.voice_pool import POOLS, PoolVoice
from simulations.waves.provider import Provider


def routes(provider: Provider) -> list[Route]:
    """Return the page's routes; a retired model answers 410, an unknown one 404."""

    async def get_voices(request: Request, _account: Account) -> Response:
        model = request.path_params["model"]
        return model_refusal(provider, model) or Json({"voices": [_entry(voice) for voice in POOLS[model]]})

    return account_routes(provider, "/{model}/get_voices", GET=get_voices)


def _entry(voice: PoolVoice) -> dict[str, Any]:
    tags = {
        "language": list(voice.languages),
        "accent": voice.accent,
        "gender": voice.gender,
        "age": voice.age,
        "emotions": [],
        "usecases": list(voice.uses),
    }
    return {"voiceId": voice.name, "displayName": voice.display, "tags": tags}
