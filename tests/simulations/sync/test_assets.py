"""Files: announced, put, registered, listed, and made videos of."""

from __future__ import annotations

import io
import json
import wave
from typing import Any

import attrs
import pytest
import trio

from simulations.sync.account import Holder
from simulations.sync.media import Files, StoredFile
from simulations.sync.options import Plan
from tests.simulations.sync.peer import EVEN, World, world


def wav(seconds: float) -> bytes:
    """Return silence."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(round(16000 * seconds)))
    return held.getvalue()


async def upload(here: World, name: str, kind: str, content: bytes) -> str:
    """Put a file, and return where it is read."""
    asked = {"fileName": name, "contentType": kind, "size": len(content)}
    told = (await here.client.post("/v2/assets/upload", json=asked)).json()
    assert set(told) == {"uploadUrl", "url", "expiresIn"}
    put = await here.client.put(told["uploadUrl"], content=content, headers={"content-type": kind})
    assert put.status_code == 200
    return str(told["url"])


async def test_an_upload_becomes_a_video(autojump_clock: trio.testing.MockClock) -> None:
    """Its address, and the id of an asset made of it, may stand in a request; the output has its bytes, and lasts as
    long as the sound that was uploaded."""
    async with world() as here:
        video = await upload(here, "me & you.mp4", "video/mp4", b"not quite a video")
        sound = await upload(here, "s.wav", "audio/wav", wav(2.5))
        assert (await here.client.get(video)).content == b"not quite a video"
        answer = await here.client.post("/v2/assets", json={"url": sound, "type": "AUDIO"})
        asset = answer.json()
        assert (answer.status_code, asset["durationSeconds"], asset["format"]) == (201, 2.5, "wav")
        assert (await here.client.get(f"/v2/assets/{asset['id']}")).json() == asset
        items = [{"type": "video", "url": video}, {"type": "audio", "assetId": asset["id"]}]
        made = (await here.create(input=items)).json()["id"]
        await trio.sleep(121)
        done = (await here.client.get(f"/v2/generate/{made}")).json()
        assert done["outputDuration"] == 2.5
        assert (await here.client.get(done["outputUrl"])).content == b"not quite a video"


async def test_an_upload_needs_its_signed_address(autojump_clock: trio.testing.MockClock) -> None:
    """403 without; what was never put can't be fetched, and can't be an asset."""
    async with world() as here:
        asked = {"fileName": "a.mp4", "contentType": "video/mp4", "size": 3}
        told = (await here.client.post("/v2/assets/upload", json=asked)).json()
        assert (await here.client.put(told["uploadUrl"][:-1], content=b"abc")).status_code == 403
        assert (await here.client.get(told["url"])).status_code == 404
        assert (await here.client.post("/v2/assets", json={"url": told["url"]})).status_code == 400
        items = [{"type": "video", "url": told["url"]}, {"type": "audio", "url": "https://a.test/a.wav"}]
        made = (await here.create(input=items)).json()["id"]
        await trio.sleep(121)
        assert await here.status(made) == "FAILED"


async def test_a_form_has_its_files(autojump_clock: trio.testing.MockClock) -> None:
    """Options as JSON; inputs as one array or an object each; the same form with the same key is the same again."""
    options = json.dumps({"sync_mode": "silence"})
    async with world(attrs.evolve(EVEN, media_seconds=4.0)) as here:

        async def create(inputs: list[str], key: str) -> str:
            answer = await here.client.post(
                "/v2/generate",
                data={"model": "lipsync-2", "options": options, "input": inputs},
                files={"audio": ("s.wav", wav(2.5), "audio/wav")},
                headers={"idempotency-key": key},
            )
            assert answer.status_code == 201, answer.text
            assert [item["type"] for item in answer.json()["input"]] == ["video", "audio"]
            return str(answer.json()["id"])

        video = {"type": "video", "url": "https://a.test/v.mp4"}
        first = await create([json.dumps([video])], "k1")
        assert await create([json.dumps([video])], "k1") == first
        assert await create([json.dumps(video)], "k2") != first
        await trio.sleep(121)
        assert (await here.client.get(f"/v2/generate/{first}")).json()["outputDuration"] == 4.0


async def test_assets_are_listed(autojump_clock: trio.testing.MockClock) -> None:
    """The newest first, so many at a time, by type and by name; those of other accounts are not there."""
    holders = {name: Holder(name=name, plan=Plan()) for name in ("one", "two")}
    async with world(holders=holders, key="one") as here:
        for number in range(3):
            asked = {"url": f"https://a.test/v{number}.mp4", "name": f"v{number}.mp4"}
            assert (await here.client.post("/v2/assets", json=asked)).status_code == 201
        page = (await here.client.get("/v2/assets", params={"limit": 2})).json()
        assert ([item["name"] for item in page["items"]], page["totalCount"]) == (["v2.mp4", "v1.mp4"], 3)
        rest = (await here.client.get("/v2/assets", params={"cursor": page["nextCursor"]})).json()
        assert [item["name"] for item in rest["items"]] == ["v0.mp4"]
        assert "nextCursor" not in rest
        assert (await here.client.get("/v2/assets", params={"types": "AUDIO"})).json()["totalCount"] == 0
        assert (await here.client.get("/v2/assets", params={"searchQuery": "V1"})).json()["totalCount"] == 1
        other = {"x-api-key": "two"}
        assert (await here.client.get("/v2/assets", headers=other)).json()["totalCount"] == 0
        assert (await here.client.get(f"/v2/assets/{page['items'][0]['id']}", headers=other)).status_code == 404
        items = [{"type": "video", "assetId": page["items"][0]["id"]}, {"type": "audio", "url": "https://a.test/a"}]
        stranger = await here.client.post("/v2/generate", json={"model": "lipsync-2", "input": items}, headers=other)
        assert stranger.status_code == 400


@pytest.mark.parametrize("wrong", [{"type": ["VIDEO"]}, {"type": {"a": 1}}, {"url": "https://[x"}, {"url": ["x"]}])
async def test_what_can_be_no_asset_is_refused(autojump_clock: trio.testing.MockClock, wrong: dict[str, Any]) -> None:
    """Whatever stands where a type or an address is expected."""
    async with world() as here:
        answer = await here.client.post("/v2/assets", json={"url": "https://a.test/v.mp4", "name": "v.mp4", **wrong})
        assert answer.status_code == 400


async def test_a_form_has_one_file_of_a_kind(autojump_clock: trio.testing.MockClock) -> None:
    """Which of two were meant, nobody knows."""
    async with world() as here:
        for twice in ("video", "audio"):
            files = [(name, (name, wav(0.1), "audio/wav")) for name in ("video", "audio", twice)]
            answer = await here.client.post("/v2/generate", data={"model": "lipsync-2"}, files=files)
            assert (answer.status_code, answer.json()["message"]) == (400, [f"{twice} must be one file"])


def test_files_are_kept_within_bounds() -> None:
    """The oldest lose their bytes first."""
    files = Files()
    kept = [
        StoredFile(id=str(number), owner="a", name="x", kind="video/mp4", created=0.0, size=0) for number in range(3)
    ]
    block = bytes(400_000_000)
    for file in kept:
        files.add(file)
        files.put(file, block)
    assert [len(file.content or b"") for file in kept] == [0, 400_000_000, 400_000_000]
