"""The store and the streams of a process that may be killed: what was written is there, all else is gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import trio

from orchestrator.lipsync.store import Store
from simulations.lipsync.life import Killed, Life

_BEGINNINGS = (
    (b"POST /v2/generate ", "create"),
    (b"GET /v2/generate/", "fetch"),
    (b"GET /v2/generations", "look"),
    (b"POST /v2/assets", "upload"),
    (b"PUT /", "upload"),
    (b"POST /hooks/", "webhook"),
    (b"POST /ended", "notice"),
)
"""What a connection is for, by its first bytes."""


class MortalStore(Store):
    """The real store on a real file. A kill before a commit undoes it, as SQLite does when the file is opened again."""

    life: Life = Life()
    """Endless, until the store is given to one."""

    @classmethod
    def of(cls, path: Path, life: Life) -> Self:
        """Open the store for one life."""
        store = cls.open(path)
        store.life = life
        return store

    def _prepare(self) -> None:
        super()._prepare()
        # A killed process loses nothing that it gave to the system, only a power cut does: and no disk is waited for.
        self._connection.execute("PRAGMA synchronous = OFF")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self.life.step("store: before a write")
        with super()._writing() as connection:
            yield connection
            self.life.step("store: before a commit")
        self.life.step("store: after a commit")


class MortalStream(trio.abc.Stream):
    """A connection of the process, either side of it."""

    def __init__(self, stream: trio.abc.Stream, life: Life) -> None:
        self._stream = stream
        self._life = life
        self._name = ""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send it all, or half of it, or nothing."""
        self._recognise(data)
        self._life.step(f"{self._name}: before bytes are sent")
        try:
            self._life.step(f"{self._name}: half of the bytes are sent")
        except Killed:
            with trio.CancelScope(shield=True):
                await self._stream.send_all(bytes(data)[: len(data) // 2])
            raise
        await self._stream.send_all(data)
        self._life.step(f"{self._name}: bytes were sent")

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room."""
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Return the next bytes."""
        data = await self._stream.receive_some(max_bytes)
        self._recognise(data)
        self._life.step(f"{self._name}: bytes came")
        return data

    async def aclose(self) -> None:
        """Close it; of a process that was killed the system does that."""
        await self._stream.aclose()

    def _recognise(self, data: bytes | bytearray | memoryview) -> None:
        if not self._name:
            begins = bytes(data[:30])
            self._name = next((name for start, name in _BEGINNINGS if begins.startswith(start)), "request")
