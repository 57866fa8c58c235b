"""Claims about the whole product: `talkingstick demo` and `chat` as a user runs them, on real sockets in real time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

import pytest

from tests.simulations.listening import misplaced

PROGRAM = [sys.executable, "-m", "orchestrator"]


def start(out: Path, *options: str) -> subprocess.Popen[str]:
    """Start a demo with the tone."""
    command = [*PROGRAM, "demo", "--voice", "tone", "--out", str(out), "--json", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def demo(out: Path, *options: str) -> tuple[int, str, str]:
    """Run a demo with the tone to its end; return its status and what it printed."""
    return ended(start(out, *options))


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the end of a process; return its status and what it printed."""
    with process:
        output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


def check_recordings(out: Path) -> int:
    """Check that every recording is complete and agrees with its transcript; return how many there are."""
    recordings = sorted(out.glob("call-*.wav"))
    for path in recordings:
        with wave.open(str(path)) as recording:
            assert path.stat().st_size == 44 + 4 * recording.getnframes()
        assert misplaced(path, within=0.06, also=fillers(out, path.stem.removeprefix("call-"))) == []
    return len(recordings)


def fillers(out: Path, call: str) -> list[tuple[float, float]]:
    """Return from when to when a filler sounded in a call, in seconds of the call."""
    told = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    mine = [event for event in told if event.get("call") == call]
    began = next(event["at"] for event in mine if event["event"] == "CallStarted")
    words = [event for event in mine if event["event"] == "RungWords"]
    return [(event["at"] - began, event["at"] - began + event["seconds"]) for event in words]


def check_books(summary: dict[str, Any]) -> None:
    """Check what must hold in every run, by the provider's own books."""
    words = summary["words"]
    assert summary["slot"]["max_in_flight"] == 1
    assert summary["links"]["max_open"] <= 5
    assert set(summary["provider"].values()) == {0}
    assert words["heard"] + words["cut"] + words["unspoken"] == words["reply"]
    assert (words["unspoken"], summary["calls_failed"]) == (0, 0)


@pytest.mark.realtime
def test_four_calls_share_one_slot(tmp_path: Path) -> None:
    """One request at a time, no refusal, no word lost, and each heard word where the transcript says it is: at a
    provider that closes after `complete`, and at one that does not, both at the same time."""
    running = {
        closes: start(tmp_path / closes, "--seconds", "9", "--seed", "5", "--close-after-complete", closes)
        for closes in ("yes", "no")
    }
    came = {closes: ended(process) for closes, process in running.items()}
    for closes, (status, output, errors) in came.items():
        assert status == 0, (closes, errors)
        summary, out = json.loads(output), tmp_path / closes
        check_books(summary)
        assert summary["words"]["heard"] > 35
        assert check_recordings(out) == 4
        assert "<html" in (out / "report.html").read_text()
        names = {json.loads(line)["event"] for line in (out / "events.jsonl").read_text().splitlines()}
        assert {"RunStarted", "SlotGranted", "FirstAudioPlayed", "ReplyEnded", "RunEnded"} <= names


@pytest.mark.realtime
def test_ctrl_c_leaves_complete_files(tmp_path: Path) -> None:
    """Within a second (five-fold slack), with status 130."""
    command = [*PROGRAM, "demo", "--voice", "tone", "--out", str(tmp_path), "--json", "--no-table"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "words heard" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        output, _ = process.communicate(timeout=20)
    assert time.monotonic() - asked < 5
    assert process.returncode == 130
    check_books(json.loads(output))
    assert check_recordings(tmp_path) == 4


def test_a_provider_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """Exit status 1, and the address."""
    config = tmp_path / "talkingstick.toml"
    (tmp_path / "key").write_text("sk_test\n")
    config.write_text(f'[provider]\naddress = "ws://127.0.0.1:9"\nkey_file = "{tmp_path / "key"}"\n')
    status, output, errors = demo(tmp_path / "out", "--config", str(config))
    assert (status, output) == (1, "")
    (line,) = errors.splitlines()
    assert line.startswith("talkingstick: ws://127.0.0.1:9/")


@pytest.mark.parametrize(("bot", "reason"), [("nowhere:Bot", "cannot import"), ("bots.echo:Bat", "it has Echo")])
def test_a_bot_that_cannot_be_loaded_is_wrong_use(tmp_path: Path, bot: str, reason: str) -> None:
    """Exit status 2 with the reason."""
    status, _, errors = demo(tmp_path, "--bot", bot)
    assert status == 2
    assert reason in errors


def test_chat_answers_what_is_typed(tmp_path: Path) -> None:
    """Line by line, the end of the input hangs up, and the transcript is that of a call."""
    command = [*PROGRAM, "chat", "echo", "--out", str(tmp_path)]
    ran = subprocess.run(command, input="hello there\n", capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr
    assert "bot: You said: hello there." in ran.stdout
    turns = json.loads((tmp_path / "call-1.json").read_text())["turns"]
    assert [turn["who"] for turn in turns] == ["bot", "caller", "bot"]
    assert all(turn["cut"] == turn["unspoken"] == "" for turn in turns if turn["who"] == "bot")
