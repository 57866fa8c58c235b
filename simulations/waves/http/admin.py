"""Pages that the real provider does not have, for this machine only: `/books` tells what was used and refused,
`/accounts` tells the plans and changes them."""

from __future__ import annotations

import json
from typing import Any

import trio
from attrs import define, evolve
from starlette.requests import Request
from starlette.routing import Route

from simulations.waves.accounts import MOST, Account, Accounts, Plan, account_page
from simulations.waves.http.refusals import Json, local_only
from simulations.waves.provider import Provider


class WrongPlan(Exception):
    """What was posted is no change of a plan: the message says why, and tells no key."""


def routes(provider: Provider) -> list[Route]:
    """Return the pages' routes."""
    pages = _Pages(provider)
    return [
        Route("/books", local_only(pages.books), methods=["GET"]),
        Route("/accounts", local_only(pages.accounts), methods=["GET"]),
        Route("/accounts", local_only(pages.change), methods=["POST"]),
    ]


def books_page(provider: Provider, now: float) -> dict[str, Any]:
    """Return all books as one JSON object, and which faults have struck: counts by name and the latest, each with the
    seconds from the provider's start."""
    started = provider.synthesizer.started
    struck = [[round(at - started, 6), name] for at, name in provider.faults.struck]
    return {**provider.accounts.snapshot(now), "faults": provider.faults.snapshot(), "struck": struck}


@define
class _Pages:
    _provider: Provider

    async def books(self, request: Request) -> Json:
        """All books, or with `?account=NAME` those of one account."""
        name, now = request.query_params.get("account"), trio.current_time()
        if name is None:
            return Json(books_page(self._provider, now))
        accounts = self._provider.accounts
        account = accounts.named(name)
        if account is None:
            return Json({"error": f"account: {_known(accounts)}"}, 404)
        return Json({"account": account.name, **account_page(account, now)})

    async def accounts(self, request: Request) -> Json:
        """Each account's name and plan."""
        return Json({"accounts": [_plan_page(account) for account in self._provider.accounts.all]})

    async def change(self, request: Request) -> Json:
        """Change a plan, or with a `key` open an account."""
        try:
            posted = _read(await request.body())
            account = _changed(self._provider.accounts, posted)
        except WrongPlan as wrong:
            return Json({"error": str(wrong)}, 400)
        return Json(_plan_page(account), 201 if "key" in posted else 200)


def _plan_page(account: Account) -> dict[str, Any]:
    books = account.books
    return {
        "account": account.name,
        "slots": books.slots,
        "links": books.links,
        "requests_per_minute": books.requests_per_minute,
    }


def _known(accounts: Accounts) -> str:
    """Word that there is no such account; what was asked for may be a key and is not repeated."""
    return "expected one of " + ", ".join(account.name for account in accounts.all)


# --- what was posted ---


def _read(body: bytes) -> dict[str, Any]:
    """Return the JSON object that was posted, every field of the right kind. Raises WrongPlan."""
    try:
        posted = json.loads(body)
    except (ValueError, RecursionError):
        raise WrongPlan("the body is no JSON") from None
    if not isinstance(posted, dict):
        raise WrongPlan('expected a JSON object such as {"account": "NAME", "slots": 2}')
    for name, value in posted.items():
        if name in MOST:
            _check_figure(name, value)
        elif name not in ("account", "key"):
            raise WrongPlan(f"{name}: unknown; expected account, key, {', '.join(MOST)}")
        elif not isinstance(value, str) or not value:
            raise WrongPlan(f"{name}: expected a string")
    return posted


def _check_figure(name: str, value: Any) -> None:
    unlimited = name == "requests_per_minute" and value is None
    if not unlimited and not (type(value) is int and 1 <= value <= MOST[name]):
        no_limit = " or null" if name == "requests_per_minute" else ""
        raise WrongPlan(f"{name}: expected a whole number from 1 to {MOST[name]}{no_limit}")


def _changed(accounts: Accounts, posted: dict[str, Any]) -> Account:
    """Do what was posted, and return the account. Raises WrongPlan."""
    name = posted.get("account", "")
    figures = {key: value for key, value in posted.items() if key in MOST}
    if "key" in posted:
        try:
            return accounts.add(posted["key"], Plan(name=name, **figures))
        except ValueError as wrong:
            raise WrongPlan(str(wrong)) from None
    account = accounts.named(name)
    if account is None:
        raise WrongPlan(f"account: {_known(accounts)}, or a key of theirs; a new one needs its key")
    if "slots" in figures:  # sockets come with the slots unless they are given, too
        figures = {"links": Plan(slots=figures["slots"]).links, **figures}
    return accounts.change(name, evolve(account.plan, **figures))
