"""The page of faults: tells them, orders them, forgets them, for this machine only."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from trio.testing import MockClock

from simulations.waves.faults.catalogue import CATALOGUE
from simulations.waves.faults.engine import run
from simulations.waves.faults.fault import Fault
from simulations.waves.http.faults import routes
from simulations.waves.provider import Provider
from tests.simulations.waves.http.pages_client import make_provider


@asynccontextmanager
async def asking(provider: Provider, peer: str = "127.0.0.1") -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of the page at the address `peer`."""
    transport = httpx2.ASGITransport(app=Starlette(routes=routes(provider)), client=(peer, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://waves", trust_env=False) as client:
        yield client


async def test_the_page_is_for_this_machine_only(autojump_clock: MockClock) -> None:
    """Others get 403 whatever they ask, and nothing changes."""
    provider = make_provider()
    provider.faults.order(Fault(name="stall"))
    async with asking(provider, "10.1.2.3") as client:
        answers = [
            await client.get("/faults"),
            await client.post("/faults", json={"name": "gone"}),
            await client.delete("/faults"),
        ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert [armed.fault.name for armed in provider.faults.armed()] == ["stall"]


async def test_the_page_tells_what_there_is_what_was_ordered_and_what_struck(autojump_clock: MockClock) -> None:
    """Times from the provider's start."""
    await trio.sleep(100.0)
    provider = make_provider()
    provider.faults.order(Fault(name="error", count=2))
    provider.faults.order(Fault(name="gone", at=60.0, seconds=5.0))
    await trio.sleep(3.0)
    provider.faults.strike("error")
    async with asking(provider) as client:
        page = (await client.get("/faults")).json()
    assert page["faults"].keys() == CATALOGUE.keys()
    assert page["faults"]["stall"]["figures"] == {"seconds": 3.0, "after": 0.5}
    assert page["faults"]["binary"]["links"] == ["WebSocket"]
    assert "links" not in page["faults"]["gone"]
    assert "stall:seconds=3,every=300" in page["help"]
    assert page["ordered"] == [
        {"name": "error", "at": 0.0, "count": 2, "every": None, "after": 0.5, "in": 0.0, "waiting": 1},
        {"name": "gone", "at": 60.0, "count": 1, "every": None, "seconds": 5.0, "in": 57.0, "waiting": 0},
    ]
    assert (page["counts"], page["struck"]) == ({"error": 1}, [[3.0, "error"]])


async def test_a_fault_or_a_list_of_them_is_ordered(autojump_clock: MockClock) -> None:
    """Without times just once; the answer says what was understood."""
    provider = make_provider()
    async with asking(provider) as client:
        one = await client.post("/faults", json={"name": "stall", "seconds": 2})
        more = await client.post("/faults", json=[{"name": "refuse", "count": 3}, {"name": "error", "every": 60}])
        none = await client.post("/faults", json=[])
    assert (one.status_code, more.status_code, none.json()) == (201, 201, {"ordered": []})
    assert one.json()["ordered"] == [
        {"name": "stall", "at": 0.0, "count": 1, "every": None, "seconds": 2.0, "after": 0.5}
    ]
    assert [armed.fault for armed in provider.faults.armed()] == [
        Fault(name="stall", seconds=2.0),
        Fault(name="refuse", count=3),
        Fault(name="error", count=0, every=60.0),
    ]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", 'expected JSON such as {"name": "stall", "seconds": 3}, or a list of that'),
        (b"\xff", 'expected JSON such as {"name": "stall", "seconds": 3}, or a list of that'),
        (b"3", "3: expected a table with name and figures"),
        (b'{"name": "stal"}', '"stal" is no fault; did you mean stall?'),
        (b'{"name": "stall", "secs": 1}', "stall: secs: unknown key; did you mean seconds?"),
        (
            b'[{"name": "gone"}, {"name": "stall", "seconds": 0}, {}]',
            "2: stall: seconds = 0: must be > 0.0\n3: name: missing; known: " + ", ".join(CATALOGUE),
        ),
    ],
)
async def test_what_is_wrong_with_an_order_is_told(autojump_clock: MockClock, body: bytes, error: str) -> None:
    """And nothing of it is ordered."""
    provider = make_provider()
    async with asking(provider) as client:
        answer = await client.post("/faults", content=body)
    assert (answer.status_code, answer.json()) == (400, {"error": error})
    assert provider.faults.armed() == []


async def test_nobody_orders_without_end(autojump_clock: MockClock) -> None:
    """A thousand orders wait at most; what is forgotten makes room."""
    provider = make_provider()
    async with asking(provider) as client:
        assert (await client.post("/faults", json=[{"name": "error"}] * 1000)).status_code == 201
        refused = await client.post("/faults", json={"name": "error"})
        assert (refused.status_code, len(provider.faults.armed())) == (400, 1000)
        assert (await client.delete("/faults")).json() == {"cleared": 1000}
        assert (await client.post("/faults", json={"name": "error"})).status_code == 201


async def test_what_lasts_ends_with_the_orders(autojump_clock: MockClock) -> None:
    """DELETE makes the provider whole again."""
    provider = make_provider()
    async with trio.open_nursery() as nursery, asking(provider) as client:
        nursery.start_soon(run, provider)
        await client.post("/faults", json=[{"name": "unauthorized"}, {"name": "gone", "at": 9}])
        await trio.sleep(1.0)
        assert provider.faults.gates.locked
        assert (await client.delete("/faults")).json() == {"cleared": 2}
        await trio.sleep(20.0)
        assert not provider.faults.gates.locked
        assert provider.faults.snapshot() == {"unauthorized": 1}
        nursery.cancel_scope.cancel()


def any_json() -> st.SearchStrategy[Any]:
    """Any JSON value, most of them in the form of an order."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    keys = st.sampled_from(["name", "at", "count", "every", "seconds", "share", "hold", "x"])
    orders = st.dictionaries(keys, leaves | st.sampled_from(sorted(CATALOGUE)))
    return leaves | orders | st.lists(leaves | orders)


@given(any_json())
def test_no_order_breaks_the_page(order: Any) -> None:
    """It is taken or told what is wrong."""

    async def post() -> None:
        async with asking(make_provider()) as client:
            answer = await client.post("/faults", content=json.dumps(order).encode())  # Python's: with infinities
            page = await client.get("/faults")
        assert answer.status_code in (201, 400)
        assert page.status_code == 200

    trio.run(post, clock=MockClock(autojump_threshold=0))
