"""Claims about a demo that is killed with -9 in the middle: what had happened until then can be read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.audio import sounding, to_samples
from simulations.demo.files import RunFiles
from simulations.run_folder import EVENTS

SECONDS = 4.5
"""Of the run before it is killed."""


def told(folder: Path) -> list[dict[str, Any]]:
    """Return every event that is there: each line must be whole."""
    path = folder / EVENTS
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a demo that was killed SECONDS after it began."""
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "orchestrator", "demo", "--voice", "tone", "--out", str(folder / "out")]
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    with subprocess.Popen(command, env=environment, stdout=-1, stderr=-1) as process:
        patience = time.monotonic() + 40
        while time.monotonic() < patience and not any(event["at"] > SECONDS for event in told(folder / "out")):
            time.sleep(0.1)
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    return folder / "out"


@pytest.mark.realtime
def test_every_recording_holds_all_but_the_last_second(killed: Path) -> None:
    """By the event log: each call's file, read by somebody else's reader, ends within a second of the last event."""
    events = told(killed)
    started = {event["call"]: event["at"] for event in events if event["event"] == "CallStarted"}
    ended = {event["call"]: event["at"] for event in events if event["event"] == "CallEnded"}
    last = events[-1]["at"]
    assert last > SECONDS
    assert len(started) >= 4
    heard = 0.0
    for call, at in started.items():
        with wave.open(str(killed / f"call-{call}.wav")) as file:
            rate, seconds = file.getframerate(), file.getnframes() / file.getframerate()
            bot = to_samples(file.readframes(file.getnframes()))[1::2]
        assert ended.get(call, last) - at - 1.0 < seconds < ended.get(call, last) - at + 0.5, call
        heard += float(np.sum(sounding(bot.tobytes(), rate))) * 0.005
    assert heard > 2


@pytest.mark.realtime
def test_the_next_run_takes_the_directory_over(killed: Path) -> None:
    """What is there is known as a run's, whole transcripts or halves of them, and goes when the next one begins."""
    (killed / "call-9.json.part").write_text('{"schema"')
    files = RunFiles(killed)
    files.open()
    files.close()
    assert sorted(path.name for path in killed.iterdir()) == [EVENTS, "log.jsonl"]
