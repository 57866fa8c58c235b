"""Claims about a reply's sound: it is played whole and in order, and what counts as heard are whole words that were."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.audio import FRAME_SECONDS
from orchestrator.speech.chunking import Piece
from tests.speech.playing import PER_CHARACTER, RATE, Played, pieces_of, reply_of, sound

SENTENCES = st.lists(
    st.lists(
        st.sampled_from(["we", "a", "well-known", "of", "York", "100", "😀", "tomorrow,"]), min_size=1, max_size=9
    ).map(lambda words: " ".join(words) + ". "),
    min_size=1,
    max_size=5,
)
TEXTS = SENTENCES.map("".join)
CHUNK = st.floats(0.05, 1.0)
MOMENTS = st.lists(st.floats(0, 15), min_size=1, max_size=12).map(sorted)


def word_places(text: str) -> set[int]:
    """Where a word of the text begins, and the text's end."""
    return {match.start() for match in re.finditer(r"\S+", text)} | {0, len(text)}


@given(TEXTS, st.lists(CHUNK, min_size=1, max_size=5))
def test_all_sound_is_taken_once_in_order_and_never_across_a_join(text: str, chunks: list[float]) -> None:
    """Whatever the size of what is taken at a time; a mark can stand at every join."""
    played, whole, joins = Played(), b"", [0]
    for seed, piece in enumerate(pieces_of(text)):
        whole += played.arrive(piece, seed=seed)
        played.playout.end()
        joins.append(len(whole) // 2)
    count = 0
    while played.play(chunks[count % len(chunks)]):
        count += 1
    assert bytes(played.taken) == whole
    assert set(joins) <= set(played.places)
    assert played.playout.ahead(0.0) == pytest.approx(len(whole) / 2 / RATE)
    assert played.playout.ahead(played.seconds) == 0
    assert {place for place in played.places if played.playout.joins_at(place)} == set(joins[1:-1]) - {0, joins[-1]}


@given(TEXTS, CHUNK, MOMENTS, st.booleans())
def test_heard_is_whole_words_and_only_grows(text: str, chunk: float, moments: list[float], timed: bool) -> None:
    """With all of the sound there, exact word times or not: at any moments, at a word's beginning, in the end all."""
    played = Played()
    for piece in pieces_of(text):
        played.arrive(piece, timed=timed)
        played.playout.end()
    played.play_all(chunk)
    heard = [played.playout.heard(at) for at in moments]
    assert heard == sorted(heard)
    assert set(heard) <= word_places(text)
    assert played.playout.heard(played.seconds + 1) == len(text)


@given(TEXTS, CHUNK)
def test_heard_never_passes_what_sounded_while_pieces_still_come(text: str, chunk: float) -> None:
    """With exact word times: a word counts when its last sample sounded, and not before; nothing is taken back."""
    played, before = Played(), 0
    for piece in pieces_of(text):
        played.arrive(piece)
        while played.play(chunk):
            heard = played.playout.heard(played.seconds)
            assert before <= heard <= piece.end
            ended = [span.ends for span in played.playout.words(played.seconds) if span.end <= heard]
            assert all(at is not None and at <= played.seconds + 0.002 for at in ended)
            before = heard
        played.playout.end()
    assert played.playout.heard(played.seconds) == len(text)


@given(TEXTS, st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.floats(0, 2)), max_size=8), st.booleans())
def test_asking_again_after_a_fault_covers_the_text(
    text: str, faults: list[tuple[float, bool, float]], taken_late: bool
) -> None:
    """From the offset that give_up returns, at a word, however much had sounded: no word twice, none left out."""
    played, reply, start, attempts = Played(), reply_of(text), 0, iter(faults)
    covered: list[tuple[int, int]] = []
    while start < len(text):
        piece = reply.next_piece(start, most_characters=40)
        assert piece is not None
        part, timed, take = next(attempts, (1.0, True, 0.0))
        whole = part == 1.0 or not piece.text
        played.arrive(piece, timed=timed, part=part)
        played.play(take)
        if whole:
            played.playout.end()
        end = piece.end if whole else played.playout.give_up()
        assert piece.start <= end <= piece.end
        assert end in {piece.start, piece.end} | {begin for begin, _ in piece.words}
        covered.append((start, end))
        start = end
        if not taken_late:
            played.play_all()
    played.play_all()
    assert "".join(text[begin:end] for begin, end in covered) == text
    assert played.playout.heard(played.seconds) == len(text)


def test_a_piece_that_breaks_off_keeps_the_sound_of_its_whole_words() -> None:
    """What came of the next word is thrown away as long as it was not handed over."""
    played = Played()
    (piece,) = pieces_of("one two three four.")
    pcm = played.arrive(piece, part=11 / 19)  # "one two thr"
    assert played.playout.give_up() == len("one two ")
    played.play_all()
    assert bytes(played.taken) == pcm[: 2 * len("one two") * PER_CHARACTER]


def test_what_was_handed_over_of_a_broken_word_stays_and_the_word_is_asked_for_again() -> None:
    """It has sounded already: the caller hears its beginning twice, and it counts when it was heard whole."""
    played = Played()
    (piece,) = pieces_of("one two three four.")
    played.arrive(piece, part=11 / 19)
    played.play_all()
    assert played.playout.give_up() == len("one two ")
    assert len(played.taken) == 2 * 11 * PER_CHARACTER
    assert played.playout.heard(99.0) == len("one two ")


def test_a_piece_that_breaks_off_a_hair_before_its_end_is_whole() -> None:
    """Less than a millisecond is missing: nothing is dropped, nothing is made up."""
    played = Played()
    (piece,) = pieces_of("we.")
    pcm = played.arrive(piece, part=1195 / 1200)
    assert played.playout.give_up() == len("we.")
    played.play_all()
    assert bytes(played.taken) == pcm


@pytest.mark.parametrize("timed", [True, False])
def test_a_piece_without_a_sound_keeps_nothing(timed: bool) -> None:
    """All of it is asked for again."""
    played = Played()
    (piece,) = pieces_of("one two three.")
    played.arrive(piece, timed=timed, part=0.0)
    assert played.playout.give_up() == 0
    assert not played.play(1.0)
    assert played.playout.heard(99.0) == 0


@given(TEXTS, CHUNK, st.floats(0, 15), st.booleans())
def test_words_sound_in_order_and_inside_the_sound(text: str, chunk: float, now: float, timed: bool) -> None:
    """Those that began by `now`, or in the frame on its way, have times, the others none; none ends after the sound."""
    played = Played()
    for piece in pieces_of(text):
        played.arrive(piece, timed=timed)
        played.playout.end()
    played.play_all(chunk)
    words = played.playout.words(now)
    begun = [(word.begins, word.ends) for word in words if word.begins is not None and word.ends is not None]
    assert [word.begins is not None for word in words] == [True] * len(begun) + [False] * (len(words) - len(begun))
    flat = [at for times in begun for at in times]
    assert all(before <= after + 1 / RATE for before, after in pairwise(flat))
    assert all(0 <= at <= min(now + FRAME_SECONDS, played.seconds) + 1 / RATE for at in flat)


def test_word_times_count_from_where_the_trimmed_sound_begins() -> None:
    """What was cut off at the head of a piece did not sound; a word's time never leaves its piece."""
    played = Played()
    (piece,) = pieces_of("one two.")
    played.arrive(piece)
    played.playout.add(b"", lead_trimmed=0.1)
    played.playout.end()
    played.play_all()
    first, second = played.playout.words(9.0)
    assert (first.begins, first.ends) == pytest.approx((0.0, 0.05))
    assert second.begins == pytest.approx(0.1)


def test_text_without_sound_counts_with_what_was_heard_before_it() -> None:
    """A picture at the end makes no piece of sound: it is heard when the words before it are."""
    played = Played()
    words, silent = Piece(0, 4, "Hi.", True, ((0, 3),)), Piece(4, 6, "", True, ())
    played.arrive(words)
    played.playout.end()
    played.playout.begin(silent)
    played.playout.end()
    played.play_all()
    assert played.playout.heard(0.1) == 0
    assert played.playout.heard(1.0) == 6


def test_the_rate_guesses_where_a_piece_without_word_times_stands() -> None:
    """Its end has not come: of four words at the learned rate two have been heard after half of the time."""
    played = Played()
    (piece,) = pieces_of("aaaa bbbb cccc dddd.")
    played.playout.begin(piece)
    played.playout.add(sound(10 * PER_CHARACTER), lead_trimmed=0.0)
    played.play_all()
    assert played.playout.heard(0.5) in (5, 10)


def test_the_last_word_of_an_unfinished_piece_counts_if_it_was_timed() -> None:
    """The provider said when it ends, and that has sounded; an estimate is not enough while more may follow."""
    for timed, heard in ((True, len("one two.")), (False, len("one "))):
        played = Played()
        (piece,) = pieces_of("one two.")
        played.arrive(piece, timed=timed)
        played.play_all()
        assert played.playout.heard(played.seconds) == heard
