"""Files to the service: put where it says, streamed, without the key, bounded by their progress."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio
import trio.testing

from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.lanes import InlineLane
from orchestrator.settings import LipsyncSettings
from tests.adapters.avatars.sync_api import ADDRESS, KEY, FakeSync, http, saying, served, service_at, service_of

PLACE = {"uploadUrl": "https://s3.example/up?X-Amz-Signature=1", "url": "https://assets.example/a.wav", "expiresIn": 60}
ASSET = {"id": "a1", "type": "AUDIO", "url": "https://assets.example/a.wav"}
SOUND = bytes(range(250)) * 1200
DONE = httpx2.Response(200)
TOO_LARGE = {"message": "Too large", "errorCode": "file_size_exceeds_plan_limit"}


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """Return a file of 300 kB."""
    path = tmp_path / "a.wav"
    path.write_bytes(SOUND)
    return path


async def test_a_file_is_put_where_the_service_says(sound: Path) -> None:
    """A place is asked for, filled without our key and with the very type that its signature holds, and registered."""
    fake = FakeSync(PLACE, DONE, ASSET)
    told: list[tuple[int, int | None]] = []
    async with service_of(fake) as service:
        assert await service.upload(sound, told=lambda *far: told.append(far)) == "https://assets.example/a.wav"
    assert fake.lines == [
        f"POST {ADDRESS}/v2/assets/upload",
        "PUT https://s3.example/up?X-Amz-Signature=1",
        f"POST {ADDRESS}/v2/assets",
    ]
    assert fake.json(0) == {"fileName": "a.wav", "contentType": "audio/wav", "size": 300_000}
    assert fake.json(2) == {"url": "https://assets.example/a.wav", "type": "AUDIO", "name": "a.wav"}
    put = fake.asked[1]
    assert put.content == SOUND
    assert (put.headers["content-type"], put.headers["content-length"]) == ("audio/wav", "300000")
    assert "transfer-encoding" not in put.headers
    assert "x-api-key" not in put.headers
    assert told[-1] == (300_000, 300_000)
    assert len(told) == 5


@pytest.mark.parametrize(
    ("answers", "kind", "words"),
    [
        ([httpx2.Response(403)], FaultKind.FINAL, "Forbidden"),
        ([{"url": "x"}], FaultKind.RETRY, "no uploadUrl"),
        ([PLACE, httpx2.Response(403, text="<Error><Code>Expired</Code></Error>")], FaultKind.RETRY, "Expired"),
        ([PLACE, httpx2.Response(400)], FaultKind.REQUEST, "no reason"),
        ([PLACE, httpx2.Response(301, headers={"location": "https://x.example"})], FaultKind.RETRY, "no reason"),
        ([PLACE, httpx2.ReadError("gone https://s3.example/up?Signature=1")], FaultKind.RETRY, r"/up\?\.\.\."),
        ([{**PLACE, "uploadUrl": "https://a:port/"}, DONE], FaultKind.RETRY, "upload of a.wav"),
        ([PLACE, DONE, httpx2.Response(422, json=TOO_LARGE)], FaultKind.REQUEST, "Too large"),
    ],
)
async def test_each_step_of_an_upload_may_fail(sound: Path, answers: list[Any], kind: FaultKind, words: str) -> None:
    """Never uncertain: nothing is made of a file that nobody asked for."""
    async with service_of(FakeSync(*answers)) as service:
        with pytest.raises(AvatarFault, match=words) as failed:
            await service.upload(sound)
    assert (failed.value.kind, failed.value.uncertain) == (kind, False)
    assert "Signature" not in str(failed.value)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://a..b/x", "http://" + "a" * 70 + ".example/x", "nonsense", "https://[x"]
)
async def test_a_place_that_is_none_is_a_fault(sound: Path, url: str) -> None:
    """Whatever the service names: no file of ours is overwritten, and no error of another kind comes out."""
    place = json.dumps({**PLACE, "uploadUrl": url}).encode()
    async with served(saying(http("201 Created", place))) as address, service_at(address) as service:
        with pytest.raises(AvatarFault, match=r"the upload of a\.wav: ") as failed:
            await service.upload(sound)
    assert failed.value.kind is FaultKind.RETRY


async def test_files_of_ours_that_cannot_be_read(tmp_path: Path) -> None:
    """OSError that names the file; nobody is asked. A pipe would block whoever opens it."""
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    fake = FakeSync(PLACE, DONE, ASSET)
    async with service_of(fake) as service:
        for name in ("empty.wav", "folder.wav", "pipe.wav", "none.wav"):
            with pytest.raises(OSError, match=name):
                await service.upload(tmp_path / name)
        with pytest.raises(AvatarFault, match=r"a\.txt: no video"):
            await service.upload(tmp_path / "a.txt")
    assert fake.asked == []


async def test_a_file_that_shrinks_is_not_sent_short(sound: Path) -> None:
    """Its length was promised; one that grows is sent as it was."""

    async def cut(request: httpx2.Request) -> Any:
        os.truncate(sound, 1000)
        return PLACE

    async def grow(request: httpx2.Request) -> Any:
        with sound.open("ab") as file:
            file.write(b"more")
        return PLACE

    fake = FakeSync(grow, DONE, ASSET, cut)
    async with service_of(fake) as service:
        await service.upload(sound)
        assert len(fake.asked[1].content) == 300_000
        with pytest.raises(OSError, match="became shorter"):
            await service.upload(sound)


class SlowStorage(httpx2.AsyncBaseTransport):
    """Takes each piece of an upload a minute after the last."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Take a request."""
        assert isinstance(request.stream, httpx2.AsyncByteStream)
        async for _piece in request.stream:
            await trio.sleep(60.0 if request.method == "PUT" else 0.0)
        return httpx2.Response(200, json={**PLACE, **ASSET})


async def test_an_upload_may_be_slow(sound: Path, autojump_clock: trio.testing.MockClock) -> None:
    """It takes as long as it takes, ten times what a request may."""
    settings = LipsyncSettings(address=ADDRESS)
    async with SyncService(settings, KEY, transport=SlowStorage(), lane=InlineLane()) as service:
        await service.upload(sound)
    assert trio.current_time() >= 300.0


async def test_an_upload_that_stands_still_is_given_up(sound: Path, autojump_clock: trio.testing.MockClock) -> None:
    """A piece that does not go out for as long as a request may take is the end."""
    autojump_clock.autojump_threshold = 0.05  # real sockets: their bytes get a moment to arrive
    os.truncate(sound, 30_000_000)

    async def silent(_stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, silent, 0)
        put_to = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/up"
        place = http("200 OK", json.dumps({**PLACE, "uploadUrl": put_to}).encode())
        async with served(saying(place)) as address, service_at(address, within=5.0) as service:
            with pytest.raises(AvatarFault, match="WriteTimeout"):
                await service.upload(sound)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("refuses", [True, False])
async def test_an_upload_that_ends_early(sound: Path, refuses: bool) -> None:
    """The storage refuses before it has read all, which counts; or a cancel comes, and the file is closed."""
    os.truncate(sound, 30_000_000)

    async def storage(stream: trio.SocketStream) -> None:
        await stream.receive_some(1000)
        if refuses:
            await stream.send_all(http("413 Too Large", b"<Code>EntityTooLarge</Code>"))
            await stream.send_eof()
        else:
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, storage, 0)
        put_to = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/up"
        place = http("200 OK", json.dumps({**PLACE, "uploadUrl": put_to}).encode())
        async with served(saying(place)) as address, service_at(address) as service:
            if refuses:
                with pytest.raises(AvatarFault, match="EntityTooLarge") as failed:
                    await service.upload(sound)
                assert failed.value.kind is FaultKind.REQUEST
            else:
                with trio.move_on_after(0.2) as scope:
                    await service.upload(sound)
                assert scope.cancelled_caught
        nursery.cancel_scope.cancel()


async def test_threads_read_and_write_where_no_lane_is_given(sound: Path, tmp_path: Path) -> None:
    """The product's way."""
    settings = LipsyncSettings(address=ADDRESS)
    fake = FakeSync(PLACE, DONE, ASSET, httpx2.Response(200, content=b"video"))
    async with SyncService(settings, KEY, transport=fake.transport) as service:
        assert await service.upload(sound) == ASSET["url"]
        assert await service.download("https://s3.example/v", tmp_path / "out.mp4") == 5
    assert fake.asked[1].content == SOUND
