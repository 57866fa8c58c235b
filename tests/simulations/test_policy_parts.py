"""Claims about what the policies are made of: the order of a plain lock, and which text becomes a request, and when."""

from __future__ import annotations

from typing import Any

import attrs
import trio
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator import events
from orchestrator.events import Event
from orchestrator.ports import Ask
from orchestrator.settings import ProviderSettings, Settings, SpeechSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.chunking import Piece, ReplyText
from orchestrator.speech.portions import Portions, Situation, Sparing
from simulations.policies import PlainLock, Sentences, WholeReplies, settings_for
from tests.simulations.sharing import SENTENCE
from tests.speech.wire import in_virtual_time

# --- the plain lock ---


def ask(call: str, *, need_in: float = 0.0, first: bool = True) -> Ask:
    """Return a wish for the slot."""
    return Ask(call=call, reply=1, first=first, need_in=need_in)


@frozen
class Wish:
    """One call's: when it asks and for what, how long it keeps the slot, and after how long it is cut."""

    at: float
    need_in: float
    first: bool
    revised: float
    seconds: float
    cut_after: float


wishes = st.builds(
    Wish, st.floats(0, 5), st.floats(-3, 3), st.booleans(), st.floats(0, 9), st.floats(0, 1), st.floats(0, 9)
)


@given(st.lists(wishes, max_size=8), st.integers(1, 3))
def test_the_lock_knows_no_order_but_that_of_asking(crowd: list[Wish], slots: int) -> None:
    """Whatever a call needs, has had, or learns while it waits; whoever leaves is passed over."""

    async def scenario() -> None:
        told: list[Event] = []
        lock = PlainLock(ProviderSettings(slots=slots), emit=told.append, now=trio.current_time)

        async def run(call: str, wish: Wish) -> None:
            await trio.sleep(wish.at)
            lock.begin_reply(call, weight=1.0 + wish.at)
            with trio.move_on_after(wish.cut_after):
                place = lock.join(ask(call, need_in=wish.need_in, first=wish.first))
                place.revise(wish.revised)
                async with place:
                    assert lock.queue.granted <= slots
                    await trio.sleep(wish.seconds)

        async with trio.open_nursery() as nursery:
            for number, wish in enumerate(crowd):
                nursery.start_soon(run, f"{number}", wish)
        grants = [event.ticket for event in told if isinstance(event, events.SlotGranted)]
        assert grants == sorted(grants)
        assert (lock.queue.granted, lock.queue.waiting) == (0, 0)

    in_virtual_time(scenario)


async def test_a_held_place_in_the_lock_keeps_its_turn(autojump_clock: MockClock) -> None:
    """It is passed over while it is held, and goes before those that asked later; nothing is kept for who has not."""
    told: list[Event] = []
    lock = PlainLock(ProviderSettings(), emit=told.append, now=trio.current_time)
    order: list[str] = []

    async def enter(call: str, place: Any) -> None:
        async with place:
            order.append(call)
            await trio.sleep(1)

    lock.expect("z")
    places = {call: lock.join(ask(call)) for call in "abcd"}
    async with trio.open_nursery() as nursery:
        for call, place in places.items():
            nursery.start_soon(enter, call, place)
        places["b"].hold()
        await trio.sleep(1.5)
        places["b"].resume(9.0)
    assert order == ["a", "c", "b", "d"]


# --- what is asked for ---

words = st.text("abcdefgh", min_size=4, max_size=7)  # shorter ones may be abbreviations
clauses = st.lists(words, min_size=1, max_size=6).map(" ".join)
sentences = st.lists(clauses, min_size=1, max_size=5).map(lambda parts: ", ".join(parts).capitalize() + ".")


def all_of(portions: Portions, text: ReplyText) -> list[Piece]:
    """Return the pieces as they are taken one after the other."""
    pieces: list[Piece] = []
    while (piece := portions.next_piece(situation(text, start=pieces[-1].end if pieces else 0))) is not None:
        pieces.append(piece)
        if piece.end == text.length:
            break
    return pieces


def situation(text: ReplyText, *, start: int = 0, ahead: float = 0.0) -> Situation:
    """Return where a reply stands."""
    return Situation(text=text, start=start, begun=start > 0, ahead=ahead)


@given(st.lists(sentences, min_size=1, max_size=6), st.integers(1, 40))
def test_a_sentence_is_a_piece(spoken: list[str], step: int) -> None:
    """However the text comes in: none before it is complete, none with another, all of it in the end."""
    portions, text = Sentences(SpeechSettings(piece_characters=400), Pace()), ReplyText(most_characters=400)
    whole = " ".join(spoken)
    for start in range(0, len(whole), step):
        text.feed(whole[start : start + step])
        so_far = [piece.text for piece in all_of(portions, text)]
        assert so_far == spoken[: len(so_far)]
    text.finish()
    pieces = all_of(portions, text)
    assert [piece.text for piece in pieces] == spoken
    assert all(piece.ends_sentence for piece in pieces)
    assert [whole[start:end] for piece in pieces for start, end in piece.words] == whole.split()


def test_only_what_no_request_can_hold_is_broken() -> None:
    """At its clauses, as few as there can be."""
    text = ReplyText(most_characters=60)
    text.feed("Well. " + "one and two and three, " * 5 + "and four. The end.")
    text.finish()
    pieces = all_of(Sentences(SpeechSettings(piece_characters=60), Pace()), text)
    assert [piece.ends_sentence for piece in pieces] == [True, False, False, True, True]
    assert [pieces[0].text, pieces[-1].text] == ["Well.", "The end."]
    assert max(len(piece.text) for piece in pieces) <= 60


@given(sentences, st.floats(0, 12))
def test_the_look_ahead_is_ours(sentence: str, ahead: float) -> None:
    """A sentence that our own pieces could be is asked for when ours would be; a longer one with a second to go."""
    settings, pace = SpeechSettings(), Pace()
    text = ReplyText(most_characters=settings.piece_characters)
    text.feed(sentence)
    text.finish()
    now = situation(text, ahead=ahead)
    portions, ours = Sentences(settings, pace), Sparing(settings, pace)
    piece = portions.next_piece(now)
    assert piece is not None
    if pace.audio_seconds(len(piece.text)) <= settings.look_ahead - 1.0:
        assert (portions.too_early(piece, now) <= 0) == (ours.excess(piece, now) <= 0)
    assert portions.too_early(piece, attrs.evolve(now, ahead=1.0)) <= 0
    assert portions.too_early(None, now) == float("inf")


def test_a_reply_without_end_is_asked_for_in_parts() -> None:
    """Each as long as a request may be, the first as soon as there is so much, the others not hours ahead."""
    settings = settings_for("turn", Settings()).speech
    portions, text = WholeReplies(settings, Pace()), ReplyText(most_characters=settings.piece_characters)
    pieces: list[Piece] = []
    for _ in range(200):
        text.feed(SENTENCE)
        start = pieces[-1].end if pieces else 0
        piece = portions.next_piece(situation(text, start=start))
        if piece is not None:
            assert portions.too_early(piece, situation(text, start=start, ahead=20.0)) == (14.0 if pieces else 0.0)
            assert portions.too_early(piece, situation(text, start=start, ahead=5.0)) == 0.0
            pieces.append(piece)
    assert len(pieces) == 200 * len(SENTENCE) // 2000
    assert all(1900 < len(piece.text) <= 2000 and piece.ends_sentence for piece in pieces)
