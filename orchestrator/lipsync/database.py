"""Owns the SQLite file of the queue: opens it, checks whose it is, writes all or nothing, says what is wrong with it.

What is kept in it is store.py's and notes.py's, which tables there are rows.py's. Everything here blocks.
"""

from __future__ import annotations

import os
import sqlite3
import threading  # methods run in a lane's threads, one of which may still be at work when its caller was cancelled
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from orchestrator.errors import TalkingstickError
from orchestrator.lipsync.rows import APPLICATION, SCHEMA, TABLES

_PATIENCE = 5.0
"""Seconds that a statement waits for another process's."""
_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it can't be written (read-only)",
    sqlite3.SQLITE_PERM: "it can't be written (no permission)",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened",
    sqlite3.SQLITE_BUSY: f"another program has kept it locked for {_PATIENCE:g} s",
    sqlite3.SQLITE_LOCKED: f"another program has kept it locked for {_PATIENCE:g} s",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_IOERR: "reading or writing it failed",
}


class LipsyncStoreError(TalkingstickError):
    """The file that keeps the queue can't be used, now or at all; the message says which file, and why."""


class Database:
    """One open database. Every method raises LipsyncStoreError, and has then changed nothing."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._alone = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the database at `path`, made where there is none. Raises LipsyncStoreError."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise LipsyncStoreError(f"{path}: it can't be opened ({error.strerror})") from None
        with _told(path):
            connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        store = cls(path, connection)
        try:
            store._prepare()
        except LipsyncStoreError:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close it, when whoever is at work with it is done."""
        with self._alone:
            self._connection.close()

    def _prepare(self) -> None:
        with _told(self.path):
            self._connection.row_factory = sqlite3.Row
            self._check(*self._marks())
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
        with self._writing() as connection:
            if self._marks() == (0, 0):
                for statement in filter(str.strip, TABLES.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {SCHEMA}")

    def _marks(self) -> tuple[int, int]:
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        return application, version

    def _check(self, application: int, version: int) -> None:
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if application != APPLICATION and (application or version or tables):
            raise LipsyncStoreError(f"{self.path}: it is a database of another program; set lipsync.store")
        if version > SCHEMA:
            newer = f"it was written by a newer talkingstick (tables {version}, this one knows {SCHEMA})"
            raise LipsyncStoreError(f"{self.path}: {newer}; upgrade, or set lipsync.store")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._alone, _told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(
                    sqlite3.Error
                ):  # a full disk has rolled it back already, and it is the first error that counts
                    self._connection.execute("ROLLBACK")
                raise

    def _read(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self._alone, _told(self.path):
            return self._connection.execute(statement, values).fetchall()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Map SQLite's errors."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)  # the module's own errors have none: a closed database
        why = _WORDS.get(code & 0xFF) if code is not None else None
        raise LipsyncStoreError(f"{path}: {why or 'it failed'} ({error})") from None
