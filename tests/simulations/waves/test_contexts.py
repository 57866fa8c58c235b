"""Continuation contexts: the release rules as pure decisions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.waves.contexts import LARGEST, MOST_BUFFERED, Context, break_before

SENTENCE = "This is a whole sentence."


def released(context: Context, now: float) -> list[str]:
    """Return all that is due."""
    texts = []
    while (text := context.next_release(now)) is not None:
        texts.append(text)
    return texts


# --- the rules ---


@pytest.mark.parametrize(
    ("buffered", "ends"),
    [
        (SENTENCE, True),
        ("Is that really what you want? ", True),
        ("यह एक पूरा और लंबा वाक्य है।", True),
        ("Too short.", False),
        ("This is no whole sentence", False),
        ("The price of it all was 3.", False),
        ("Tomorrow you will meet Dr.", False),
        ('And then she said "Never!"', True),
    ],
)
def test_a_sentence_that_is_long_enough_is_released(buffered: str, ends: bool) -> None:
    """A sentence's end releases the buffer, but not decimals, abbreviations and what is too short."""
    context = Context()
    context.add(buffered, now=0.0, delay=3.0)
    assert released(context, 0.0) == ([buffered.strip()] if ends else [])


def test_the_delay_runs_from_the_first_fragment() -> None:
    """Later fragments do not start the clock anew; the next buffer has a clock of its own."""
    context = Context()
    context.add("one ", now=0.0, delay=3.0)
    context.add("two ", now=2.0, delay=3.0)
    assert context.due == 3.0
    assert released(context, 2.9) == []
    context.add("three", now=3.5, delay=3.0)
    assert released(context, 3.5) == ["one two"]
    assert context.due == 6.5


def test_closing_releases_and_cancelling_drops_what_is_buffered() -> None:
    """What was released before a cancel is still spoken."""
    context = Context()
    context.add(SENTENCE, now=0.0, delay=3.0)
    context.add(" And more", now=0.0, delay=3.0)
    context.drop_buffered()
    context.add(" then this", now=0.0, delay=3.0)
    context.close()
    assert not context.over
    assert released(context, 0.0) == [SENTENCE, "then this"]
    assert context.over


def test_a_context_takes_no_endless_text() -> None:
    """A fragment that would make the buffer too large is refused whole."""
    context = Context()
    assert context.add("x" * MOST_BUFFERED, now=0.0, delay=3.0)
    assert not context.add("x", now=0.0, delay=3.0)
    assert len("".join(released(context, 9.0))) == MOST_BUFFERED


@given(st.lists(st.text(st.sampled_from("ab .?1"), max_size=300), max_size=8), st.floats(0, 5))
def test_every_word_is_released_once_and_in_order(fragments: list[str], delay: float) -> None:
    """However the text comes, the releases are the text, none of them blank or larger than a chunk."""
    context = Context()
    texts: list[str] = []
    for second, fragment in enumerate(fragments):
        context.add(fragment, now=float(second), delay=delay)
        texts += released(context, float(second))
    context.close()
    texts += released(context, float(len(fragments)))
    assert context.over
    assert "".join("".join(texts).split()) == "".join("".join(fragments).split())
    assert all(text.strip() and len(text) <= LARGEST for text in texts)


@given(st.text(st.sampled_from("ab .?"), min_size=1, max_size=800))
def test_a_break_is_never_too_far_nor_nowhere(text: str) -> None:
    """A split makes progress and its first part is no larger than a chunk."""
    assert 0 < break_before(text) <= LARGEST
