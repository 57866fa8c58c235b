"""Tells the ends of generations and batches: signs each delivery, and repeats it until it is taken."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from typing import Any

import httpx2
import trio
from attrs import define, field, frozen

from orchestrator.ports import Now
from simulations.sync.account import Account
from simulations.sync.javascript import stringify
from simulations.sync.options import SyncOptions
from simulations.waves.faults.faults import Faults

_WITHIN = 10.0
"""Seconds for an answer (not published)."""
_AT_A_TIME = 50


@frozen(eq=False, kw_only=True)
class Notice:
    """The end of something, to be told at `url`; `page` says what clients are told of it then."""

    account: Account
    url: str
    page: Callable[[float], dict[str, Any]]


def signed(body: bytes, *, secret: str, stamp: int) -> dict[str, str]:
    """Return the headers that sign a delivery: the guide's, and the other that the reference names."""
    key = secret.encode()
    told = hmac.new(key, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    primary = hmac.new(key, body, hashlib.sha256).hexdigest()
    return {"Sync-Signature": f"t={stamp},v1={told}", "X-Signature-Primary": primary}


@define(eq=False, kw_only=True)
class Post:
    """Sends every notice at its time, through `transport` where one is given (else over the network)."""

    _options: SyncOptions
    _faults: Faults
    _wall: Now
    _transport: httpx2.AsyncBaseTransport | None = None
    _due: list[tuple[float, int, Notice]] = field(factory=list, init=False)
    _numbers: count[int] = field(factory=count, init=False)
    _stirred: trio.Event = field(factory=trio.Event, init=False)
    _places: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(_AT_A_TIME), init=False)

    def tell(self, notice: Notice, *, at: float) -> None:
        """Have something told at a time of the service's clock."""
        notice.account.books.webhooks_due += 1
        heappush(self._due, (at, next(self._numbers), notice))
        self._stirred.set()

    async def run(self) -> None:
        """Send until cancelled."""
        client = httpx2.AsyncClient(transport=self._transport, timeout=_WITHIN, trust_env=False)
        async with client, trio.open_nursery() as nursery:
            while True:
                self._stirred = trio.Event()
                now = trio.current_time()
                while self._due and self._due[0][0] <= now:
                    nursery.start_soon(self._deliver, client, heappop(self._due)[2])
                with trio.move_on_at(self._due[0][0] if self._due else float("inf")):
                    await self._stirred.wait()

    async def _deliver(self, client: httpx2.AsyncClient, notice: Notice) -> None:
        """Send one until it is taken, or given up."""
        books = notice.account.books
        if self._faults.strike("lost_webhook") is not None:
            books.webhooks_lost += 1
            return
        late = self._faults.strike("late_webhook")
        if late is not None:
            await trio.sleep(late.seconds)
        twice = self._faults.strike("doubled_webhook") is not None
        wait = self._options.webhook_wait / self._options.speed
        for left in range(self._options.webhook_retries, -1, -1):
            taken = await self._send(client, notice)
            if twice:
                await self._send(client, notice)
            if taken:
                books.webhooks_acknowledged += 1
                return
            if left:
                await trio.sleep(wait)
                wait *= 2
        books.webhooks_given_up += 1

    async def _send(self, client: httpx2.AsyncClient, notice: Notice) -> bool:
        """Send it once; say whether it was answered with 2xx."""
        body = stringify(notice.page(trio.current_time()))
        stamp = int(self._wall() * (1000 if self._options.webhook_unit == "ms" else 1))
        headers = {"Content-Type": "application/json", **signed(body, secret=notice.account.secret, stamp=stamp)}
        notice.account.books.webhooks_sent += 1
        with suppress(httpx2.HTTPError, httpx2.InvalidURL):
            async with self._places:
                answer = await client.post(notice.url, content=body, headers=headers)
            return answer.is_success
        return False
