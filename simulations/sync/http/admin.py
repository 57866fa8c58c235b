"""The page `/books`, which the real service does not have, for this machine only: what each account did and was
refused."""

from __future__ import annotations

from typing import Any

import attrs
import trio
from attrs import define
from starlette.requests import Request
from starlette.routing import Route

from simulations.sync.account import Account
from simulations.sync.http.door import Json
from simulations.sync.service import Service
from simulations.waves.http.refusals import local_only


def routes(service: Service) -> list[Route]:
    """Return the page's route."""
    return [Route("/books", local_only(_Page(service).books), methods=["GET"])]


def books_page(service: Service, now: float) -> dict[str, Any]:
    """Return the books of all accounts, by their names, with the faults that have struck."""
    struck = [[round(at - service.started, 6), name] for at, name in service.faults.struck]
    accounts = {account.name: _account_page(account, now, since=service.started) for account in service.accounts.all}
    return {
        "accounts": accounts,
        "strangers": service.accounts.strangers,
        "faults": service.faults.snapshot(),
        "struck": struck,
    }


@define
class _Page:
    _service: Service

    async def books(self, request: Request) -> Json:
        """All books, or with `?account=NAME` those of one account; its generations with `?begun=N`, the latest N."""
        now, query = trio.current_time(), request.query_params
        text = query.get("begun", "0")
        latest = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
        if "account" not in query:
            return Json(books_page(self._service, now))
        account = self._service.accounts.named(query["account"])
        if account is None:
            names = ", ".join(each.name for each in self._service.accounts.all)
            return Json({"error": f"account: expected one of {names}"}, 404)
        return Json(_account_page(account, now, since=self._service.started, begun=latest))


def _account_page(account: Account, now: float, *, since: float, begun: int = 0) -> dict[str, Any]:
    latest = list(account.books.begun)[-begun:] if begun else []
    shown = [{**attrs.asdict(each), "at": round(each.at - since, 6)} for each in latest]
    return {
        "plan": attrs.asdict(account.plan),
        "live": account.live(now),
        "live_batches": account.live_batches(now),
        **account.books.snapshot(),
        "begun": shown,
    }
