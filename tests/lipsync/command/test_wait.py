"""`talkingstick lipsync wait`, and a queue that another process works on; as a user would meet them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio
from attrs import evolve

from orchestrator.commands_lipsync import SubmitOptions, WaitOptions
from orchestrator.errors import SettingsError
from orchestrator.lipsync.command import run as command
from orchestrator.lipsync.command import work as command_work
from orchestrator.lipsync.command.store import Asked, CommandStore
from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.lock import WorkerLock
from orchestrator.lipsync.store import LipsyncJobError
from tests.lipsync.command.bench import SOUND, VIDEO, jobs_in, open_bench, printed
from tests.lipsync.samples import waiting

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tests' own state directory, and no key but where a test has one."""
    monkeypatch.delenv("SYNC_API_KEY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


async def test_wait_sees_the_whole_queue_through(tmp_path: Path, capsys: Capture) -> None:
    """Within the plan, with a file a video; a second time there is nothing to do."""
    async with open_bench(tmp_path, name="creator") as bench:
        request = evolve(waiting("w").request, input=({"type": "video", "url": VIDEO}, {"type": "audio", "url": SOUND}))
        with closing(CommandStore.open(bench.store)) as store:
            jobs = store.accept_all([request] * 7, Asked(at=0.0))
        options = WaitOptions(**bench.account, out=tmp_path / "out", json=True)
        assert await command.run(options=options) == 0
        found = printed(capsys.readouterr().out)["jobs"]
        assert [(job["id"], job["state"]) for job in found] == [(job.id, "completed") for job in jobs]
        assert {Path(job["file"]) for job in found} == set((tmp_path / "out").iterdir())
        assert (bench.made(), bench.server.books.most_live) == (7, 3)
        assert await command.run(options=WaitOptions(**bench.account)) == 0
    assert capsys.readouterr() == ("", "talkingstick: the queue is empty\n")


async def test_what_has_ended_needs_no_service_to_be_told(tmp_path: Path, capsys: Capture) -> None:
    """Nobody listens at the address."""
    with closing(CommandStore.open(tmp_path / "lipsync.db")) as store:
        (job,) = store.accept_all([waiting("w").request], Asked(at=0.0))
        store.save(evolve(job, state=JobState.FAILED, ended_at=1.0, error="no such thing"))
    options = WaitOptions(address="http://127.0.0.1:1", store=str(tmp_path / "lipsync.db"))
    assert await command.run(options=options, ids=[job.id]) == 1
    assert capsys.readouterr().out == f"{job.id} failed no such thing\n"


async def test_where_another_process_works_it_only_accepts(tmp_path: Path, capsys: Capture) -> None:
    """Needing no key and no service; with --wait it would take over."""
    lock = WorkerLock(tmp_path / "lipsync.db")
    CommandStore.open(tmp_path / "lipsync.db").close()
    assert lock.take()
    options = SubmitOptions(video=VIDEO, audio=SOUND, store=str(tmp_path / "lipsync.db"))
    assert await command.run(options=options) == 0
    lock.give_back()
    out, err = capsys.readouterr()
    assert err.splitlines()[0] == "another process works on the queue"
    assert [job.id for job in jobs_in(tmp_path / "lipsync.db")] == [out.strip()]


async def test_what_stops_another_process_is_told(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the job that it tried last: in submit's last words, and while wait waits."""
    monkeypatch.setattr(command_work, "_LOOK_EVERY", 0.01)
    store = CommandStore.open(tmp_path / "lipsync.db")
    (job,) = store.accept_all([waiting("w").request], Asked(at=0.0))
    store.save(evolve(job, attempted_at=1.0, tries=1, error="Unauthorized [401]", code="unauthorized"))
    store.close()
    lock = WorkerLock(tmp_path / "lipsync.db")
    assert lock.take()
    where: dict[str, Any] = {"store": str(tmp_path / "lipsync.db"), "address": "http://127.0.0.1:1"}
    assert await command.run(options=SubmitOptions(video=VIDEO, audio=SOUND, **where)) == 0
    assert " stays in the queue: Unauthorized [401] (unauthorized); go on with: " in capsys.readouterr().err
    with trio.move_on_after(0.5):
        await command.run(options=WaitOptions(**where))
    lock.give_back()
    assert "2 waiting; Unauthorized [401] (unauthorized)\n" in capsys.readouterr().err


async def test_what_ended_earlier_is_fetched(tmp_path: Path, capsys: Capture) -> None:
    """An empty queue says how; --all has all jobs, named as their lines were."""
    async with open_bench(tmp_path) as bench:
        options = SubmitOptions(video=VIDEO, audio=SOUND, **bench.account, wait=True)
        assert await command.run(options=options) == 0
        out = tmp_path / "out"
        assert await command.run(options=WaitOptions(**bench.account, out=out)) == 0
        hint = f"the queue is empty; videos of earlier jobs: talkingstick lipsync wait JOB... --store {bench.store} "
        assert hint in (err := capsys.readouterr().err)
        assert err.rstrip().endswith(f"--out {out}")
        assert await command.run(options=WaitOptions(**bench.account, out=out, all=True)) == 0
        (job,) = bench.jobs()
        assert [path.name for path in out.iterdir()] == [f"{job.id}.mp4"]
        with pytest.raises(SettingsError, match="expected the ids of jobs, or --all"):
            await command.run(options=WaitOptions(**bench.account, all=True), ids=[job.id])


async def test_how_to_go_on_has_the_place_of_the_video(tmp_path: Path, capsys: Capture) -> None:
    """As it was given."""
    where: dict[str, Any] = {"store": str(tmp_path / "lipsync.db"), "address": "http://127.0.0.1:1"}
    options = SubmitOptions(video=VIDEO, audio=SOUND, **where, wait=True, out=str(tmp_path / "a b.mp4"))
    assert await command.run(options=options) == 1
    assert capsys.readouterr().err.endswith(f" --address http://127.0.0.1:1 --out '{tmp_path}/a b.mp4'\n")


async def test_wait_takes_over_from_a_process_that_ends(tmp_path: Path, capsys: Capture) -> None:
    """Within seconds."""
    async with open_bench(tmp_path) as bench:
        CommandStore.open(bench.store).close()
        lock = WorkerLock(bench.store)
        assert lock.take()
        async with trio.open_nursery() as nursery:
            options = SubmitOptions(video=VIDEO, audio=SOUND, **bench.account, wait=True)
            nursery.start_soon(lambda: command.run(options=options))
            await trio.sleep(0.5)
            assert bench.made() == 0
            lock.give_back()
        assert bench.made() == 1
    assert capsys.readouterr().out.splitlines()[1].startswith(bench.server.address)


async def test_an_unknown_job_is_told(tmp_path: Path) -> None:
    """With where the known ones are listed."""
    options = WaitOptions(address="http://127.0.0.1:1", store=str(tmp_path / "lipsync.db"))
    with pytest.raises(LipsyncJobError, match="talkingstick lipsync list"):
        await command.run(options=options, ids=["abc"])
