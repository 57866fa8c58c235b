"""Marks tell what was heard, each at its own time; late, lost, cleared and unknown ones do no harm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.far_sound import FarSound
from orchestrator.adapters.telephony.markings import Markings
from orchestrator.ports import MarkPlayed

RATE = 8000
SECOND = 2 * RATE


def markings(most: int = 100) -> Markings:
    """A call's marks."""
    return Markings(rate=RATE, most=most)


def send(marks: Markings, name: str, position: int, *, now: float = 0.0) -> str:
    """Ask for a mark and send it, as a leg does."""
    marks.ask(name, position)
    wire = marks.due(position, now=now, sounds_until=now + 1)
    assert wire is not None
    return wire


def test_a_mark_that_comes_back_was_heard_then() -> None:
    """Names on the wire are our own, plain and short."""
    marks = markings()
    wire = send(marks, "3:1600end \u20ac", 1600)
    assert wire.replace("-", "").isalnum()
    assert len(wire) <= 40
    assert marks.back(wire, at=7.5) == [MarkPlayed("3:1600end \u20ac", 7.5)]
    assert marks.back(wire, at=8.0) == ()


def test_a_lost_mark_is_told_by_the_next() -> None:
    """At the time when its sound was over."""
    marks = markings()
    lost, kept = send(marks, "a", SECOND), send(marks, "b", 2 * SECOND)
    assert marks.back(kept, at=10.0) == [MarkPlayed("a", 9.0), MarkPlayed("b", 10.0)]
    assert marks.back(lost, at=10.1) == ()


def test_after_a_clear_older_marks_mean_nothing() -> None:
    """Whether the carrier returns them or not, and never for the next utterance."""
    marks = markings()
    old = send(marks, "a", SECOND)
    marks.clear()
    new = send(marks, "b", 2 * SECOND)
    assert old != new
    assert marks.back(old, at=1.0) == ()
    assert marks.back(new, at=2.0) == [MarkPlayed("b", 2.0)]


def test_what_a_carrier_says_it_threw_away_was_not_heard() -> None:
    """Nor does anybody wait for it any more."""
    marks = markings()
    assert marks.back(send(marks, "a", SECOND), at=1.0, cleared=True) == ()
    assert marks.outstanding == 0


def test_a_carrier_that_keeps_few_marks_gets_few() -> None:
    """What is asked beyond them goes out together with the next that may, and is told at its own time."""
    marks = markings(most=1)
    first = send(marks, "a", SECOND)
    marks.ask("b", 2 * SECOND)
    assert marks.due(2 * SECOND, now=0.0, sounds_until=1.0) is None
    marks.ask("c", 3 * SECOND)
    marks.back(first, at=1.0)
    wire = marks.due(4 * SECOND, now=1.0, sounds_until=4.0)
    assert wire is not None
    assert marks.back(wire, at=4.0) == [MarkPlayed("b", 2.0), MarkPlayed("c", 3.0)]


def test_marks_that_never_come_back_do_not_block_those_that_follow() -> None:
    """Two seconds past their sound their places are free."""
    marks = markings(most=1)
    send(marks, "a", SECOND, now=0.0)
    marks.ask("b", 2 * SECOND)
    assert marks.due(2 * SECOND, now=2.9, sounds_until=3.0) is None
    assert marks.due(2 * SECOND, now=3.1, sounds_until=3.5) is not None


@given(st.lists(st.tuples(st.sampled_from(["ask", "back", "clear", "junk"]), st.integers(0, 9)), max_size=60))
def test_never_too_many_are_out_and_each_is_told_once_in_order(story: list[tuple[str, int]]) -> None:
    """Whatever the carrier returns, and whenever."""
    marks, position = markings(most=3), 0
    wires: list[str] = []
    told: list[MarkPlayed] = []
    for number, (deed, choice) in enumerate(story):
        if deed == "ask":
            position += 160 * choice
            marks.ask(str(number), position)
            if wire := marks.due(position, now=0.0, sounds_until=0.0):
                wires.append(wire)
        elif deed == "back" and wires:
            told += marks.back(wires[choice % len(wires)], at=float(number))
        elif deed == "clear":
            marks.clear()
        else:
            assert marks.back(f"9-{choice}", at=0.0) == ()
        assert marks.outstanding <= 3
    assert [int(mark.name) for mark in told] == sorted({int(mark.name) for mark in told})


def test_far_sound_is_laid_by_marks_and_cut_where_it_was_cleared() -> None:
    """A mark in the middle of a piece splits it; what a clear threw away never sounded, and nothing sounds twice at a
    time: what no mark told of begins where the last that one did was over."""
    far = FarSound(rate=RATE)
    first, second = bytes(SECOND), b"\1" * SECOND
    far.add(0, first, expected=10.0)
    far.add(SECOND, second, expected=11.0)
    assert list(far.sounded(SECOND // 2, at=10.7)) == [(10.2, first[: SECOND // 2])]
    assert list(far.sounded(SECOND, at=11.2)) == [(10.7, first[SECOND // 2 :])]
    ((began, heard),) = far.cut(11.25)
    assert (round(began, 6), len(heard)) == (11.2, SECOND // 20)
    assert list(far.cut(99.0)) == []


@given(st.lists(st.tuples(st.integers(1, 400), st.floats(-0.1, 0.3)), min_size=1, max_size=8), st.integers(0, 8))
def test_far_sound_is_told_once_and_in_order(pieces: list[tuple[int, float]], marked: int) -> None:
    """Whatever is late: a clear tells of what lies behind the last mark, from its time to now and no more."""
    far, position, due = FarSound(rate=RATE), 0, 10.0
    ends = []
    for size, late in pieces:
        far.add(position, bytes(2 * size), expected=due)
        position, due = position + 2 * size, due + size / RATE
        ends.append((position, due + late))
    told: list[tuple[float, int]] = []
    at = 10.0
    for end, sounded in ends[:marked]:
        at = sounded
        told += [(began, len(pcm)) for began, pcm in far.sounded(end, at=at)]
    assert sum(size for _, size in told) == sum(2 * size for size, _ in pieces[:marked])
    behind = [(began, len(pcm)) for began, pcm in far.cut(at + 0.02)]
    if marked:
        assert sum(size for _, size in behind) <= 2 * RATE * 0.02 + 2
        assert all(began >= at - 1e-6 for began, _ in behind)
