"""What an account may do: generations at a time, requests a minute, sizes; and the books that count it."""

from __future__ import annotations

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from simulations.sync.minutes import MINUTE, Minute
from simulations.sync.options import Plan
from tests.simulations.sync.peer import EVEN, wanted, world

RATE = {
    "statusCode": 429,
    "errorCode": "rate_limit_exceeded",
    "message": "Rate limit exceeded. Please try again later.",
    "error": "Too Many Requests",
}


async def test_the_plan_says_how_many_at_a_time(autojump_clock: trio.testing.MockClock) -> None:
    """A fourth on a plan of three is refused; at the end of one there is a place in the same moment."""
    async with world(attrs.evolve(EVEN, retry_after=1.5)) as here:
        for number in range(3):
            assert (await here.create(number)).status_code == 201
            await trio.sleep(1)
        refused = await here.create(3)
        assert (refused.status_code, refused.json()["errorCode"]) == (429, "concurrency_limit_reached")
        assert (refused.json()["error"], refused.headers["retry-after"]) == ("Too Many Requests", "2")
        await trio.sleep_until(120)
        assert (await here.create(3)).status_code == 201
        assert (await here.create(4)).status_code == 429
        books = here.server.books
        assert (books.most_live, books.generations, books.refused["concurrency"]) == (3, 4, 2)


async def test_creates_and_others_have_limits_of_their_own(autojump_clock: trio.testing.MockClock) -> None:
    """The body is exactly the published one; refused ones do not count against the limit, but the books saw them."""
    plan = Plan(generations=9, creates=2, others=3)
    async with world(attrs.evolve(EVEN, plan=plan)) as here:
        statuses = [(await here.create(number)).status_code for number in range(4)]
        assert statuses == [201, 201, 429, 429]
        assert (await here.create()).json() == RATE
        found = [(await here.client.get("/v2/models")).status_code for _ in range(4)]
        assert found == [200, 200, 200, 429]
        assert (await here.client.get("/v2/errors")).status_code == 200
        await trio.sleep(MINUTE)
        assert (await here.create()).status_code == 201
        books = here.server.books.snapshot()
        assert (books["most_creates"], books["most_creates_let_in"], books["most_others"]) == (5, 2, 4)
        assert books["refused"] == {"rate": 4}


async def test_uploads_may_have_a_limit(autojump_clock: trio.testing.MockClock) -> None:
    """As the newest page says; they count as other requests, too."""
    async with world(attrs.evolve(EVEN, uploads_per_minute=1)) as here:
        asked = {"fileName": "a.mp4", "contentType": "video/mp4", "size": 3}
        found = [(await here.client.post("/v2/assets/upload", json=asked)).status_code for _ in range(2)]
        assert found == [201, 429]


@given(st.lists(st.floats(0, 300), max_size=60), st.integers(1, 5), st.floats(0, 59))
def test_no_minute_has_more_than_its_limit(times: list[float], most: int, started: float) -> None:
    """A sliding window lets in at most so many in any 60 s, a fixed one in each of its own minutes."""
    sliding, fixed = Minute(most=most), Minute(most=most, window="fixed", started=started)
    let_in: dict[str, list[float]] = {"sliding": [], "fixed": []}
    for at in sorted(times):
        for name, minute in (("sliding", sliding), ("fixed", fixed)):
            if minute.take(started + at):
                let_in[name].append(at)
    for at in let_in["sliding"]:
        # both sides as the limiter adds them: it must not hang on the last bit
        assert sum(started + at - MINUTE < started + each <= started + at for each in let_in["sliding"]) <= most
    assert sliding.most_let_in <= most
    for number in range(6):
        assert sum((started + at - started) // MINUTE == number for at in let_in["fixed"]) <= most


def test_a_fixed_window_may_let_in_twice_as_many_at_its_edge() -> None:
    """As "the limit resets every minute" may be read."""
    minute = Minute(most=2, window="fixed")
    assert [minute.take(at) for at in (59.0, 59.5, 59.9, 60.0, 60.1, 60.2)] == [True, True, False, True, True, False]
    assert minute.most_let_in == 4


@pytest.mark.parametrize(
    ("size", "status", "code"),
    [
        (900_000, 201, ""),
        (1_100_000, 422, "file_size_exceeds_plan_limit"),
        (2_100_000, 413, "generation_input_validation_failed"),
    ],
)
async def test_files_have_sizes(autojump_clock: trio.testing.MockClock, size: int, status: int, code: str) -> None:
    """422 beyond what the plan takes, 413 beyond what any form may hold."""
    async with world(attrs.evolve(EVEN, file_mb=2.0, plan_file_mb=1.0)) as here:
        answer = await here.client.post(
            "/v2/generate",
            data={"model": "lipsync-2"},
            files={"video": ("v.mp4", bytes(size), "video/mp4"), "audio": ("a.wav", b"x", "audio/wav")},
        )
        assert (answer.status_code, answer.json().get("errorCode") or "") == (status, code)


async def test_a_body_without_end_is_refused(autojump_clock: trio.testing.MockClock) -> None:
    """413, and the connection lives."""
    async with world() as here:
        answer = await here.client.post("/v2/generate", content=b"x" * 3_000_000)
        assert answer.status_code == 413
        assert (await here.client.post("/v2/generate", json=wanted())).status_code == 201
