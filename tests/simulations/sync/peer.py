"""A client of the simulated service for tests, over memory streams, whose bytes are 0.02 s under way, and a place where
webhooks arrive at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import trio
from attrs import Factory, define, field

from simulations.lipsync.network import Network
from simulations.sync.account import Holder
from simulations.sync.options import Plan, SyncOptions
from simulations.sync.server import ADDRESS, SyncServer
from simulations.waves.faults.fault import Fault

KEY = "key_ours"
HOOK = "https://ours.test/hooks/sync"
SCALE = Plan(name="scale")
EVEN = SyncOptions(unevenness=0.0)
"""lipsync-2 takes 120 s, always."""


def wanted(number: int = 0, **more: Any) -> dict[str, Any]:
    """Return a request's body."""
    items = [
        {"type": "video", "url": f"https://media.test/{number}.mp4"},
        {"type": "audio", "url": "https://media.test/a.wav?seconds=7.5"},
    ]
    return {"model": "lipsync-2", "input": items, **more}


@define
class Hooks:
    """Where webhooks arrive: each as (when, headers, body), answered as `answers` says, with 200 at last."""

    answers: list[int] = Factory(list)
    came: list[tuple[float, Mapping[str, str], bytes]] = field(factory=list, init=False)

    async def take(self, request: httpx2.Request) -> httpx2.Response:
        """Take one."""
        self.came.append((trio.current_time(), dict(request.headers), request.content))
        return httpx2.Response(self.answers.pop(0) if self.answers else 200)


@define
class World:
    """A service, a client of it, and where its webhooks arrive."""

    server: SyncServer
    client: httpx2.AsyncClient
    hooks: Hooks

    async def create(self, number: int = 0, *, key: str = "", **more: Any) -> httpx2.Response:
        """Ask for a generation."""
        headers = {"idempotency-key": key} if key else {}
        return await self.client.post("/v2/generate", json=wanted(number, **more), headers=headers)

    async def status(self, generation: str) -> str:
        """Return what a generation is."""
        return str((await self.client.get(f"/v2/generate/{generation}")).json()["status"])

    def order(self, name: str, **figures: Any) -> None:
        """Have something go wrong."""
        self.server.order(Fault(name=name, **figures))


@asynccontextmanager
async def world(
    options: SyncOptions = EVEN,
    *,
    holders: Mapping[str, Holder] | None = None,
    answers: list[int] | None = None,
    key: str = KEY,
) -> AsyncIterator[World]:
    """Yield a service and its client."""
    hooks = Hooks(answers or [])
    async with trio.open_nursery() as nursery:
        server = SyncServer(options, holders=holders, transport=httpx2.MockTransport(hooks.take))
        nursery.start_soon(server.run)
        network = Network({"sync.test": lambda stream: nursery.start_soon(server.serve_stream, stream)})
        async with httpx2.AsyncClient(
            transport=network.transport(), base_url=ADDRESS, headers={"x-api-key": key} if key else {}, timeout=1000
        ) as client:
            yield World(server, client, hooks)
        nursery.cancel_scope.cancel()
