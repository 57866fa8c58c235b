"""Claims about the examples for embedders: each runs to its end by itself, and Ctrl-C ends it without a word."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from tempfile import gettempdir

import pytest

from simulations.embedding.stage import heard_file

EXAMPLES = ("own_leg", "sidecar", "guest_mode")


def start(example: str, folder: Path) -> subprocess.Popen[str]:
    """Run an example as a user does."""
    command = [sys.executable, "-m", f"simulations.embedding.{example}"]
    if example != "guest_mode":
        command += ["--wav", str(folder / f"{example}.wav")]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_what_was_heard_lies_in_no_directory_of_the_users_own() -> None:
    """Unless the command line says where."""
    assert heard_file(Path("here.wav")) == Path("here.wav")
    path = heard_file(None)
    assert path.is_relative_to(gettempdir())
    assert path != heard_file(None)


@pytest.mark.realtime
def test_they_run_to_their_end_and_tell_what_was_heard(tmp_path: Path) -> None:
    """All three at a time: the greeting is heard, the second line cuts the bot short, or thanks it."""
    running = {example: start(example, tmp_path) for example in EXAMPLES}
    told = {example: process.communicate(timeout=100) for example, process in running.items()}
    for example, process in running.items():
        output, errors = told[example]
        assert (process.returncode, errors) == (0, ""), example
        assert "Good morning, this is the bakery. What can I do for you?" in output
        assert "You are welcome, goodbye!" in output
    assert "[cut: " in told["own_leg"][0]
    assert "s are not played" in told["sidecar"][0]
    assert told["guest_mode"][0].count("was ended by: bot") == 2
    for example in ("own_leg", "sidecar"):
        with wave.open(str(tmp_path / f"{example}.wav")) as heard:
            assert 8 < heard.getnframes() / heard.getframerate() < 40
            assert any(heard.readframes(heard.getnframes()))


@pytest.mark.realtime
def test_ctrl_c_ends_them_at_once(tmp_path: Path) -> None:
    """In the middle of a call, each of the three, that are started at the same time: status 130, and no traceback."""
    running = {example: start(example, tmp_path) for example in EXAMPLES}
    for example, process in running.items():
        assert process.stdout is not None
        assert "begin" in process.stdout.readline(), example
    began = time.monotonic()
    for process in running.values():
        process.send_signal(signal.SIGINT)
    for example, process in running.items():
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (130, ""), example
    assert time.monotonic() - began < 10  # two seconds, five-fold
