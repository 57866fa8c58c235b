"""Jobs are told for programs with names that stay, and for people with what they wait for."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from orchestrator.lipsync.job import JobState
from orchestrator.lipsync.telling import (
    Scene,
    called,
    ended,
    iso,
    job_fields,
    newest_trouble,
    result_fields,
    span,
    table,
    told_of,
    told_of_all,
    why,
)
from tests.lipsync.samples import submitted, waiting

DONE = evolve(
    submitted("abc", at=10.0),
    state=JobState.COMPLETED,
    ended_at=130.25,
    output_url="https://a.example/o.mp4",
    output_duration=12.0,
)
FAILED = waiting("bad", state=JobState.FAILED, ended_at=3.0, error="no such\nmodel", code="unsupported", tries=1)


def test_a_job_for_programs() -> None:
    """Times are ISO 8601 in UTC, what is not known is null."""
    assert json.loads(json.dumps(job_fields(DONE))) == {
        "id": "abc", "state": "completed", "model": "lipsync-2", "owner": "", "call": "", "priority": 0,
        "request_id": None,
        "accepted_at": "1970-01-01T00:00:00.000Z", "deadline": None, "submitted_at": "1970-01-01T00:00:10.000Z",
        "ended_at": "1970-01-01T00:02:10.250Z", "generation": "of abc", "batch": None,
        "output_url": "https://a.example/o.mp4", "seconds": 12.0, "error": None, "code": None, "tries": 0,
    }  # fmt: skip
    assert iso(None) is None


def test_a_line_of_a_batch_for_programs() -> None:
    """With the name that whoever asked gave it."""
    assert result_fields("line-1", FAILED) == {
        "request_id": "line-1", "status": "failed", "output_url": None, "error": "no such\nmodel",
        "code": "unsupported", "job": "bad",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_lengths_of_time_are_short(seconds: float, words: str) -> None:
    """In the largest unit of which there are two."""
    assert span(seconds) == words


def test_the_list_has_a_line_a_job() -> None:
    """Nothing that a job holds breaks a line."""
    in_batch = evolve(submitted("b"), generation="", batch="b-1")
    jobs = [DONE, FAILED, waiting("w", owner="bot\x1b[1m"), submitted("s"), in_batch]
    head, *lines = table([*jobs, waiting("x", state=JobState.SENDING)], now=60.0)
    assert head.split() == ["JOB", "STATE", "AGE", "MODEL", "OWNER", "WHAT"]
    assert [line[68:] for line in lines] == [
        "12.0 s of video, generation of abc", "no such model (unsupported)", "", "generation of s", "batch b-1",
        "sent, not answered yet",
    ]  # fmt: skip
    assert all(line.isprintable() for line in lines)


def test_names_have_a_column_where_there_are_any() -> None:
    """As wide as the longest, and no wider than is sensible."""
    head, named, other = table([evolve(FAILED, name="intro\n"), evolve(DONE, name="x" * 99)], now=0.0)
    assert head[68:] == f"{'REQUEST_ID':24} WHAT"
    assert named[68:] == f"{'intro':24} no such model (unsupported)"
    assert other[68:] == "x" * 24 + " 12.0 s of video, generation of abc"
    assert called(evolve(DONE, name="in\ntro")) == "abc (in tro)"
    assert called(waiting("a")) == "a"


def test_of_the_waiting_jobs_the_one_that_was_tried_last_says_what_is_wrong() -> None:
    """Not one that has ended, nor one that was sent again."""
    first = waiting("a", serial=1, error="old", attempted_at=5.0)
    last = waiting("b", serial=2, error="no such key", code="401", attempted_at=7.0)
    assert newest_trouble([last, first, waiting("c"), evolve(FAILED, attempted_at=9.0)]) == "no such key (401)"
    assert newest_trouble([waiting("c"), FAILED]) == ""


def test_the_end_is_told_with_its_reason() -> None:
    """And how long it took."""
    assert ended(DONE) == "completed after 2 min, 12.0 s of video"
    assert ended(FAILED) == "failed after 3 s: no such model (unsupported)"
    assert ended(evolve(FAILED, error="", code="")) == "failed after 3 s: no reason is known"
    assert why(evolve(FAILED, error="unsupported model")) == "unsupported model"


def test_who_waits_is_told_its_place_and_why() -> None:
    """By whose turn it is, not by age alone."""
    first, urgent = waiting("first", serial=1), waiting("urgent", serial=2, priority=1)
    scene = Scene(now=5.0, live=(first, urgent, submitted("s", serial=3)), limit=1)
    assert told_of(urgent, scene).words == "waiting, next in the queue: the plan's one place is taken"
    assert told_of(first, scene).words == "waiting, 2nd in the queue: the plan's one place is taken"
    assert told_of(first, evolve(scene, limit=3)).words == "waiting, 2nd in the queue"
    refused = evolve(first, error="too many at a time", code="limit")
    assert told_of(refused, scene).words == "waiting, 2nd in the queue: too many at a time (limit)"
    crowd = tuple(waiting(f"w{n}", serial=n) for n in range(1, 14))
    places = [told_of(job, Scene(now=0.0, live=crowd)).words.split()[1] for job in crowd]
    assert places[:4] + places[-3:] == ["next", "2nd", "3rd", "4th", "11th", "12th", "13th"]


def test_what_is_under_way_is_told() -> None:
    """Its mark stays while only time passes."""
    scene = Scene(now=30.0, usual={"lipsync-2": 120.0})
    told = told_of(submitted("s", at=10.0), scene)
    assert told.words == "being made for 20 s, usually 120 s (generation of s)"
    assert told.mark == told_of(submitted("s", at=10.0), evolve(scene, now=31.0)).mark
    assert told.mark != told_of(submitted("s", at=10.0), evolve(scene, trouble="no answer")).mark
    assert told_of(waiting("w", files=1), evolve(scene, uploading="v.mp4, 50 %")).words == "uploading v.mp4, 50 %"
    assert told_of(waiting("w", state=JobState.SENDING), scene).words == "sent, not answered yet"
    assert told_of(DONE, scene).words == ended(DONE)


def test_many_jobs_are_counted() -> None:
    """In the order of their lives."""
    jobs = [DONE, FAILED, DONE, waiting("w"), submitted("s")]
    assert told_of_all(jobs, Scene(now=0.0)).words == "1 waiting, 1 being made, 2 completed, 1 failed"
    assert told_of_all(jobs[:1], Scene(now=0.0, trouble="no answer")).words == "1 completed; no answer"
