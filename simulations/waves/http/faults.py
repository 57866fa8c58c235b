"""The page `/faults`, for this machine only: which faults there are, which were ordered, which struck; orders them."""

from __future__ import annotations

import json
from typing import Any

import trio
from attrs import define
from starlette.requests import Request
from starlette.routing import Route

from orchestrator.errors import SettingsError
from simulations.waves.faults.catalogue import HELP, TIMES, Entry
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.faults import Armed, Faults
from simulations.waves.faults.parsing import WAVES, FaultReader
from simulations.waves.http.refusals import Json, local_only
from simulations.waves.provider import Provider

_MOST_ORDERS = 1000
"""Of what is still to strike: nobody means more."""


def routes(provider: Provider) -> list[Route]:
    """Return the page's routes at the Waves provider."""
    return fault_routes(provider.faults, reader=WAVES, started=provider.synthesizer.started)


def fault_routes(faults: Faults, *, reader: FaultReader, started: float) -> list[Route]:
    """Return the page's routes for the `faults` of any service, `started` at that time of their clock."""
    page = _Page(faults, reader, started)
    return [
        Route("/faults", local_only(page.show), methods=["GET"]),
        Route("/faults", local_only(page.order), methods=["POST"]),
        Route("/faults", local_only(page.clear), methods=["DELETE"]),
    ]


@define
class _Page:
    _faults: Faults
    _reader: FaultReader
    _started: float

    async def show(self, request: Request) -> Json:
        """Everything there is to know."""
        faults, now = self._faults, trio.current_time()
        return Json(
            {
                "help": " ".join(HELP.split()),
                "faults": {name: _entry_page(entry) for name, entry in self._reader.catalogue.items()},
                "ordered": [self._armed_page(armed, now) for armed in faults.armed()],
                "lasting": dict(+faults.lasting),
                "counts": faults.snapshot(),
                "struck": [[round(at - self._started, 6), name] for at, name in faults.struck],
            }
        )

    async def order(self, request: Request) -> Json:
        """Order one fault, or each of a list; all of them or, where anything is wrong, none."""
        try:
            ordered = self._read(await request.body())
        except SettingsError as error:
            return Json({"error": str(error)}, 400)
        for fault in ordered:
            self._faults.order(fault)
        return Json({"ordered": [self._fault_page(fault) for fault in ordered]}, 201)

    async def clear(self, request: Request) -> Json:
        """Forget what was ordered, and end what lasts."""
        faults = self._faults
        cleared = len(faults.armed()) + faults.lasting.total()
        faults.clear()
        return Json({"cleared": cleared})

    def _read(self, body: bytes) -> list[Fault]:
        """Raises SettingsError, one line a mistake."""
        try:
            posted = json.loads(body)
        except (ValueError, RecursionError):
            raise SettingsError('expected JSON such as {"name": "stall", "seconds": 3}, or a list of that') from None
        found, wrong = [], []
        orders = posted if isinstance(posted, list) else [posted]
        for number, order in enumerate(orders, 1):
            try:
                found.append(self._reader.read_order(order))
            except SettingsError as error:
                wrong += [f"{number}: {line}" if len(orders) > 1 else line for line in str(error).splitlines()]
        if len(self._faults.armed()) + len(found) > _MOST_ORDERS:
            wrong.append(f"{_MOST_ORDERS} orders wait already; DELETE /faults forgets them")
        if wrong:
            raise SettingsError("\n".join(wrong))
        return found

    def _fault_page(self, fault: Fault) -> dict[str, Any]:
        """Return what was ordered, with the figures that matter for this fault."""
        figures = (*TIMES, *self._reader.catalogue[fault.name].figures)
        return {"name": fault.name, **{figure: getattr(fault, figure) for figure in figures}}

    def _armed_page(self, armed: Armed, now: float) -> dict[str, Any]:
        """Return what will strike, in how many seconds, and how many strikes wait for their requests."""
        return {**self._fault_page(armed.fault), "in": round(max(0.0, armed.next - now), 3), "waiting": armed.waiting}


def _entry_page(entry: Entry) -> dict[str, Any]:
    links = {"links": list(entry.links)} if entry.strikes == "request" else {}
    return {"does": entry.does, "strikes": entry.strikes, "figures": dict(entry.figures), **links}
