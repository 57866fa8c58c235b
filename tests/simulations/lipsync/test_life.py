"""A life ends where it was drawn to, and nothing has an effect afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import memory_stream_pair

from orchestrator.lipsync.job import Job
from orchestrator.ports import VideoRequest
from simulations.lipsync.life import Kill, Killed, Life, Start, draw_kills
from simulations.lipsync.mortal import MortalStore, MortalStream

JOB = Job(id="a", key="a-1", request=VideoRequest(model="lipsync-2", input=()), accepted_at=1.0)


def life_of(effects: int, *, start: Start = "anything") -> Life:
    """Return a life that ends after so many effects from now on."""
    at = trio.current_time()
    return Life(Kill(at=at, late=at + 100.0, start=start, effects=effects, down=1.0))


async def test_it_ends_at_the_effect_that_was_drawn() -> None:
    """Effects before its time, and before the first of the sort that it is to end at, are not counted."""
    life = life_of(1, start="create")
    for what in ("look: bytes came", "create: before bytes are sent"):
        life.step(what)
    with pytest.raises(Killed):
        life.step("store: before a write")
    assert (life.over, life.last) == (True, "store: before a write")
    with pytest.raises(Killed):
        life.step("anything else")


async def test_a_kill_hurries_where_few_jobs_are_left() -> None:
    """Not before its time while there are more of them than kills; with the last one at the next effect."""
    jobs = 3.0
    kill = Kill(at=trio.current_time() + 100.0, late=1e9, start="create", effects=1, down=1.0)
    life = Life(kill, kills=2, jobs=lambda: jobs)
    life.step("look: bytes came")
    jobs = 2.0
    life.step("look: bytes came")
    with pytest.raises(Killed):
        life.step("look: bytes came")
    with pytest.raises(Killed):
        Life(kill, jobs=lambda: 1.0).step("look: bytes came")
    Life(jobs=lambda: 1.0).step("look: bytes came")


@pytest.mark.parametrize(("effects", "is_there"), [(0, False), (1, False), (2, True)])
async def test_a_write_is_there_or_it_is_not(tmp_path: Path, effects: int, *, is_there: bool) -> None:
    """Killed before it, before its commit, and after it."""
    store = MortalStore.of(tmp_path / "jobs.db", life_of(effects))
    with pytest.raises(Killed):
        store.accept(JOB)
    store.close()
    again = MortalStore.of(tmp_path / "jobs.db", Life())
    assert (again.job("a") is not None) == is_there
    again.close()


@pytest.mark.parametrize(("effects", "sent"), [(0, b""), (1, b"GET /v2/gene"), (2, b"GET /v2/generations HTTP")])
async def test_bytes_are_sent_by_half_or_whole(effects: int, sent: bytes) -> None:
    """Killed before, in the middle, and after them; then nothing more goes out."""
    near, far = memory_stream_pair()
    stream = MortalStream(near, life_of(effects))
    for _ in range(2):
        with pytest.raises(Killed):
            await stream.send_all(b"GET /v2/generations HTTP")
    await stream.aclose()
    assert b"".join([piece async for piece in far]) == sent


def test_kills_are_spread_and_drawn_from_the_seed() -> None:
    """In order, within the time, the same for the same seed."""
    kills = draw_kills(20, seed=1, within=1000.0)
    assert kills == draw_kills(20, seed=1, within=1000.0) != draw_kills(20, seed=2, within=1000.0)
    assert [kill.at for kill in kills] == sorted(kill.at for kill in kills)
    assert 0.0 <= kills[0].at <= kills[-1].at <= 1000.0
    assert draw_kills(0, seed=1, within=1000.0) == ()
