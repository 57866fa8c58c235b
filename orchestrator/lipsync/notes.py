"""Keeps what must survive us beside the jobs: what is ours, requests begun, how long videos took, webhooks seen."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Literal

from attrs import frozen

from orchestrator.lipsync.database import Database

_LEARNED_FROM = 20
"""A model's usual duration is the mean of so many."""
_REQUESTS_KEPT = 700.0
"""Seconds: the window of a minute, and the longest time that a request may take."""
_SIGNATURES_KEPT = 7300.0
"""Seconds: twice the largest tolerance that a webhook's time stamp may have."""


CLAIM = "INSERT OR IGNORE INTO made VALUES (?, ?, ?)"
RequestKind = Literal["create", "other"]
"""The service counts those that begin a generation apart from all others."""


@frozen
class Request:
    """So many requests, begun at a time (Unix seconds)."""

    kind: RequestKind
    at: float
    count: int


class Notes(Database):
    """The database's smaller tables."""

    def claim(self, made: str, key: str, *, at: float) -> str:
        """Note that a generation or batch came of `key`; return the key that it was noted for first."""
        with self._writing() as connection:
            connection.execute(CLAIM, (made, key, at))
            return str(connection.execute("SELECT key FROM made WHERE id = ?", (made,)).fetchone()[0])

    def claimed(self, made: Sequence[str]) -> dict[str, str]:
        """Return the keys that generations or batches came of, as far as they are known."""
        marks = ", ".join("?" * len(made))
        return {row["id"]: row["key"] for row in self._read(f"SELECT id, key FROM made WHERE id IN ({marks})", *made)}

    def keep_request(self, request: Request) -> None:
        """Note that requests are about to begin."""
        with self._writing() as connection:
            keep_request(connection, request)

    def requests(self, since: float) -> list[Request]:
        """Return the requests begun since then."""
        rows = self._read("SELECT kind, at, count FROM requests WHERE at >= ? ORDER BY at", since)
        return [Request(row["kind"], row["at"], row["count"]) for row in rows]

    def usual(self) -> dict[str, float]:
        """Return how long each model's generations take, in seconds: the mean of the last 20."""
        rows = self._read("SELECT model, avg(seconds) AS seconds FROM durations GROUP BY model")
        return {row["model"]: row["seconds"] for row in rows}

    def seen(self, signature: str) -> bool:
        """Say whether a webhook with this signature came before."""
        return bool(self._read("SELECT 1 FROM signatures WHERE signature = ?", signature))

    def first_seen(self, signature: str, at: float) -> bool:
        """Say whether a webhook's signature comes for the first time, and note that it came."""
        with self._writing() as connection:
            connection.execute("DELETE FROM signatures WHERE at < ?", (at - _SIGNATURES_KEPT,))
            return connection.execute("INSERT OR IGNORE INTO signatures VALUES (?, ?)", (signature, at)).rowcount > 0

    def data_version(self) -> int:
        """Return a number that changes when another process (or another Store) has written."""
        return int(self._read("PRAGMA data_version")[0][0])


def keep_request(connection: sqlite3.Connection, request: Request) -> None:
    """Note requests as a part of what else is written, and forget those that count no more."""
    connection.execute("DELETE FROM requests WHERE at < ?", (request.at - _REQUESTS_KEPT,))
    connection.execute("INSERT INTO requests VALUES (?, ?, ?)", (request.at, request.kind, request.count))


def keep_duration(connection: sqlite3.Connection, model: str, *, seconds: float) -> None:
    """Note how long a video took as a part of what else is written, and forget all but the model's last."""
    connection.execute("INSERT INTO durations (model, seconds) VALUES (?, ?)", (model, seconds))
    last = "SELECT serial FROM durations WHERE model = ? ORDER BY serial DESC LIMIT ?"
    stale = f"DELETE FROM durations WHERE model = ? AND serial NOT IN ({last})"
    connection.execute(stale, (model, model, _LEARNED_FROM))
