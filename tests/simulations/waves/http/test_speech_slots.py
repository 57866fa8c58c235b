"""Speech over HTTP and the account's slots: who gets one, how long it is held, and what the books say of it."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator.ports import Spoken
from simulations.voices import Wanted
from simulations.waves.accounts import Plan
from simulations.waves.books import Refusal
from simulations.waves.desk import REFUSALS
from simulations.waves.provider import Provider
from simulations.waves.synthesis import Synthesizer
from tests.simulations.waves.http.pages_client import THEIRS, make_provider
from tests.simulations.waves.http.visitor import LIVE, TTS, Answer, ask, asked, visiting
from tests.simulations.waves.peer import TEN, dialled, frames_until, spelling_voice
from tests.simulations.waves.peer import ask as message
from tests.simulations.waves.peer import provider as make_server

PACE: dict[str, Any] = {"ttfb": 0.2, "rtf": 0.3, "settle": 0.05}
"""TEN takes 0.35 s."""


async def test_surplus_requests_are_refused_at_once(autojump_clock: MockClock) -> None:
    """One slot, two requests: 429 with a message and an id; another account has its own."""
    provider, answers = make_provider(**PACE), []

    async def note(path: str, **more: str) -> None:
        answers.append(await asked(provider, path, ask(TEN), **more))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(note, TTS)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(note, LIVE)
        nursery.start_soon(lambda: note(LIVE, key=THEIRS))
    refused, *served = sorted(answers, key=lambda answer: answer.at)
    assert (refused.status, refused.at) == (429, 0.0)
    assert refused.json.keys() == {"error", "request_id"}
    assert refused.json["error"] == REFUSALS[Refusal.CONCURRENCY]
    assert UUID(refused.json["request_id"])
    assert "retry-after" not in refused.headers
    assert [answer.status for answer in served] == [200, 200]
    assert [account.books.refused_concurrency for account in provider.accounts.all] == [1, 0]


@pytest.mark.parametrize(("seconds", "said"), [(2.0, "2"), (0.5, "1")])
async def test_retry_after_is_sent_where_the_option_says_so(
    autojump_clock: MockClock, seconds: float, said: str
) -> None:
    """With each kind of 429; which is which the message tells."""
    provider = make_provider(retry_after=seconds)
    provider.accounts.change("account 1", Plan(requests_per_minute=1))
    assert (await asked(provider, TTS, ask("a"))).status == 200
    answer = await asked(provider, TTS, ask("a"))
    assert (answer.status, answer.headers["retry-after"]) == (429, said)
    assert answer.json["error"] == REFUSALS[Refusal.RATE]


@pytest.mark.parametrize("path", [TTS, LIVE])
async def test_websockets_share_the_slots(autojump_clock: MockClock, path: str) -> None:
    """While a WebSocket speaks HTTP is refused, and the other way round."""
    server = make_server(**PACE)
    async with dialled(server) as socket:
        await socket.send(message(TEN))
        await trio.sleep(0.1)
        assert (await asked(server.provider, path, ask(TEN))).status == 429
        assert (await frames_until(socket))[-1]["status"] == "complete"
        async with visiting(server.provider) as visitor:
            await visitor.send(path, ask(TEN))
            await trio.sleep(0.1)
            await socket.send(message(TEN))
            assert json.loads(await socket.recv())["status"] == "error"
            assert (await visitor.answer()).status == 200
    assert server.books.max_in_flight == 1
    assert server.books.completed == 2


@pytest.mark.parametrize("path", [TTS, LIVE])
async def test_the_slot_is_free_when_the_end_is_seen(autojump_clock: MockClock, path: str) -> None:
    """Who reads the end may ask again at once; the books are up to date by then."""
    provider = make_provider(**PACE)
    books = provider.accounts.first.books
    async with visiting(provider) as visitor:
        for number in range(1, 4):
            await visitor.send(path, ask(TEN))
            assert (await visitor.head())[0] == 200
            async for _ in visitor.pieces():
                last = (books.completed, round(books.audio_seconds, 6), books.in_flight(trio.current_time()))
            assert last == (number, 0.5 * number, 0)
    assert list(books.uses) == [pytest.approx((0.35 * n, 0.35 * (n + 1))) for n in range(3)]


@pytest.mark.parametrize("path", [TTS, LIVE])
@pytest.mark.parametrize("after", [0.0, 0.1, 0.2, 0.25, 0.349])
async def test_who_leaves_gives_the_slot_back_after_the_settle_time(
    autojump_clock: MockClock, path: str, after: float
) -> None:
    """Before the first byte and in the middle: noticed at once, counted as abandoned, free 50 ms later."""
    provider = make_provider(**PACE)
    books = provider.accounts.first.books
    async with visiting(provider) as visitor:
        await visitor.send(path, ask(TEN))
        await trio.sleep(after)
        await trio.testing.wait_all_tasks_blocked()
        await visitor.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert (books.in_flight(after + 0.049), books.in_flight(after + 0.051)) == (1, 0)
    assert (books.requests, books.abandoned, books.completed) == (1, 1, 0)
    assert books.uses[0] == pytest.approx((0.0, after + 0.05))
    assert books.audio_seconds == pytest.approx(0.0 if path == TTS else max(0.0, int((after - 0.2) / 0.006) * 0.02))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.6), st.sampled_from([TTS, LIVE])), min_size=1, max_size=8))
def test_slots_are_never_lost_nor_overdrawn(visits: list[tuple[float, float, str]]) -> None:
    """Clients that come and leave whenever they like: two slots at most, all of them free in the end, no request
    unaccounted for."""

    async def visit(provider: Provider, *, comes: float, stays: float, path: str) -> None:
        await trio.sleep(comes)
        async with visiting(provider) as visitor:
            with trio.move_on_after(stays):
                await visitor.send(path, ask(TEN))
                assert (await visitor.answer()).status in (200, 429)

    async def main() -> None:
        provider = make_provider(**PACE)
        provider.accounts.change("account 1", Plan(slots=2))
        async with trio.open_nursery() as nursery:
            for comes, stays, path in visits:
                nursery.start_soon(partial(visit, provider, comes=comes, stays=stays, path=path))
        books = provider.accounts.first.books
        assert books.max_in_flight <= 2
        assert books.in_flight(trio.current_time() + 0.06) == 0
        assert books.requests == books.completed + books.abandoned
        assert books.requests + books.refused_concurrency <= len(visits)

    trio.run(main, clock=MockClock(autojump_threshold=0))


# --- a voice that fails ---


def failing_after(good: int) -> Provider:
    """Return a provider whose voice speaks so many parts and fails then."""
    provider, spoken = make_provider(**PACE), []

    async def voice(wanted: Wanted) -> Spoken:
        spoken.append(wanted)
        if len(spoken) > good:
            raise ValueError("hoarse")
        return await spelling_voice(wanted)

    provider.synthesizer = Synthesizer(options=provider.options, voice=voice)
    return provider


@pytest.mark.parametrize(("path", "good"), [(TTS, 0), (TTS, 1), (LIVE, 0)])
async def test_a_voice_that_fails_is_a_500(autojump_clock: MockClock, path: str, good: int) -> None:
    """The specification's body; the slot is free, the books count one error and nothing abandoned."""
    provider = failing_after(good)
    answer = await asked(provider, path, ask("A sentence. " * 40))
    check_failure(provider, answer)


async def test_a_voice_that_fails_in_the_middle_ends_the_events(autojump_clock: MockClock) -> None:
    """What was made is there, then an event that says so in the form of the others."""
    provider = failing_after(1)
    answer = await asked(provider, LIVE, ask("A sentence. " * 40))
    *_, last = answer.body.decode().strip().split("\n\n")
    assert answer.body.startswith(b"event: audio")
    assert json.loads(last.removeprefix("data: ")).items() >= {"status": "500", "done": True}.items()
    assert provider.accounts.first.books.errors == 1


def check_failure(provider: Provider, answer: Answer) -> None:
    """Check that a request failed properly."""
    books = provider.accounts.first.books
    assert answer.status == 500
    assert answer.json == {"error": "InternalServerError", "message": "An unexpected error occurred."}
    assert (books.errors, books.abandoned, books.completed, books.audio_seconds) == (1, 0, 0, 0.0)
    assert books.in_flight(trio.current_time()) == 0
