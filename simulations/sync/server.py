"""The simulated lip-sync service: its parts put together, and its life on a port or over any stream.

Pages are http/'s, HTTP itself orchestrator/port/'s, webhooks webhooks.py's.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property, partial

import httpx2
import trio

from orchestrator.port.bridge import serve_connection
from orchestrator.port.listener import open_port
from orchestrator.port.messages import App, Limits, Request, Response
from orchestrator.ports import Now
from simulations.sync.account import Accounts, Holder
from simulations.sync.books import Books
from simulations.sync.engine import Engine
from simulations.sync.http.app import create_app
from simulations.sync.http.forms import MEGABYTE
from simulations.sync.media import Files
from simulations.sync.options import SyncOptions
from simulations.sync.others import Others
from simulations.sync.service import Service
from simulations.sync.studio import Studio
from simulations.sync.webhooks import Post
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.faults import Faults
from simulations.waves.faults.gates import admit
from simulations.waves.heap import return_large_blocks

ADDRESS = "http://sync.test"
"""Of a service that is on no port."""
_FIRST_DAY = 1_788_220_800.0
"""2026-09-01: of the wall clock where none is given."""
_BODY_WITHIN = 300.0


def made_up_wall() -> float:
    """Return a Unix time of a made-up day, by Trio's clock: the same in every run in virtual time."""
    return _FIRST_DAY + trio.current_time()


class SyncServer:
    """One service; to be made inside trio.run. `holders` gives each account's key what it may do; without any, and
    without `options.api_key`, there is one account, of which every key is.

    `wall` is the wall clock (Unix seconds): in what clients are told and in signatures. `transport` is what webhooks go
    through, the network by default.
    """

    def __init__(
        self,
        options: SyncOptions,
        *,
        holders: Mapping[str, Holder] | None = None,
        wall: Now = made_up_wall,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.options = options
        started = trio.current_time()
        faults = Faults(now=trio.current_time, rng=random.Random(f"{options.seed}:faults"))
        files = Files()
        self.service = Service(
            options=options,
            accounts=Accounts(options, holders=holders or {}, started=started),
            files=files,
            faults=faults,
            studio=Studio(options=options, faults=faults, files=files, wall=wall, address=ADDRESS),
            post=Post(options=options, faults=faults, wall=wall, transport=transport),
            wall=wall,
            ids=random.Random(f"{options.seed}:ids"),
            started=started,
        )
        first = self.service.accounts.all[0]
        others = Others(first, partial(self.service.studio.begin_anothers, first))
        self.service.studio.seize = others.seize
        self._engine = Engine(faults, others)
        body = round(max(3 * options.file_mb, options.upload_mb, 10) * MEGABYTE) + 40 * MEGABYTE
        self._limits = Limits(body_bytes=body, body_within=_BODY_WITHIN, send_within=options.send_within)

    @property
    def address(self) -> str:
        """Where clients find it: `http://127.0.0.1:PORT` on a port."""
        return self.service.address

    def move(self, address: str) -> None:
        """Be found elsewhere from now on."""
        self.service.studio.address = address

    @property
    def books(self) -> Books:
        """The books of the first account: the only one, mostly."""
        return self.service.accounts.all[0].books

    @property
    def secret(self) -> str:
        """What signs the webhooks of the first account."""
        return self.service.accounts.all[0].secret

    def order(self, fault: Fault) -> None:
        """Have something go wrong; its times count from now."""
        self.service.faults.order(fault)

    async def run(self) -> None:
        """Send webhooks, and carry out faults that strike by themselves, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.service.post.run)
            nursery.start_soon(self._engine.run)

    async def serve_stream(
        self, stream: trio.abc.Stream, *, peer: str = "127.0.0.1", draining: trio.Event | None = None
    ) -> None:
        """Serve one connection from `peer` (an IP address) over any stream until it ends; only a cancel is raised."""
        admitted = await admit(self.service.faults, stream)
        if admitted is None:
            await trio.aclose_forcefully(stream)
            return
        await serve_connection(
            admitted, peer=peer, app=self._app, upgrade=_refuse_upgrade, limits=self._limits, draining=draining
        )

    @cached_property
    def _app(self) -> App:
        return create_app(self.service)


async def _refuse_upgrade(_stream: trio.abc.Stream, _request: Request) -> Response:
    """There is no WebSocket here."""
    return Response.refusal(404)


@asynccontextmanager
async def open_sync_server(
    server: SyncServer, *, host: str = "127.0.0.1", port: int = 0, faults: Sequence[Fault] = ()
) -> AsyncIterator[SyncServer]:
    """Yield the service as it serves a port (0: a free one) and does its work; leaving ends all. Raises PortTaken.

    The times of `faults` count from now.
    """
    return_large_blocks()
    opened = await open_port(host=host, port=port)
    server.move(f"http://{host}:{opened.number}")
    for fault in faults:
        server.order(fault)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        nursery.start_soon(opened.serve, server.serve_stream)
        yield server
        nursery.cancel_scope.cancel()
