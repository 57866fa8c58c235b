"""The simulated Waves provider: its parts put together, and its life on a port or over any stream.

Pages are http/'s, WebSockets upgrades.py's, HTTP itself orchestrator/port/'s, limits and counts books.py's.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property

import trio

from orchestrator.port.bridge import serve_connection
from orchestrator.port.listener import open_port
from orchestrator.port.messages import App, Limits
from simulations.voices import Voice
from simulations.waves.accounts import Accounts, Plan
from simulations.waves.books import Books
from simulations.waves.faults.engine import run as run_faults
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.faults import Faults
from simulations.waves.faults.gates import admit
from simulations.waves.heap import return_large_blocks
from simulations.waves.http.app import create_app
from simulations.waves.options import WavesOptions
from simulations.waves.provider import Provider
from simulations.waves.pulse.hearing import Recognizer
from simulations.waves.pulse.page import LARGEST, routes
from simulations.waves.pulse.script import USUAL_LINES, Script
from simulations.waves.pulse.upgrades import Pulse
from simulations.waves.synthesis import Synthesizer
from simulations.waves.upgrades import Upgrades

_LARGEST_BODY = LARGEST + 1024
"""A recording; with what is too large only just, a page answers itself."""


class WavesServer:
    """One provider. `address` is its base address once it is on a port.

    `plans` gives each account's key what it may do; without any there is one account, of which every key is. Pulse
    hears with the `recognizer`.
    """

    def __init__(
        self,
        options: WavesOptions,
        voice: Voice,
        *,
        plans: Mapping[str, Plan] | None = None,
        recognizer: Recognizer | None = None,
    ) -> None:
        self.options = options
        plan = Plan(slots=options.slots, links=options.links, requests_per_minute=options.requests_per_minute)
        plans = {**({options.api_key: plan} if options.api_key else {}), **(plans or {})}
        self.provider = Provider(
            options=options,
            accounts=Accounts(plans, default=None if plans else plan),
            synthesizer=Synthesizer(options=options, voice=voice),
            faults=Faults(now=trio.current_time, rng=random.Random(f"{options.seed}:faults")),
            ids=random.Random(options.seed),
        )
        self.address = ""
        self._recognizer = recognizer or Script(USUAL_LINES)
        pulse = Pulse(provider=self.provider, recognizer=self._recognizer)
        self._upgrades = Upgrades(provider=self.provider, pulse=pulse)
        self._limits = Limits(body_bytes=_LARGEST_BODY, send_within=options.send_within)

    @property
    def books(self) -> Books:
        """The books of the first account: the only one, mostly."""
        return self.provider.accounts.first.books

    @property
    def synthesizer(self) -> Synthesizer:
        """What every link speaks with."""
        return self.provider.synthesizer

    def snapshot(self) -> dict[str, int | float]:
        """Return the first account's books as of now."""
        return self.books.snapshot(trio.current_time())

    async def serve_stream(
        self, stream: trio.abc.Stream, *, peer: str = "127.0.0.1", draining: trio.Event | None = None
    ) -> None:
        """Serve one connection from `peer` (an IP address) over any stream until it ends; only a cancel is raised."""
        admitted = await admit(self.provider.faults, stream)
        if admitted is None:
            await trio.aclose_forcefully(stream)
            return
        await serve_connection(
            admitted, peer=peer, app=self._app, upgrade=self._upgrades.take, limits=self._limits, draining=draining
        )

    @cached_property
    def _app(self) -> App:  # worlds without HTTP do without
        return create_app(self.provider, more=routes(self.provider, self._recognizer))


@asynccontextmanager
async def open_waves_server(
    server: WavesServer, *, host: str = "127.0.0.1", port: int = 0, faults: Sequence[Fault] = ()
) -> AsyncIterator[WavesServer]:
    """Yield the provider as it serves a port (0: a free one); leaving ends that and every socket. Raises PortTaken.

    The times of `faults` count from now.
    """
    return_large_blocks()
    opened = await open_port(host=host, port=port)
    server.address = f"ws://{host}:{opened.number}"
    for fault in faults:
        server.provider.faults.order(fault)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_faults, server.provider)
        nursery.start_soon(opened.serve, server.serve_stream)
        yield server
        nursery.cancel_scope.cancel()
