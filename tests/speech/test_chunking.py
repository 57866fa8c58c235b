"""Claims about cutting a reply into pieces: nothing is lost, breaks lie where speech pauses, long texts cost little."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.speech.chunking import Piece, ReplyText
from orchestrator.speech.speakable import LONGEST_WORD, UNSPACED_MARKS, as_spoken

How = Literal["first", "next", "clauses"]
HOWS: st.SearchStrategy[How] = st.sampled_from(("first", "next", "clauses"))

# Texts that meet every rule sooner than random ones would.
NASTY = (
    'Hello| there|.|,| |\n\n|Dr.| e.g. |3.14 |5|U.S. |…|?!|"|)|👋|\x00|\ud83d|नमस्ते|।| डॉ. |你好|，|—| — |x.com|No. |:|-'
)
FRAGMENTS = st.sampled_from([*NASTY.split("|"), "x" * 70, "word " * 30])
TEXTS = st.one_of(st.text(max_size=80), st.lists(FRAGMENTS, max_size=40).map("".join))
DELTAS = st.lists(st.one_of(FRAGMENTS, st.text(max_size=12)), max_size=40)


def fed(*deltas: str, finish: bool = False) -> ReplyText:
    """A reply after these deltas."""
    reply = ReplyText()
    for delta in deltas:
        reply.feed(delta)
    if finish:
        reply.finish()
    return reply


def ask(reply: ReplyText, start: int, how: How, most: int = 250) -> Piece | None:
    """The piece that one of the three ways of cutting gives."""
    if how == "first":
        return reply.first_piece(start)
    if how == "next":
        return reply.next_piece(start, most_characters=most)
    return reply.clauses_piece(start, most_characters=most)


def pieces(text: str, how: How = "first", most: int = 250) -> list[str]:
    """All pieces of a finished text; "~" stands after one that ends inside a sentence."""
    reply, found, start = fed(text, finish=True), [], 0
    while start < len(text):
        piece = ask(reply, start, how, most)
        assert piece is not None
        found.append(piece.text + "~" * (not piece.ends_sentence))
        start = piece.end
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello there. How are you, my friend? Fine!", ["Hello there.", "How are you, my friend?", "Fine!"]),
        ("It costs 1,000,000 euros, or 3.14 at 10:30.", ["It costs 1,000,000 euros,~", "or 3.14 at 10:30."]),
        ("Ask Dr. Smith of the U.S. Senate. Thank you.", ["Ask Dr. Smith of the U.S. Senate.", "Thank you."]),
        (
            "Take any pet, e.g. this one, i.e. No. 5 of ours.",
            ["Take any pet,~", "e.g. this one,~", "i.e. No. 5 of ours."],
        ),
        ("Cars, bikes etc. The rest at 5 p.m. He said so.", ["Cars, bikes etc.", "The rest at 5 p.m.", "He said so."]),
        ("See https://example.com/a,b?c=1. Mail me@x.org!", ["See https://example.com/a,b?c=1.", "Mail me@x.org!"]),
        ("Then he said: “Well... all right!” And left.", ["Then he said:~", "“Well... all right!”", "And left."]),
        ('"Really, so late?" she asked (again). Oh.', ['"Really, so late?"~', "she asked (again).", "Oh."]),
        ("Hi 👋! Nice to meet you 😀. Go on.", ["Hi!", "Nice to meet you.", "Go on."]),
        ("It was late — very late — from 5 – 10 pm.", ["It was late —~", "very late — from 5 – 10 pm."]),
        ("We have:\n1. Apples.\n2. Pears. That is all.", ["We have: 1. Apples.", "2. Pears.", "That is all."]),
        ("Our opening hours\n\nFrom nine to five.", ["Our opening hours", "From nine to five."]),
        ("So am I. Tell me. It is plan B. The end.", ["So am I.", "Tell me.", "It is plan B. The end."]),
        ("नमस्ते, आप कैसे हैं? डॉ. शर्मा आ रहे हैं। ठीक है ॥ जी", ["नमस्ते, आप कैसे हैं?", "डॉ. शर्मा आ रहे हैं।", "ठीक है॥", "जी"]),
        ("एम. एस. धोनी यहाँ है. अच्छा है।धन्यवाद", ["एम. एस. धोनी यहाँ है.", "अच्छा है।", "धन्यवाद"]),
        (
            "「你好。」他说。我是你的机器人助手你好吗，请说吧！",
            ["「你好。」他说。", "我是你的机器人助手你好吗， 请说吧！"],
        ),
        ("Tab\tand\x00 line\n  and\u200b \ud800no\ue000 more", ["Tab and line and no more"]),
    ],
)
def test_breaks_lie_where_speech_pauses(text: str, expected: list[str]) -> None:
    """Clauses and sentences end a piece; figures, abbreviations, addresses, initials and pictures do not."""
    assert pieces(text) == expected


def test_a_short_rest_of_a_sentence_goes_along() -> None:
    """No clause leaves a rest behind that is too short to stand alone, if the rest is known."""
    assert pieces("I would like that, yes. Good.") == ["I would like that, yes.", "Good."]


def test_later_pieces_are_whole_sentences() -> None:
    """As many sentences as fit; one that cannot fit breaks at its last clause, else at the last word."""
    text = (
        "One is here, as you see. Two is short. This third one is longer than it should be, but it can be broken. Four."
    )
    assert pieces(text, "next", 45) == [
        "One is here, as you see. Two is short.",
        "This third one is longer than it should be,~",
        "but it can be broken. Four.",
    ]
    assert pieces("no mark in all of this text and it is much too long", "next", 30) == [
        "no mark in all of this text~",
        "and it is much too long",
    ]


def test_clauses_go_out_when_the_stream_is_slow() -> None:
    """A whole sentence is not there yet: next_piece waits, clauses_piece takes what is complete."""
    reply = fed("Let me see, I think, that we may")
    assert reply.next_piece(0, most_characters=250) is None
    piece = reply.clauses_piece(0, most_characters=250)
    assert piece == Piece(0, 21, "Let me see, I think,", False, ((0, 3), (4, 6), (7, 11), (12, 13), (14, 20)))


def test_text_without_any_mark_is_broken_at_words() -> None:
    """A stream without punctuation does not wait for its end; the words stay whole."""
    reply = fed("word " * 19)
    assert reply.first_piece(0) is None
    reply.feed("word " * 3)
    assert reply.ready(0)
    assert len(getattr(reply.first_piece(0), "text", "")) == 99
    assert pieces("word " * 100, "next", 60) == ["word" + " word" * 11 + "~"] * 8 + ["word" + " word" * 3]


@pytest.mark.parametrize(
    ("deltas", "ready"),
    [
        (["Hello there. "], True),  # and then the bot thinks for three seconds
        (["Hello there."], True),  # a phrase, as a bot yields it
        (["Good morning dear caller,"], True),
        (["Yes."], True),  # all of a clause
        (["Hello", " there", "."], False),  # tokens: it may become "there.com"
        (["Hello", " there", ".", " "], True),
        (["Hello", " there", ".", " How"], True),
        (["It is 3."], False),  # it may become 3.14
        (["It is 3.", "14"], False),
        (["We are with Dr."], False),
        (["We are with Dr. "], False),
        (["We are with Dr. Smith. "], True),
        (["नमस्ते जी।"], True),
        (["है", "।"], True),
        (["Oh, "], False),  # too short to go out
        (["👋 ", "! "], False),  # nothing to say
    ],
)
def test_a_clause_is_ready_as_soon_as_it_is_certain(deltas: list[str], ready: bool) -> None:
    """Not before it is certain, and no later than the text allows."""
    assert fed(*deltas).ready(0) is ready


def test_sentences_without_white_space_between_them_are_apart() -> None:
    """A bot that yields whole sentences without white space is understood."""
    reply = fed("How are you?", "I am fine, thank you.", finish=True)
    piece = reply.next_piece(0, most_characters=250)
    assert piece is not None
    assert piece.text == "How are you? I am fine, thank you."


def test_a_piece_may_begin_at_any_word() -> None:
    """After a fault the rest is asked for from the first word that was not heard."""
    reply = fed("I have two, maybe three rooms. All free.", finish=True)
    assert getattr(reply.first_piece(12), "text", "") == "maybe three rooms."


def test_the_first_sentence_is_one_that_is_known_whole() -> None:
    """Or what is left of it, and none that is longer than was asked for, or not complete yet."""
    reply = fed("Oh. Yes, we have one. It is fr")
    found = [reply.first_sentence(start, most_characters=17) for start in (0, 3, 8, 21)]
    assert [piece and piece.text for piece in found] == ["Oh.", "Yes, we have one.", "we have one.", None]
    assert [piece and piece.end for piece in found] == [4, 22, 22, None]
    assert reply.first_sentence(3, most_characters=16) is None


@given(DELTAS, st.integers(0, 250), st.booleans())
def test_the_first_sentence_begins_what_whole_sentences_there_are(deltas: list[str], most: int, finish: bool) -> None:
    """It is there if any fits, and is the shortest piece that ends a sentence; the length is that of all that came."""
    reply = fed(*deltas, finish=finish)
    assert reply.length == len(reply.text) == len("".join(deltas))
    sentence, several = reply.first_sentence(0, most_characters=most), reply.next_piece(0, most_characters=most)
    if sentence is not None:
        check(sentence, reply.text, final=finish)
        assert sentence.ends_sentence
        assert len(sentence.text) <= most
        assert several is not None
        assert several.end >= sentence.end
        first = reply.first_piece(0)
        assert first is not None
        assert first.end <= sentence.end
    elif several is not None and several.ends_sentence and several.words:
        assert len(several.text) > most


@given(DELTAS, st.data())
def test_pieces_cover_the_text_exactly(deltas: list[str], data: st.DataObject) -> None:
    """Whatever comes and whenever pieces are taken, they follow each other without gap, and their words lie in them."""
    reply, taken = ReplyText(), [0]
    for number in range(len(deltas) + 1):
        if number < len(deltas):
            reply.feed(deltas[number])
        else:
            reply.finish()
        while reply.finished or data.draw(st.booleans()):
            how = data.draw(HOWS)
            piece = ask(reply, taken[-1], how, data.draw(st.integers(0, 300)))
            if piece is None:
                break
            check(piece, reply.text, final=reply.finished)
            assert piece.start == taken[-1]
            taken.append(piece.end)
    assert reply.text == "".join(deltas)
    assert taken[-1] == len(reply.text)


def check(piece: Piece, text: str, *, final: bool) -> None:
    """What holds for every piece."""
    assert piece.start < piece.end <= len(text)
    assert piece.text == " ".join(piece.text.split())
    assert len(piece.words) == len(piece.text.split())
    assert all(start < end for start, end in piece.words)
    assert all(end <= start for (_, end), (start, _) in pairwise(piece.words))
    if piece.words:
        assert piece.start <= piece.words[0][0]
        assert piece.words[-1][1] <= piece.end
    assert len(piece.text) <= 250 + LONGEST_WORD
    assert len(piece.text) >= 12 or piece.ends_sentence or not piece.text
    piece.text.encode()
    assert [piece.offset_after(0), piece.offset_after(len(piece.words))] in ([piece.start, piece.end], [piece.end] * 2)


@given(TEXTS, st.lists(st.integers(0, 200), max_size=30), HOWS)
def test_how_the_text_was_cut_into_tokens_does_not_matter(text: str, cuts: list[int], how: How) -> None:
    """The same text known gives the same piece, unless a delta ended in a complete phrase."""
    places = [0, *sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    whole, cut = fed(text + " "), fed(*(text[a:b] for a, b in pairwise(places)), " ")
    by_character = fed(*text, " ")
    if not any(phrase_ended(text[a:b]) for a, b in pairwise(places)):
        assert ask(cut, 0, how) == ask(whole, 0, how)
    if not any(phrase_ended(char) for char in text):
        assert ask(by_character, 0, how) == ask(whole, 0, how)


def phrase_ended(delta: str) -> bool:
    """Whether the end of a delta could count as the end of a phrase: it ends in a mark, or in what closes one."""
    seen = "".join(map(as_spoken, delta))
    several = len(seen) > 2 and seen[-1] in ",.;:!?…—–،؟\"')]}»”’」』）*_"
    return several or seen[-1:] in set(UNSPACED_MARKS)


@given(TEXTS, HOWS, st.integers(0, 300))
def test_every_letter_is_spoken_once(text: str, how: How, most: int) -> None:
    """No letter or figure is lost or doubled by cleaning and cutting."""
    spoken = "".join(pieces(text, how, most))
    assert [char for char in spoken if char.isalnum()] == [char for char in text if as_spoken(char).isalnum()]


PROSE = "We have, as you may know, 3.5 rooms left for Dr. Smith. Shall I book one of them for you? नमस्ते, ठीक है। "


@pytest.mark.parametrize(
    "text",
    [PROSE, "word ", "x", "👋", ".", ". ", "a, ", "Mr. Smith etc. ", '"', "( ", " ", "\x00", "\ud800", "A. B. ", "1. "],
)
def test_a_reply_of_50_000_characters_costs_little(text: str) -> None:
    """Fed five characters at a time and cut as it grows, it takes well below a second (five-fold slack)."""
    text = (text * 50_000)[:50_000]
    reply, start, before = ReplyText(), 0, time.process_time()
    for place in range(0, len(text), 5):
        reply.feed(text[place : place + 5])
        piece = reply.next_piece(start, most_characters=250)
        start = piece.end if piece else start
    reply.finish()
    while start < len(text):
        piece = reply.next_piece(start, most_characters=250)
        assert piece is not None
        start = piece.end
    assert time.process_time() - before < 2.5
