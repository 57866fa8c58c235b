"""Claims about a reply: cut or ended once, protected where the bot asked for it, its gaps blamed on what was slow."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator.events import GapCause
from orchestrator.speech.chunking import Piece, ReplyText
from orchestrator.speech.reply import Phase, Reply, VoiceChoice
from tests.speech.playing import Played, pieces_of


def reply_with(played: Played | None = None) -> Reply:
    """A reply at its beginning."""
    voice = VoiceChoice(voice="avery", language="en", speed=1.0)
    return Reply(number=1, text=ReplyText(), playout=(played or Played()).playout, voice=voice)


def test_a_reply_is_ready_once_with_its_first_clause() -> None:
    """Not by white space, and not again."""
    reply = reply_with()
    texts = [" ", "Hello", " there. ", "More. "]
    assert [reply.feed(text, interruptible=True, now=float(at)) for at, text in enumerate(texts)] == [0, 0, 1, 0]
    assert reply.ready_at == 2.0
    assert not reply.finish_text(now=9.0)


def test_a_short_reply_is_ready_when_its_text_is_finished() -> None:
    """Without any mark at its end."""
    reply = reply_with()
    assert not reply.feed("Well", interruptible=True, now=1.0)
    assert reply.finish_text(now=2.0)


def test_a_cut_stops_sound_and_tasks_once() -> None:
    """What comes later changes nothing: neither its end nor what was heard."""
    played = Played()
    for piece in pieces_of("one two three four."):
        played.arrive(piece)
        played.playout.end()
    played.play_all()
    reply = reply_with(played)
    reply.cut(0.5)
    reply.cut(0.9)
    reply.end(0.9)
    assert (reply.phase, reply.ended_at) == (Phase.CUT, 0.5)
    assert reply.scope.cancel_called
    assert reply.heard(9.0) == len("one two ")


async def test_a_reply_that_ended_is_not_cut_any_more() -> None:
    """It was heard."""
    reply = reply_with()
    reply.end(1.0)
    reply.cut(2.0)
    assert (reply.phase, reply.ended_at) == (Phase.ENDED, 1.0)
    assert not reply.scope.cancel_called


def test_what_is_protected_follows_the_words() -> None:
    """The part that is not to be interrupted, as long as its next word would sound."""
    played = Played()
    reply = reply_with(played)
    for text, interruptible in (("One. ", True), ("Two. ", False), ("Three.", True)):
        reply.feed(text, interruptible=interruptible, now=0.0)
    reply.finish_text(now=0.0)
    for piece in pieces_of("One. Two. Three."):
        played.arrive(piece)
        played.playout.end()
    played.play_all()
    assert [reply.protected(at) for at in (0.1, 0.24, 0.3, 0.44, 0.5)] == [False, True, True, True, False]


@given(st.lists(st.tuples(st.sampled_from(["One. ", "A b ", "", "Go on, "]), st.booleans()), max_size=8))
def test_a_word_is_protected_if_what_brought_it_was(parts: list[tuple[str, bool]]) -> None:
    """Whatever was fed before and after it, and in how many parts: asked at each word, before any has sounded."""
    text = "".join(part for part, _ in parts)
    protected = "".join(("y" if interruptible else "n") * len(part) for part, interruptible in parts)
    for piece in pieces_of(text):
        played = Played()
        reply = reply_with(played)
        for part, interruptible in parts:
            reply.feed(part, interruptible=interruptible, now=0.0)
        played.playout.begin(Piece(0, piece.end, "", True, ()))
        played.playout.end()
        assert reply.text.length == len(reply.text.text) == len(text)
        assert reply.protected(0.0) is (protected[piece.end : piece.end + 1] == "n")


@pytest.mark.parametrize(
    ("since", "cause"),
    [(0.5, GapCause.TEXT), (1.0, GapCause.SLOT), (2.4, GapCause.SLOT), (2.6, GapCause.PROVIDER)],
)
def test_a_gap_is_blamed_on_what_was_awaited_when_it_began(since: float, cause: GapCause) -> None:
    """Text from 0, slot from 1, provider from 2.5: a grant that came too late is the slot's fault to its end."""
    reply = reply_with()
    for at, stage in ((0.0, GapCause.TEXT), (1.0, GapCause.SLOT), (2.5, GapCause.PROVIDER)):
        reply.enter_stage(stage, at)
    assert reply.blame(since) is cause


@given(st.lists(st.tuples(st.floats(0, 9), st.sampled_from(GapCause)), max_size=8), st.floats(0, 9))
def test_the_stage_to_blame_is_the_last_one_entered_by_then(stages: list[tuple[float, GapCause]], since: float) -> None:
    """Of however many, several at one time among them; before the first one the text was awaited."""
    reply, cause = reply_with(), GapCause.TEXT
    for at, stage in sorted(stages, key=lambda entered: entered[0]):
        reply.enter_stage(stage, at)
        cause = stage if at <= since else cause
    assert reply.blame(since) is cause


async def test_a_change_wakes_all_who_wait(autojump_clock: MockClock) -> None:
    """Without one, the wait has an end; one that is over already does not hold."""
    reply = reply_with()
    await reply.wait_changed(within=2)
    assert trio.current_time() == pytest.approx(2)
    await reply.wait_changed(within=-1)
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(reply.wait_changed)
        await trio.sleep(1)
        reply.notify()
    assert trio.current_time() == pytest.approx(3)
