"""Generations: begun, told of, listed, found again by their key."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
import trio

from simulations.sync.account import Holder
from simulations.sync.options import Plan
from tests.simulations.sync.peer import EVEN, SCALE, wanted, world


async def test_a_generation_goes_from_pending_to_its_video(autojump_clock: trio.testing.MockClock) -> None:
    """201, PENDING, PROCESSING, COMPLETED after the model's usual time; then there is a signed MP4, told in both
    spellings."""
    async with world() as here:
        answer = await here.create(outputFileName="mine")
        made = answer.json()
        assert (answer.status_code, made["status"], made["outputUrl"]) == (201, "PENDING", None)
        await trio.sleep(60)
        assert await here.status(made["id"]) == "PROCESSING"
        await trio.sleep(61)
        done = (await here.client.get(f"/v2/generate/{made['id']}")).json()
        assert (done["status"], done["outputDuration"], done["error_code"]) == ("COMPLETED", 7.5, None)
        assert done["outputUrl"] == done["outputMediaUrl"]
        assert "/mine.mp4?" in done["outputUrl"]
        video = await here.client.get(done["outputUrl"])
        assert video.headers["content-type"] == "video/mp4"
        assert video.content[4:8] == b"ftyp"
        assert (await here.client.get(done["outputUrl"] + "0")).status_code == 403
        download = await here.client.get(f"/v2/generations/{made['id']}/download")
        assert (download.text, download.headers["content-type"]) == (done["outputUrl"], "text/plain; charset=utf-8")


async def test_durations_hang_on_seed_and_number_only(autojump_clock: trio.testing.MockClock) -> None:
    """Whatever else is asked between, and however many others there are, the second one takes as long."""

    async def ends(*, busy: bool) -> list[tuple[str, float]]:
        async with world(attrs.evolve(EVEN, unevenness=0.5, seed=3)) as here:
            if busy:
                here.order("other_user", seconds=10.0)
                await here.client.get("/v2/models")
            found = []
            for number in range(2):
                made = (await here.create(number)).json()["id"]
                generation = here.server.service.accounts.all[0].generations[made]
                found.append((made, round(generation.ends - generation.begun, 6)))
            return found

    quiet = await ends(busy=False)
    assert quiet == await ends(busy=True)
    assert quiet[0][1] != quiet[1][1]


async def test_a_long_poll_waits_for_the_end(autojump_clock: trio.testing.MockClock) -> None:
    """For as long as it says, and says so in headers; the state of then is no error."""
    async with world() as here:
        made = (await here.create()).json()["id"]
        path, began = f"/v2/generate/{made}", trio.current_time()
        answer = await here.client.get(path, params={"wait": "true", "timeout": "10"})
        assert (answer.json()["status"], round(trio.current_time() - began)) == ("PROCESSING", 10)
        assert answer.headers["retry-after"] == "2"
        assert answer.headers["x-sync-wait-mode"] == "long_poll"
        assert answer.headers["x-sync-wait-timeout-seconds"] == "10"
        await trio.sleep_until(began + 118)
        assert (await here.client.get(path, params={"wait": "true"})).json()["status"] == "COMPLETED"
        assert round(trio.current_time() - began) == 120
        for wrong in ({"wait": "true", "timeout": "11"}, {"wait": "true", "include": "progress"}):
            assert (await here.client.get(path, params=wrong)).status_code == 400
        assert (await here.client.get(path, params={"include": "progress"})).json()["progress_percent"] == 100


@pytest.mark.parametrize(
    "spelt",
    [
        [("status", "PENDING"), ("status", "PROCESSING")],
        [("status", "PENDING,PROCESSING")],
        [("status", json.dumps(["PENDING", "PROCESSING"]))],
    ],
)
async def test_the_list_takes_three_spellings(autojump_clock: trio.testing.MockClock, spelt: Any) -> None:
    """Of the Python SDK, of the documents, of the npm SDK; the same for ids; and they are counted."""
    async with world() as here:
        first = (await here.create(1)).json()["id"]
        await trio.sleep(121)
        second = (await here.create(2)).json()["id"]
        found = (await here.client.get("/v2/generations", params=spelt)).json()
        assert [each["id"] for each in found] == [second]
        assert (await here.client.get("/v2/generations/count", params=spelt)).json() == {"count": 1}
        both = {"ids": f"{first},{second}"}
        assert len((await here.client.get("/v2/generations", params=both)).json()) == 2
        assert (await here.client.get("/v2/generations", params={"status": "DONE"})).status_code == 400


async def test_the_list_has_pages(autojump_clock: trio.testing.MockClock) -> None:
    """The newest first, so many at a time, on from a cursor; without a limit all of them."""
    async with world(attrs.evolve(EVEN, plan=SCALE)) as here:
        ids = [(await here.create(number)).json()["id"] for number in range(5)]

        async def listed(**query: Any) -> list[str]:
            return [each["id"] for each in (await here.client.get("/v2/generations", params=query)).json()]

        assert await listed(limit=2) == ids[:2:-1]
        assert await listed(limit=100, cursor=ids[3]) == ids[2::-1]
        assert sorted(await listed()) == sorted(ids)
        for wrong in ("limit=0", "limit=101", f"cursor={ids[0]}", "limit=5&cursor=x"):
            assert (await here.client.get(f"/v2/generations?{wrong}")).status_code == 400


async def test_a_key_begins_one_generation(autojump_clock: trio.testing.MockClock) -> None:
    """The same body again gets the same, beside a full plan, too; another body a conflict; a wrong key is told."""
    async with world(attrs.evolve(EVEN, plan=Plan(generations=1), replay_status=200)) as here:
        first = await here.create(key="k.1")
        again = await here.create(key="k.1")
        assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
        assert (await here.create(2, key="k.1")).status_code == 409
        for wrong in ("", "a b", "x" * 129):
            answer = await here.client.post("/v2/generate", json=wanted(), headers={"idempotency-key": wrong})
            assert (answer.status_code, answer.json()["errorCode"]) == (400, "INVALID_IDEMPOTENCY_KEY")
        books = here.server.books
        assert (books.generations, books.replays, books.begun[0].key) == (1, 1, "k.1")


async def test_without_idempotency_each_request_begins_one(autojump_clock: trio.testing.MockClock) -> None:
    """By option the key means nothing."""
    async with world(attrs.evolve(EVEN, idempotency=False)) as here:
        assert (await here.create(key="k")).json()["id"] != (await here.create(key="k")).json()["id"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"model": "lipsync-9"}, "generation_unsupported_model"),
        ({"input": [{"type": "video", "url": "https://a.test/v"}]}, "generation_audio_missing"),
        ({"input": [{"type": "audio", "url": "https://a.test/v"}]}, "generation_video_missing"),
        ({"input": "x"}, "generation_input_validation_failed"),
        ({"options": {"sync_mode": "twist"}}, "generation_input_validation_failed"),
        ({"options": {"temperature": 2}}, "generation_input_validation_failed"),
        ({"webhookUrl": "http://far.test/x"}, "generation_input_validation_failed"),
        ({"outputFileName": "a/b"}, "generation_input_validation_failed"),
        ({"segments": [{"startTime": 2, "endTime": 1}]}, "generation_input_validation_failed"),
    ],
)
async def test_what_is_wrong_is_told(autojump_clock: trio.testing.MockClock, change: Any, code: str) -> None:
    """400 with a code, and nothing is begun."""
    async with world() as here:
        answer = await here.create(**change)
        assert (answer.status_code, answer.json()["errorCode"], answer.json()["statusCode"]) == (400, code, 400)
        assert (here.server.books.generations, here.server.books.refused["invalid"]) == (0, 1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            {"input": [0, {"type": "video", "url": "https://unreachable.invalid/v"}]},
            "generation_input_video_inaccessible",
        ),
        ({"input": [0, {"type": "video", "url": "https://a.test/v"}]}, ""),
    ],
)
async def test_a_video_that_cannot_be_fetched_fails(
    autojump_clock: trio.testing.MockClock, change: Any, code: str
) -> None:
    """It is accepted, and ends FAILED with the code in both spellings."""
    change["input"][0] = {"type": "audio", "url": "https://a.test/a.wav"}
    async with world() as here:
        made = (await here.create(**change)).json()["id"]
        await trio.sleep(121)
        done = (await here.client.get(f"/v2/generate/{made}")).json()
        assert (done["status"] == "FAILED", done["error_code"] or "", done["errorCode"] or "") == (
            bool(code),
            code,
            code,
        )


async def test_what_is_too_long_for_the_plan_fails(autojump_clock: trio.testing.MockClock) -> None:
    """An address may tell its length."""
    items = [
        {"type": "video", "url": "https://a.test/v.mp4"},
        {"type": "audio", "url": "https://a.test/a.wav?seconds=301"},
    ]
    async with world() as here:
        made = (await here.create(input=items)).json()["id"]
        await trio.sleep(121)
        found = (await here.client.get(f"/v2/generate/{made}")).json()
        assert found["errorCode"] == "generation_audio_length_exceeded"


async def test_accounts_see_their_own_only(autojump_clock: trio.testing.MockClock) -> None:
    """A key of nobody gets 401, one of another account 404."""
    holders = {name: Holder(name=name, plan=Plan()) for name in ("one", "two")}
    async with world(holders=holders, key="one") as here:
        made = (await here.create()).json()["id"]
        path = f"/v2/generate/{made}"
        assert (await here.client.get(path, headers={"x-api-key": "two"})).status_code == 404
        for stranger in ("three", ""):
            answer = await here.client.get(path, headers={"x-api-key": stranger})
            assert (answer.status_code, answer.json()["statusCode"]) == (401, 401)
        books = (await here.client.get("/books")).json()
        assert (books["strangers"], books["accounts"]["one"]["generations"]) == (2, 1)
        assert "sk" not in json.dumps(books["accounts"]["one"])


async def test_costs_are_told_in_both_shapes(autojump_clock: trio.testing.MockClock) -> None:
    """An array for the body of a create request, an object for a model and a length; both addresses of the latter."""
    async with world() as here:
        (old,) = (await here.client.post("/v2/analyze/cost", json=wanted())).json()
        assert old == {"estimatedFrameCount": 188, "estimatedGenerationCost": 0.3008}
        for path in ("/v2/generations/estimate", "/v2/generate/estimate-cost"):
            asked = {"model": "lipsync-2", "duration": 10}
            new = (await here.client.post(path, json=asked)).json()
            assert new == {"estimatedFrameCount": 300, "estimatedGenerationCost": 0.48, "estimatedCredits": None}
            assert (await here.client.post(path, json={"model": "lipsync-2"})).status_code == 400
            unpriced = await here.client.post(path, json={**asked, "model": "react-1"})
            assert (unpriced.status_code, unpriced.json()["errorCode"]) == (422, "cost_estimate_unavailable")
        assert here.server.books.generations == 0


async def test_models_and_errors_are_told(autojump_clock: trio.testing.MockClock) -> None:
    """The errors to anybody; what is nowhere gets 404 in the service's shape."""
    async with world() as here:
        models = (await here.client.get("/v2/models")).json()
        assert {model["name"]: model["type"] for model in models}["react-1"] == "react"
        errors = await here.client.get("/v2/errors", headers={"x-api-key": ""})
        assert "rate_limit_exceeded" in [error["code"] for error in errors.json()]
        nowhere = await here.client.get("/v2/nothing")
        assert nowhere.json() == {"statusCode": 404, "message": "Cannot GET /v2/nothing", "error": "Not Found"}


async def test_a_filter_may_be_json(autojump_clock: trio.testing.MockClock) -> None:
    """An array, or a word as SDKs write it; what is neither is refused."""
    async with world() as here:
        made = (await here.create()).json()["id"]
        for status, found in (('"PENDING"', [made]), ('"COMPLETED"', []), ('["PENDING"]', [made]), ("PENDING", [made])):
            listed = (await here.client.get("/v2/generations", params={"status": status})).json()
            assert [each["id"] for each in listed] == found
        for status in ("[" * 2000, "[[[[", '"PENDING', "[1"):
            assert (await here.client.get("/v2/generations", params={"status": status})).status_code == 400
