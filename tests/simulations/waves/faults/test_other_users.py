"""Other users of an account: they take what is free before any client, hold it, give it back; the books add up."""

from __future__ import annotations

import random
from functools import partial

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from simulations.waves.books import Books, Refusal
from simulations.waves.faults.other_users import OtherUsers

Log = list[tuple[float, str]]
"""What happened when."""


def sharing(books: Books, *, settle: float = 0.5) -> OtherUsers:
    """Return other users who are told what happens in the books."""
    others = OtherUsers(books, settle=settle)

    def refuses() -> bool:
        others.seize()
        return False

    books.refuses, books.freed = refuses, others.note_freed
    return others


async def hold(others: OtherUsers, seconds: float, *, log: Log) -> None:
    """Hold a slot and note from when to when."""
    async with others.holding():
        log.append((trio.current_time(), "held"))
        await trio.sleep(seconds)
    log.append((trio.current_time(), "left"))


def ask(books: Books) -> int | Refusal:
    """Ask for a slot now."""
    return books.take_slot(trio.current_time())


async def test_a_free_slot_is_held_at_once_and_clients_are_refused(autojump_clock: MockClock) -> None:
    """Until it is given back."""
    books, log = Books(slots=1, links=5), Log()
    others = sharing(books)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(hold, others, 2.0, log=log))
        await trio.sleep(1.9)
        assert ask(books) is Refusal.CONCURRENCY
        await trio.sleep(0.2)
        assert isinstance(ask(books), int)
    assert log == [(0.0, "held"), (2.0, "left")]
    assert (books.max_in_flight, books.refused_concurrency, books.requests) == (1, 1, 0)


async def test_a_busy_slot_is_taken_the_moment_it_is_free(autojump_clock: MockClock) -> None:
    """Also if the client asks again in the same instant."""
    books, log = Books(slots=1, links=5), Log()
    others = sharing(books)
    use = ask(books)
    assert isinstance(use, int)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(hold, others, 2.0, log=log))
        await trio.sleep(1.0)
        books.free_slot(use, now=trio.current_time())
        assert ask(books) is Refusal.CONCURRENCY
    assert log == [(1.0, "held"), (3.0, "left")]
    assert books.in_flight(trio.current_time()) == 0


async def test_a_slot_that_settles_is_taken_when_it_has_settled(autojump_clock: MockClock) -> None:
    """To the moment, and before a client that asks then."""
    books, log = Books(slots=1, links=5), Log()
    others = sharing(books, settle=0.5)
    use = ask(books)
    assert isinstance(use, int)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(hold, others, 2.0, log=log))
        await trio.sleep(1.0)
        books.free_slot(use, now=trio.current_time(), settle=0.5)
        await trio.sleep(0.5)
        assert ask(books) is Refusal.CONCURRENCY
    assert log == [(1.5, "held"), (3.5, "left")]


async def test_they_take_turns_and_a_larger_plan_lets_more_in(autojump_clock: MockClock) -> None:
    """In the order in which they came."""
    books, log = Books(slots=1, links=5), Log()
    others = sharing(books)
    async with trio.open_nursery() as nursery:
        for seconds in (4.0, 2.0, 1.0):
            nursery.start_soon(partial(hold, others, seconds, log=log))
            await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(1.0)
        books.change(slots=2, links=10, requests_per_minute=None)
    assert log == [(0.0, "held"), (1.0, "held"), (3.0, "left"), (3.0, "held"), (4.0, "left"), (4.0, "left")]
    assert books.max_in_flight == 2


async def test_whoever_is_cancelled_waits_and_holds_no_longer(autojump_clock: MockClock) -> None:
    """Both the one with a slot and the one without."""
    books = Books(slots=1, links=5)
    others = sharing(books)
    with trio.move_on_after(1.0):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(hold, others, 9.0, log=[]))
            nursery.start_soon(partial(hold, others, 9.0, log=[]))
    assert books.in_flight(trio.current_time()) == 0
    assert isinstance(ask(books), int)


async def test_they_are_held_to_the_rate_as_everybody(autojump_clock: MockClock) -> None:
    """Refused once, they ask again later; so does nobody in a loop."""
    books, log = Books(slots=1, links=5, requests_per_minute=1), Log()
    others = sharing(books)
    use = ask(books)
    assert isinstance(use, int)
    books.free_slot(use, now=trio.current_time())
    await hold(others, 1.0, log=log)
    assert log[0][0] == pytest.approx(60.0, abs=5.0)
    assert books.refused_rate <= 13


@given(seed=st.integers(0, 1000), slots=st.integers(1, 3))
def test_never_more_than_the_slots_are_in_flight_and_none_is_lost(seed: int, slots: int) -> None:
    """Whoever asks, holds, leaves and settles when."""
    rng = random.Random(seed)
    books = Books(slots=slots, links=5)

    async def client() -> None:
        for _ in range(8):
            await trio.sleep(rng.choice([0.0, 0.1, 0.5]))
            use = ask(books)
            if isinstance(use, int):
                await trio.sleep(rng.choice([0.0, 0.1, 1.0]))
                books.free_slot(use, now=trio.current_time(), settle=rng.choice([0.0, 0.25]))

    async def another(others: OtherUsers) -> None:
        for _ in range(5):
            with trio.move_on_after(rng.choice([0.1, 5.0])):
                async with others.holding():
                    assert books.in_flight(trio.current_time()) <= slots
                    await trio.sleep(rng.choice([0.0, 0.1, 1.0]))
            await trio.sleep(rng.choice([0.0, 0.3]))

    async def main() -> None:
        others = sharing(books, settle=0.25)
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(client)
                nursery.start_soon(another, others)
        await trio.sleep(1.0)
        assert books.in_flight(trio.current_time()) == 0

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert books.max_in_flight <= slots
