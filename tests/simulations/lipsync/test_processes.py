"""Real processes on real sockets: workers that are killed with -9, one after the other, finish their queue."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.store import Store
from orchestrator.ports import VideoRequest

JOBS, KILLS = 9, 3
_PATIENCE = 30.0
_TALKINGSTICK = (sys.executable, "-m", "orchestrator")


@contextmanager
def service() -> Iterator[str]:
    """Have a simulated service on a port, where two minutes take half a second; yield its address."""
    command = [*_TALKINGSTICK, "sync-server", "--port", "0", "--speed", "240", "--idempotency", "no"]
    command += ["--fault", "error_after_accept:count=2", "--fault", "cut_answer:count=2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        yield process.stderr.readline().split(" on ")[1].split()[0]
        process.kill()


def books(address: str) -> dict[str, Any]:
    """Return the service's own books of its only account."""
    with urllib.request.urlopen(f"{address}/books?account=default") as page:
        found: dict[str, Any] = json.load(page)
    return found


def fill(store: Store) -> None:
    """Put jobs into the queue."""
    for number in range(JOBS):
        items = ({"type": kind, "url": f"https://media.test/{number}.{kind}"} for kind in ("video", "audio"))
        request = VideoRequest(model="lipsync-2", input=tuple(items))
        store.accept(Job(id=f"{number:016x}", key=f"{number:016x}-1", request=request, accepted_at=time.time()))


@contextmanager
def worker(store: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """Have a process work on the queue until every job has ended; leaving kills it with -9."""
    command = [*_TALKINGSTICK, "lipsync", "wait", "--store", str(store), "--address", address, "--plan", "creator"]
    environment = {**os.environ, "SYNC_API_KEY": "any"}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_change(store: Store) -> None:
    """Wait until another process has written."""
    before, patience = store.data_version(), time.monotonic() + _PATIENCE
    while store.data_version() == before:
        assert time.monotonic() < patience
        time.sleep(0.01)


@pytest.mark.realtime
def test_killed_workers_lose_nothing_and_make_nothing_twice(tmp_path: Path) -> None:
    """Three are killed, the fourth ends every job; the service, which honours no keys, has begun each video once."""
    path, rng = tmp_path / "lipsync.db", random.Random("kills")
    store = Store.open(path)
    fill(store)
    try:
        with service() as address:
            for _ in range(KILLS):
                with worker(path, address) as killed:
                    wait_change(store)
                    time.sleep(rng.uniform(0.0, 0.5))
                assert killed.returncode == -signal.SIGKILL
            assert any(not job.state.ended for job in store.jobs())
            with worker(path, address) as last:
                assert last.wait(timeout=_PATIENCE) == 0
            begun = books(address)
        assert [job.state for job in store.jobs()] == [JobState.COMPLETED] * JOBS
        assert len({job.generation for job in store.jobs()}) == JOBS
        assert (begun["generations"], begun["most_live"]) == (JOBS, 3)
    finally:
        store.close()
