"""A simulated service on loopback and a queue of a test's own, for commands that are run as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from attrs import frozen

from orchestrator.lipsync.command.store import CommandStore
from orchestrator.lipsync.job import Job
from simulations.sync.options import Plan, SyncOptions
from simulations.sync.server import SyncServer, open_sync_server

ROOT = Path(__file__).parents[3]
VIDEO, SOUND = "https://media.example/face.mp4", "https://media.example/hello.mp3"


@frozen(kw_only=True)
class Bench:
    """One service (`server`), and a folder with a queue, a video and a sound of 12 s."""

    folder: Path
    server: SyncServer

    @property
    def account(self) -> dict[str, Any]:
        """Return the options that name the account and the queue."""
        return {"address": self.server.address, "store": str(self.store), "plan": self.server.options.plan.name}

    @property
    def store(self) -> Path:
        """Where the queue is."""
        return self.folder / "lipsync.db"

    def command(self, *words: str) -> list[str]:
        """Return a command line on this queue and account, for a process of its own."""
        named = [f"--{name}={value}" for name, value in self.account.items()]
        return [sys.executable, "-m", "orchestrator", "lipsync", *words, *named]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        environment = {name: value for name, value in os.environ.items() if name != "SYNC_API_KEY"}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(*words), cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )

    def jobs(self) -> list[Job]:
        """Return all jobs, the newest first."""
        return jobs_in(self.store)

    def made(self) -> int:
        """Return how many generations were begun, of batches too."""
        account = self.server.books
        return account.generations + account.batch_generations


@asynccontextmanager
async def open_bench(folder: Path, *, speed: float = 1000.0, **plan: Any) -> AsyncIterator[Bench]:
    """Yield a bench whose service is `speed` times as fast as the real one; `plan` as simulations.sync.options.Plan."""
    with wave.open(str(folder / "hello.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * 8000 * 12))
    (folder / "face.mp4").write_bytes(b"video" * 1000)
    async with open_sync_server(SyncServer(SyncOptions(plan=Plan(**plan), speed=speed))) as server:
        yield Bench(folder=folder, server=server)


def jobs_in(path: Path) -> list[Job]:
    """Return all jobs of a store, the newest first."""
    with closing(CommandStore.open(path)) as store:
        return store.jobs()


def printed(out: str) -> dict[str, Any]:
    """Return the one object that a command printed with --json."""
    found: dict[str, Any] = json.loads(out)
    assert found["schema"] == 1
    return found
