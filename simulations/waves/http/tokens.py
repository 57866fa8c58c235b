"""Short-lived tokens that stand for a key, and the page that says that the provider is up."""

from __future__ import annotations

import json
from typing import Any

import trio
from starlette.requests import Request
from starlette.routing import Route

from simulations.waves.accounts import Account
from simulations.waves.checks import custom
from simulations.waves.http.pages import account_routes
from simulations.waves.http.refusals import BASES, Json, bad_request
from simulations.waves.provider import Provider

SECONDS = 300
"""How long a token lasts that is asked for without a time (as the one known client asks)."""
MOST_SECONDS = 24 * 3600
"""Ours: nothing is published."""


def routes(provider: Provider) -> list[Route]:
    """Return the routes under both bases."""

    async def issue_token(request: Request, account: Account) -> Json:
        seconds = _seconds(await request.body())
        if seconds is None:
            return bad_request([custom("ttl_seconds", f"Expected a whole number from 1 to {MOST_SECONDS}")])
        token = provider.accounts.issue_token(account, seconds=seconds, now=trio.current_time(), rng=provider.ids)
        return Json({"access_token": token, "token_type": "Bearer", "expires_in": seconds})

    tokens = account_routes(provider, "/auth/token", POST=issue_token)
    return [*tokens, *(Route(f"{base}/health", _health, methods=["GET"]) for base in BASES)]


async def _health(_request: Request) -> Json:
    """Anybody may ask. The parts are those that the newest SDK reads; what the provider says of them is not known."""
    return Json({"status": "ok", **{part: {"status": "ok"} for part in ("mongo", "redis", "rabbitmq")}})


def _seconds(body: bytes) -> int | None:
    """Return how long the token is wanted for; None where that cannot be read."""
    try:
        asked: Any = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return None
    seconds = asked.get("ttl_seconds", SECONDS) if isinstance(asked, dict) else None
    return seconds if type(seconds) is int and 1 <= seconds <= MOST_SECONDS else None
