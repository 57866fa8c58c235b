"""Claims about phrases in a reply: each is a piece of its own, and no other piece reaches into one."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.settings import Settings
from orchestrator.speech.chunking import ReplyText
from orchestrator.speech.play_clock import PlayClock
from orchestrator.speech.playout import Playout
from orchestrator.speech.reply import Reply, usual_voice

texts = st.text(alphabet="ab.,! \n", max_size=12)


def reply() -> Reply:
    """A reply without any text."""
    settings = Settings()
    return Reply(number=1, text=ReplyText(), playout=Playout(PlayClock(8000)), voice=usual_voice(settings.provider))


@given(st.lists(st.tuples(texts, st.booleans()), max_size=8))
def test_phrases_are_pieces_of_their_own_and_no_text_is_lost(says: list[tuple[str, bool]]) -> None:
    """Whatever lies around them: taken one after the other, the pieces cover the reply."""
    some = reply()
    spans: list[str] = []
    for text, phrase in says:
        some.feed(text, now=0.0, phrase=phrase)
        spans += [text] if phrase and text.strip() else []
    some.finish_text(now=0.0)
    length, seen = some.text.length, []
    while some.asked < length:
        if (span := some.next_phrase) is not None:
            piece = some.text.span_piece(some.asked, span[1])
            seen.append(some.text.text[span[0] : span[1]])
        else:
            found = some.text.next_piece(some.asked, most_characters=40)
            assert found is not None
            limit = some.phrase_limit
            piece = some.text.span_piece(some.asked, limit) if limit is not None and found.end > limit else found
        assert piece.start == some.asked < piece.end
        some.asked = piece.end
    assert some.asked == length
    assert seen == spans


def test_what_was_broken_off_in_a_phrase_is_no_phrase() -> None:
    """Its rest is asked for like any other text."""
    some = reply()
    some.feed("Good morning. ", now=0.0)
    some.feed("What can I do for you?", now=0.0, phrase=True)
    assert some.next_phrase is None
    assert some.phrase_limit == 14
    some.asked = 14
    assert some.next_phrase == (14, 36)
    some.asked = 19
    assert some.next_phrase is None
    assert some.phrase_limit is None


def test_the_usual_voice_is_that_of_the_settings() -> None:
    """Name, language and speed."""
    provider = attrs.evolve(Settings().provider, voice="meher", language="hi", speed=1.2)
    voice = usual_voice(provider)
    assert (voice.voice, voice.language, voice.speed) == ("meher", "hi", 1.2)
