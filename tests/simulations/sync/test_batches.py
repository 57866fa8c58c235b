"""Batches: what a file must be, what becomes of its lines, and the results."""

from __future__ import annotations

import json
from typing import Any

import attrs
import httpx2
import pytest
import trio

from simulations.sync.batching import read_lines
from tests.simulations.sync.peer import EVEN, HOOK, SCALE, World, wanted, world

OPTIONS = attrs.evolve(EVEN, plan=SCALE)


def line(number: int, **payload: Any) -> dict[str, Any]:
    """Return one line of a file."""
    return {"request_id": f"r{number}", "endpoint": "/v2/generate", "payload": wanted(number, **payload)}


async def send(here: World, lines: list[Any], *, name: str = "input", **fields: str) -> httpx2.Response:
    """Send a file of these lines."""
    content = "\n".join(json.dumps(each) for each in lines).encode()
    return await here.client.post("/v2/batch", files={name: ("b.jsonl", content)}, data=fields)


async def test_a_batch_has_a_result_for_each_line(autojump_clock: trio.testing.MockClock) -> None:
    """15 at a time, beside generations of its own plan; one line fails, the batch does not; its end is told."""
    async with world(OPTIONS) as here:
        lines = [line(number) for number in range(30)]
        lines[7]["payload"]["input"][0]["url"] = "https://unreachable.invalid/v.mp4"
        answer = await send(here, lines, webhook_url=HOOK)
        made = answer.json()
        assert (answer.status_code, made["status"], made["webhookUrl"]) == (201, "PENDING", HOOK)
        assert made["metrics"]["pending_count"] == 30
        assert (await here.client.get(made["outputUrl"])).status_code == 404
        assert (await here.client.get("/v2/generations")).json() == []
        seen = []
        for at in (3, 60, 150, 250):
            await trio.sleep_until(at)
            seen.append((await here.client.get(f"/v2/batch/{made['id']}")).json()["status"])
        assert seen == ["JOBS_CREATED", "PROCESSING", "PROCESSING", "COMPLETED"]
        moved = await here.client.get(made["outputUrl"])
        assert moved.status_code == 302
        results = [json.loads(each) for each in (await here.client.get(moved.headers["location"])).text.splitlines()]
        assert [each["requestId"] for each in results] == [f"r{number}" for number in range(30)]
        assert [each["requestId"] for each in results if each["status"] == "FAILED"] == ["r7"]
        assert results[7]["errorCode"] == "generation_input_video_inaccessible"
        assert (await here.client.get(results[0]["outputMediaUrl"])).content[4:8] == b"ftyp"
        ((_, _, body),) = here.hooks.came
        assert json.loads(body)["metrics"] == {
            "total_generations": 30,
            "success_count": 29,
            "failed_count": 1,
            "pending_count": 0,
        }
        books = here.server.books
        assert (books.batches, books.batch_generations, books.most_live, books.generations) == (1, 30, 0, 0)


async def test_a_dry_run_begins_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """VALIDATED, under either name of the file."""
    async with world(OPTIONS) as here:
        for name in ("input", "file"):
            answer = await send(here, [line(number) for number in range(20)], name=name, dry_run="true")
            assert answer.json() == {"status": "VALIDATED"}
        assert here.server.books.batches == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda lines: lines[:19], "20 to 500 lines"),
        (lambda lines: lines * 20, "20 to 500 lines"),
        (lambda lines: [*lines[:-1], lines[0]], "line 26: request_id r0 is not unique"),
        (lambda lines: [*lines, 1], "line 27: must be an object"),
        (lambda lines: [*lines, {**lines[0], "endpoint": "/v1"}], "line 27: endpoint"),
        (lambda lines: [*lines, line(99, model="x")], "line 27: model x is not supported"),
    ],
)
async def test_a_wrong_file_is_refused(autojump_clock: trio.testing.MockClock, change: Any, problem: str) -> None:
    """400 with the lines that are wrong."""
    async with world(OPTIONS) as here:
        answer = await send(here, change([line(number) for number in range(26)]))
        assert answer.status_code == 400
        assert problem in " ".join(answer.json()["message"])


async def test_a_wrong_payload_may_be_a_failed_line(autojump_clock: trio.testing.MockClock) -> None:
    """By option."""
    async with world(attrs.evolve(OPTIONS, batch_check="lines")) as here:
        made = (await send(here, [*(line(number) for number in range(20)), line(20, model="x")])).json()
        await trio.sleep(400)
        metrics = (await here.client.get(f"/v2/batch/{made['id']}")).json()["metrics"]
        assert (metrics["success_count"], metrics["failed_count"]) == (20, 1)


async def test_there_are_so_many_batches_at_a_time(autojump_clock: trio.testing.MockClock) -> None:
    """429 with concurrency_limit_reached beyond them; they are listed, the newest first; other plans get 402."""
    async with world(OPTIONS) as here:
        lines = [line(number) for number in range(20)]
        ids = [(await send(here, lines)).json()["id"] for _ in range(2)]
        refused = await send(here, lines)
        assert (refused.status_code, refused.json()["errorCode"]) == (429, "concurrency_limit_reached")
        listed = (await here.client.get("/v2/batch")).json()
        assert [each["id"] for each in listed] == ids[::-1]
        after = listed[0]["created_at"].replace("2026", "2027")
        assert (await here.client.get("/v2/batch", params={"created_after": after})).json() == []
        assert (await here.client.get("/v2/batch", params={"status": "DONE"})).status_code == 400
        assert here.server.books.most_batches == 2
    async with world() as small:
        assert (await send(small, lines)).status_code == 402


def test_only_a_line_feed_ends_a_line() -> None:
    """Not what else Unicode counts as an end, and JSON may hold as it is."""
    lines = [
        json.dumps({**line(number), "request_id": f"{number}\u2028\x85\u2029."}, ensure_ascii=False)
        for number in range(20)
    ]
    asked = read_lines("\r\n".join(lines).encode(), strict=True)
    assert [each.request_id for each in asked] == [f"{number}\u2028\x85\u2029." for number in range(20)]
