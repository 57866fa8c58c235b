"""What a reply asks for next, and when: as much as others leave room for, in sentences, never past the look-ahead."""

from __future__ import annotations

import attrs
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.settings import SpeechSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.portions import Situation, Sparing
from orchestrator.speech.speakable import LONGEST_WORD
from tests.speech.situations import Case, aheads, cases, choices, leisures, paces, reply_for, rooms
from tests.speech.test_chunking import DELTAS

FRAME = 0.02
HAIR = 1e-6


def characters(seconds: float, pace: Pace, chosen: SpeechSettings) -> int:
    """Return how much text so many seconds of slot allow, at least the fewest."""
    within = min(pace.audio_within(seconds) / pace.seconds_per_character, chosen.piece_characters)
    return max(chosen.least_characters, int(within))


# --- any text, whatever happens ---


@given(DELTAS, choices, paces, st.data())
def test_the_pieces_cover_the_text(deltas: list[str], chosen: SpeechSettings, pace: Pace, data: st.DataObject) -> None:
    """Without gap or overlap, whatever comes and when, however little room there is at the grant: where there was a
    piece before it there is one, with something to say if that had; and none is too long."""
    portions, text, start, left = Sparing(chosen, pace), reply_for(chosen), 0, list(reversed(deltas))
    while start < text.length or left:
        now = Situation(text=text, start=start, begun=start > 0, ahead=data.draw(aheads), leisure=data.draw(leisures))
        piece = portions.next_piece(now)
        assert piece is not None or not text.finished or now.ahead > 0
        if left and (piece is None or data.draw(st.booleans())):  # more comes, perhaps while it waits for the slot
            text.feed(left.pop())
            if not left:
                text.finish()
        if piece is None:
            continue
        later = attrs.evolve(now, ahead=max(0.0, now.ahead - data.draw(st.floats(0, 3))), room=data.draw(rooms))
        granted = portions.next_piece(later)
        assert granted is not None
        assert bool(granted.text) == bool(piece.text)
        assert (granted.start, granted.end > start) == (start, True)
        assert len(granted.text) <= max(chosen.piece_characters, chosen.least_characters + LONGEST_WORD)
        start = granted.end
    assert start == text.length


@given(cases(split=True), rooms)
def test_the_look_ahead_is_kept(case: Case, room: float) -> None:
    """Unless the caller hears silence; a part of a clause may pass it by its last word."""
    portions, now, _, pace = case
    piece = portions.next_piece(attrs.evolve(now, room=room))
    if piece is not None and now.ahead > 0:
        clause = now.text.first_piece(now.start)
        assert clause is not None
        part = portions.excess(clause, now) > 0
        assert portions.excess(piece, now) <= (pace.audio_seconds(8) if part else pace.audio_seconds(1) * HAIR)


@given(cases(), st.floats(0, 3))
def test_no_room_is_too_little(case: Case, room: float) -> None:
    """At the grant there is a piece where there was one before it: else the slot would be given back for nothing."""
    portions, now, _, _ = case
    assert (portions.next_piece(attrs.evolve(now, room=room)) is None) <= (portions.next_piece(now) is None)


@given(cases(), st.floats(0, 3))
def test_the_room_is_kept(case: Case, room: float) -> None:
    """No piece is longer than what others leave, but for one clause; unsplit, but for one sentence."""
    portions, now, chosen, pace = case
    piece = portions.next_piece(attrs.evolve(now, room=room))
    if piece is not None:
        one = now.text.first_piece(now.start)
        if not chosen.split:
            one = now.text.first_sentence(now.start, most_characters=chosen.piece_characters)
        within = characters(room, pace, chosen)
        assert len(piece.text) <= within or one is None or piece.end <= one.end


# --- where it is cut ---


@given(cases(split=True), rooms)
def test_a_sentence_is_broken_only_where_it_must_be(case: Case, room: float) -> None:
    """For a first piece, where others need the slot, where little is left to hear; or others are busy and it does not
    fit the look-ahead, or is not all there and comes after one too short to be worth a request."""
    portions, now, chosen, _ = case
    piece = portions.next_piece(attrs.evolve(now, room=room))
    must = not now.begun or room < float("inf") or now.ahead <= 1.5
    if piece is not None and not piece.ends_sentence and not must:
        assert now.leisure == 0
        rest = now.text.first_sentence(piece.end, most_characters=chosen.piece_characters)
        first = now.text.first_sentence(now.start, most_characters=chosen.piece_characters)
        assert first is not None
        if rest is None:
            assert first.end < piece.end or len(first.text) > len(piece.text)
        else:
            whole = attrs.evolve(piece, text=f"{piece.text} {rest.text}")
            assert portions.excess(whole, now) > 0 or len(whole.text) > chosen.piece_characters


@given(cases(begun=True, split=True, join=True), rooms)
def test_whole_sentences_go_where_they_fill_half_of_the_room(case: Case, room: float) -> None:
    """Or where all is calm, as many as fit; less than that gives way to the clauses that fill it."""
    portions, now, chosen, pace = case
    piece = portions.next_piece(attrs.evolve(now, room=room))
    assume(piece is not None and portions.excess(piece, now) <= 0)
    assert piece is not None
    within = characters(room, pace, chosen)
    whole = now.text.next_piece(now.start, most_characters=min(within, len(piece.text)))
    if whole is not None and whole.ends_sentence and whole.end < piece.end:
        assert now.leisure == 0
        assert 2 * len(whole.text) < within
    following = now.text.next_piece(now.start, most_characters=within)
    if piece.ends_sentence and following is not None and following.end > piece.end and following.ends_sentence:
        assert portions.excess(following, now) > 0 or now.ahead <= 0


@given(cases(join=False), rooms)
def test_unjoined_a_piece_is_one_sentence_at_most(case: Case, room: float) -> None:
    """The first one too, and also where sentences are shorter than a piece should be."""
    portions, now, _, _ = case
    piece = portions.next_piece(attrs.evolve(now, room=room))
    assert piece is None or piece.text.count(".") <= 1
    assert piece is None or "." not in piece.text[:-1]


@given(cases(split=False), rooms)
def test_unsplit_a_piece_ends_inside_a_sentence_only_if_no_request_can_hold_it(case: Case, room: float) -> None:
    """However little room there is, however little is left to hear."""
    portions, now, chosen, _ = case
    piece = portions.next_piece(attrs.evolve(now, room=room))
    known = now.text.text[now.start :].partition(".")[0].strip()
    assert piece is None or piece.ends_sentence or len(known) >= chosen.piece_characters


@given(cases(begun=False, split=True), rooms)
def test_a_first_piece_takes_the_clauses_there_is_room_for(case: Case, room: float) -> None:
    """One at least; then all that fit, for nobody knows when there is room again."""
    portions, now, chosen, pace = case
    piece, first = portions.next_piece(attrs.evolve(now, room=room)), now.text.first_piece(now.start)
    assert (piece is None) == (first is None)
    assume(piece is not None and first is not None and chosen.join)
    assert piece is not None
    assert first is not None
    following = now.text.first_piece(piece.end)
    if following is not None and piece.end >= first.end and following.text.endswith((",", ".")):  # no part of a clause
        longer = attrs.evolve(piece, text=f"{piece.text} {following.text}")
        too_long = len(longer.text) > characters(room, pace, chosen)
        assert too_long or portions.excess(longer, attrs.evolve(now, ahead=HAIR)) > 0


# --- when ---


@given(cases())
def test_waiting_as_long_as_it_says_is_right(case: Case) -> None:
    """Without a piece it is too early, never at once; not for longer than until there is one, nor than there is sound
    to hear; for ever only where there is no text to ask for."""
    portions, now, _, _ = case
    piece = portions.next_piece(now)
    wait = portions.too_early(piece, now)
    assert wait >= 0
    if piece is not None:
        return
    assert wait > 0
    if wait == float("inf"):
        assert portions.next_piece(attrs.evolve(now, ahead=0.0)) is None
        return
    assert wait <= now.ahead
    for part in (0.1, 0.5, 0.9):
        assert portions.next_piece(attrs.evolve(now, ahead=now.ahead - part * wait)) is None
    for _ in range(1000):
        now = attrs.evolve(now, ahead=max(0.0, now.ahead - max(wait, FRAME)))
        piece = portions.next_piece(now)
        wait = portions.too_early(piece, now)
        if piece is not None:
            break
    assert piece is not None


@given(cases())
def test_only_a_first_piece_waits_for_its_sentence(case: Case) -> None:
    """As long as there is leisure, not longer; as soon as the sentence, or all of the text, is there it goes."""
    portions, now, chosen, _ = case
    piece = portions.next_piece(now)
    assume(piece is not None)
    sentence = now.text.first_sentence(now.start, most_characters=chosen.piece_characters)
    if now.begun or sentence is not None or now.text.finished:
        assert portions.too_early(piece, now) == 0
    else:
        assert portions.too_early(piece, now) == max(0.0, now.leisure - now.since_ready)
