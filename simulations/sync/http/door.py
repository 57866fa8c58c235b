"""Who is let in over HTTP and how often, what faults make of a request, and what the refused are answered; for all
pages of the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from math import ceil
from typing import Any

import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from simulations.sync.account import Account
from simulations.sync.books import RequestKind
from simulations.sync.javascript import stringify
from simulations.sync.refusals import Refusal, rate_refusal, server_error
from simulations.sync.service import Service
from simulations.sync.wanted import INVALID, BadInput
from simulations.waves.faults.fault import Fault
from simulations.waves.http.pages import BodyTooLarge

Page = Callable[[Request, Account], Awaitable[Response]]
"""Answers a request of an account; raises Refusal and BadInput."""


class Json(Response):
    """A JSON document as the service writes it."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: Any) -> bytes:
        """Return the document's bytes."""
        return stringify(content)


class _Cut(Response):
    """No answer: the connection is cut."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:  # ASGI's signature
        """Raises ConnectionAbortedError, as the bridge wants it."""
        begun = {"type": "http.response.start", "status": 200, "headers": []}
        await send(begun)  # goes out with a body only; without it the framework would answer 500
        raise ConnectionAbortedError("a fault cuts the connection")


def api_routes(service: Service, path: str, *, kind: RequestKind = "other", **pages: Page) -> list[Route]:
    """Return the routes of one path of the API, with one page a method; `kind` says which limit a request counts to."""
    return [
        Route(path, partial(_answer, service=service, kind=kind, page=page), methods=[method])
        for method, page in pages.items()
    ]


def refused(service: Service, refusal: Refusal) -> Json:
    """Return the answer of a refusal."""
    after = service.options.retry_after
    headers = {"retry-after": str(ceil(after))} if refusal.status == 429 and after is not None else None
    return Json(refusal.body, refusal.status, headers=headers)


def plain_refusal(status: int, message: str = "") -> Refusal:
    """Return an error without a code."""
    return Refusal(status, message or HTTPStatus(status).phrase)


def invalid(*problems: str) -> BadInput:
    """Return what is wrong with a request's parameters or fields."""
    return BadInput(problems)


async def _answer(request: Request, *, service: Service, kind: RequestKind, page: Page) -> Response:
    try:
        account = _account_of(request, service)
        _let_in(account, service, kind=kind)
        response = await _answered(request, account, page=page)
    except Refusal as refusal:
        response = refused(service, refusal)
    done = response.status_code < 300
    fits = partial(_strikes, kind=kind)
    slow = service.faults.strike("slow_answer", fits=fits) if done else None
    if slow is not None:
        await trio.sleep(slow.seconds)
    if done and service.faults.strike("cut_answer", fits=fits) is not None:
        return _Cut()
    return response


def _account_of(request: Request, service: Service) -> Account:
    """Raises Refusal for nobody's key."""
    account = service.accounts.find(request.headers.get("x-api-key", ""))
    if account is None:
        raise plain_refusal(401)
    if service.faults.gates.locked:
        account.books.refused["key"] += 1
        raise plain_refusal(401)
    return account


def _let_in(account: Account, service: Service, *, kind: RequestKind) -> None:
    """Count a request. Raises Refusal where it is one too many, or a fault says so."""
    now, minutes, fits = trio.current_time(), account.books.minutes, partial(_strikes, kind=kind)
    kinds: list[RequestKind] = ["upload", "other"] if kind == "upload" else [kind]
    if not all(minutes[each].take(now) for each in kinds) or service.faults.strike("rate_429", fits=fits) is not None:
        account.books.refused["rate"] += 1
        raise rate_refusal()
    error = service.faults.strike("error_before", fits=fits)
    if error is not None:
        raise server_error(error.status, request_id=service.new_id())


async def _answered(request: Request, account: Account, *, page: Page) -> Response:
    try:
        return await page(request, account)
    except BadInput as wrong:
        account.books.refused["invalid"] += 1
        raise Refusal(400, wrong.problems, code=wrong.code) from None
    except BodyTooLarge:
        account.books.refused["too_large"] += 1
        raise Refusal(413, "The request is too large", code=INVALID) from None


def _strikes(fault: Fault, *, kind: RequestKind) -> bool:
    """Say whether a fault is meant for requests of this kind."""
    return fault.of == "any" or (fault.of == "create") == (kind == "create")
