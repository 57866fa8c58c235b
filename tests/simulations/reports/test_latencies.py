"""Each length is what the design's words say it is, on streams small enough to reckon by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.events import Event, GapCause
from simulations.reports.latencies import SILENCE_ALLOWED, Latencies, Wait, uncovered
from tests.simulations.moments import (
    asked,
    first_audio,
    first_word,
    gapped,
    granted,
    join,
    joined,
    left,
    over,
    ready,
    rung_words,
    turn_over,
)


def lengths(*events: Event, end: float = 60.0) -> Latencies:
    """Return what is counted of these events in a run that ends at `end`."""
    found = Latencies()
    for event in events:
        found.add(event)
    found.finish(end)
    return found


def test_a_reply_from_the_callers_last_sound_to_its_first_word() -> None:
    """Wait, first audio and response are counted from their own beginnings; dead air from ready, less 0.2 s."""
    found = lengths(
        turn_over(1.0), asked(1.0), ready(1.5), joined(1.6), granted(2.0, wait=0.5), first_audio(2.25),
        first_word(2.25), over(5.0, heard=9),
    )  # fmt: skip
    assert found.waits == [Wait("1", 1, 0.5, censored=False)]
    assert list(found.first_audio) == pytest.approx([0.75])
    assert list(found.response) == pytest.approx([1.25])
    assert list(found.dead_air) == pytest.approx([0.55])


def test_only_the_first_piece_waits() -> None:
    """Later pieces of a reply add no wait."""
    found = lengths(
        asked(0.0), ready(1.0), joined(1.0), granted(1.1, wait=0.1), joined(2.0, ticket=2, first=False),
        granted(5.0, ticket=2, first=False), over(9.0, heard=3),
    )  # fmt: skip
    assert [wait.seconds for wait in found.waits] == [0.1]


@pytest.mark.parametrize(
    "ending",
    [(left(1.75, waited=0.5), over(1.75, cut=3)), (over(1.75, cut=3), left(1.75, waited=0.5)), ()],
    ids=["left, then over", "over, then left", "the run ends"],
)
def test_a_wait_without_a_grant_counts_so_far(ending: tuple[Event, ...]) -> None:
    """A cut reply and one that still waits at the end count once, from ready, as censored."""
    found = lengths(asked(0.0), ready(1.0), joined(1.25), *ending, end=1.75)
    assert found.waits == [Wait("1", 1, 0.75, censored=True)]
    assert list(found.dead_air) == pytest.approx([0.55])


def test_a_refused_first_piece_waits_until_it_is_granted_again() -> None:
    """One reply is one wait: the last grant of its first piece counts."""
    found = lengths(
        asked(0.0), ready(1.0), joined(1.0), granted(1.1, wait=0.1), joined(1.2, ticket=2),
        granted(2.0, ticket=2, wait=1.0), over(5.0, heard=3),
    )  # fmt: skip
    assert found.waits == [Wait("1", 1, 1.0, censored=False)]


def test_a_reply_that_never_asked_has_no_wait() -> None:
    """An empty reply, or one from the cache, gives no wait, and without text no dead air either."""
    found = lengths(asked(0.0), over(1.0))
    assert found.waits == []
    assert list(found.dead_air) == []


def test_events_of_no_reply_say_nothing() -> None:
    """What drains after the end of a reply starts nothing new."""
    found = lengths(asked(0.0), ready(1.0), over(1.1, cut=1), first_audio(1.2), gapped(1.3, 0.5))
    assert list(found.first_audio) == []
    assert found.gap_causes.total() == 0


def test_dead_air_holds_the_gaps() -> None:
    """Silence before the first word and every gap count; below 0.2 s in all there is none."""
    found = lengths(
        asked(0.0), ready(1.0), first_audio(1.1), gapped(2.0, 0.05), gapped(3.0, 0.25), over(5.0, heard=3),
        asked(6.0, reply=2), ready(6.0, reply=2), first_audio(6.15, reply=2), over(8.0, heard=1, reply=2),
    )  # fmt: skip
    assert list(found.dead_air) == pytest.approx([0.2, 0.0])


def test_a_second_reply_in_a_row_begins_with_its_audio() -> None:
    """No first word is told of it: its first audio ends the silence, and it is no response to the caller."""
    second = asked(8.0, reply=2), ready(8.0, reply=2), first_audio(8.5, reply=2), over(9.0, heard=1, reply=2)
    found = lengths(turn_over(0.0), asked(0.0), first_word(1.0), over(2.0, heard=1), *second)
    assert list(found.response) == [1.0]
    assert list(found.dead_air) == pytest.approx([0.3])


def test_the_last_turn_before_the_word_is_answered() -> None:
    """A caller who goes on speaking is answered from where they fell silent at last."""
    assert list(lengths(turn_over(1.0), turn_over(3.0), asked(3.0), first_word(4.0)).response) == [1.0]


def test_gaps_count_above_a_tenth_of_a_second() -> None:
    """A gap of exactly 100 ms does not count; joins count all, with none too."""
    found = lengths(
        asked(0.0), gapped(1.0, 0.1), gapped(2.0, 0.11), gapped(3.0, 1.0, cause=GapCause.TEXT), join(1.0, 0.0),
        join(2.0, 0.11),
    )  # fmt: skip
    assert dict(found.gap_causes) == {GapCause.SLOT: 1, GapCause.TEXT: 1}
    assert list(found.joins) == [0.0, 0.11]


def test_a_wait_that_the_local_voice_ended_is_censored() -> None:
    """The reply left the queue without a grant: the time until then counts, whatever it lasts after that."""
    found = lengths(asked(0.0), ready(1.0), joined(1.0), left(2.5, waited=1.5), first_audio(2.6), over(9.0, heard=5))
    assert found.waits == [Wait("1", 1, 1.5, censored=True)]
    assert list(found.dead_air) == pytest.approx([1.4])


# --- what a rung's words cover ---


def test_a_filler_is_a_response_but_not_the_replys_own_sound() -> None:
    """The caller's wait for a word ends with it; first audio is the reply's; dead air is what it leaves uncovered."""
    found = lengths(
        turn_over(0.0), asked(0.0), ready(1.0), rung_words(1.5, 0.75), first_word(1.5), first_audio(3.0),
        over(9.0, heard=5),
    )  # fmt: skip
    assert (list(found.response), list(found.first_audio)) == ([1.5], [2.0])
    assert list(found.dead_air) == pytest.approx([0.5 + 0.75 - SILENCE_ALLOWED])


def test_words_in_the_noise_cover_their_part_of_a_gap() -> None:
    """A gap is told of at its end, the words in it before."""
    found = lengths(
        asked(0.0), ready(1.0), first_audio(1.0), rung_words(4.0, 0.5, name="noise"), gapped(6.0, 3.0),
        over(9.0, heard=5),
    )  # fmt: skip
    assert list(found.dead_air) == pytest.approx([2.5 - SILENCE_ALLOWED])


@pytest.mark.parametrize("ending", [(over(2.0, cut=5),), ()], ids=["cut", "the run ends"])
def test_a_reply_that_is_cut_in_a_filler_was_silent_until_the_filler(ending: tuple[Event, ...]) -> None:
    """What the filler would still have said covers nothing."""
    found = lengths(asked(0.0), ready(1.0), rung_words(1.5, 1.0), *ending, end=2.0)
    assert list(found.dead_air) == pytest.approx([0.5 - SILENCE_ALLOWED])


TICKS = st.integers(0, 40)
STRETCHES = st.tuples(TICKS, TICKS).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(TICKS, max_size=8), st.lists(STRETCHES, max_size=6))
def test_what_is_uncovered_is_what_a_look_at_every_tick_finds(ends: list[int], words: list[tuple[int, int]]) -> None:
    """Silences one after the other, words anywhere, also over each other."""
    marks = sorted(ends)
    silent = list(zip(marks[::2], marks[1::2], strict=False))
    seen = sum(
        any(start <= tick < end for start, end in silent) and not any(start <= tick < end for start, end in words)
        for tick in range(40)
    )
    assert uncovered(silent, words) == seen


@given(
    own=st.integers(0, 12) | st.none(),
    gaps=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=4),
    words=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 6)), max_size=5),
    sounds=st.integers(0, 5),
)
def test_dead_air_is_the_silence_on_the_timeline(
    own: int | None, gaps: list[tuple[int, int]], words: list[tuple[int, int]], sounds: int
) -> None:
    """A reply that is ready at 0: at each tick until its end, neither it nor a rung's words sound. Less 0.2 s."""
    at = 5 if own is None else own
    events: list[Event] = [rung_words(float(start), float(length)) for start, length in words]
    silent = set(range(at))
    if own is not None:
        events.append(first_audio(float(own)))
        for sounded, gap in gaps:
            silent |= set(range(at + sounded, at + sounded + gap))
            at += sounded + gap
            events.append(gapped(float(at), float(gap)))
        at += sounds
    covered = {tick for start, length in words for tick in range(start, start + length)}
    ordered = sorted(events, key=lambda event: event.at)
    found = lengths(asked(0.0), ready(0.0), *ordered, over(float(at), heard=1))
    assert list(found.dead_air) == pytest.approx([max(len(silent - covered) - SILENCE_ALLOWED, 0.0)])
