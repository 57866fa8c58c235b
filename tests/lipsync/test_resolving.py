"""Whose a generation or batch is that the service tells of: never another job's, never one from before."""

from __future__ import annotations

from pathlib import Path

import trio
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.resolving import batch_for, content_of, made_for, named_in, not_ours, webhook_for
from orchestrator.ports import Batch, Generation
from tests.lipsync.worlds import World, asking

JOB = Job(id="j", key="j-1", request=asking(), accepted_at=900.0, attempted_at=1000.0, state=JobState.SENDING)
MADE = Generation(id="g", status="PENDING", model="lipsync-2", input=JOB.request.input, created_at=1000.0)
HOOK = "https://us/hook?a=1"


@given(st.text())
def test_a_webhook_names_the_job_again(name: str) -> None:
    """Whatever its id is; another's address names none."""
    name = name.encode("utf-8", "replace").decode()
    assert named_in(webhook_for(HOOK, job=name), "job") == name
    assert named_in(webhook_for("https://us/hook", job=name), "batch") == ""
    assert named_in(name, "job") == "" or "job=" in name
    assert webhook_for("", job=name) == ""
    assert named_in("http://[", "job") == ""


def test_a_generation_is_found_by_its_webhook_before_its_content() -> None:
    """What names the job is its own; what names another is not, though it looks alike."""
    ours = evolve(MADE, id="ours", webhook_url=webhook_for(HOOK, job="j"), input=())
    other = evolve(MADE, id="other", webhook_url=webhook_for(HOOK, job="k"))
    assert made_for(JOB, [other], claimed={}) is None
    assert made_for(JOB, [other, MADE, ours], claimed={}) == ours
    chosen = evolve(JOB, request=evolve(JOB.request, webhook_url="https://them?job=5"))
    theirs = evolve(MADE, webhook_url="https://them?job=5")
    assert made_for(chosen, [theirs], claimed={}) == theirs


def test_a_generation_is_found_by_model_and_input() -> None:
    """Order and what the service adds do not matter; another model or video does."""
    echoed = tuple({**item, "id": "x"} for item in reversed(JOB.request.input))
    assert made_for(JOB, [evolve(MADE, input=echoed)], claimed={})
    assert made_for(JOB, [evolve(MADE, model="sync-3")], claimed={}) is None
    assert made_for(JOB, [evolve(MADE, input=asking("b").input)], claimed={}) is None
    text = asking(input=({"type": "text", "provider": {"script": "a"}},))
    assert content_of(text) != content_of(asking(input=({"type": "text", "provider": {"script": "b"}},)))


def test_what_was_there_before_or_is_anothers_is_not_taken() -> None:
    """Older than the attempt by more than a minute, claimed by another job or by an earlier try; else the oldest."""
    assert made_for(JOB, [evolve(MADE, created_at=939.0)], claimed={}) is None
    assert made_for(JOB, [evolve(MADE, created_at=941.0)], claimed={})
    assert made_for(JOB, [MADE], claimed={"g": "k-1"}) is None
    assert made_for(evolve(JOB, key="j-2"), [MADE], claimed={"g": "j-1"}) is None
    younger = evolve(MADE, id="younger", created_at=1001.0)
    assert made_for(JOB, [younger, MADE], claimed={}) == MADE
    assert made_for(JOB, [younger, MADE], claimed={"younger": "j-1"}) == younger


def test_a_batch_is_found_by_its_webhook_or_its_size() -> None:
    """Claimed ones and older ones are not taken."""
    jobs = [evolve(JOB, id=str(n), batch="key") for n in range(20)]
    alike = Batch(id="b", status="PENDING", created_at=1000.0, total=20)
    named = evolve(alike, id="named", total=0, webhook_url=webhook_for(HOOK, batch="key"))
    assert batch_for(jobs, [alike, named], claimed={}) == named
    assert batch_for(jobs, [alike], claimed={}) == alike
    assert batch_for(jobs, [alike], claimed={"b": "other"}) is None
    assert batch_for(jobs, [evolve(alike, total=21)], claimed={}) is None
    assert batch_for(jobs, [evolve(alike, created_at=900.0)], claimed={}) is None
    assert batch_for(jobs, [evolve(alike, webhook_url=webhook_for(HOOK, batch="k"))], claimed={}) is None


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_others_are_what_no_job_explains(known: int, expected: int, others: int) -> None:
    """Jobs whose generation is known explain it; jobs whose is not, one of equal content each."""
    jobs = [evolve(JOB, id=f"k{n}", generation=f"k{n}", state=JobState.SUBMITTED) for n in range(known)]
    jobs += [evolve(JOB, id=f"e{n}", batch="b", state=JobState.SUBMITTED) for n in range(expected)]
    jobs += [evolve(JOB, id="waiting", state=JobState.WAITING)]
    live = [evolve(MADE, id=f"k{n}") for n in range(known)]
    live += [evolve(MADE, id=f"x{n}") for n in range(expected + others)]
    assert not_ours(live, jobs) == others
    named = [evolve(each, webhook_url=webhook_for(HOOK, job="waiting")) for each in live]
    assert not_ours(named, jobs) == 0


async def test_a_webhook_of_who_asked_is_left_alone(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Ours is set where there is none; it names the job."""
    world = World(tmp_path / "lipsync.db", webhook_url="https://us/hooks/sync")
    async with world.queue() as queue:
        job = await queue.accept(asking("a"))
        await queue.accept(asking("b", webhook_url="https://them/hook"))
        await trio.sleep(3)
    told_at = [made.generation.webhook_url for made in world.service.made.values()]
    assert sorted(told_at) == ["https://them/hook", f"https://us/hooks/sync?job={job.id}"]
