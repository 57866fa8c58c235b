"""How many connections may be open: in all, and from one address."""

from __future__ import annotations

from contextlib import ExitStack

from orchestrator.port.guests import Guests


def test_one_too_many_is_not_let_in_and_does_not_count() -> None:
    """As soon as one leaves there is room again."""
    guests = Guests(most=2, per_address=9)
    with ExitStack() as stack:
        assert stack.enter_context(guests.admit())
        with guests.admit() as second:
            assert second
            assert guests.full
            with guests.admit() as third:
                assert not third
            assert guests.here == 2
        assert not guests.full
        with guests.admit() as again:
            assert again
    assert guests.here == 0


def test_an_address_takes_nothing_from_another() -> None:
    """And "" is nobody's."""
    guests = Guests(most=9, per_address=1)
    with guests.admit_from("a") as first, guests.admit_from("a") as second, guests.admit_from("b") as other:
        assert (first, second, other) == (True, False, True)
    with guests.admit_from("a") as again:
        assert again
    with guests.admit_from("") as one, guests.admit_from("") as two:
        assert one
        assert two
