"""Claims about the transcript: no character of a reply is lost, and each word went where its first character lies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.dialogue.transcript import (
    BotEntry,
    CallerEntry,
    Ending,
    SoundedWord,
    Transcript,
    Word,
    WordState,
)

TEXTS = st.text(alphabet="ab é\n\ud800😀", max_size=40)


def reply(text: str, *, heard: int, given_up: int, sounded: list[SoundedWord] | None = None) -> BotEntry:
    """How a reply that ended so is written down."""
    ending = Ending(heard=heard, given_up=given_up)
    return Transcript().add_reply(1, text, ending=ending, sounded=sounded or [], voice="avery")


@given(TEXTS, st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_heard_cut_and_unspoken_make_the_reply(text: str, places: tuple[int, int]) -> None:
    """For any two places, and every word is one of the three by its first character."""
    heard, given_up = sorted(min(place, len(text)) for place in places)
    entry = reply(text, heard=heard, given_up=given_up)
    assert entry.heard + entry.cut + entry.unspoken == text
    assert [word.text for word in entry.words] == text.split()
    assert sum(entry.count(state) for state in WordState) == len(entry.words)
    at = 0
    for word in entry.words:
        at = text.index(word.text, at)
        part = WordState.HEARD if at < heard else WordState.CUT if at < given_up else WordState.UNSPOKEN
        assert word.state is part
        at += len(word.text)


def test_words_have_the_times_of_what_the_provider_spoke() -> None:
    """Two of its words may be one of ours; what never began has no times, and the entry spans what sounded."""
    sounded = [
        SoundedWord(0, 4, 1.0, 1.2),
        SoundedWord(5, 10, 1.3, 1.5),
        SoundedWord(11, 15, 1.6, 1.9),
        SoundedWord(16, 20, None, None),
    ]
    entry = reply("well-known here come they", heard=16, given_up=25, sounded=sounded)
    assert entry.words == (
        Word("well-known", WordState.HEARD, 1.0, 1.5),
        Word("here", WordState.HEARD, 1.6, 1.9),
        Word("come", WordState.CUT, None, None),
        Word("they", WordState.CUT, None, None),
    )
    assert (entry.start, entry.end) == (1.0, 1.9)


def test_words_that_another_voice_spoke_name_it() -> None:
    """By what of a word began first, and only where something sounded; the reply's own voice is the entry's."""
    sounded = [
        SoundedWord(0, 4, 1.0, 1.2),
        SoundedWord(5, 10, 1.3, 1.5, "espeak-ng"),
        SoundedWord(11, 15, 1.6, 1.9),
        SoundedWord(16, 20, 2.0, 2.2, "espeak-ng"),
        SoundedWord(21, 25, None, None, "espeak-ng"),
    ]
    entry = reply("well-known here come they", heard=20, given_up=25, sounded=sounded)
    assert [word.voice for word in entry.words] == ["", "", "espeak-ng", ""]
    assert entry.heard + entry.cut + entry.unspoken == "well-known here come they"
    assert entry.voice == "avery"


def test_what_never_sounded_has_no_times() -> None:
    """The entry is there all the same."""
    entry = reply("one two", heard=0, given_up=0)
    assert (entry.start, entry.end, entry.unspoken) == (None, None, "one two")


def test_entries_stand_in_the_order_in_which_they_began() -> None:
    """A turn of the caller that ended while the bot talked on (it was not to be interrupted) stands after the bot's."""
    transcript = Transcript()
    transcript.add_turn("hello", start=1.0, end=2.0)
    transcript.add_turn("wait", start=4.0, end=5.0)
    ending = Ending(heard=3, given_up=3)
    transcript.add_reply(1, "Hi.", ending=ending, sounded=[SoundedWord(0, 3, 3.0, 6.0)], voice="")
    transcript.add_reply(2, "not heard", ending=Ending(heard=0, given_up=9), sounded=[], voice="")
    names = [entry.text if isinstance(entry, CallerEntry) else entry.reply for entry in transcript.entries]
    assert names == ["hello", 1, "wait", 2]
