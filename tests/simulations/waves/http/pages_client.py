"""A client of single pages for tests: routes in an app of their own, asked over ASGI under Trio without a socket."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import trio
from smallestai import AsyncSmallestAI
from smallestai.environment import SmallestAIEnvironment
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from simulations.waves.accounts import Accounts, Plan
from simulations.waves.faults.faults import Faults
from simulations.waves.options import WavesOptions
from simulations.waves.provider import Provider
from simulations.waves.synthesis import Synthesizer
from tests.simulations.waves.peer import spelling_voice

OURS, THEIRS = "sk_ours", "sk_theirs"

Json = dict[str, Any]

UNAUTHORIZED = {"error": "Unauthorized", "message": "Bearer token is missing or invalid."}


def make_provider(*, keys: Iterable[str] = (OURS, THEIRS), **options: Any) -> Provider:
    """Return a provider with an account for each key, inside Trio."""
    settings = WavesOptions(**options)
    return Provider(
        options=settings,
        accounts=Accounts({key: Plan() for key in keys}),
        synthesizer=Synthesizer(options=settings, voice=spelling_voice),
        faults=Faults(now=trio.current_time, rng=random.Random("faults")),
        ids=random.Random("pages"),
    )


@asynccontextmanager
async def asking(
    routes: Iterable[BaseRoute], *, key: str | None = OURS, headers: Mapping[str, str] | None = None
) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of these routes; it sends `key`."""
    shown = {} if key is None else {"authorization": f"Bearer {key}"}
    transport = httpx2.ASGITransport(app=Starlette(routes=list(routes)))
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://waves", headers={**shown, **(headers or {})}, trust_env=False
    ) as client:
        yield client


@asynccontextmanager
async def official_client(routes: Iterable[BaseRoute], *, key: str = OURS) -> AsyncIterator[AsyncSmallestAI]:
    """Yield the vendor's own client, unmodified but for its address, in front of these routes; it retries nothing."""
    hosts = SmallestAIEnvironment(waves="http://waves", waves_ws="ws://waves", atoms="http://no", payment="http://no")
    transport = httpx.ASGITransport(app=Starlette(routes=list(routes)))
    async with httpx.AsyncClient(transport=transport) as http:
        yield AsyncSmallestAI(api_key=key, environment=hosts, httpx_client=http, max_retries=0)
