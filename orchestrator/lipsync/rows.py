"""Says how a job is kept as a row of SQLite, and which tables there are; pure. store.py reads and writes them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

import attrs

from orchestrator.lipsync.job import Job, JobState
from orchestrator.ports import VideoRequest

APPLICATION = 0x7473_6C73
"""What marks a SQLite file as ours ("tsls")."""
SCHEMA = 1
"""The version of the tables: one more with every change of them."""
_LIVE = ", ".join(f"'{state.value}'" for state in JobState if not state.ended)
IS_LIVE = f"state IN ({_LIVE})"
TABLES = f"""
CREATE TABLE jobs (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    accepted_at REAL NOT NULL,
    owner TEXT NOT NULL,
    call TEXT NOT NULL,
    name TEXT NOT NULL,
    priority INTEGER NOT NULL,
    together TEXT NOT NULL,
    deadline REAL,
    state TEXT NOT NULL,
    attempted_at REAL,
    submitted_at REAL,
    ended_at REAL,
    generation TEXT NOT NULL,
    batch TEXT NOT NULL,
    output_url TEXT NOT NULL,
    output_duration REAL,
    error TEXT NOT NULL,
    code TEXT NOT NULL,
    tries INTEGER NOT NULL,
    notified INTEGER NOT NULL
) STRICT;
CREATE INDEX live ON jobs (serial) WHERE {IS_LIVE};
CREATE INDEX untold ON jobs (ended_at) WHERE notified = 0 AND NOT {IS_LIVE};
CREATE INDEX ended ON jobs (ended_at) WHERE NOT {IS_LIVE};
CREATE INDEX owned ON jobs (owner, serial);
CREATE TABLE made (id TEXT PRIMARY KEY, key TEXT NOT NULL, at REAL NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE requests (at REAL NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL) STRICT;
CREATE INDEX requested ON requests (at);
CREATE TABLE durations (serial INTEGER PRIMARY KEY, model TEXT NOT NULL, seconds REAL NOT NULL) STRICT;
CREATE INDEX lasted ON durations (model, serial);
CREATE TABLE signatures (signature TEXT PRIMARY KEY, at REAL NOT NULL) STRICT, WITHOUT ROWID;
"""
"""`made`: generations and batches that are known to be ours, and the Idempotency-Key that each came of. `requests`:
those begun lately. `durations`: what generations took lately. `signatures`: of the webhooks that came lately."""

COLUMNS = tuple(each.name for each in attrs.fields(Job) if each.name != "serial")
INSERT = f"INSERT OR IGNORE INTO jobs ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)})"
UPDATE = f"UPDATE jobs SET {', '.join(f'{name} = :{name}' for name in COLUMNS)} WHERE id = :id"
SELECT = f"SELECT serial, {', '.join(COLUMNS)} FROM jobs"


def row_of(job: Job) -> dict[str, Any]:
    """Return a job's columns."""
    row = {name: _plain(getattr(job, name)) for name in COLUMNS}
    row["request"] = json.dumps(attrs.asdict(job.request), default=dict)
    row["state"] = job.state.value
    return row


def job_of(row: Mapping[str, Any] | sqlite3.Row) -> Job:
    """Return the job that a row holds."""
    columns: dict[str, Any] = dict(row)
    request = json.loads(columns.pop("request"))
    request["input"], request["segments"] = tuple(request["input"]), tuple(request["segments"])
    columns["state"], columns["notified"] = JobState(columns["state"]), bool(columns["notified"])
    return Job(request=VideoRequest(**request), **columns)


def _plain(value: Any) -> Any:
    # Half of a surrogate pair, as a service's JSON may hold it, is nothing that SQLite takes.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
