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
