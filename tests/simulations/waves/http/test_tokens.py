"""Short-lived tokens and the page that says that the provider is up."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from simulations.waves.http.tokens import MOST_SECONDS, routes
from simulations.waves.provider import Provider
from tests.simulations.waves.http.pages_client import OURS, THEIRS, UNAUTHORIZED, asking, make_provider

BASES = ("/waves/v1", "/api/v1")


async def token_for(provider: Provider, *, key: str | None = OURS, base: str = BASES[0], **body: Any) -> dict[str, Any]:
    """Return what a client of this key is answered."""
    async with asking(routes(provider), key=key) as client:
        answer = await client.post(f"{base}/auth/token", json=body)
    page = answer.json()
    assert isinstance(page, dict)
    return {"http": answer.status_code, **page}


@pytest.mark.parametrize("base", BASES)
async def test_a_token_stands_for_the_key_until_it_expires(autojump_clock: MockClock, base: str) -> None:
    """Of the account whose key asked, for as long as it asked; the answer says so."""
    provider = make_provider()
    page = await token_for(provider, key=THEIRS, base=base, ttl_seconds=60)
    token = page.pop("access_token")
    assert page == {"http": 200, "token_type": "Bearer", "expires_in": 60}
    await trio.sleep(59.9)
    assert provider.accounts.find(token, trio.current_time()) is provider.accounts.all[1]
    await trio.sleep(0.1)
    assert provider.accounts.find(token, trio.current_time()) is None
    assert THEIRS not in token


async def test_without_a_time_it_lasts_five_minutes(autojump_clock: MockClock) -> None:
    """With an empty document, and with no body at all."""
    provider = make_provider()
    assert (await token_for(provider))["expires_in"] == 300
    async with asking(routes(provider)) as client:
        assert (await client.post("/waves/v1/auth/token")).json()["expires_in"] == 300


@pytest.mark.parametrize("key", ["sk_nobody", "", None])
async def test_without_a_key_there_is_no_token(autojump_clock: MockClock, key: str | None) -> None:
    """401 in the published shape, and counted."""
    provider = make_provider()
    assert await token_for(provider, key=key) == {"http": 401, **UNAUTHORIZED}
    assert provider.accounts.snapshot(0.0)["refused_auth"] == 1


@pytest.mark.parametrize("seconds", [0, -1, 1.5, "60", None, True, MOST_SECONDS + 1])
async def test_a_wrong_time_is_told(autojump_clock: MockClock, seconds: object) -> None:
    """As an issue with the field, in the shape seen live."""
    page = await token_for(make_provider(), ttl_seconds=seconds)
    (issue,) = page["error"]
    assert (page["http"], issue["path"]) == (400, ["ttl_seconds"])
    assert issue["message"] == f"Expected a whole number from 1 to {MOST_SECONDS}"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xff", b"[" * 100_000])
async def test_what_is_no_document_is_no_500(autojump_clock: MockClock, body: bytes) -> None:
    """Whatever the bytes."""
    async with asking(routes(make_provider())) as client:
        assert (await client.post("/waves/v1/auth/token", content=body)).status_code == 400


@pytest.mark.parametrize("base", BASES)
async def test_health_is_told_to_everybody(autojump_clock: MockClock, base: str) -> None:
    """Without a key, and without counting one."""
    provider = make_provider()
    async with asking(routes(provider), key=None) as client:
        answer = await client.get(f"{base}/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert provider.accounts.snapshot(0.0)["refused_auth"] == 0
