"""The operator's server is told of each end until it takes it: at least once, and in the end exactly what happened."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest
import trio
from trio.testing import MockClock

from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.settings import LipsyncSettings
from tests.lipsync.worlds import World, asking


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a world whose operator wants to be told."""
    settings = LipsyncSettings(plan="creator", notify_url="https://them/ended")
    return World(tmp_path / "lipsync.db", settings=settings)


def operator(answer: Callable[[httpx2.Request], httpx2.Response]) -> httpx2.MockTransport:
    """Return the operator's server."""
    return httpx2.MockTransport(answer)


async def test_each_end_is_told_until_it_is_taken(world: World, autojump_clock: MockClock) -> None:
    """Refused, unreachable, taken; with the job in a header and what became of it as JSON; never again after that."""
    told: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        told.append(request)
        if len(told) % 3 == 1:
            raise httpx2.ConnectError("nobody there")
        return httpx2.Response(503 if len(told) % 3 == 2 else 204)

    async with world.queue(transport=operator(answer)) as queue:
        jobs = [await queue.accept(asking(str(n)), owner="bot", call="c") for n in range(5)]
        ended = {job.id: await queue.wait_ended(job.id) for job in jobs}
        await trio.sleep(600)
        count = len(told)
        await trio.sleep(600)
    assert len(told) == count <= 20
    assert Counter(request.headers["x-talkingstick-job"] for request in told).keys() == ended.keys()
    body = json.loads(told[-1].content)
    job = ended[body["job"]]
    assert (body["state"], body["output_url"], body["owner"]) == ("completed", job.output_url, "bot")
    assert (body["error"], body["ended_at"], body["call"]) == (None, job.ended_at, "c")
    assert all(job.notified for job in world.stored().values())


async def test_a_restart_forgets_no_notice(world: World, autojump_clock: MockClock) -> None:
    """What was not taken is told by the next process; also that a job was cancelled, or failed."""
    told: list[dict[str, object]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        told.append(json.loads(request.content))
        return httpx2.Response(200)

    async with world.queue(transport=operator(lambda _: httpx2.Response(500))) as queue:
        world.service.refusing = AvatarFault(FaultKind.REQUEST, "bad ü", code="input")
        failed = await queue.wait_ended((await queue.accept(asking())).id)
    async with world.queue(transport=operator(answer)) as queue:
        world.service.refusing = AvatarFault(FaultKind.FINAL, "no key")
        cancelled = await queue.accept(asking("b"))
        await queue.cancel(cancelled.id)
        await trio.sleep(200)
    assert [(each["job"], each["state"], each["code"]) for each in told] == [
        (failed.id, "failed", "input"),
        (cancelled.id, "cancelled", "cancelled"),
    ]
    assert told[0]["error"] == "bad ü"


async def test_an_operator_that_hangs_is_left(world: World, autojump_clock: MockClock) -> None:
    """One delivery takes ten seconds at most, and holds up no video."""
    tries = []

    async def hang(request: httpx2.Request) -> httpx2.Response:
        tries.append(trio.current_time())
        await trio.sleep_forever()
        raise AssertionError

    async with world.queue(transport=httpx2.MockTransport(hang)) as queue:
        job = await queue.accept(asking())
        await queue.wait_ended(job.id)
        await trio.sleep(300)
    assert len(tries) >= 3
    assert min(b - a for a, b in pairwise(tries)) >= 10
