"""The program in one of its lives: queue, client and the page for webhooks, as serve has them, on a store that outlives
it. When it is killed is life.py's."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import trio
from attrs import frozen
from starlette.applications import Starlette
from starlette.routing import Route

from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.events import Event
from orchestrator.lanes import InlineLane
from orchestrator.lipsync.queue import LipsyncQueue, LipsyncSurroundings, open_lipsync
from orchestrator.lipsync.webhooks import SyncHook
from orchestrator.port.bridge import serve_connection
from orchestrator.port.messages import Request as Upgrading
from orchestrator.port.messages import Response as Refusal
from orchestrator.port.routes import SYNC_HOOK
from orchestrator.ports import Emit
from orchestrator.settings import LipsyncSettings
from orchestrator.video_answers import news_of
from simulations.lipsync.life import Life
from simulations.lipsync.mortal import MortalStore, MortalStream
from simulations.lipsync.network import Network
from simulations.sync.server import made_up_wall

HOST, OPERATOR = "program.test", "operator.test"
_KEY = "simulated"
_PEER = "127.0.0.1"


@frozen(kw_only=True)
class Program:
    """What all its lives have in common. `secret` signs webhooks; empty: there are none."""

    settings: LipsyncSettings
    network: Network
    secret: str
    emit: Emit
    seed: int

    @asynccontextmanager
    async def live(self, life: Life, *, number: int) -> AsyncIterator[LipsyncQueue]:
        """Have it live once. What comes out of here when it is killed is a group of Killed."""

        def emit(event: Event) -> None:
            if not life.over:
                self.emit(event)

        transport = self.network.transport(life)
        service = SyncService(self.settings, _KEY, transport=transport, lane=InlineLane())
        surroundings = LipsyncSurroundings(
            emit=emit,
            now=trio.current_time,
            wall=made_up_wall,
            lane=InlineLane(),
            service=service,
            rng=random.Random(f"{self.seed}:program:{number}"),
            webhook_url=f"https://{HOST}{SYNC_HOOK}" if self.secret else "",
            open_store=partial(MortalStore.of, life=life),
            transport=self.network.transport(life),
        )
        async with service, open_lipsync(self.settings, surroundings) as queue, trio.open_nursery() as nursery:
            with self._at_home(queue, life, emit=emit, nursery=nursery):
                yield queue
            nursery.cancel_scope.cancel()

    @contextmanager
    def _at_home(self, queue: LipsyncQueue, life: Life, *, emit: Emit, nursery: trio.Nursery) -> Iterator[None]:
        """Take webhooks inside."""
        if not self.secret:
            yield
            return
        hook = SyncHook(
            secret=self.secret,
            tolerance=self.settings.tolerance,
            queue=queue,
            parse=news_of,
            emit=emit,
            now=trio.current_time,
            wall=made_up_wall,
        )
        app = Starlette(routes=[Route(SYNC_HOOK, partial(hook.answer, address=_PEER), methods=["POST"])])
        serve = partial(serve_connection, peer=_PEER, app=app, upgrade=_no_upgrade)
        self.network.hosts[HOST] = lambda far: nursery.start_soon(serve, MortalStream(far, life))
        try:
            yield
        finally:
            del self.network.hosts[HOST]


async def _no_upgrade(_stream: trio.abc.Stream, _request: Upgrading) -> Refusal:
    return Refusal.refusal(404)
