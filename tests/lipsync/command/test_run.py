"""`talkingstick lipsync ...` on the command line: options arrive, mistakes are told, signals lose nothing."""

from __future__ import annotations

import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from orchestrator import commands_lipsync as lipsync
from orchestrator.cli import main
from orchestrator.lipsync.command import run as command
from orchestrator.lipsync.job import JobState
from tests.lipsync.command.bench import SOUND, VIDEO, Bench, open_bench

COMMANDS = ("submit", "wait", "list", "cancel", "retry", "cost", "batch")


def test_the_options_reach_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each, under their own names; jobs and the file by their place."""
    asked: list[Any] = []

    async def run(**options: Any) -> int:
        await trio.lowlevel.checkpoint()
        asked.append(options)
        return 0

    monkeypatch.setattr(command, "run", run)
    lines = (
        "submit --video v --audio a --model m --sync-mode loop --priority -3 --deadline 60 --owner me --wait --out o/",
        "submit --video v --text Hello --voice-id x --plan scale --address http://localhost:1 --store s --config c",
        "wait --json", "wait a b --out o", "list --state failed --state waiting --owner me --limit 3", "cancel a b",
        "retry --failed --wait", "retry a", "cost --seconds 3 --model m", "batch f.jsonl --dry-run",
        "batch f --wait --out o",
    )  # fmt: skip
    assert [main(["lipsync", *line.split()]) for line in lines] == [0] * len(lines)
    assert [each.pop("options") for each in asked] == [
        lipsync.SubmitOptions(
            video="v", audio="a", model="m", sync_mode="loop", priority=-3, deadline="60", owner="me", wait=True,
            out="o/",
        ),
        lipsync.SubmitOptions(
            video="v", text="Hello", voice_id="x", plan="scale", address="http://localhost:1", store="s",
            config=Path("c"),
        ),
        lipsync.WaitOptions(json=True), lipsync.WaitOptions(out=Path("o")),
        lipsync.JobListOptions(state=("failed", "waiting"), owner="me", limit=3), lipsync.CancelOptions(),
        lipsync.RetryOptions(failed=True, wait=True), lipsync.RetryOptions(),
        lipsync.CostOptions(seconds=3.0, model="m"), lipsync.BatchOptions(dry_run=True),
        lipsync.BatchOptions(wait=True, out=Path("o")),
    ]  # fmt: skip
    ids = [each["ids"] for each in asked if "ids" in each]
    assert ids == [(), ("a", "b"), ("a", "b"), (), ("a",)]
    assert [each["file"] for each in asked if "file" in each] == [Path("f.jsonl"), Path("f")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("submit --audio a", "--video"),
        ("submit --video v --audio a --priority 2.5", '"2.5" is no whole number'),
        ("submit --video v --audio a --sync-mode never", "--sync-mode"),
        ("submit --video v --audio a --plan gold", "--plan"),
        ("cancel", "JOB"),
        ("batch", "FILE"),
        ("list --state nowhere", "--state"),
        ("cost --seconds -1", "Must be > 0"),
        ("sumbit", 'Did you mean "submit"?'),
    ],
)
def test_wrong_use_says_what_is_wrong(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and where help is."""
    assert main(["lipsync", *line.split()]) == 2
    *first, last = capsys.readouterr().err.splitlines()
    assert message in " ".join(first)
    assert last.startswith("talkingstick: see: talkingstick lipsync")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As every command."""
    assert main(["lipsync", name, "--help"]) == 0
    assert f"Example: talkingstick lipsync {name}" in capsys.readouterr().out


# --- signals ---


async def started(bench: Bench, *words: str) -> subprocess.Popen[str]:
    """Start a command in a process of its own, and return when the service has its job."""
    process = bench.start(*words)
    with trio.fail_after(30):
        while bench.made() == 0:  # noqa: ASYNC110  # another process makes it true
            await trio.sleep(0.02)
        await trio.sleep(0.2)  # the answer is stored
    return process


async def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what a process printed when it has ended."""
    with trio.fail_after(30):
        return await trio.to_thread.run_sync(partial(process.communicate, timeout=25))


@pytest.mark.realtime
async def test_ctrl_c_leaves_the_job_in_the_queue(tmp_path: Path) -> None:
    """Status 130 within a second or so, with how to go on; going on makes nothing twice."""
    async with open_bench(tmp_path, speed=60) as bench:
        process = await started(bench, "submit", "--video", VIDEO, "--audio", SOUND, "--wait")
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = await ended(process)
        assert time.monotonic() - began < 5
        name = out.strip()
        assert process.returncode == 130
        assert f"{name}: the service has taken it; go on with: talkingstick lipsync wait {name} --store " in err
        assert "Traceback" not in err
        (job,) = bench.jobs()
        assert (job.id, job.state) == (name, JobState.SUBMITTED)
        process = bench.start("wait", name)
        out, _ = await ended(process)
        assert (process.returncode, out.split()[:2], bench.made()) == (0, [name, "completed"], 1)


@pytest.mark.realtime
async def test_kill_9_loses_nothing_and_makes_nothing_twice(tmp_path: Path) -> None:
    """A batch whose process is killed while its jobs are made is seen through by the next one that waits."""
    async with open_bench(tmp_path, speed=60, name="creator") as bench:
        (tmp_path / "lines.jsonl").write_text(f'{{"video": "{VIDEO}", "audio": "{SOUND}"}}\n' * 5)
        process = await started(bench, "batch", str(tmp_path / "lines.jsonl"), "--wait")
        process.kill()
        await ended(process)
        assert [job.state.ended for job in bench.jobs()] == [False] * 5
        process = bench.start("wait")
        out, _ = await ended(process)
        assert (process.returncode, out.count(" completed ")) == (0, 5)
        assert (bench.made(), bench.server.books.most_live) == (5, 3)
