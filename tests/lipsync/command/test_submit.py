"""`talkingstick lipsync submit|wait|retry` against a simulated service on loopback: as a user would meet them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from orchestrator.commands_lipsync import RetryOptions, SubmitOptions, WaitOptions
from orchestrator.errors import SettingsError
from orchestrator.lipsync.command import run as command
from orchestrator.lipsync.command import work as command_work
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.job import Job, JobState
from simulations.sync.options import SyncOptions
from simulations.sync.server import SyncServer, open_sync_server
from tests.lipsync.command.bench import SOUND, VIDEO, jobs_in, open_bench, printed

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tests' own state directory, and no key but where a test has one."""
    monkeypatch.delenv("SYNC_API_KEY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


async def test_files_become_a_video(tmp_path: Path, capsys: Capture) -> None:
    """The id comes first, the URL last, progress on the other side; the video lies where it was wanted."""
    async with open_bench(tmp_path, speed=200) as bench:
        files: dict[str, Any] = {"video": str(tmp_path / "face.mp4"), "audio": str(tmp_path / "hello.wav")}
        out = f"{tmp_path}/videos/"
        options = SubmitOptions(**files, **bench.account, model="lipsync-2-pro", wait=True, out=out)
        assert await command.run(options=options) == 0
        (begun,) = bench.server.books.begun
        assert (begun.model, bench.server.books.most_live) == ("lipsync-2-pro", 1)
    out, err = capsys.readouterr()
    name, url = out.split()
    (job,) = bench.jobs()
    assert (job.id, job.output_url, job.output_duration, job.key) == (name, url, 12.0, begun.key)
    assert (tmp_path / "videos" / f"{name}.mp4").stat().st_size > 0
    assert "waiting, next in the queue\n" in err
    assert f"(generation {job.generation})\n" in err
    assert f"{name}: completed after " in err


async def test_without_wait_it_ends_when_the_service_has_the_job(tmp_path: Path, capsys: Capture) -> None:
    """And says how to go on; that works."""
    async with open_bench(tmp_path, speed=40) as bench:
        options = SubmitOptions(video=VIDEO, audio=SOUND, **bench.account, owner="me", priority=3, json=True)
        assert await command.run(options=options) == 0
        out, err = capsys.readouterr()
        (job,) = printed(out)["jobs"]
        assert (job["state"], job["owner"], job["priority"], job["file"]) == ("submitted", "me", 3, None)
        words = f"{job['id']}: the service has taken it; go on with: talkingstick lipsync wait {job['id']} --store "
        assert words in err
        assert await command.run(options=WaitOptions(**bench.account), ids=[job["id"][:6]]) == 0
        name, state, url = capsys.readouterr().out.split()
        assert (name, state, url.startswith(bench.server.address)) == (job["id"], "completed", True)
        assert bench.made() == 1


async def test_a_model_that_is_refused_fails_its_job_alone(tmp_path: Path, capsys: Capture) -> None:
    """Status 1, with the service's words; the others go on, and the failed one can be tried again."""
    async with open_bench(tmp_path) as bench:
        options = SubmitOptions(video=VIDEO, audio=SOUND, **bench.account, model="nonsense", json=True)
        assert await command.run(options=options) == 1
        (job,) = printed(capsys.readouterr().out)["jobs"]
        assert (job["state"], job["code"], job["output_url"]) == ("failed", "generation_unsupported_model", None)
        assert "nonsense" in job["error"]
        assert await command.run(options=RetryOptions(**bench.account, failed=True, wait=True)) == 1
        out = capsys.readouterr().out.splitlines()
        assert out[0] == f"{job['id']} waiting"
        assert out[1].startswith(f"{job['id']} failed ")
        (again,) = bench.jobs()
        assert again.key == f"{again.id}-2"


@pytest.mark.parametrize("wait", [True, False])
async def test_a_service_that_is_not_there_keeps_the_job(wait: bool, tmp_path: Path, capsys: Capture) -> None:
    """Status 1 within five seconds, with what was tried and how to go on."""
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        store = str(tmp_path / "lipsync.db")
        options = SubmitOptions(video=VIDEO, audio=SOUND, address=f"http://127.0.0.1:{port}", store=store, wait=wait)
        with trio.fail_after(5):
            assert await command.run(options=options) == 1
    out, err = capsys.readouterr()
    name = out.strip()
    problem, hint = err.splitlines()
    assert problem.startswith(f"talkingstick: the video service can't be reached: 127.0.0.1 port {port}: ")
    assert "refused" in problem
    assert hint.startswith(f"{name} stays in the queue; go on with: talkingstick lipsync wait {name} --store {store}")
    (job,) = jobs_in(tmp_path / "lipsync.db")
    assert (job.id, job.state, job.tries) == (name, JobState.WAITING, 0)


async def test_a_key_that_is_refused_keeps_the_job(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 1 at once, with where the key is from, and never the key."""
    monkeypatch.setenv("SYNC_API_KEY", "sk-wrong-0123456789")
    async with open_sync_server(SyncServer(SyncOptions(api_key="right"))) as server:
        where: dict[str, Any] = {"address": server.address, "store": str(tmp_path / "lipsync.db")}
        with trio.fail_after(5):
            assert await command.run(options=SubmitOptions(video=VIDEO, audio=SOUND, **where, wait=True)) == 1
    out, err = capsys.readouterr()
    assert "talkingstick: the video service refuses: Unauthorized [401] (key: from SYNC_API_KEY)\n" in err
    assert f"{out.strip()} stays in the queue; go on with: " in err
    assert "sk-wrong" not in out + err
    assert not server.books.begun


async def test_a_key_that_is_not_there_is_told_as_that(tmp_path: Path, capsys: Capture) -> None:
    """A service on this machine may need one all the same; a "/" at the end of its address does no harm."""
    async with open_sync_server(SyncServer(SyncOptions(api_key="right"))) as server:
        where: dict[str, Any] = {"address": f"{server.address}/", "store": str(tmp_path / "lipsync.db")}
        assert await command.run(options=SubmitOptions(video=VIDEO, audio=SOUND, **where, wait=True)) == 1
    assert "Unauthorized [401] (no key: SYNC_API_KEY is not set)\n" in capsys.readouterr().err


async def test_the_plan_is_kept_and_told(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that the service has no place for stays in the queue, with its place there and the reason."""
    monkeypatch.setattr(command_work, "TAKEN_WITHIN", 1.0)
    async with open_bench(tmp_path, speed=1.0, name="hobbyist") as bench:
        first = SubmitOptions(video=VIDEO, audio=SOUND, **bench.account)
        assert await command.run(options=first) == 0
        assert await command.run(options=first) == 0
        assert (bench.made(), bench.server.books.refused) == (1, {})
    _, err = capsys.readouterr()
    assert "waiting, next in the queue: the plan's one place is taken\n" in err
    assert err.splitlines()[-1].split(";")[0].endswith(" stays in the queue")


def options_of(**given: Any) -> SubmitOptions:
    """Return options of submit with a video and a sound on the web."""
    return SubmitOptions(**{"video": VIDEO, "audio": SOUND, "address": "http://127.0.0.1:1"} | given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"address": None}, "environment variable SYNC_API_KEY: is not set"),
        ({"address": "sync.so"}, '--address: expected "http://" or "https://" and a host, such as https://api.sync.so'),
        ({"video": "speech.mp3"}, 'submit: video: "speech.mp3" is a sound by its name'),
        ({"out": __file__, "wait": True}, "is there already; expected a new file, or a directory"),
        ({"audio": None}, "submit: expected audio, or text with voice_id"),
        ({"text": "Hello"}, "not both"),
        ({"video": "none.mp4"}, 'submit: "none.mp4": can\'t be read'),
        ({"out": "x.mp4"}, "--out: expected --wait, too"),
        ({"out": "nowhere/x.mp4", "wait": True}, "--out nowhere/x.mp4: there is no directory nowhere"),
        ({"deadline": "soon"}, '--deadline "soon": expected seconds from now, or a time such as '),
        ({"deadline": "-5"}, '--deadline "-5": is not ahead of us'),
        ({"deadline": "nan"}, '--deadline "nan": is not ahead of us'),
        ({"deadline": "2020-01-01T00:00:00Z"}, "is not ahead of us"),
    ],
)
async def test_wrong_use_accepts_nothing(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    """It says what would be right."""
    with pytest.raises(SettingsError) as caught:
        await command.run(options=options_of(**given))
    assert words in str(caught.value)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("options", "ids", "words"),
    [
        (RetryOptions(address="http://127.0.0.1:1"), (), "expected the ids of jobs, or --failed"),
        (RetryOptions(address="http://127.0.0.1:1", failed=True), ("a",), "not both"),
        (RetryOptions(address="http://127.0.0.1:1", failed=True, out=Path("x")), (), "--out: expected --wait, too"),
    ],
)
async def test_retry_says_what_it_expects(options: RetryOptions, ids: tuple[str, ...], words: str) -> None:
    """Ids or all, and a time to download."""
    with pytest.raises(SettingsError, match=words):
        await command.run(options=options, ids=ids)


async def test_only_what_failed_is_tried_again(tmp_path: Path, capsys: Capture) -> None:
    """A job that was made is told apart, status 1; without any it says so."""
    async with open_bench(tmp_path) as bench:
        assert await command.run(options=RetryOptions(**bench.account, failed=True)) == 0
        assert await command.run(options=SubmitOptions(video=VIDEO, audio=SOUND, **bench.account, wait=True)) == 0
        name = capsys.readouterr().out.split()[0]
        assert await command.run(options=RetryOptions(**bench.account), ids=[name]) == 1
    assert f"talkingstick: {name}: can't be tried again: its video was made" in capsys.readouterr().err


async def test_a_store_that_cant_be_used_is_told(tmp_path: Path) -> None:
    """By its name."""
    (tmp_path / "notes.db").write_text("no database at all" * 100)
    with pytest.raises(LipsyncStoreError, match=r"notes\.db: it is no SQLite database"):
        await command.run(options=options_of(store=str(tmp_path / "notes.db")))


async def test_a_deadline_is_a_time_or_a_number(tmp_path: Path) -> None:
    """Seconds from now, or ISO 8601 with its zone."""
    async with open_bench(tmp_path) as bench:
        for deadline in ("9000", "2100-01-01T00:00:00+01:00"):
            assert (
                await command.run(options=SubmitOptions(video=VIDEO, audio=SOUND, **bench.account, deadline=deadline))
                == 0
            )
    second, first = bench.jobs()
    assert ends_in(first) == pytest.approx(9000, abs=1)
    assert second.deadline == 4102441200.0


def ends_in(job: Job) -> float:
    """Return how many seconds a job had when it was accepted."""
    assert job.deadline is not None
    return job.deadline - job.accepted_at
