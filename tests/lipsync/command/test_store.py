"""Commands keep many jobs or none, and know a job by the beginning of its id."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from attrs import evolve

from orchestrator.lipsync.command.store import Asked, CommandStore, looking_into
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.store import LipsyncJobError
from orchestrator.ports import VideoRequest
from tests.lipsync.samples import waiting

REQUEST = waiting("w").request


@pytest.fixture
def store(tmp_path: Path) -> CommandStore:
    """An empty store."""
    return CommandStore.open(tmp_path / "lipsync.db")


def test_many_are_kept_together(store: CommandStore) -> None:
    """In their order, each with an id and a key of its own, and with what they share."""
    asked = Asked(at=5.0, owner="me", priority=2, deadline=99.0)
    jobs = store.accept_all([REQUEST, evolve(REQUEST, model="sync-3")], asked)
    assert [(job.serial, job.request.model) for job in jobs] == [(1, "lipsync-2"), (2, "sync-3")]
    assert store.live() == jobs
    assert jobs[0].key == f"{jobs[0].id}-1" != jobs[1].key
    assert {(job.owner, job.priority, job.deadline, job.accepted_at) for job in jobs} == {("me", 2, 99.0, 5.0)}


def test_one_that_cant_be_kept_keeps_the_others_out(store: CommandStore) -> None:
    """All or none."""

    def requests() -> list[VideoRequest]:
        return [REQUEST, evolve(REQUEST, options={"a": object()})]

    with pytest.raises(TypeError):
        store.accept_all(requests(), Asked(at=5.0))
    assert store.live() == []
    store.close()
    with pytest.raises(LipsyncStoreError):
        store.accept_all([REQUEST], Asked(at=5.0))


def test_an_id_that_is_taken_is_drawn_again(store: CommandStore) -> None:
    """Two processes with the same luck."""
    one = store.accept_all([REQUEST], Asked(at=5.0, rng=random.Random("a")))
    other = store.accept_all([REQUEST], Asked(at=5.0, rng=random.Random("a")))
    assert one[0].id != other[0].id


def test_a_job_is_found_by_the_beginning_of_its_id(store: CommandStore) -> None:
    """That no other begins with; each once, however often it is named."""
    jobs = store.accept_all([REQUEST] * 40, Asked(at=5.0, rng=random.Random("b")))
    assert store.find([jobs[3].id, jobs[3].id[:9].upper(), jobs[1].id]) == [jobs[3], jobs[1]]
    with pytest.raises(LipsyncJobError, match=r'"zz": no such job; see: .* lipsync list --store .*lipsync\.db$'):
        store.find(["zz"])
    with pytest.raises(LipsyncJobError, match="no such job"):
        store.find([""])
    with pytest.raises(LipsyncJobError, match=r'"." is the beginning of \d+ jobs \(.*\): give more of it'):
        store.find([next(first for first in "0123456789abcdef" if sum(j.id[0] == first for j in jobs) > 1)])


def test_those_without_a_video(store: CommandStore) -> None:
    """Failed or rejected, not cancelled; the oldest first."""
    jobs = store.accept_all([REQUEST] * 4, Asked(at=5.0))
    ends = (JobState.FAILED, JobState.CANCELLED, JobState.REJECTED, JobState.COMPLETED)
    store.save(*(evolve(job, state=end, ended_at=6.0) for job, end in zip(jobs, ends, strict=True)))
    assert [job.id for job in store.without_video()] == [jobs[0].id, jobs[2].id]


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """By who only looks."""
    with looking_into(tmp_path / "none.db") as store:
        assert store is None
    assert not list(tmp_path.iterdir())
