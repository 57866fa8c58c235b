"""The client and the simulated service over loopback: two readings of the same documentation agree."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from attrs import evolve

from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lanes import InlineLane
from orchestrator.ports import BatchLine, VideoRequest
from orchestrator.ports.avatars import LIVE
from orchestrator.settings import LipsyncSettings
from simulations.sync.options import Plan, SyncOptions
from simulations.sync.server import SyncServer, open_sync_server
from simulations.waves.faults.fault import Fault
from tests.adapters.avatars.sync_api import KEY, REQUEST

pytestmark = pytest.mark.realtime
SCALE = SyncOptions(plan=Plan(name="scale"), api_key=KEY, speed=1000.0)
"""Videos in fractions of a second."""


@asynccontextmanager
async def service_and_server(options: SyncOptions, *faults: Fault) -> AsyncIterator[tuple[SyncService, SyncServer]]:
    """Have a client of a served account."""
    async with open_sync_server(SyncServer(options), faults=faults) as server:
        settings = LipsyncSettings(address=server.address)
        async with SyncService(settings, KEY, lane=InlineLane()) as service:
            yield service, server


async def test_a_video_is_made_and_fetched(tmp_path: Path) -> None:
    """Uploaded, created, waited for, listed, counted, downloaded; the same key again makes none twice."""
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"RIFF" * 30_000)
    async with service_and_server(SCALE) as (service, _server):
        url = await service.upload(sound)
        request = VideoRequest(model="lipsync-2", input=(REQUEST.input[0], {"type": "audio", "url": url}))
        made = await service.create(request, idempotency_key="key-1")
        again = await service.create(request, idempotency_key="key-1")
        assert (again.id, made.status, made.live) == (made.id, "PENDING", True)
        assert [item["url"] for item in made.input] == [REQUEST.input[0]["url"], url]
        while (done := await service.get(made.id, wait=2)).live:
            pass
        assert (done.status, done.model, done.error) == ("COMPLETED", "lipsync-2", "")
        assert await service.count() == 1
        assert await service.count(LIVE) == 0
        assert [each.id for each in await service.listing()] == [made.id]
        size = await service.download(done.output_url, tmp_path / "out.mp4")
        assert size == (tmp_path / "out.mp4").stat().st_size > 100
        with pytest.raises(AvatarFault, match="used with another") as refused:
            await service.create(evolve(request, model="sync-3"), idempotency_key="key-1")
        assert refused.value.kind is FaultKind.REQUEST


async def test_files_go_along(tmp_path: Path) -> None:
    """In a form, as its own SDK sends them."""
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"RIFF" * 30_000)
    request = VideoRequest(model="lipsync-2", input=(REQUEST.input[0], {"type": "audio", "url": sound.as_uri()}))
    async with service_and_server(SCALE) as (service, _server):
        assert (await service.create_with_files(request, idempotency_key="key-1")).live


async def test_a_batch_is_made_and_read_line_by_line() -> None:
    """Checked, begun, waited for, its results over the redirect; a wrong batch is refused."""
    bare = evolve(REQUEST, webhook_url="", output_file_name="")
    lines = [BatchLine(request_id=f"job-{index}", request=bare) for index in range(20)]
    async with service_and_server(SCALE) as (service, _server):
        assert (await service.create_batch(lines, dry_run=True)).status == "VALIDATED"
        batch = await service.create_batch(lines, idempotency_key="b")
        assert (batch.total, batch.live) == (20, True)
        while (batch := await service.batch(batch.id)).live:  # noqa: ASYNC110 - the service has no other way
            await trio.sleep(0.02)
        assert [each.id for each in await service.batches(created_after=0.0)] == [batch.id]
        results = await service.results(batch)
        assert sorted(result.request_id for result in results) == sorted(line.request_id for line in lines)
        assert {result.status for result in results} == {"COMPLETED"}
        assert all(result.generation_id and result.output_url for result in results)


async def test_what_the_command_line_asks() -> None:
    """Models, the cost of a request, the cost of a length."""
    async with service_and_server(SCALE) as (service, _server):
        assert "lipsync-2" in [model.name for model in await service.models()]
        assert (await service.cost(REQUEST)).dollars > 0
        assert (await service.estimate("lipsync-2", 10.0, fps=25)).dollars == pytest.approx(0.45, abs=0.1)


async def test_refusals_of_the_service_mean_what_they_should() -> None:
    """Both limits, a bad key, a bad request, a plan without batches, in the service's words."""
    slow = SyncOptions(plan=Plan(name="hobbyist", generations=1, creates=3), api_key=KEY, retry_after=7.0)
    async with service_and_server(slow) as (service, server):

        async def refused(request: VideoRequest = REQUEST) -> tuple[FaultKind, str]:
            with pytest.raises(AvatarFault) as failed:
                await service.create(request, idempotency_key=f"k{id(request)}")
            assert not failed.value.uncertain
            assert failed.value.retry_after in (None, 7.0)
            return failed.value.kind, failed.value.code

        assert (await refused(evolve(REQUEST, model="none")))[0] is FaultKind.REQUEST
        await service.create(REQUEST, idempotency_key="first")
        assert await refused() == (FaultKind.CONCURRENCY, "concurrency_limit_reached")
        assert await refused() == (FaultKind.RATE, "rate_limit_exceeded")
        lines = [BatchLine(request_id=str(index), request=REQUEST) for index in range(20)]
        with pytest.raises(AvatarFault, match="Scale and Enterprise") as failed:
            await service.create_batch(lines)
        assert failed.value.kind is FaultKind.FINAL
        async with SyncService(LipsyncSettings(address=server.address), "wrong") as nobody:
            with pytest.raises(AvatarFault) as failed:
                await nobody.listing()
        assert failed.value.kind is FaultKind.FINAL


@pytest.mark.parametrize("name", ["error_after_accept", "cut_answer", "idempotency_unknown"])
async def test_a_create_that_went_through_is_uncertain(name: str) -> None:
    """Its answer was a 500, was lost, or says that nobody knows; the list has it, and the key makes no second one."""
    async with service_and_server(SCALE, Fault(name=name)) as (service, _server):
        with pytest.raises(AvatarFault) as failed:
            await service.create(REQUEST, idempotency_key="key-1")
        assert (failed.value.kind, failed.value.uncertain) == (FaultKind.RETRY, True)
        (found,) = await service.listing()
        assert (found.webhook_url, found.model) == (REQUEST.webhook_url, REQUEST.model)
        assert (await service.create(REQUEST, idempotency_key="key-1")).id == found.id
        assert len(await service.listing()) == 1
