"""Answers which voices there are on all models together: `GET {base}/voice/get-all-models`, the catalogue."""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulations.waves.accounts import Account
from simulations.waves.http.pages import account_routes
from simulations.waves.http.refusals import Json
from simulations.waves.http.voice_pool import POOLS, PoolVoice
from simulations.waves.provider import Provider

_PREVIEWS = "https://previews.waves.invalid"
"""A host that cannot exist: previews are linked, but nobody speaks them."""


def routes(provider: Provider) -> list[Route]:
    """Return the page's routes."""

    async def get_all(_request: Request, _account: Account) -> Response:
        pools = [pool for model, pool in POOLS.items() if model not in provider.options.retired]
        voices = {voice.name: voice for pool in reversed(pools) for voice in pool}  # of two the older model's
        return Json({"voices": [_entry(voice) for voice in voices.values()]})

    return account_routes(provider, "/voice/get-all-models", GET=get_all)


def _entry(voice: PoolVoice) -> dict[str, Any]:
    return {
        "_id": hashlib.sha256(voice.name.encode()).hexdigest()[:24],
        "voiceId": voice.name,
        "displayName": voice.display,
        "description": f"A {voice.age} {voice.accent.capitalize()} {voice.gender} voice, {' and '.join(voice.uses)}.",
        "audioPreview": f"{_PREVIEWS}/{voice.name}.wav",
        "tags": {"age": voice.age, "emotions": [], "language": list(voice.languages)},
    }
