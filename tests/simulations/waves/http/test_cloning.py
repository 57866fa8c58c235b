"""What the pages of voice cloning take, keep and answer, on the current paths and the older ones."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from smallestai.waves.errors import BadRequestError

from simulations.waves.http import cloning
from simulations.waves.http.clones import CLONES_PER_ACCOUNT, Clones
from simulations.waves.http.cloning import LARGEST_FILE
from simulations.waves.http.refusals import BASES
from tests.simulations.waves.http.pages_client import (
    OURS,
    THEIRS,
    UNAUTHORIZED,
    Json,
    asking,
    make_provider,
    official_client,
)

PATH = "/waves/v1/voice-cloning"
OLDER = "/waves/v1/lightning-large"
WAV = ("sample.wav", b"RIFF....WAVE", "audio/wav")
LIMIT = "clone limit exceeded, consider upgrading"


async def clone(client: httpx2.AsyncClient, *, path: str = PATH, file: Any = WAV, **fields: str) -> httpx2.Response:
    """Ask for a clone; `displayName` is there unless it is given."""
    return await client.post(path, data={"displayName": "My voice", **fields}, files={"file": file} if file else None)


@pytest.mark.parametrize("base", BASES)
async def test_a_clone_is_made_and_listed_as_published(base: str, autojump_clock: object) -> None:
    """The answer and the list have the published fields, with what the form said."""
    path = f"{base}/voice-cloning"
    fields = {"description": "Calm", "accent": "general", "tags": "en, tone-test,", "language": "hi"}
    async with asking(cloning.routes(make_provider())) as client:
        answer = await clone(client, path=path, model="lightning-v3.1-pro", **fields)
        [entry] = (await client.get(path)).json()["data"]
    made = answer.json()["data"]
    assert answer.status_code == 200
    assert answer.json()["message"] == "Voice clone created successfully"
    assert re.fullmatch("voice_[A-Za-z0-9]{10}", made["voiceId"])
    assert re.fullmatch("[0-9a-f]{24}", made["organizationId"])
    assert [set(sample) for sample in made["samples"]] == [{"text", "audioUrl"}]
    assert {name: made[name] for name in set(made) - {"voiceId", "organizationId", "samples"}} == {
        "displayName": "My voice",
        "model": "lightning-v3.1-pro",
        "status": "completed",
        "language": "hi",
        "audioFileNames": ["sample.wav"],
        "createdAt": "2026-09-01T00:00:00.000Z",
    }
    assert entry == {
        "_id": entry["_id"],
        "voiceId": made["voiceId"],
        "displayName": "My voice",
        "description": "Calm",
        "accent": "general",
        "tags": ["en", "tone-test"],
        "language": "hi",
        "status": "completed",
        "cloningType": "instant",
        "modelIds": ["lightning-v3.1-pro"],
        "createdAt": "2026-09-01T00:00:00.000Z",
    }


async def test_what_is_not_said_has_its_default() -> None:
    """A name and a file are enough: the standard model, English, no tags."""
    async with asking(cloning.routes(make_provider())) as client:
        assert (await clone(client)).status_code == 200
        [entry] = (await client.get(PATH)).json()["data"]
    assert (entry["modelIds"], entry["language"], entry["tags"]) == (["lightning-v3.1"], "en", [])


@pytest.mark.parametrize("size", [LARGEST_FILE, LARGEST_FILE + 1, LARGEST_FILE + 2**20])
async def test_a_file_of_five_megabytes_is_the_largest(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte more is too large, and so is what is read without being kept; no size needs a thread."""
    monkeypatch.delattr("starlette.datastructures.run_in_threadpool")
    async with asking(cloning.routes(make_provider())) as client:
        answer = await clone(client, file=("a.wav", bytes(size), "audio/wav"))
    if size <= LARGEST_FILE:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()) == (400, {"error": "File too large"})


@pytest.mark.parametrize(
    "file",
    [
        *(("a", b"x", kind) for kind in ("audio/mpeg", "audio/webm; codecs=opus", "video/mp4", "audio/x-wav")),
        ("sample.MP3", b"x", "application/octet-stream"),
        ("blob", b"x", "application/octet-stream"),
    ],
)
async def test_sound_is_taken_under_any_of_its_names(file: tuple[str, bytes, str]) -> None:
    """By its content type, or by its name where a client declares none."""
    async with asking(cloning.routes(make_provider())) as client:
        assert (await clone(client, file=file)).status_code == 200


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"file": None}, "No file provided"),
        ({"file": ("a.wav", b"", "audio/wav")}, "No file provided"),
        ({"file": ("a.txt", b"x", "text/plain")}, "Invalid file type. Only audio files "),
        ({"file": ("a.flac", b"x", "application/octet-stream")}, "Invalid file type"),
        ({"language": "tlh"}, "Invalid language. Supported: en, hi, "),
        ({"model": "lightning-v2"}, "Voice cloning for lightning-v2 is deprecated. Please use lightning-v3.1"),
        ({"model": "thunder"}, "Invalid request body"),
        ({"displayName": ""}, "Invalid request body"),
        ({"displayName": "x" * 501}, "Invalid request body"),
        ({"tags": "ab," * 10_000}, "Part exceeded maximum size"),
    ],
)  # fmt: skip
async def test_a_wrong_form_is_told_what_is_wrong(change: Json, error: str) -> None:
    """A 400 with the guide's words; fields that are wrong are named as issues. Nothing is kept."""
    async with asking(cloning.routes(make_provider())) as client:
        answer = await clone(client, **change)
        assert (await client.get(PATH)).json() == {"data": []}
    body = answer.json()
    assert answer.status_code == 400
    assert body["error"].startswith(error)
    assert [issue["path"] for issue in body.get("details", [])] == (
        [[*change]] if error == "Invalid request body" else []
    )


async def test_a_name_is_needed() -> None:
    """Without one there is the issue of a missing field."""
    async with asking(cloning.routes(make_provider())) as client:
        answer = await client.post(PATH, files={"file": WAV})
    assert answer.status_code == 400
    issue = {"code": "invalid_type", "expected": "string", "received": "undefined"}
    assert answer.json()["details"] == [{**issue, "path": ["displayName"], "message": "Required"}]


async def test_an_account_may_have_so_many_clones_and_no_more() -> None:
    """The surplus one is refused in the published words; another account is not touched by it."""
    routes = cloning.routes(make_provider())
    async with asking(routes) as ours, asking(routes, key=THEIRS) as theirs:
        for _ in range(CLONES_PER_ACCOUNT):
            assert (await clone(ours)).status_code == 200
        surplus = await clone(ours)
        assert (surplus.status_code, surplus.json()) == (400, {"error": LIMIT})
        assert (await clone(theirs)).status_code == 200
        assert len((await ours.get(PATH)).json()["data"]) == CLONES_PER_ACCOUNT


async def test_a_clone_speaks_for_its_own_account_only() -> None:
    """Whoever checks voices finds it among the clones of whose key made it, until it is deleted."""
    provider, clones = make_provider(retired=()), Clones()
    ours, theirs = (provider.accounts.find(key, 0.0) for key in (OURS, THEIRS))
    assert ours is not None
    assert theirs is not None
    async with asking(cloning.routes(provider, clones)) as client:
        voice = (await clone(client)).json()["data"]["voiceId"]
        assert (clones.has(ours, voice), clones.has(theirs, voice), clones.has(ours, "avery")) == (True, False, False)
        await client.request("DELETE", OLDER, json={"voiceId": voice})
    assert not clones.has(ours, voice)


# --- the older paths ---


@pytest.mark.parametrize("base", BASES)
async def test_the_older_paths_clone_list_and_delete(base: str) -> None:
    """Where their model is not retired they answer as the oldest clients read it; they reach clones of every model."""
    older = f"{base}/lightning-large"
    async with asking(cloning.routes(make_provider(retired=()))) as client:
        added = await clone(client, path=f"{older}/add_voice")
        newer = (await clone(client, path=f"{base}/voice-cloning")).json()["data"]["voiceId"]
        voices = (await client.get(f"{older}/get_cloned_voices")).json()["voices"]
        gone = [await client.request("DELETE", older, json={"voiceId": voice["voiceId"]}) for voice in voices]
        left = (await client.get(f"{older}/get_cloned_voices")).json()
    voice = added.json()["data"]["voiceId"]
    data = {"voiceId": voice, "model": "lightning-large", "status": "completed"}
    assert added.json() == {"message": "Voice clone created successfully", "data": data}
    assert [(entry["voiceId"], entry["model"]) for entry in voices] == [
        (voice, "lightning-large"),
        (newer, "lightning-v3.1"),
    ]
    assert set(voices[0]) == {"displayName", "accent", "tags", "voiceId", "model", "status", "createdAt"}
    assert [answer.json() for answer in gone] == [{"success": True, "voiceId": each} for each in (voice, newer)]
    assert left == {"voices": []}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"voiceId": 3}', b'{"voiceId": "voice_nobodys00"}'])
async def test_only_a_clone_that_is_there_is_deleted(body: bytes) -> None:
    """Anything else is a bad request."""
    async with asking(cloning.routes(make_provider(retired=()))) as client:
        answer = await client.request("DELETE", OLDER, content=body)
    assert (answer.status_code, answer.json()) == (400, {"error": "InvalidRequest", "message": "Invalid Voice ID"})


async def test_the_older_paths_refuse_in_their_own_shape() -> None:
    """A 400 has `error` and `message`."""
    async with asking(cloning.routes(make_provider(retired=()))) as client:
        for _ in range(CLONES_PER_ACCOUNT):
            await clone(client)
        surplus = await clone(client, path=f"{OLDER}/add_voice")
    assert (surplus.status_code, surplus.json()) == (400, {"error": "InvalidRequest", "message": LIMIT})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{OLDER}/add_voice"),
        ("GET", f"{OLDER}/get_cloned_voices"),
        ("DELETE", OLDER),
        ("POST", "/waves/v1/prof-voice-cloning/create"),
        ("GET", "/api/v1/prof-voice-cloning"),
    ],
)
async def test_retired_paths_are_gone(method: str, path: str) -> None:
    """They answer 410 with a pointer by default."""
    async with asking(cloning.routes(make_provider())) as client:
        answer = await client.request(method, path)
    assert answer.status_code == 410
    assert answer.json()["error_code"] == "MODEL_DEPRECATED"


@pytest.mark.parametrize(("method", "path"), [("POST", PATH), ("GET", PATH), ("DELETE", OLDER)])
async def test_cloning_needs_a_key(method: str, path: str) -> None:
    """Without one there is a 401, also where the path is retired."""
    async with asking(cloning.routes(make_provider()), key="sk_nobody") as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


# --- anything ---


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(("multipart/form-data; boundary=b", "multipart/form-data", "application/json", "")),
    parts=st.lists(st.sampled_from((
        b"--b\r\n", b"--b--\r\n", b"--b", b"\r\n\r\n", b"x", b"Content-Type: audio/wav\r\n", b"\xff\x00",
        b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n', b"\r\n--b--\r\n",
        b'Content-Disposition: form-data; name="displayName"\r\n\r\nme\r\n', b"Content-Disposition: form-data\r\n\r\n",
    )), max_size=10),
)  # fmt: skip
def test_no_form_breaks_a_page(kind: str, parts: list[bytes]) -> None:
    """However a form is mangled, it is taken or rejected."""

    async def ask() -> int:
        async with asking(cloning.routes(make_provider()), headers={"content-type": kind}) as client:
            return (await client.post(PATH, content=b"".join(parts))).status_code

    assert trio.run(ask, clock=trio.testing.MockClock()) in (200, 400)


async def test_the_official_client_clones_and_lists() -> None:
    """Files as it sends them by name, by type and bare; its errors have their own class."""
    async with official_client(cloning.routes(make_provider())) as client:
        for file in (b"RIFF", ("a.wav", b"RIFF"), ("a", b"RIFF", "audio/mpeg")):
            made = (await client.waves.create_voice_clone(display_name="Me", file=file, tags="a, b")).data
            assert made is not None
            assert (made.display_name, made.status, made.model) == ("Me", "completed", "lightning-v3.1")
        clones = (await client.waves.list_voice_clones()).data or []
        assert [(entry.display_name, entry.tags, entry.model_ids) for entry in clones] == [
            ("Me", ["a", "b"], ["lightning-v3.1"])
        ] * 3
        with pytest.raises(BadRequestError):
            await client.waves.create_voice_clone(display_name="", file=b"RIFF")
