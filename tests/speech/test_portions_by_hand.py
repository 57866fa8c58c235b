"""What is asked for in a few situations, reckoned by hand: the provider makes ten seconds of sound in one."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from orchestrator.settings import SpeechSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.portions import Situation, Sparing
from tests.speech.test_chunking import fed

SEEN = Pace(0.1, 0.1, 1 / 15, 9)
"""Fifteen characters a second, a tenth to the first audio."""
TABLES = "Yes, we have one. It is near the window, has a view of the lake, and is free from seven to ten. Is that fine?"


def asked(text: str, *, pace: Pace = SEEN, **where: Any) -> str:
    """Return what is asked for with the usual settings, "" for nothing, with a ~ where a sentence is broken."""
    now = attrs.evolve(Situation(text=fed(text), start=0, begun=True, ahead=0.0), **where)
    piece = Sparing(SpeechSettings(), pace).next_piece(now)
    return "" if piece is None else piece.text + "~" * (not piece.ends_sentence)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, 95),  # both sentences
        ({"ahead": 3.0}, 40),  # only half of the room would be filled by the first one
        ({"ahead": 3.0, "leisure": 0.1}, 17),  # nobody minds
        ({"ahead": 4.5}, 17),
        ({"ahead": 5.5}, 0),
        ({"room": 0.2}, 17),  # "Yes," is too short to go alone
        ({"room": 0.4}, 40),
        ({"room": 0.75}, 95),
        ({"room": 2.0}, 95),  # the look-ahead is the limit
        ({"begun": False}, 95),
        ({"begun": False, "room": 0.5}, 40),
    ],
)
def test_how_much_is_asked_for(where: dict[str, Any], expected: int) -> None:
    """Sentences if they fill half of the room, else clauses; nothing where the look-ahead is full."""
    text = TABLES[:expected].strip()
    assert asked(TABLES, **where) == text + "~" * text.endswith(",")


def test_a_sentence_that_is_not_complete_waits_until_little_is_left() -> None:
    """A second and a half before silence its clauses go, however busy all are."""
    text = "It is near the window, has a view"
    assert [asked(text, ahead=ahead) for ahead in (1.6, 1.5)] == ["", "It is near the window,~"]
    now = Situation(text=fed(text), start=0, begun=True, ahead=4.0)
    assert Sparing(SpeechSettings(), SEEN).too_early(None, now) == pytest.approx(2.5)


def test_a_sentence_longer_than_the_look_ahead_is_broken_when_its_clauses_fit() -> None:
    """At once where others are busy; with a second and a half left where all is calm."""
    text = "It is near the window, " * 5 + "and it is free."
    now = Situation(text=fed(text), start=0, begun=True, ahead=5.0)
    portions = Sparing(SpeechSettings(), SEEN)
    fits_at = 6.1 - 0.9 * len("It is near the window,") / 15
    assert portions.too_early(None, now) == pytest.approx(5.0 - fits_at)
    assert portions.too_early(None, attrs.evolve(now, leisure=0.2)) == pytest.approx(3.5)
    clauses = [asked(text, ahead=ahead).count("window") for ahead in (4.8, 4.7, 2.0, 1.5)]
    in_calm = [asked(text, ahead=ahead, leisure=0.2).count("window") for ahead in (4.8, 4.7, 2.0, 1.5)]
    assert (clauses, in_calm) == ([0, 1, 3, 3], [0, 0, 0, 3])


def test_a_sentence_that_will_soon_fit_is_not_broken_in_calm() -> None:
    """If then there is still sound for the time to its first audio, twice over."""
    for times, waits in ((3, 84 / 15 * 0.9 - 4.7), (4, 0.0)):
        now = Situation(
            text=fed("It is near the window, " * times + "and it is free."), start=0, begun=True, ahead=1.4, leisure=0.2
        )
        portions = Sparing(SpeechSettings(), SEEN)
        piece = portions.next_piece(now)
        assert (piece is None) == (waits > 0)
        assert portions.too_early(piece, now) == pytest.approx(waits)


def test_short_sentences_do_not_pass_the_look_ahead() -> None:
    """However short they are: a reply of them would else be made to its end before it is heard."""
    assert [asked("Oh. " * 50, ahead=ahead) for ahead in (5.9, 5.2)] == ["", "Oh. Oh. Oh. Oh."]
    now = Situation(text=fed("Oh. " * 50), start=0, begun=True, ahead=5.9)
    fewest = 12 / 15 * 0.9
    assert Sparing(SpeechSettings(), SEEN).too_early(None, now) == pytest.approx(fewest - (6.1 - 5.9))


def test_what_is_silent_waits_like_what_is_short() -> None:
    """A picture at the end is passed over when the fewest characters fit; none waits for silence."""
    portions = Sparing(SpeechSettings(), SEEN)
    now = Situation(text=fed("👋", finish=True), start=0, begun=True, ahead=5.9)
    assert portions.next_piece(now) is None
    assert portions.too_early(None, now) == pytest.approx(12 / 15 * 0.9 - 0.2)
    tight = SpeechSettings(look_ahead=1.0, least_characters=30)  # two seconds: never fits
    now = Situation(text=fed("It is near the window, " * 2), start=0, begun=True, ahead=0.3)
    assert Sparing(tight, SEEN).too_early(None, now) == 0.3


def test_before_a_piece_was_seen_nothing_counts_as_heard_meanwhile() -> None:
    """A guess of the provider's speed is no reason to ask for more than the look-ahead."""
    text = "so it goes, " * 40
    pieces = [asked(text, pace=pace) for pace in (Pace(), attrs.evolve(SEEN, rtf=0.5))]
    assert [piece.count("goes") for piece in pieces] == [90 // 12, 180 // 12]


def test_a_provider_slower_than_speech_is_asked_for_no_more_than_that() -> None:
    """All there is, for the caller hears on faster than it is made; but not where the look-ahead is full already."""
    slow = attrs.evolve(SEEN, rtf=1.2)
    assert [len(asked("It is near. " * 90, pace=slow, ahead=ahead)) for ahead in (5.0, 6.2)] == [239, 0]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"since_ready": 0.0}, 0.3),
        ({"since_ready": 0.2}, 0.1),
        ({"since_ready": 0.4}, 0.0),
        ({"since_ready": 0.0, "crowded": False}, 0.0),
    ],
)
def test_in_a_crowd_text_gathers_for_the_first_piece(where: dict[str, Any], expected: float) -> None:
    """For three tenths of a second from ready on: its first clause alone would cost a request more."""
    start = Situation(text=fed("It is near the window, has a view"), start=0, begun=False, ahead=0.0, crowded=True)
    now, sparing = attrs.evolve(start, **where), Sparing(SpeechSettings(), SEEN)
    assert sparing.too_early(sparing.next_piece(now), now) == pytest.approx(expected)


def test_in_a_crowd_a_first_piece_waits_for_no_more_text_than_it_can_hold() -> None:
    """Nor for more where there is none."""
    sparing, lake = Sparing(SpeechSettings(), SEEN), "It is near the window, and it is by the lake, "
    for text, finish in ((lake * 3, False), (lake, True)):
        reply = fed(text)
        if finish:
            reply.finish()
        now = Situation(text=reply, start=0, begun=False, ahead=0.0, crowded=True)
        assert sparing.too_early(sparing.next_piece(now), now) == 0


def test_in_a_crowd_later_pieces_are_asked_for_when_all_the_rest_fits_or_little_is_left() -> None:
    """Each request that is saved is time for everybody."""
    sparing = Sparing(SpeechSettings(), SEEN)
    for count, expected in ((1, 0.0), (3, 2.04), (5, 2.5)):
        reply = fed("It is near the window. " * count)
        reply.finish()
        now = Situation(text=reply, start=0, begun=True, ahead=4.0, crowded=True)
        assert sparing.too_early(sparing.next_piece(now), now) == pytest.approx(expected)
