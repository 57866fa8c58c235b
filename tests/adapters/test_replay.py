"""What came before is known, and a one-time token is good once: for so long, and for so many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.replay import OneTimeTokens, SeenOnce


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 4)), max_size=60))
def test_a_name_comes_first_once_within_its_time(names: list[tuple[str, float]]) -> None:
    """Against a plain record of everything that ever came."""
    seen, noted, now = SeenOnce(within=10), dict[str, float](), 0.0
    for name, later in names:
        now += later
        fresh = name not in noted or noted[name] + 10 < now
        assert seen.first(name, now=now) is fresh
        if fresh:
            noted[name] = now


def test_no_more_are_kept_than_are_allowed_and_old_ones_go() -> None:
    """The oldest is forgotten first."""
    seen = SeenOnce(within=10, most=3)
    assert all(seen.first(name, now=0) for name in "abcd")
    assert len(seen) == 3
    assert seen.first("a", now=1)
    assert not seen.first("d", now=1)
    assert seen.first("e", now=100)
    assert len(seen) == 1


def test_a_token_is_good_once_and_brings_what_is_known_of_its_call() -> None:
    """Wrong, used and old ones bring nothing."""
    tokens = OneTimeTokens[str](within=60)
    tokens.give("one", "first call", now=0)
    tokens.give("two", "second call", now=30)
    assert tokens.take("three", now=30) is None
    assert tokens.take("one", now=30) == "first call"
    assert tokens.take("one", now=30) is None
    assert tokens.take("two", now=91) is None


def test_unused_tokens_do_not_pile_up() -> None:
    """A webhook that is asked again and again costs a bounded amount of memory."""
    tokens = OneTimeTokens[int](most=5)
    for number in range(20):
        tokens.give(str(number), number, now=0)
    assert len(tokens) == 5
    assert tokens.take("19", now=0) == 19
    assert tokens.take("0", now=0) is None
