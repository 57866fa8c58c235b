"""What the service is asked: the same paths and fields as by its own Python SDK, and only ids in a path."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.ports import BatchLine, VideoRequest
from orchestrator.ports.avatars import LIVE
from tests.adapters.avatars.sync_api import ADDRESS, GENERATION, KEY, REQUEST, FakeSync, form_of, service_of

httpx = pytest.importorskip("httpx")
sync = pytest.importorskip("sync", reason="the service's own SDK (syncsdk)")

BATCH = {"id": "b1", "created_at": "2026-01-02T03:04:05Z", "status": "PENDING", "metrics": {}, "outputUrl": ""}
FIELDS = {
    "model": REQUEST.model,
    "input": list(REQUEST.input),
    "options": dict(REQUEST.options),
    "webhook_url": REQUEST.webhook_url,
    "output_file_name": REQUEST.output_file_name,
}
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def asked_by_sdk(call: Callable[[Any], Any], answer: Any) -> tuple[str, dict[str, str], bytes]:
    """Return what the SDK sends: method and URL, headers, body."""
    seen: list[Any] = []

    def handle(request: Any) -> Any:
        request.read()
        seen.append(request)
        return httpx.Response(200, json=answer)

    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        call(sync.Sync(api_key=KEY, base_url=ADDRESS, httpx_client=client))
    (request,) = seen
    return f"{request.method} {request.url}", dict(request.headers), request.content


Ours = Callable[[SyncService], Awaitable[Any]]
CASES: list[tuple[str, Callable[[Any], Any], Ours, Any]] = [
    (
        "create",
        lambda sdk: sdk.generations.create(**FIELDS),
        lambda service: service.create(REQUEST, idempotency_key="k"),
        GENERATION,
    ),
    ("get", lambda sdk: sdk.generations.get("g1"), lambda service: service.get("g1"), GENERATION),
    (
        "cost",
        lambda sdk: sdk.generations.estimate_cost(**FIELDS),
        lambda service: service.cost(REQUEST),
        [{"estimatedFrameCount": 1, "estimatedGenerationCost": 1}],
    ),
    (
        "count by list",
        lambda sdk: sdk.generations.list(status=["PENDING", "PROCESSING"]),
        lambda service: service.listing(statuses=LIVE),
        [],
    ),
    ("models", lambda sdk: sdk.models.list(), lambda service: service.models(), []),
    ("batch", lambda sdk: sdk.batch.get("b1"), lambda service: service.batch("b1"), BATCH),
    (
        "batches",
        lambda sdk: sdk.batch.list(created_after=MOMENT),
        lambda service: service.batches(created_after=MOMENT.timestamp()),
        [],
    ),
]


@pytest.mark.parametrize(("name", "theirs", "ours", "answer"), CASES, ids=[case[0] for case in CASES])
async def test_we_ask_as_the_sdk_does(name: str, theirs: Callable[[Any], Any], ours: Ours, answer: Any) -> None:
    """Method, path, query, key and JSON are the same; our list has a limit, without which it has no order."""
    line, headers, body = asked_by_sdk(theirs, answer)
    fake = FakeSync(answer)
    async with service_of(fake) as service:
        await ours(service)
    assert fake.lines == [line + ("&limit=100" if name == "count by list" else "")]
    assert fake.asked[0].headers["x-api-key"] == headers["x-api-key"] == KEY
    assert (json.loads(fake.asked[0].content) if body else b"") == (json.loads(body) if body else b"")


async def test_a_batch_goes_as_the_sdk_sends_it() -> None:
    """The same fields of a form, the file among them."""
    lines = [BatchLine(request_id=str(index), request=REQUEST) for index in range(20)]
    fake = FakeSync(BATCH)
    async with service_of(fake) as service:
        await service.create_batch(lines, webhook_url="https://h/x", idempotency_key="k", dry_run=True)
    file = fake.form()["input"][2]
    upload = ("batch.jsonl", file, "application/jsonl")
    line, headers, body = asked_by_sdk(
        lambda sdk: sdk.batch.create(input=upload, webhook_url="https://h/x", dry_run=True), BATCH
    )
    assert fake.lines == [line]
    assert fake.form() == form_of(headers["content-type"], body)
    assert fake.asked[0].headers["idempotency-key"] == "k"


async def test_files_go_along_as_the_sdk_sends_them(tmp_path: Path) -> None:
    """The same form; what is JSON in it is a string, which the SDK leaves to its caller."""
    video, audio = tmp_path / "a face.mp4", tmp_path / "a.wav"
    video.write_bytes(b"video" * 50_000)
    audio.write_bytes(b"audio")
    items = ({"type": "video", "url": video.as_uri()}, {"type": "audio", "url": audio.as_uri(), "refId": "1"})
    request = evolve(REQUEST, input=items, output_file_name="")
    fake = FakeSync(GENERATION)
    async with service_of(fake) as service:
        made = await service.create_with_files(request, idempotency_key="k")
    line, headers, body = asked_by_sdk(
        lambda sdk: sdk.generations.create_with_files(
            model=REQUEST.model,
            video=(video.name, video.read_bytes(), "video/mp4"),
            audio=(audio.name, audio.read_bytes(), "audio/wav"),
            options=json.dumps(dict(REQUEST.options), separators=(",", ":")),
            webhook_url=REQUEST.webhook_url,
        ),
        GENERATION,
    )
    assert (made.id, fake.lines) == ("0b7e-1", [line])
    assert fake.form() == form_of(headers["content-type"], body)
    assert fake.asked[0].headers["idempotency-key"] == "k"


async def test_what_is_no_file_stays_in_the_input(tmp_path: Path) -> None:
    """A URL and a file can be mixed."""
    audio = tmp_path / "a.wav"
    audio.write_bytes(b"audio")
    request = VideoRequest(model="m", input=(REQUEST.input[0], {"type": "audio", "url": audio.as_uri()}))
    fake = FakeSync(GENERATION)
    async with service_of(fake) as service:
        await service.create_with_files(request, idempotency_key="k")
    form = fake.form()
    assert json.loads(form["input"][2]) == [dict(REQUEST.input[0])]
    assert form["audio"] == ("a.wav", "audio/wav", b"audio")


@pytest.mark.parametrize(
    "items",
    [
        (),
        REQUEST.input,
        ({"type": "text", "url": "file:///a.wav"},),
        ({"type": "audio", "url": "file:///a.wav"}, {"type": "audio", "url": "file:///b.wav"}),
    ],
)
async def test_files_that_cannot_go_along_are_refused(items: tuple[dict[str, str], ...]) -> None:
    """None at all, of no type that goes along, two of one type."""
    fake = FakeSync(GENERATION)
    async with service_of(fake) as service:
        with pytest.raises(AvatarFault, match="expected one to three files"):
            await service.create_with_files(VideoRequest(model="m", input=items), idempotency_key="k")
    assert fake.asked == []


async def test_the_questions_that_the_sdk_has_not() -> None:
    """Long polls, pages, counts and estimates, as documented; a poll is bounded by what the service takes."""
    fake = FakeSync(GENERATION, GENERATION, [], {"count": 1}, {"estimatedGenerationCost": 1}, GENERATION)
    async with service_of(fake) as service:
        await service.get("g1", wait=5)
        await service.get("g1", wait=60)
        await service.listing(limit=2, cursor="g9")
        assert await service.count(LIVE[:1]) == 1
        await service.estimate("lipsync-2", 12.5, fps=25)
        await service.create(REQUEST, idempotency_key="key-1")
    assert fake.lines == [
        f"GET {ADDRESS}/v2/generate/g1?wait=true&timeout=5",
        f"GET {ADDRESS}/v2/generate/g1?wait=true&timeout=10",
        f"GET {ADDRESS}/v2/generations?limit=2&cursor=g9",
        f"GET {ADDRESS}/v2/generations/count?status=PENDING",
        f"POST {ADDRESS}/v2/generations/estimate",
        f"POST {ADDRESS}/v2/generate",
    ]
    assert fake.json(4) == {"model": "lipsync-2", "duration": 12.5, "fps": 25}
    assert fake.asked[5].headers["idempotency-key"] == "key-1"


@pytest.mark.parametrize("name", ["", ".", "..", "../batch", "a/b", "a?b", "a b", "ä", "x" * 201])
async def test_only_ids_get_into_a_path(name: str) -> None:
    """An id came over a wire, from a webhook perhaps."""
    fake = FakeSync(GENERATION)
    async with service_of(fake) as service:
        for ask in (service.get, service.batch):
            with pytest.raises(AvatarFault) as refused:
                await ask(name)
            assert refused.value.kind is FaultKind.REQUEST
    assert fake.asked == []
