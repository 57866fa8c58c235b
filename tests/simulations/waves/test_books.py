"""The provider's books: limits hold, and every use of a slot is accounted for, whatever the order of things."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulations.waves.books import Books, Refusal

STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "free", "vanish"]), st.integers(0, 3), st.floats(0, 2)), max_size=60
)


@given(slots=st.integers(1, 3), steps=STEPS)
def test_never_more_than_the_slots_and_every_use_is_accounted_for(
    slots: int, steps: list[tuple[str, int, float]]
) -> None:
    """At any moment at most `slots` uses overlap, and the seconds add up to what the uses say."""
    books, now, taken = Books(slots=slots, links=5), 0.0, 0
    held: list[tuple[int, float]] = []
    for step, which, seconds in steps:
        now += seconds
        if step == "take":
            use = books.take_slot(now)
            assert isinstance(use, Refusal) == (taken_at(books, held, now) >= slots)
            if not isinstance(use, Refusal):
                held.append((use, now))
                taken += 1
        elif held:
            use, _ = held.pop(which % len(held))
            books.free_slot(use, now=now, settle=0.5 if step == "vanish" else 0.0)
            books.free_slot(use, now=now + 9)
        assert books.in_flight(now) == taken_at(books, held, now) <= slots
    assert len(books.uses) == taken - len(held)
    assert books.max_in_flight <= slots
    seconds_used = sum(end - start for start, end in books.uses) + sum(now - start for _, start in held)
    assert abs(books.snapshot(now)["slot_seconds"] - seconds_used) < 1e-5


def taken_at(books: Books, held: list[tuple[int, float]], now: float) -> int:
    """Count the uses that go on at `now`: those still held, and those that settle."""
    return len(held) + sum(1 for start, end in books.uses if start <= now < end)


def test_sockets_are_limited() -> None:
    """One socket too many is refused and counted; a closed one makes room."""
    books = Books(slots=1, links=2)
    assert [books.open_link() for _ in range(3)] == [True, True, False]
    books.close_link()
    assert books.open_link()
    page = books.snapshot(0.0)
    assert (page["sockets"], page["max_open"], page["opened"], page["refused_links"]) == (2, 2, 3, 1)


def test_the_page_has_fixed_names() -> None:
    """The names that others read, in this order."""
    names = """slots links in_flight max_in_flight sockets max_open opened
        refused_concurrency refused_rate refused_links refused_auth errors
        requests completed abandoned slot_seconds words_asked characters_asked audio_seconds"""
    assert list(Books(slots=1, links=5).snapshot(0.0)) == names.split()


@given(
    limit=st.integers(1, 5),
    pauses=st.lists(st.sampled_from([0.0, 0.1, 7.3, 20.0, 29.9, 30.0, 59.9, 60.0, 61.0]), max_size=60),
)
def test_never_more_requests_than_allowed_in_any_sixty_seconds(limit: int, pauses: list[float]) -> None:
    """The window slides, and no request is refused that would have fitted; what was refused does not count."""
    books, now = Books(slots=100, links=5, requests_per_minute=limit), 0.0
    let_in: list[float] = []
    refused = 0
    for pause in pauses:
        now += pause
        fits = sum(1 for at in let_in if at > now - 60.0) < limit
        use = books.take_slot(now)
        assert (use is Refusal.RATE) == (not fits)
        if isinstance(use, Refusal):
            refused += 1
        else:
            let_in.append(now)
            books.free_slot(use, now=now)
    assert all(sum(1 for at in let_in if start <= at < start + 60.0 - 1e-9) <= limit for start in let_in)
    assert books.snapshot(now)["refused_rate"] == refused
    assert books.snapshot(now)["refused_concurrency"] == 0


def test_what_is_refused_for_concurrency_does_not_count_into_the_minute() -> None:
    """A client that tries too early keeps what it may ask for."""
    books = Books(slots=1, links=5, requests_per_minute=2)
    assert books.take_slot(0.0) == 1
    assert {books.take_slot(0.1) for _ in range(9)} == {Refusal.CONCURRENCY}
    books.free_slot(1, now=1.0)
    assert books.take_slot(1.0) == 2
    books.free_slot(2, now=2.0)
    assert books.take_slot(2.0) is Refusal.RATE
    assert books.take_slot(60.0) == 3


def test_a_limit_a_minute_that_comes_later_counts_what_was_before() -> None:
    """And one that is raised or lifted lets in at once."""
    books = Books(slots=9, links=5)
    assert [books.take_slot(now) for now in (0.0, 1.0)] == [1, 2]
    books.change(slots=9, links=5, requests_per_minute=2)
    assert books.take_slot(59.9) is Refusal.RATE
    assert books.take_slot(60.0) == 3
    assert books.take_slot(60.5) is Refusal.RATE
    books.change(slots=9, links=5, requests_per_minute=3)
    assert books.take_slot(60.5) == 4
    books.change(slots=9, links=5, requests_per_minute=None)
    assert books.take_slot(60.5) == 5


@given(plans=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=8), takes=st.integers(0, 6))
def test_whatever_the_plan_was_what_is_new_fits_the_plan_now(plans: list[tuple[int, int]], takes: int) -> None:
    """Lowered limits cut nothing off, they let nothing in until it fits; sockets and slots alike."""
    books = Books(slots=1, links=1)
    held = 0
    for slots, links in plans:
        books.change(slots=slots, links=links, requests_per_minute=None)
        for _ in range(takes):
            before = books.sockets
            assert books.open_link() == (before < links)
            use = books.take_slot(0.0)
            assert isinstance(use, int) == (held < slots)
            held += isinstance(use, int)
            assert books.in_flight(0.0) == held


def test_who_waits_for_room_hears_of_it() -> None:
    """`freed` is called when a slot came back, and when the plan changed."""
    told: list[int] = []
    books = Books(slots=1, links=5, freed=lambda: told.append(books.in_flight(0.0)))
    assert books.take_slot(0.0) == 1
    books.free_slot(1, now=0.0)
    books.free_slot(1, now=0.0)
    books.change(slots=2, links=5, requests_per_minute=None)
    assert told == [0, 0]
