"""The jobs' file: what is kept there, what is never overwritten, and what is said when it can't be used."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from orchestrator.errors import SettingsError
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.lock import WorkerLock
from orchestrator.lipsync.notes import Request
from orchestrator.lipsync.store import LipsyncJobError, Store, store_path
from orchestrator.ports import VideoRequest
from orchestrator.settings import LipsyncSettings
from tests.killed import kill_when_ready

REQUEST = VideoRequest(
    model="lipsync-2",
    input=({"type": "video", "url": "https://v/ü.mp4"}, {"type": "text", "provider": {"script": "नमस्ते"}}),
    options={"sync_mode": "loop", "pads": [0, 1]},
    segments=({"startTime": 0.5, "audioInput": {"refId": "a"}},),
    webhook_url="https://us/hook",
    output_file_name="name",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an open store in a directory of its own."""
    store = Store.open(tmp_path / "state" / "lipsync.db")
    yield store
    store.close()


def job(name: str = "a", **fields: object) -> Job:
    """Return a job that waits."""
    return attrs.evolve(Job(id=name, key=f"{name}-1", request=REQUEST, accepted_at=1000.0), **fields)  # type: ignore[arg-type]


def accepted(store: Store, name: str = "a", **fields: object) -> Job:
    """Return such a job as it was accepted."""
    kept = store.accept(job(name, **fields))
    assert kept is not None
    return kept


def test_a_job_comes_back_as_it_was(store: Store) -> None:
    """Every field survives, half a surrogate pair in an error being replaced."""
    whole = accepted(store, owner="bot", call="c1", priority=-3, deadline=9.5)
    ended = attrs.evolve(
        whole,
        state=JobState.FAILED,
        attempted_at=1.0,
        submitted_at=2.0,
        ended_at=3.0,
        generation="g",
        batch="b",
        output_url="https://o",
        output_duration=4.5,
        error="bad \ud800",
        code="c",
        tries=2,
        notified=True,
    )
    assert store.live() == [whole]
    assert store.save(ended) == {"a"}
    assert store.job("a") == attrs.evolve(ended, error="bad ?")
    assert store.live() == []


def test_serial_numbers_say_the_order_and_a_taken_id_is_refused(store: Store) -> None:
    """Jobs are numbered as they are accepted; an id or key that is there already is None: to be drawn again."""
    assert [accepted(store, name).serial for name in "abc"] == [1, 2, 3]
    assert store.accept(job("b", key="new")) is None
    assert store.accept(job("new", key="b-1")) is None
    assert [each.id for each in store.live()] == ["a", "b", "c"]


def test_lists_are_filtered(store: Store) -> None:
    """By state and owner, the newest first, as many as asked for."""
    for name, owner in zip("abcd", ("x", "y", "x", "x"), strict=True):
        accepted(store, name, owner=owner)
    store.cancel("a", 5.0)
    assert [each.id for each in store.jobs()] == ["d", "c", "b", "a"]
    assert [each.id for each in store.jobs(owner="x", limit=2)] == ["d", "c"]
    assert [each.id for each in store.jobs(states=[JobState.CANCELLED], owner="x")] == ["a"]


def test_what_another_ended_is_not_overwritten(store: Store) -> None:
    """A job cancelled by another process stays cancelled, and the request that went with the change is not counted."""
    waiting, other = accepted(store), Store.open(store.path)
    other.cancel("a", 5.0)
    request = Request("create", 6.0, 1)
    assert store.save(attrs.evolve(waiting, state=JobState.SENDING), request=request) == frozenset()
    kept = store.job("a")
    assert kept is not None
    assert (kept.state, kept.ended_at, kept.code) == (JobState.CANCELLED, 5.0, "cancelled")
    assert store.requests(0.0) == []
    other.close()


def test_only_what_waits_is_cancelled_and_only_what_failed_is_tried_again(store: Store) -> None:
    """Anything else is said in words; a retry waits anew with another key, its deadline dropped if that has passed."""
    waiting = accepted(store, deadline=50.0, owner="x", priority=2)
    with pytest.raises(LipsyncJobError, match=r"a: can't be tried again: it has not ended \(waiting\)"):
        store.retry("a", 9.0)
    store.save(attrs.evolve(waiting, state=JobState.SENDING))
    with pytest.raises(LipsyncJobError, match=r"can't be told to stop \(sending\)"):
        store.cancel("a", 9.0)
    store.save(attrs.evolve(waiting, state=JobState.FAILED, ended_at=8.0, error="e", generation="g", tries=3))
    again = store.retry("a", 60.0)
    assert again == attrs.evolve(waiting, key="a-2", accepted_at=60.0, deadline=None)
    assert store.live() == [again]
    store.save(attrs.evolve(again, state=JobState.COMPLETED, ended_at=61.0))
    with pytest.raises(LipsyncJobError, match="its video was made"):
        store.retry("a", 70.0)
    with pytest.raises(LipsyncJobError, match="nowhere: no such job"):
        store.cancel("nowhere", 0.0)


def test_the_first_claim_stands(store: Store) -> None:
    """A generation is the key's that claimed it first, in whatever way."""
    assert store.claim("g1", "a-1", at=1.0) == "a-1"
    assert store.claim("g1", "b-1", at=2.0) == "a-1"
    store.save(attrs.evolve(accepted(store, "b"), state=JobState.SUBMITTED, generation="g2"))
    assert store.claim("g2", "c-1", at=3.0) == "b-1"
    assert store.claimed(["g1", "g2", "g3"]) == {"g1": "a-1", "g2": "b-1"}
    assert store.claimed([]) == {}


def test_usual_durations_are_the_mean_of_the_last_twenty(store: Store) -> None:
    """Older ones are forgotten, model by model."""
    first = accepted(store)
    for seconds in [1000.0] * 5 + [10.0, 20.0] * 10:
        store.save(first, lasted={"lipsync-2": seconds})
    store.save(first, lasted={"sync-3": 7.0})
    assert store.usual() == {"lipsync-2": 15.0, "sync-3": 7.0}


def test_requests_signatures_and_old_jobs_are_kept_as_long_as_they_count(store: Store) -> None:
    """Requests for a minute and the longest answer, signatures beyond the tolerance, jobs until their end was told."""
    store.keep_request(Request("other", 100.0, 2))
    store.keep_request(Request("create", 900.0, 1))
    assert store.requests(0.0) == [Request("create", 900.0, 1)]
    assert store.first_seen("s", 0.0)
    assert not store.first_seen("s", 7000.0)
    assert store.first_seen("s", 8000.0)
    told, untold, live = (accepted(store, name) for name in "abc")
    store.save(attrs.evolve(told, state=JobState.FAILED, ended_at=5.0))
    store.save(attrs.evolve(untold, state=JobState.FAILED, ended_at=6.0))
    assert [each.id for each in store.untold()] == ["a", "b"]
    store.told(told)
    assert store.delete_old(100.0) == 1
    assert [each.id for each in store.jobs()] == ["c", "b"]
    assert live in store.live()


def test_the_version_tells_of_other_writers_only(store: Store) -> None:
    """It changes when another has written, and not by what is written here."""
    before = store.data_version()
    accepted(store)
    assert store.data_version() == before
    other = Store.open(store.path)
    other.keep_request(Request("other", 1.0, 1))
    other.close()
    assert store.data_version() != before


def test_a_full_disk_is_said_and_changes_nothing(store: Store) -> None:
    """What can't be written is a clear error, all of it is undone, and once there is room it goes on."""
    kept = accepted(store)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    long = attrs.evolve(REQUEST, output_file_name="x" * 100_000)
    with pytest.raises(LipsyncStoreError, match=r"lipsync\.db: the disk is full"):
        store.accept(job("b", request=long))
    with pytest.raises(LipsyncStoreError, match="the disk is full"):
        store.save(attrs.evolve(kept, tries=1), attrs.evolve(kept, request=long))
    assert store.live() == [kept]
    store._connection.execute("PRAGMA max_page_count = 100000")
    accepted(store, "b", request=long)


def test_what_can_not_be_written_or_read_is_said(tmp_path: Path, store: Store) -> None:
    """Read-only, no database, somebody else's, a newer one's, a directory, locked, closed: each in its words."""
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(LipsyncStoreError, match="it can't be written"):
        store.accept(job())
    store._connection.execute("PRAGMA query_only = OFF")
    text, other, newer = tmp_path / "text.db", tmp_path / "other.db", tmp_path / "newer.db"
    text.write_text("no database, but long enough to be taken for one" * 100)
    refused(text, "it is no SQLite database")
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    refused(other, "it is a database of another program; set lipsync.store")
    Store.open(newer).close()
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    refused(newer, r"written by a newer talkingstick \(tables 2, this one knows 1\)")
    refused(tmp_path, "Is a directory")
    refused(text / "below.db", "it can't be opened")
    store.close()
    with pytest.raises(LipsyncStoreError, match="closed"):
        store.live()


def refused(path: Path, why: str) -> None:
    """Have opening a file refused."""
    with pytest.raises(LipsyncStoreError, match=why):
        Store.open(path)


def test_only_its_owner_reads_the_file(store: Store) -> None:
    """Requests hold addresses of videos, which may be signed: the file and its directory are its owner's."""
    accepted(store)
    for path in store.path.parent.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert store.path.parent.stat().st_mode & 0o077 == 0


def test_the_file_lies_where_state_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set, or below $XDG_STATE_HOME, or below the home directory; no home is a wrong setting."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store_path(LipsyncSettings(store="~/q.db"), {}) == tmp_path / "q.db"
    assert store_path(LipsyncSettings(), {"XDG_STATE_HOME": "/s"}) == Path("/s/talkingstick/lipsync.db")
    assert store_path(LipsyncSettings(), {"XDG_STATE_HOME": "s"}) == tmp_path / ".local/state/talkingstick/lipsync.db"
    with pytest.raises(SettingsError, match=r"lipsync\.store"):
        store_path(LipsyncSettings(store="~nobody-there/q.db"), {})


def test_what_was_accepted_survives_a_kill(tmp_path: Path) -> None:
    """kill -9 of the process that accepted loses no job, and gives its lock back."""
    path = tmp_path / "lipsync.db"
    kill_when_ready(
        f"""
        from pathlib import Path
        from orchestrator.lipsync.job import Job
        from orchestrator.lipsync.lock import WorkerLock
        from orchestrator.lipsync.store import Store
        from orchestrator.ports import VideoRequest
        store = Store.open(Path({str(path)!r}))
        lock = WorkerLock(store.path)
        assert lock.take()
        for n in range(20):
            store.accept(Job(id=str(n), key=str(n), request=VideoRequest(model="m", input=()), accepted_at=1.0))
        """
    )
    store, lock = Store.open(path), WorkerLock(path)
    assert [each.id for each in store.live()] == [str(n) for n in range(20)]
    assert lock.take()
    assert lock.take()
    second = WorkerLock(path)
    assert not second.take()
    lock.give_back()
    assert second.take()
    second.give_back()
    store.close()
