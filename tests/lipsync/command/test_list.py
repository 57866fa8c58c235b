"""`talkingstick lipsync list|cancel`: the jobs of a queue, for people and programs, without account or service."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from orchestrator.commands_lipsync import CancelOptions, JobListOptions
from orchestrator.lipsync.command import run as command
from orchestrator.lipsync.command.store import Asked, CommandStore
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.store import LipsyncJobError
from tests.lipsync.command.bench import printed
from tests.lipsync.samples import waiting

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the queue is."""
    return tmp_path / "lipsync.db"


@pytest.fixture
def jobs(path: Path) -> list[Job]:
    """Three jobs: one that waits, one that is with the service, one that failed; the last is of another owner."""
    with closing(CommandStore.open(path)) as store:
        first, second = store.accept_all([waiting("w").request] * 2, Asked(at=1.0))
        (third,) = store.accept_all([waiting("w").request], Asked(at=2.0, owner="bot"))
        store.save(evolve(second, state=JobState.SUBMITTED, generation="g"))
        store.save(evolve(third, state=JobState.FAILED, ended_at=3.0, error="no such model"))
    return [first, second, third]


async def test_the_list_is_for_people(path: Path, jobs: list[Job], capsys: Capture) -> None:
    """The newest first, and how many."""
    assert await command.run(options=JobListOptions(store=str(path))) == 0
    head, *lines, total = capsys.readouterr().out.splitlines()
    assert head.startswith("JOB ")
    assert [line.split()[:2] for line in lines] == [
        [jobs[2].id, "failed"], [jobs[1].id, "submitted"], [jobs[0].id, "waiting"],
    ]  # fmt: skip
    assert total == f"3 job(s) in {path}"
    assert await command.run(options=JobListOptions(store=str(path), limit=1)) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"1 job(s), the newest 1 (--limit) in {path}"


async def test_the_list_is_for_programs(path: Path, jobs: list[Job], capsys: Capture) -> None:
    """One object; of the states or the owner that are named."""
    assert await command.run(options=JobListOptions(store=str(path), state=("waiting", "submitted"), json=True)) == 0
    listed = printed(capsys.readouterr().out)
    assert (listed["store"], [job["id"] for job in listed["jobs"]]) == (str(path), [jobs[1].id, jobs[0].id])
    assert await command.run(options=JobListOptions(store=str(path), owner="bot", json=True)) == 0
    assert [job["error"] for job in printed(capsys.readouterr().out)["jobs"]] == ["no such model"]


async def test_a_queue_that_is_not_there_is_empty(path: Path, capsys: Capture) -> None:
    """And is not made; of a configuration as well."""
    config = path.with_name("talkingstick.toml")
    config.write_text(f'[lipsync]\nstore = "{path}"\n', "utf-8")
    assert await command.run(options=JobListOptions(config=config)) == 0
    assert capsys.readouterr().out == f"no queue yet at {path}\n"
    assert path.name not in os.listdir(path.parent)
    with pytest.raises(LipsyncJobError, match='"abc": no such job: there is no queue yet'):
        await command.run(options=CancelOptions(store=str(path)), ids=["abc"])


async def test_only_what_waits_is_cancelled(path: Path, jobs: list[Job], capsys: Capture) -> None:
    """Status 1 if one is past that: it says so, and the others end."""
    ids = [job.id for job in jobs]
    assert await command.run(options=CancelOptions(store=str(path)), ids=[ids[1], ids[0][:10]]) == 1
    out, err = capsys.readouterr()
    assert out == f"{ids[0]} cancelled\n"
    said = "can't be cancelled: it is with the service, which can't be told to stop (submitted)"
    assert err == f"talkingstick: {ids[1]}: {said}\n"
    assert await command.run(options=CancelOptions(store=str(path), json=True), ids=ids[:1]) == 1
    found = printed(capsys.readouterr().out)
    assert found["jobs"] == []
    assert found["errors"][0]["id"] == ids[0]
    with closing(CommandStore.open(path)) as store:
        assert [job.state.value for job in store.jobs()] == ["failed", "submitted", "cancelled"]


async def test_one_id_that_is_wrong_cancels_nothing(path: Path, jobs: list[Job]) -> None:
    """All are known before the first is ended."""
    with pytest.raises(LipsyncJobError):
        await command.run(options=CancelOptions(store=str(path)), ids=[jobs[0].id, "zz"])
    with closing(CommandStore.open(path)) as store:
        assert len(store.live()) == 2


async def test_a_cancelled_job_is_told_to_who_wants_to_know(path: Path, jobs: list[Job]) -> None:
    """By the process that works on the queue, with lipsync.notify_url."""
    config = path.with_name("talkingstick.toml")
    config.write_text('[lipsync]\nnotify_url = "https://me.example/ends"\n', "utf-8")
    assert await command.run(options=CancelOptions(config=config, store=str(path)), ids=[jobs[0].id]) == 0
    with closing(CommandStore.open(path)) as store:
        assert jobs[0].id in [job.id for job in store.untold()]
