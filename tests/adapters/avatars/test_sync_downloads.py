"""Files from the service: whole or not at all, over redirects, and the key goes to nobody else."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import trio
import trio.testing

from orchestrator.adapters.avatars import sync_storage
from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.ports import Batch, BatchStatus
from orchestrator.settings import LipsyncSettings
from tests.adapters.avatars.sync_api import ADDRESS, KEY, FakeSync, http, saying, served, service_at, service_of

T = TypeVar("T")


async def test_a_video_is_downloaded_whole(tmp_path: Path) -> None:
    """Over redirects, without our key, its progress told; an older file is replaced, and nothing is left beside."""
    path = tmp_path / "out.mp4"
    path.write_bytes(b"old")
    to = httpx2.Response(302, headers={"location": "//cdn.example/v.mp4?sig=2"})
    fake = FakeSync(to, httpx2.Response(200, content=b"video" * 100))
    told: list[tuple[int, int | None]] = []
    async with service_of(fake) as service:
        assert await service.download("https://s3.example/v?sig=1", path, told=lambda *far: told.append(far)) == 500
    assert fake.lines == ["GET https://s3.example/v?sig=1", "GET https://cdn.example/v.mp4?sig=2"]
    assert all("x-api-key" not in request.headers for request in fake.asked)
    assert path.read_bytes() == b"video" * 100
    assert told == [(500, 500)]
    assert os.listdir(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http("200 OK", b"video", "x: y").replace(b"length: 5", b"length: 50"), FaultKind.RETRY),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nvideo\r\n", FaultKind.RETRY),
        (http("403 Forbidden", b"<Code>AccessDenied</Code>"), FaultKind.RETRY),
        (http("404 Not Found", b""), FaultKind.REQUEST),
        (http("302 Found", b"", "location: /again"), FaultKind.RETRY),
        (http("302 Found", b"", "location: http://a:port/"), FaultKind.RETRY),
        (b"", FaultKind.RETRY),
    ],
)
async def test_a_download_that_fails_leaves_nothing(tmp_path: Path, answer: bytes, kind: FaultKind) -> None:
    """Cut, refused, redirected for ever: the file that was there stays as it was."""
    path = tmp_path / "out.mp4"
    path.write_bytes(b"old")
    async with served(saying(answer)) as address, service_at(address) as service:
        with pytest.raises(AvatarFault, match=r"out\.mp4") as failed:
            await service.download(f"{address}/v?sig=secret", path)
    assert failed.value.kind is kind
    assert "secret" not in str(failed.value)
    assert (os.listdir(tmp_path), path.read_bytes()) == (["out.mp4"], b"old")


async def test_a_cancelled_download_leaves_nothing(tmp_path: Path) -> None:
    """Nor does one that the disk has no room for."""

    async def stalling(stream: trio.SocketStream, _request: bytes) -> None:
        await stream.send_all(http("200 OK", b"x" * 100)[:-50])
        await trio.sleep_forever()

    async with served(stalling) as address, service_at(address) as service:
        with trio.move_on_after(0.1) as scope:
            await service.download(f"{address}/v", tmp_path / "out.mp4")
        assert scope.cancelled_caught
    assert os.listdir(tmp_path) == []


class FullDisk:
    """A lane whose disk is full when something is written."""

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Fail to write."""
        await trio.lowlevel.checkpoint()
        if getattr(work, "__name__", "") == "write":
            raise OSError(errno.ENOSPC, "No space left on device")
        return work(*args)


async def test_a_full_disk_is_an_oserror(tmp_path: Path) -> None:
    """As the port says: files of ours fail as files do."""
    fake = FakeSync(httpx2.Response(200, content=b"video"))
    settings = LipsyncSettings(address=ADDRESS)
    async with SyncService(settings, KEY, transport=fake.transport, lane=FullDisk()) as service:
        with pytest.raises(OSError, match="No space left"):
            await service.download("https://s3.example/v", tmp_path / "out.mp4")
        with pytest.raises(OSError, match="none"):
            await service.download("https://s3.example/v", tmp_path / "none" / "out.mp4")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["pipe", "link", "folder"])
async def test_what_is_no_file_keeps_its_place(tmp_path: Path, name: str) -> None:
    """A pipe or a device, a link to one, a directory: an OSError, before anything is written."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "folder").mkdir()
    async with service_of(FakeSync(httpx2.Response(200, content=b"video"))) as service:
        with pytest.raises(OSError, match=r"is no file|Is a directory"):
            await service.download("https://s3.example/v", tmp_path / name)
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(os.listdir(tmp_path)) == ["folder", "link", "pipe"]


async def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is replaced."""
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "link").symlink_to("old")
    async with service_of(FakeSync(httpx2.Response(200, content=b"video"))) as service:
        await service.download("https://s3.example/v", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "old").read_bytes() == b"video"


LINE = b'{"requestId": "1", "status": "COMPLETED", "outputUrl": "https://a/1"}\n'


async def test_results_are_read_over_the_redirect() -> None:
    """The service's own URL gets the key, where it points to does not."""
    to = httpx2.Response(302, headers={"location": "https://s3.example/results?sig=1"})
    fake = FakeSync(to, httpx2.Response(200, content=LINE * 2))
    batch = Batch(id="b1", status="COMPLETED", output_url=f"{ADDRESS}/v2/batch/b1/output")
    async with service_of(fake) as service:
        results = await service.results(batch)
    assert [result.request_id for result in results] == ["1", "1"]
    assert [request.headers.get("x-api-key") for request in fake.asked] == [KEY, None]


@pytest.mark.parametrize("url", [f"{ADDRESS}.evil.example/r", f"{ADDRESS}@evil.example/r", "http://api.sync.so/r"])
async def test_the_key_goes_to_the_service_only(url: str) -> None:
    """Not to a host that looks like it, and not in the clear."""
    fake = FakeSync(httpx2.Response(200, content=LINE))
    async with service_of(fake) as service:
        await service.results(Batch(id="b1", status="COMPLETED", output_url=url))
    assert "x-api-key" not in fake.asked[0].headers


@pytest.mark.parametrize("status", ["PENDING", "JOBS_CREATED", "PROCESSING"])
async def test_a_batch_that_goes_on_has_no_results_yet(status: BatchStatus) -> None:
    """Its URL is told from the beginning, and answers 404 until then: nothing is asked."""
    fake = FakeSync(httpx2.Response(404, json={"message": "There are no results"}))
    async with service_of(fake) as service:
        with pytest.raises(AvatarFault, match="no results yet") as failed:
            await service.results(Batch(id="b1", status=status, output_url=f"{ADDRESS}/v2/batch/b1/output"))
    assert (failed.value.kind, fake.asked) == (FaultKind.RETRY, [])


async def test_results_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not there yet, too large, another thing altogether: worth another try."""
    monkeypatch.setattr(sync_storage, "LARGEST_FILE", 1000)
    for url, content, words in (
        ("", LINE, "no results yet"),
        ("https://s3.example/r", LINE * 20, "more than 1000 bytes"),
        ("https://s3.example/r", b"<html>", "name no request"),
        ("https://a:port/", LINE, "the results of a batch"),
    ):
        async with service_of(FakeSync(httpx2.Response(200, content=content))) as service:
            with pytest.raises(AvatarFault, match=words) as failed:
                await service.results(Batch(id="b1", status="COMPLETED", output_url=url))
        assert failed.value.kind is FaultKind.RETRY
