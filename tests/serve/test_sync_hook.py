"""The video service's webhooks at the port: signed news is stored, then taken, once; all else is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from attrs import define, field
from trio.testing import MockClock

from orchestrator import events
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.queue import LipsyncQueue
from orchestrator.lipsync.webhooks import Hears, SyncHook
from orchestrator.ports import Batch, Generation
from orchestrator.settings import LineSettings
from orchestrator.video_answers import news_of
from tests.lipsync.worlds import World, asking, wall
from tests.serve.desk import Desk, desk, settings_of

SECRET = "whsec_0123456789"
NOW = 1_800_000_000
TWILIO = LineSettings(carrier="twilio")
DONE = {"id": "g1", "status": "COMPLETED", "model": "lipsync-2", "input": [], "outputUrl": "https://out/é.mp4"}


def signature(body: bytes, *, time: int = NOW, secret: str = SECRET) -> str:
    """Sign as the vendor documents it."""
    return f"t={time},v1={hmac.new(secret.encode(), b'%d.' % time + body, hashlib.sha256).hexdigest()}"


@define(eq=False)
class Ears:
    """A queue that only listens; `trouble` is raised, or waited for."""

    heard: list[Generation | Batch] = field(factory=list)
    seen: set[str] = field(factory=set)
    trouble: Exception | None = None
    slow: float = 0.0

    async def hear_signed(self, news: Generation | Batch, signature: str) -> bool:
        """Take it in."""
        await trio.sleep(self.slow)
        if self.trouble is not None:
            raise self.trouble
        first = signature not in self.seen
        self.seen.add(signature)
        if first:
            self.heard.append(news)
        return first


def port(queue: Hears, **serve: Any) -> Desk:
    """Return a port at which the service may tell."""
    happened: list[events.Event] = []
    hook = SyncHook(
        secret=SECRET,
        tolerance=300.0,
        queue=queue,
        parse=news_of,
        emit=happened.append,
        now=trio.current_time,
        wall=wall,
    )
    return desk(settings_of(TWILIO, **serve), happened=happened, sync_hook=hook)


def said(told: dict[str, Any]) -> bytes:
    """Write it as JavaScript does."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


async def tell(at: Desk, body: bytes, *, path: str = "/hooks/sync", **headers: str) -> int:
    """Tell something, signed unless `headers` say otherwise; return the status of the answer."""
    given = {"content_type": "application/json", "sync_signature": signature(body), **headers}
    return (await at.post(path, body, **given))[0]


def refusals(at: Desk) -> list[tuple[int, str]]:
    """Return what was told of refusals."""
    return [(event.status, event.reason) for event in at.told(events.RequestRefused)]


async def test_signed_news_is_taken(autojump_clock: MockClock) -> None:
    """Of a generation and of a batch, in any language."""
    ears = Ears()
    at = port(ears)
    batch = {"id": "b1", "status": "COMPLETED", "metrics": {"total_generations": 20}, "outputUrl": "https://out"}
    assert await tell(at, said(DONE)) == 200
    assert await tell(at, said(batch)) == 200
    first, second = ears.heard
    assert isinstance(first, Generation)
    assert isinstance(second, Batch)
    assert (first.id, first.output_url, second.id, second.total) == ("g1", "https://out/é.mp4", "b1", 20)
    assert refusals(at) == []


async def test_what_is_not_signed_or_wrongly_or_late_is_refused_and_not_heard(autojump_clock: MockClock) -> None:
    """401 and 403, each told once, with who asked."""
    ears, body = Ears(), said(DONE)
    at = port(ears)
    status, answer = await at.post("/hooks/sync", body)
    assert (status, b"not signed" in answer) == (401, True)
    assert await tell(at, body, sync_signature=signature(body, secret="whsec_x")) == 403
    assert await tell(at, body, sync_signature=signature(body, time=NOW - 301)) == 403
    assert await tell(at, body, sync_signature=signature(body, time=NOW + 301)) == 403
    assert await tell(at, json.dumps(DONE).encode(), sync_signature=signature(body)) == 403  # written anew
    assert await tell(at, body, sync_signature="t=1") == 403
    assert ears.heard == []
    assert [status for status, _ in refusals(at)] == [401, 403, 403, 403, 403, 403]
    assert {(event.line, event.address) for event in at.told(events.RequestRefused)} == {("/hooks/sync", "192.0.2.1")}


async def test_two_signatures_are_none(autojump_clock: MockClock) -> None:
    """A right one behind a wrong one, say."""
    ears, body = Ears(), said(DONE)
    at = port(ears)
    head = b"POST /hooks/sync HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n" % len(body)
    signed = "".join(f"Sync-Signature: {signature(body, secret=one)}\r\n" for one in ("whsec_x", SECRET)).encode()
    assert (await at.ask(head + signed + b"\r\n" + body))[0] == 403
    assert ears.heard == []


async def test_a_replay_is_refused(autojump_clock: MockClock) -> None:
    """The same signature a second time; the same news, signed anew, is a duplicate and harmless."""
    ears, body = Ears(), said(DONE)
    at = port(ears)
    assert [await tell(at, body), await tell(at, body)] == [200, 403]
    assert await tell(at, body, sync_signature=signature(body, time=NOW + 1)) == 200
    assert refusals(at) == [(403, "it was taken before")]


async def test_what_could_not_be_stored_may_come_again(autojump_clock: MockClock) -> None:
    """503, and then the very same request is taken; where the file is, is told to us only."""
    ears, body = Ears(trouble=LipsyncStoreError("/var/lib/lipsync.db: the disk is full")), said(DONE)
    at = port(ears)
    status, answer = await at.post("/hooks/sync", body, sync_signature=signature(body))
    assert (status, b"lipsync.db" in answer) == (503, False)
    assert refusals(at) == [(503, "/var/lib/lipsync.db: the disk is full")]
    ears.trouble = None
    assert await tell(at, body) == 200


async def test_a_disk_that_hangs_is_not_waited_for_long(autojump_clock: MockClock) -> None:
    """The service would give up, too."""
    at, began = port(Ears(slow=60.0)), trio.current_time()
    assert await tell(at, said(DONE)) == 503
    assert trio.current_time() - began < 11


async def test_signed_garbage_is_told_apart(autojump_clock: MockClock) -> None:
    """400: somebody with the secret says what we don't understand; and never raises."""
    ears = Ears()
    at = port(ears)
    bodies = [b"", b"\xff", b"[]", b"{}", b'{"id":"g"}', b"[" * 5000, said({"id": "b", "metrics": {}})]
    assert [await tell(at, body) for body in bodies] == [400] * len(bodies)
    assert ears.heard == []


async def test_a_body_that_is_too_large_is_not_read_to_its_end(autojump_clock: MockClock) -> None:
    """However right its signature is."""
    ears, body = Ears(), said({**DONE, "error": "x" * 300_000})
    at = port(ears)
    assert await tell(at, body) == 413
    assert ears.heard == []


async def test_other_methods_and_a_port_without_a_secret_have_nothing_there(autojump_clock: MockClock) -> None:
    """As any other path."""
    assert (await port(Ears()).get("/hooks/sync"))[0] == 404
    assert await tell(desk(settings_of(TWILIO)), said(DONE)) == 404


async def test_it_is_behind_the_proxys_path_too_and_open_while_calls_are_drained(autojump_clock: MockClock) -> None:
    """Videos go on to the end."""
    at = port(Ears(), public_url="https://bots.example.com/talk")
    at.readiness.draining = True
    assert await tell(at, said(DONE), path="/talk/hooks/sync") == 200


@asynccontextmanager
async def working(tmp_path: Path) -> AsyncIterator[tuple[World, LipsyncQueue, Desk]]:
    """Yield a real queue over a real store, behind the port; nobody polls, as the service never ends anything."""
    world = World(tmp_path / "lipsync.db", webhook_url="https://bots.example.com/hooks/sync")
    async with world.queue() as queue:
        yield world, queue, port(queue)


async def test_news_ends_a_job_at_once_and_what_comes_later_changes_nothing(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """FAILED after COMPLETED, a generation that is nobody's, and all of it again after a restart."""
    async with working(tmp_path) as (world, queue, at):
        job = await queue.accept(asking())
        while not (job := await queue.job(job.id)).generation:  # noqa: ASYNC110  # nothing tells of it
            await trio.sleep(0.01)
        told = {**DONE, "id": job.generation, "webhookUrl": f"https://bots.example.com/hooks/sync?job={job.id}"}
        assert await tell(at, said(told)) == 200
        assert (await queue.job(job.id)).state is JobState.COMPLETED
        assert await tell(at, said({**told, "status": "FAILED", "error": "late"})) == 200
        assert await tell(at, said({**told, "status": "PROCESSING"})) == 200
        assert await tell(at, said({**DONE, "id": "unknown"})) == 200
        assert await tell(at, said(told)) == 403
    assert world.stored()[job.id].output_url == "https://out/é.mp4"
    assert [(event.state, event.told_by) for event in world.all_of(events.VideoEnded)] == [("completed", "webhook")]
    async with working(tmp_path) as (_, queue, at):
        assert await tell(at, said(told)) == 403  # what came before is known on the disk
        assert (await queue.job(job.id)).state is JobState.COMPLETED
