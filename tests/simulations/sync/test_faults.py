"""What goes wrong by order: refusals, errors before and after, cut and late answers, other users, outages."""

from __future__ import annotations

import attrs
import httpx2
import pytest
import trio

from simulations.sync.faults import CATALOGUE
from simulations.sync.options import Plan
from tests.simulations.sync.peer import EVEN, world


@pytest.mark.parametrize(
    ("name", "status", "code", "begun"),
    [
        ("rate_429", 429, "rate_limit_exceeded", 0),
        ("concurrency_429", 429, "concurrency_limit_reached", 0),
        ("error_before", 500, "internal_error", 0),
        ("error_after_accept", 500, "internal_error", 1),
    ],
)
async def test_a_create_is_refused_once(
    autojump_clock: trio.testing.MockClock, name: str, status: int, code: str, begun: int
) -> None:
    """As ordered; the next one is as usual, and with its key finds what had been begun."""
    async with world() as here:
        here.order(name)
        answer = await here.create(key="k")
        assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
        assert here.server.books.generations == begun
        assert (await here.create(key="k")).status_code == 201
        assert here.server.books.generations == 1


async def test_a_fault_may_be_meant_for_some_requests(autojump_clock: trio.testing.MockClock) -> None:
    """`of` says for which."""
    async with world() as here:
        here.order("error_before", of="create", status=503)
        assert (await here.client.get("/v2/models")).status_code == 200
        assert (await here.create()).status_code == 503


async def test_an_answer_may_be_cut_or_late(autojump_clock: trio.testing.MockClock) -> None:
    """What was asked for is done all the same."""
    async with world() as here:
        here.order("cut_answer", of="create")
        with pytest.raises(httpx2.RemoteProtocolError):
            await here.create(key="k")
        assert here.server.books.generations == 1
        here.order("slow_answer", seconds=30.0)
        began = trio.current_time()
        assert (await here.create(key="k")).status_code == 201
        assert round(trio.current_time() - began) == 30


@pytest.mark.parametrize(("accepted", "tells_id"), [(True, True), (True, False), (False, False)])
async def test_an_outcome_may_be_unknown(
    autojump_clock: trio.testing.MockClock, accepted: bool, tells_id: bool
) -> None:
    """503, whether it was begun or not; asked again with the key, there is exactly one."""
    async with world() as here:
        here.order("idempotency_unknown", accepted=accepted, tells_id=tells_id)
        answer = await here.create(key="k")
        assert (answer.status_code, answer.json()["errorCode"]) == (503, "IDEMPOTENCY_OUTCOME_UNKNOWN")
        again = await here.create(key="k")
        assert answer.json().get("generationId") == (again.json()["id"] if tells_id else None)
        assert here.server.books.generations == 1


@pytest.mark.parametrize(
    ("name", "rejected", "status", "code"),
    [
        ("job_fails", False, "FAILED", "generation_pipeline_failed"),
        ("job_fails", True, "REJECTED", "generation_pipeline_failed"),
        ("unreachable", False, "FAILED", "generation_input_video_inaccessible"),
    ],
)
async def test_a_job_may_fail(
    autojump_clock: trio.testing.MockClock, name: str, rejected: bool, status: str, code: str
) -> None:
    """The next one; it frees its place."""
    async with world() as here:
        here.order(name, rejected=rejected)
        made = (await here.create()).json()["id"]
        await trio.sleep(120)
        found = (await here.client.get(f"/v2/generate/{made}")).json()
        assert (found["status"], found["error_code"], found["outputUrl"]) == (status, code, None)


async def test_another_user_takes_a_place_first(autojump_clock: trio.testing.MockClock) -> None:
    """As soon as there is one, before any client; it is in the list and in the books, and leaves after its time."""
    async with world(attrs.evolve(EVEN, plan=Plan(generations=1))) as here:
        assert (await here.create()).status_code == 201
        here.order("other_user", seconds=50.0)
        await trio.sleep_until(120)
        assert (await here.create()).status_code == 429
        (other,) = (await here.client.get("/v2/generations?status=PENDING,PROCESSING")).json()
        assert other["webhookUrl"] is None
        await trio.sleep_until(169)
        assert (await here.create()).status_code == 429
        await trio.sleep_until(170)
        assert (await here.create()).status_code == 201
        books = here.server.books
        assert (books.others, books.generations, books.most_live) == (1, 2, 1)


async def test_another_user_comes_again_and_again(autojump_clock: trio.testing.MockClock) -> None:
    """For a share of the time, until the faults are cleared."""
    async with world() as here:
        here.order("other_user", seconds=10.0, share=0.5)
        await trio.sleep(10_000)
        assert 350 < here.server.books.others < 650
        await here.client.delete("/faults")
        before = here.server.books.others
        await trio.sleep(1000)
        assert here.server.books.others == before


async def test_keys_may_be_revoked_for_a_time(autojump_clock: trio.testing.MockClock) -> None:
    """401 for everything, and then as before."""
    async with world() as here:
        here.order("revoked", seconds=20.0)
        await trio.sleep(1)
        assert (await here.create()).status_code == 401
        await trio.sleep(20)
        assert (await here.create()).status_code == 201
        assert here.server.books.refused["key"] == 1


async def test_the_service_may_be_gone(autojump_clock: trio.testing.MockClock) -> None:
    """Nothing is answered meanwhile, what was open is dead, and what was begun goes on."""
    async with world() as here:
        made = (await here.create()).json()["id"]
        here.order("gone", seconds=60.0)
        await trio.sleep(1)
        with pytest.raises(httpx2.TransportError):
            await here.create()
        assert trio.current_time() >= 60
        await trio.sleep_until(121)
        assert await here.status(made) == "COMPLETED"


async def test_faults_are_ordered_while_it_runs(autojump_clock: trio.testing.MockClock) -> None:
    """POST /faults with a name and figures; GET tells all there are, and what struck; a wrong one is told."""
    async with world() as here:
        answer = await here.client.post("/faults", json={"name": "rate_429", "of": "create"})
        assert (answer.status_code, answer.json()["ordered"][0]["of"]) == (201, "create")
        await here.create()
        page = (await here.client.get("/faults")).json()
        assert set(page["faults"]) == set(CATALOGUE)
        assert page["counts"] == {"rate_429": 1}
        wrong = await here.client.post("/faults", json={"name": "rate_429", "of": "some"})
        assert wrong.status_code == 400
        assert "of" in wrong.json()["error"]
