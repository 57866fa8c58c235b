"""Processes share a directory of phrases, and may be killed at any time."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from orchestrator.settings import CacheSettings
from orchestrator.speech.phrase import Phrase, PhraseKey
from orchestrator.speech.phrase_files import PhraseFiles
from tests.speech.kept import key, phrase


def scribble(folder: str, seed: int) -> None:
    """Write and read phrases of a few keys, as one of several processes; fail on anything wrong."""
    rng = Random(f"scribble:{seed}")
    files = PhraseFiles(CacheSettings(megabytes=0.1), directory=Path(folder))
    for _ in range(60):
        text = str(rng.randrange(8))
        if rng.random() < 0.5:
            files.write(key(text), phrase(1 + int(text) / 10))
        elif (found := files.read(key(text))) is not None:
            assert found == phrase(1 + int(text) / 10)


@pytest.mark.realtime
def test_processes_share_a_directory(tmp_path: Path) -> None:
    """None ever reads another's half, none fails, the bound holds at the end."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=scribble, args=(str(tmp_path), seed)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100_000


KILLED = """
import sys
from pathlib import Path
from orchestrator.settings import CacheSettings
from orchestrator.speech.phrase_files import PhraseFiles
from tests.speech.kept import key, phrase
files = PhraseFiles(CacheSettings(), directory=Path(sys.argv[1]))
print("up", flush=True)
while True:
    for number in range(5):
        files.write(key(str(number)), phrase(20.0 + number))
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes phrases without end."""
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        yield process
        process.kill()


@pytest.mark.realtime
def test_kill_9_in_the_middle_leaves_nothing_that_is_played(writer: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """Whatever is found after it is whole, and is found without a word of damage."""
    files = PhraseFiles(CacheSettings(), directory=tmp_path)
    while len(files.entries()) < 3:
        pass
    writer.send_signal(signal.SIGKILL)
    writer.wait(timeout=10)
    found: dict[PhraseKey, Phrase | None] = {key(str(number)): files.read(key(str(number))) for number in range(5)}
    assert all(read is None or read == phrase(20.0 + int(where.text)) for where, read in found.items())
    assert sum(read is not None for read in found.values()) >= 3
