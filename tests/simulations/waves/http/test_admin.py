"""The provider's own pages: the books and the plans, for this machine only, and without a key in any answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import trio
from starlette.applications import Starlette
from trio.testing import MockClock

from simulations.waves.faults.fault import Fault
from simulations.waves.http.admin import routes
from simulations.waves.provider import Provider
from tests.simulations.waves.http.pages_client import OURS, THEIRS, make_provider


@asynccontextmanager
async def asking(provider: Provider, peer: str = "127.0.0.1") -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the pages at the address `peer`."""
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(provider)), client=(peer, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://waves", trust_env=False) as client:
        yield client


async def post(provider: Provider, document: Any) -> tuple[int, dict[str, Any]]:
    """Return status and document of the answer to a POST /accounts."""
    async with asking(provider) as client:
        answer = await client.post("/accounts", json=document)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("peer", "open_to"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.1.2.3", False),
        ("::ffff:10.1.2.3", False),
        ("", False),
        ("localhost", False),
    ],
)
async def test_the_pages_are_for_this_machine_only(autojump_clock: MockClock, peer: str, open_to: bool) -> None:
    """Others get 403 whatever they ask, and nothing changes."""
    provider = make_provider()
    async with asking(provider, peer) as client:
        answers = [
            await client.get("/books"),
            await client.get("/books?account=account 1"),
            await client.get("/accounts"),
        ]
        answers.append(await client.post("/accounts", json={"account": "account 1", "slots": 9}))
    assert {answer.status_code for answer in answers} == {200 if open_to else 403}
    assert (provider.accounts.first.plan.slots == 9) == open_to
    assert all(OURS not in answer.text for answer in answers)


# --- the books ---


async def test_the_books_are_those_of_all_accounts_with_what_has_struck(autojump_clock: MockClock) -> None:
    """The totals at the top, each account under its name, faults by count and with the seconds from the start."""
    await trio.sleep(100.0)
    provider = make_provider()
    provider.faults.order(Fault(name="stall", count=2))
    await trio.sleep(2.5)
    assert provider.faults.strike("stall") is not None
    provider.accounts.all[1].books.take_slot(trio.current_time())
    async with asking(provider) as client:
        page = (await client.get("/books")).json()
    assert (page.pop("faults"), page.pop("struck")) == ({"stall": 1}, [[2.5, "stall"]])
    assert page == provider.accounts.snapshot(trio.current_time())
    assert [each["in_flight"] for each in page["accounts"].values()] == [0, 1]


async def test_the_books_of_one_account(autojump_clock: MockClock) -> None:
    """By its name; an unknown one is told with those that there are."""
    provider = make_provider()
    async with asking(provider) as client:
        page = (await client.get("/books", params={"account": "account 2"})).json()
        unknown = await client.get("/books", params={"account": "sk_unknown"})
    books = provider.accounts.all[1].books.snapshot(0.0)
    assert page == {"account": "account 2", "requests_per_minute": None, **books}
    assert (unknown.status_code, unknown.json()) == (404, {"error": "account: expected one of account 1, account 2"})


async def test_a_lone_account_s_books_stand_at_the_top(autojump_clock: MockClock) -> None:
    """As in earlier versions, under the same names."""
    provider = make_provider(keys=[OURS])
    async with asking(provider) as client:
        page = (await client.get("/books")).json()
    assert page == {**provider.accounts.first.books.snapshot(0.0), "faults": {}, "struck": []}


# --- the plans ---


async def test_the_plans_are_told_and_changed_by_name_or_key(autojump_clock: MockClock) -> None:
    """What is left out stays as it is, but sockets come with the slots."""
    provider = make_provider()
    async with asking(provider) as client:
        before = (await client.get("/accounts")).json()
    first = {"account": "account 1", "slots": 1, "links": 5, "requests_per_minute": None}
    assert before == {"accounts": [first, {**first, "account": "account 2"}]}
    assert await post(provider, {"account": "account 1", "slots": 2}) == (200, {**first, "slots": 2, "links": 10})
    changed = {"account": "account 2", "slots": 3, "links": 7, "requests_per_minute": 60}
    assert await post(provider, {**changed, "account": THEIRS}) == (200, changed)
    assert await post(provider, {"account": "account 2", "links": 8}) == (200, {**changed, "links": 8})
    unlimited = {"account": "account 2", "requests_per_minute": None}
    assert await post(provider, unlimited) == (200, {**changed, "links": 8, "requests_per_minute": None})
    assert [account.plan.slots for account in provider.accounts.all] == [2, 3]


async def test_an_account_is_opened_by_its_key(autojump_clock: MockClock) -> None:
    """201, named or numbered; its key is in no answer, and good at once."""
    provider = make_provider(keys=[OURS])
    status, page = await post(provider, {"key": "sk_new", "account": "clinic", "slots": 2, "requests_per_minute": 9})
    assert (status, page) == (201, {"account": "clinic", "slots": 2, "links": 10, "requests_per_minute": 9})
    assert (await post(provider, {"key": "sk_newer"}))[1]["account"] == "account 2"
    assert provider.accounts.find("sk_new", 0.0) is provider.accounts.all[1]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([1], 'expected a JSON object such as {"account": "NAME", "slots": 2}'),
        ({"slots": 2}, "account: expected one of account 1, account 2, or a key of theirs; a new one needs its key"),
        (
            {"account": "sk_unknown", "slots": 2},
            "account: expected one of account 1, account 2, or a key of theirs; a new one needs its key",
        ),
        ({"account": "account 1", "slots": 0}, "slots: expected a whole number from 1 to 1000"),
        ({"account": "account 1", "slots": 2.5}, "slots: expected a whole number from 1 to 1000"),
        ({"account": "account 1", "slots": True}, "slots: expected a whole number from 1 to 1000"),
        ({"account": "account 1", "slots": None}, "slots: expected a whole number from 1 to 1000"),
        ({"account": "account 1", "links": "9"}, "links: expected a whole number from 1 to 5000"),
        (
            {"account": "account 1", "requests_per_minute": 0},
            "requests_per_minute: expected a whole number from 1 to 1000000 or null",
        ),
        (
            {"account": "account 1", "slotz": 2},
            "slotz: unknown; expected account, key, slots, links, requests_per_minute",
        ),
        ({"account": 1, "slots": 2}, "account: expected a string"),
        ({"key": "", "slots": 2}, "key: expected a string"),
        ({"key": OURS, "slots": 2}, "key: has an account already"),
        ({"key": "sk_new", "account": "account 1"}, "name: there is an account account 1 already"),
    ],
)
async def test_what_is_wrong_with_a_change_is_told(autojump_clock: MockClock, document: Any, message: str) -> None:
    """400, what would be right, no key, and nothing has changed."""
    provider = make_provider()
    plans = [account.plan for account in provider.accounts.all]
    assert await post(provider, document) == (400, {"error": message})
    assert [account.plan for account in provider.accounts.all] == plans


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_what_is_no_json_is_told_so(autojump_clock: MockClock, body: bytes) -> None:
    """Whatever the bytes."""
    async with asking(make_provider()) as client:
        answer = await client.post("/accounts", content=body)
    assert (answer.status_code, answer.json()) == (400, {"error": "the body is no JSON"})
