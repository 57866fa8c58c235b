"""What the pages of one account share: they need a key, lie under both bases and keep documents; which, is theirs."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulations.waves.accounts import Account
from simulations.waves.http.refusals import BASES, account_of, unauthorized
from simulations.waves.provider import Provider

Page = Callable[[Request, Account], Awaitable[Response]]
"""Answers a request of an account."""

_FIRST_DAY = datetime(2026, 9, 1, tzinfo=UTC)


class BodyTooLarge(Exception):
    """The client sends more than is taken: the bridge reads the rest, so that the client gets to read the answer."""


def account_routes(provider: Provider, path: str, **pages: Page) -> list[Route]:
    """Return the routes of one path under every base, with one page a method; nobody's key gets 401."""
    return [
        Route(base + path, _for_accounts(provider, page), methods=[method])
        for base in BASES
        for method, page in pages.items()
    ]


def _for_accounts(provider: Provider, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        account = account_of(provider, request)
        return unauthorized() if account is None else await page(request, account)

    return answer


async def read_body(request: Request, *, largest: int) -> bytes:
    """Return the request's body. Raises BodyTooLarge beyond `largest` bytes, of which it never holds more."""
    if int(request.headers.get("content-length", "0")) > largest:  # h11 has checked that it is a number
        raise BodyTooLarge
    body, size = bytearray(), 0
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            if size <= largest:
                body += chunk
    if size > largest:
        raise BodyTooLarge
    return bytes(body)


def object_id(rng: random.Random) -> str:
    """Return a new id of a document, 24 hexadecimal digits."""
    return f"{rng.getrandbits(96):024x}"


def stamp(now: float) -> str:
    """Return the date of a time of Trio's clock: a made-up day, the same in every run in virtual time."""
    return (_FIRST_DAY + timedelta(seconds=now)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
