"""Whose turn it is: priority, then owner after owner, then deadlines; and nobody waits for ever."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.lipsync.job import Job
from orchestrator.lipsync.turns import in_turn
from tests.lipsync.samples import waiting

JOBS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.none() | st.integers(0, 3), st.integers(0, 5)), max_size=25
)


def made_of(rows: list[tuple[str, int, int | None, int]]) -> list[Job]:
    """Return jobs of owners, with priority, deadline and time of acceptance."""
    return [
        waiting(str(n), serial=n, owner=owner, priority=priority, deadline=deadline, accepted_at=float(accepted))
        for n, (owner, priority, deadline, accepted) in enumerate(rows)
    ]


@given(JOBS, st.dictionaries(st.sampled_from("abc"), st.integers(0, 4)), st.randoms(use_true_random=False))
def test_every_job_has_one_turn_and_the_order_hangs_on_values_alone(
    rows: list[tuple[str, int, int | None, int]], live: dict[str, int], draw: random.Random
) -> None:
    """By priority; an owner's by deadline, then serial; within a priority nobody gets two ahead of who waits too."""
    jobs = made_of(rows)
    order = list(in_turn(jobs, live=live, served={}))
    assert sorted(job.serial for job in order) == list(range(len(jobs)))
    assert [job.priority for job in order] == sorted((job.priority for job in jobs), reverse=True)
    for priority in {job.priority for job in jobs}:
        level = [job for job in order if job.priority == priority]
        for owner in "abc":
            own = [
                (job.deadline if job.deadline is not None else 99, job.serial) for job in level if job.owner == owner
            ]
            assert own == sorted(own)
    shuffled = list(jobs)
    draw.shuffle(shuffled)
    assert list(in_turn(shuffled, live=live, served={})) == order


@given(JOBS, st.dictionaries(st.sampled_from("abc"), st.integers(0, 4)))
def test_who_has_fewest_live_goes_first(rows: list[tuple[str, int, int | None, int]], live: dict[str, int]) -> None:
    """Each one in turn counts as live for those after it."""
    jobs = [job for job in made_of(rows) if job.priority == 0]
    has, left = Counter(live), Counter(job.owner for job in jobs)
    for job in in_turn(jobs, live=live, served={}):
        assert has[job.owner] == min(has[owner] for owner in left if left[owner])
        has[job.owner] += 1
        left[job.owner] -= 1


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 5))
def test_nobody_starves(seed: int, places: int, crowd: int) -> None:
    """Others with endless backlogs, and a new owner in every step: who waits is passed by everybody who was there at
    most once, and by newcomers never."""
    draw, serial = random.Random(f"{seed}:turns"), 0  # a string seeds by SHA-512
    jobs, live, served, passed_by, most = list[Job](), list[str](), dict[str, float](), 0, 0
    for step in range(150):
        owners = [f"crowd {number}" for number in range(crowd)] * 2 + [f"guest {step}"]
        if "patient" not in {*live, *(job.owner for job in jobs)}:
            owners.append("patient")
            passed_by, most = 0, len({*live, *owners, *(job.owner for job in jobs)})
        for owner in owners:
            serial += 1
            jobs.append(waiting(str(serial), serial=serial, owner=owner, accepted_at=float(step)))
        if len(live) >= places:
            live.remove(draw.choice(live))
        job = next(in_turn(jobs, live=Counter(live), served=served))
        jobs.remove(job)
        live.append(job.owner)
        served[job.owner] = step + 0.5
        passed_by += 1
        assert passed_by <= most or all(job.owner != "patient" for job in jobs)
    assert "patient" in served
