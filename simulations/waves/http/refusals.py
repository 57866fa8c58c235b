"""Who is let in over HTTP, and what the others are answered, in shapes that were seen or published; for all pages."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Any
from uuid import UUID

import trio
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from simulations.waves.accounts import Account
from simulations.waves.books import Refusal
from simulations.waves.checks import Issue
from simulations.waves.desk import REFUSALS
from simulations.waves.provider import Provider

BASES = ("/waves/v1", "/api/v1")
"""Under what every path lies: the current base and that of the oldest clients."""

MODELS = ("lightning", "lightning-large", "lightning-v2", "lightning-v3.1", "lightning-v3.1-pro")
"""The models that have paths of their own, as these name them."""

_SUCCESSOR = "/waves/v1/lightning-v3.1/get_speech"


class Json(Response):
    """A JSON document, with the content type that was seen live; anything that came in as JSON can go out in it."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: Any) -> bytes:
        """Return `content` as JSON in ASCII: half a surrogate pair, which a client may send, has no other form."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def account_of(provider: Provider, request: HTTPConnection) -> Account | None:
    """Return whose key the request carries as `Authorization: Bearer KEY`; None, and counted, if it is nobody's."""
    account = provider.accounts.find(bearer_of(request.headers), trio.current_time())
    if account is None:
        provider.accounts.refuse_stranger()
    return account


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """Return the key of `Authorization: Bearer KEY`, None where there is none."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def local_only(page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Return a page that answers this machine only, and others with 403."""

    async def answer(request: Request) -> Response:
        if is_local(request):
            return await page(request)
        return Json({"error": "this page is open to this machine only"}, 403)

    return answer


def is_local(request: HTTPConnection) -> bool:
    """Say whether the request comes from this machine."""
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def unauthorized() -> Json:
    """Return the 401 of the specification."""
    return refused(401, "Unauthorized", message="Bearer token is missing or invalid.")


def bad_request(issues: Sequence[Issue]) -> Json:
    """Return a 400 with what is wrong, in the shape seen live."""
    return Json({"error": list(issues)}, 400)


def too_many(provider: Provider, refusal: Refusal) -> Json:
    """Return a 429: its body is not known, this one is that of the vendor's recognition."""
    return Json({"error": REFUSALS[refusal], "request_id": new_id(provider)}, 429, headers=retry_after(provider))


def retry_after(provider: Provider) -> dict[str, str]:
    """Return the header that a 429 has by option: whole seconds, as HTTP wants them."""
    after = provider.options.retry_after
    return {} if after is None else {"retry-after": str(ceil(after))}


def server_error() -> Json:
    """Return the 500 of the specification."""
    return refused(500, "InternalServerError", message="An unexpected error occurred.")


def refused(status: int, error: str = "", *, message: str = "") -> Json:
    """Return an error in the form of the specification; without words, with the status's own."""
    phrase = HTTPStatus(status).phrase
    return Json({"error": error or phrase.replace(" ", ""), "message": message or phrase}, status)


def model_refusal(provider: Provider, model: str) -> Json | None:
    """Return why there is nothing on a model's own path, `model` being named as there: 404 or 410; None if there is."""
    if model not in MODELS:
        return refused(404, message=f"There is no model {model!r}")
    return retired() if model in provider.options.retired else None


def retired() -> Json:
    """Return the 410 of a retired model (published)."""
    body = {
        "status": "error",
        "error_code": "MODEL_DEPRECATED",
        "message": f"This model is retired. Please migrate to lightning-v3.1 via {_SUCCESSOR}.",
        "recommended_endpoint": _SUCCESSOR,
    }
    return Json(body, 410)


def new_id(provider: Provider) -> str:
    """Return a new UUID, as the provider names its sessions and requests over HTTP."""
    return str(UUID(int=provider.ids.getrandbits(128), version=4))
