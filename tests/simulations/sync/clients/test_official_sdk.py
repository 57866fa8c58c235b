"""The vendor's own Python SDK, unmodified but for its base address, against the simulated service on a real port."""

from __future__ import annotations

import json
import time  # the SDK blocks: its thread sleeps between its looks
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
import trio

from simulations.sync.account import Holder
from simulations.sync.options import Plan, SyncOptions
from simulations.sync.server import SyncServer, open_sync_server
from simulations.waves.faults.fault import Fault
from tests.simulations.sync.peer import wanted

sync = pytest.importorskip("sync", reason="the SDK (syncsdk) is not installed")
errors = pytest.importorskip("sync.core.api_error")

pytestmark = pytest.mark.realtime

KEY = "key_ours"
QUICK = SyncOptions(speed=400.0, unevenness=0.0)
"""lipsync-2 takes 0.3 s."""
SLOW = SyncOptions(unevenness=0.0)
SCALE = Plan(name="scale")


@asynccontextmanager
async def service(options: SyncOptions, plan: Plan = SCALE) -> AsyncIterator[SyncServer]:
    """Yield a service on a port, with the one account of KEY."""
    server = SyncServer(options, holders={KEY: Holder(name="ours", plan=plan)}, wall=time.time)
    async with open_sync_server(server):
        yield server


async def in_thread(work: Callable[[SyncServer], None], server: SyncServer) -> None:
    """Do what the blocking SDK does in a thread; the service runs in this loop meanwhile."""
    with trio.fail_after(15):
        await trio.to_thread.run_sync(work, server, abandon_on_cancel=True)


@contextmanager
def sdk(server: SyncServer, *, key: str = KEY) -> Iterator[Any]:
    """Yield the SDK's client, pointed at the service."""
    with httpx.Client(timeout=10, trust_env=False) as connections:  # the SDK never closes its own
        yield sync.Sync(base_url=server.address, api_key=key, httpx_client=connections)


def create(client: Any, **more: Any) -> Any:
    """Begin a generation."""
    inputs = [sync.Video(url="https://a.test/v.mp4"), sync.Audio(url="https://a.test/a.wav?seconds=5")]
    return client.generations.create(input=inputs, model="lipsync-2", **more)


async def test_a_generation_is_begun_and_waited_for() -> None:
    """With options and a name; its end has the video's address and length, which the SDK reads."""

    def work(server: SyncServer) -> None:
        with sdk(server) as client:
            options = sync.GenerationOptions(sync_mode="loop", temperature=0.3)
            made = create(client, options=options, output_file_name="mine")
            assert (made.status, made.options.sync_mode, made.output_url) == ("PENDING", "loop", None)
            while (found := client.generations.get(made.id)).status in ("PENDING", "PROCESSING"):
                time.sleep(0.05)
            assert (found.id, found.status, found.output_duration, found.error_code) == (made.id, "COMPLETED", 5, None)
            assert httpx.get(found.output_url, trust_env=False).content[4:8] == b"ftyp"

    async with service(QUICK) as server:
        await in_thread(work, server)


async def test_the_list_is_filtered() -> None:
    """By statuses and ids, as the SDK spells them."""

    def work(server: SyncServer) -> None:
        with sdk(server) as client:
            one, other = create(client), create(client)
            live = client.generations.list(status=["PENDING", "PROCESSING"])
            assert {each.id for each in live} == {one.id, other.id}
            assert client.generations.list(status=["COMPLETED"]) == []
            assert [each.id for each in client.generations.list(ids=[other.id])] == [other.id]

    async with service(SLOW) as server:
        await in_thread(work, server)


async def test_costs_models_and_assets_are_read() -> None:
    """Whatever the SDK has for them."""

    def work(server: SyncServer) -> None:
        with sdk(server) as client:
            inputs = [sync.Video(url="https://a.test/v.mp4"), sync.Audio(url="https://a.test/a.wav?seconds=5")]
            (cost,) = client.generations.estimate_cost(input=inputs, model="lipsync-2")
            assert (cost.estimated_frame_count, cost.estimated_generation_cost) == (125, 0.2)
            models = client.models.list()
            assert [model.type for model in models if model.name == "react-1"] == ["react"]
            url = "https://a.test/a.mp4"
            post = httpx.post(
                f"{server.address}/v2/assets", json={"url": url}, headers={"x-api-key": KEY}, trust_env=False
            )
            (asset,) = client.assets.list(limit=5, types=["VIDEO"]).items
            assert (asset.id, asset.url, client.assets.get(asset.id).name) == (post.json()["id"], url, "a.mp4")

    async with service(SLOW) as server:
        await in_thread(work, server)


async def test_files_go_in_a_form() -> None:
    """Options as a JSON string: the SDK does not serialise them itself."""

    def work(server: SyncServer) -> None:
        with sdk(server) as client:
            made = client.generations.create_with_files(
                model="lipsync-2",
                video=("v.mp4", b"video", "video/mp4"),
                audio=("a.wav", b"sound", "audio/wav"),
                options=json.dumps({"sync_mode": "cut_off"}),
            )
            assert [item.type for item in made.input] == ["video", "audio"]
            assert made.options.sync_mode == "cut_off"

    async with service(SLOW) as server:
        await in_thread(work, server)


async def test_a_batch_is_checked_begun_and_read() -> None:
    """Dry first; its results come from the address that it has."""

    def work(server: SyncServer) -> None:
        lines = [{"request_id": f"r{n}", "endpoint": "/v2/generate", "payload": wanted(n)} for n in range(20)]
        file = ("b.jsonl", "\n".join(map(json.dumps, lines)).encode())
        with sdk(server) as client:
            assert client.batch.create(input=file, dry_run=True).status == "VALIDATED"
            made = client.batch.create(input=file)
            assert made.metrics.total_generations == 20
            while (found := client.batch.get(made.id)).status != "COMPLETED":
                time.sleep(0.05)
            assert [each.id for each in client.batch.list(status="COMPLETED")] == [made.id]
            results = httpx.get(found.output_url, follow_redirects=True, trust_env=False).text.splitlines()
            assert {json.loads(each)["status"] for each in results} == {"COMPLETED"}

    async with service(QUICK) as server:
        await in_thread(work, server)


async def test_refusals_are_the_errors_that_the_sdk_knows() -> None:
    """Its own classes for 400, 401, 402, 404 and 500, with the service's words in them."""

    def work(server: SyncServer) -> None:
        with sdk(server, key="key_wrong") as stranger, pytest.raises(sync.UnauthorizedError):
            create(stranger)
        with sdk(server) as client:
            with pytest.raises(sync.BadRequestError) as wrong:
                client.generations.create(input=[sync.Video(url="https://a.test/v")], model="lipsync-2")
            assert wrong.value.body.status_code == 400
            assert wrong.value.body.message == ["input must include an audio or a text"]
            with pytest.raises(sync.NotFoundError):
                client.generations.get("nothing")
            with pytest.raises(sync.PaymentRequiredError):
                client.batch.create(input=("b.jsonl", b"{}"))
            with pytest.raises(sync.InternalServerError):
                create(client)

    async with service(SLOW, Plan()) as server:
        server.order(Fault(name="error_after_accept"))
        await in_thread(work, server)


async def test_both_kinds_of_429_are_told_apart_by_their_bodies() -> None:
    """On create a plain ApiError, on batch TooManyRequestsError; the SDK's own repeats are off."""

    def work(server: SyncServer) -> None:
        with sdk(server) as client:
            create(client)
            once = {"max_retries": 0}
            for code in ("concurrency_limit_reached", "rate_limit_exceeded"):
                with pytest.raises(errors.ApiError) as refused:
                    create(client, request_options=once)
                assert (refused.value.status_code, refused.value.body["errorCode"]) == (429, code)
            lines = [{"request_id": f"r{n}", "endpoint": "/v2/generate", "payload": wanted(n)} for n in range(20)]
            file = ("b.jsonl", "\n".join(map(json.dumps, lines)).encode())
            client.batch.create(input=file)
            with pytest.raises(sync.TooManyRequestsError):
                client.batch.create(input=file, request_options=once)

    async with service(SLOW, Plan(name="scale", generations=1, batches=1, creates=2)) as server:
        await in_thread(work, server)
        refused = server.books.refused
    assert (refused["concurrency"], refused["rate"], refused["batch_concurrency"]) == (1, 1, 1)
