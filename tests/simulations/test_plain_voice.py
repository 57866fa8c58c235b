"""The voices of simulated worlds: exact lengths, believable unevenness, and marks that survive everything."""

from __future__ import annotations

import random
import statistics
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.audio import SAMPLE_BYTES, samples_in, seconds_of, silence, sounding, to_samples
from orchestrator.ports import LocalVoice, Spoken
from orchestrator.speech.joins import FADE_SECONDS, Joiner
from simulations.plain_voice import (
    LOCAL,
    PHRASE,
    SimulatedLocalVoice,
    call_marked,
    lifelike_voice,
    mark_of,
    plain_voice,
)
from simulations.voices import Voice, tone
from tests.simulations.waves.peer import wanted

RATES = st.sampled_from([8000, 16000, 24000, 44100])
CALLS = st.integers(1, 20_000).map(str)
TEXT = "Good morning, you have reached the practice. What can I do for you"


def said(voice: Voice, text: str, *, call: str = "7", rate: int = 8000, speed: float = 1.0) -> Spoken:
    """Return what the voice makes of a request of a call; it takes no time, and not one turn of a loop."""
    speaking = voice(wanted(text, rate=rate, speed=speed, request=f"{call}-1-2")).__await__()
    with pytest.raises(StopIteration) as done:
        next(speaking)
    spoken = done.value.value
    assert isinstance(spoken, Spoken)
    return spoken


def joined(pieces: list[Spoken], cuts: list[int]) -> bytes:
    """Return what is played of pieces that arrive cut into chunks of the given sizes, over and over."""
    out = bytearray()
    for piece in pieces:
        joiner, at, turn = Joiner(rate=piece.rate), 0, 0
        while at < len(piece.pcm):
            size = SAMPLE_BYTES * cuts[turn % len(cuts)]
            out += joiner.feed(piece.pcm[at : at + size])
            at, turn = at + size, turn + 1
        out += joiner.finish()
    return bytes(out)


# --- the ideal voice ---


@given(st.text(max_size=300), RATES, st.floats(0.5, 2.0), CALLS)
def test_the_ideal_voice_is_as_long_as_its_characters_and_one(text: str, rate: int, speed: float, call: str) -> None:
    """(characters + 1) / (15 * speed) seconds to the sample, every one of them the call's mark, none taken for
    silence."""
    spoken = said(plain_voice(), text, call=call, rate=rate, speed=speed)
    assert samples_in(spoken.pcm) == round((len(text) + 1) * rate / (15 * speed))
    assert set(to_samples(spoken.pcm).tolist()) == {mark_of(call)}
    assert sounding(spoken.pcm, rate).all()


@given(st.lists(st.text(st.sampled_from("ab,."), min_size=1, max_size=8), min_size=1, max_size=12), st.data())
def test_cutting_a_text_costs_no_time(words: list[str], data: st.DataObject) -> None:
    """Pieces last, together, as long as the whole, to the sample that each is rounded to."""
    cut = data.draw(st.integers(0, len(words)))
    pieces = [" ".join(part) for part in (words[:cut], words[cut:]) if part]
    lengths = [samples_in(said(plain_voice(), piece).pcm) for piece in pieces]
    assert abs(sum(lengths) - samples_in(said(plain_voice(), " ".join(words)).pcm)) <= 1


def test_a_word_of_the_ideal_voice_lasts_until_the_next_begins() -> None:
    """Words are told where they stand in the text; the last has the space that would follow, the others theirs."""
    spoken = said(plain_voice(), "Yes, I  do.")
    assert [word[:2] for word in spoken.words] == [(0, 4), (5, 1), (8, 3)]
    times = [time for word in spoken.words for time in word[2:]]
    assert times == pytest.approx([0, 5 / 15, 5 / 15, 8 / 15, 8 / 15, 12 / 15])
    assert times[-1] == pytest.approx(seconds_of(spoken.pcm, 8000))


def test_the_joiner_takes_nothing_from_the_ideal_voice() -> None:
    """Every sample is played, only the ends are faded."""
    piece = said(plain_voice(), TEXT)
    out = joined([piece], [777])
    fade = SAMPLE_BYTES * round(FADE_SECONDS * 8000)
    assert len(out) == len(piece.pcm)
    assert out[fade:-fade] == piece.pcm[fade:-fade]


# --- marks ---


def test_every_call_has_a_mark_of_its_own() -> None:
    """Two calls never share one, and what is marked is read back."""
    marks = [mark_of(str(call)) for call in range(1, 20_001)]
    assert len(set(marks)) == 20_000
    assert max(marks) <= 32765
    assert all(call_marked(mark_of(str(call)).to_bytes(2, "little") * 120) == str(call) for call in range(1, 20_001, 7))


@pytest.mark.parametrize("call", ["", "0", "-1", "01", "a", "1.5", "²", "30766"])
def test_other_names_have_no_mark(call: str) -> None:
    """Only the numbers that calls of a simulated world bear."""
    with pytest.raises(ValueError, match="no mark"):
        mark_of(call)


@settings(max_examples=80, deadline=None)
@given(
    call=CALLS,
    rate=RATES,
    texts=st.lists(st.text(st.sampled_from("abcdef ,."), min_size=3, max_size=20), min_size=1, max_size=2),
    cuts=st.lists(st.integers(20, 5000), min_size=1, max_size=4),
    lifelike=st.booleans(),
    data=st.data(),
)
def test_a_mark_survives_the_joins_and_any_cutting(  # what hypothesis draws is the signature
    call: str, rate: int, texts: list[str], cuts: list[int], lifelike: bool, data: st.DataObject
) -> None:
    """Of what is played, any run says whose it is that holds 15 ms of it away from the fades, and none says another."""
    voice = lifelike_voice(random.Random("v")) if lifelike else plain_voice()
    played = joined([said(voice, text, call=call, rate=rate) for text in texts], cuts)
    start = data.draw(st.integers(0, samples_in(played)))
    end = data.draw(st.integers(start, min(samples_in(played), start + rate)))
    run = played[SAMPLE_BYTES * start : SAMPLE_BYTES * end]
    assert call_marked(run) in (call, "")
    level = mark_of(call).to_bytes(2, "little")
    if level * round(0.015 * rate) in run:
        assert call_marked(run) == call
    if not lifelike and samples_in(run) >= 0.04 * rate:  # two fades meet where pieces do: at most 10 ms of any 25
        assert call_marked(run) == call


def test_what_is_nobody_s_bears_no_mark() -> None:
    """Silence, a tone, nothing, and what was made for a request that is no call's."""
    strange = said(plain_voice(), TEXT, call="load-a")
    assert sounding(strange.pcm, 8000).all()
    others = [b"", silence(1.0, 8000), tone(TEXT, voice="avery", rate=8000).pcm, strange.pcm]
    assert [call_marked(pcm) for pcm in others] == [""] * 4
    assert call_marked(said(plain_voice(), TEXT, call="1-1").pcm) == ""


def test_phrases_and_the_local_voice_have_marks_of_their_own() -> None:
    """No call's: neither that of the call with the highest number, nor one that might be called so."""
    phrase = plain_voice()(wanted(TEXT, rate=8000, request="phrase-12"))
    with pytest.raises(StopIteration) as done:
        next(phrase.__await__())
    assert call_marked(done.value.value.pcm) == PHRASE
    assert call_marked(local(TEXT).pcm) == LOCAL
    assert call_marked(mark_of("30765").to_bytes(2, "little") * 100) == "30765"
    joined_both = joined([done.value.value, local(TEXT)], [777])
    assert call_marked(joined_both[: len(joined_both) // 3]) == PHRASE


def local(text: str, *, language: str = "en", rate: int = 8000, speed: float = 1.0) -> Spoken:
    """Return what the local voice makes of a text; it takes no time."""
    with pytest.raises(StopIteration) as done:
        next(SimulatedLocalVoice().speak(text, language=language, rate=rate, speed=speed).__await__())
    spoken = done.value.value
    assert isinstance(spoken, Spoken)
    return spoken


def test_the_local_voice_is_the_ideal_one() -> None:
    """As long, as fast, its words timed; for every language."""
    voice: LocalVoice = SimulatedLocalVoice()
    assert [voice.speaks(language) for language in ("en", "hi", "auto")] == [True] * 3
    assert {voice.name_in(language) for language in ("en", "hi")} == {"simulated"}
    for text in (TEXT, "एक क्षण।"):
        spoken, ideal = local(text, speed=1.5), said(plain_voice(), text, speed=1.5)
        assert (len(spoken.pcm), spoken.rate, spoken.words) == (len(ideal.pcm), ideal.rate, ideal.words)


def test_of_several_calls_the_longest_run_counts() -> None:
    """Also with silence around it."""
    one, other = (mark_of(call).to_bytes(2, "little") for call in ("3", "4"))
    assert call_marked(one * 200 + silence(1.0, 8000) + other * 201) == "4"


# --- the lifelike voice ---


def test_the_lifelike_voice_has_silence_around_and_after_punctuation() -> None:
    """80 ms before and 120 ms after; words follow each other without a gap but for the space after punctuation."""
    spoken = said(lifelike_voice(random.Random(3)), TEXT)
    loud = to_samples(spoken.pcm) == mark_of("7")
    edges = np.flatnonzero(np.diff(loud.astype(int), prepend=0, append=0)) / 8000
    assert len(edges) == 6  # three runs: two pauses, after the comma and the full stop
    assert edges[0] == pytest.approx(0.08)
    assert edges[-1] == pytest.approx(seconds_of(spoken.pcm, 8000) - 0.12)
    words = spoken.words
    assert [TEXT[offset : offset + length] for offset, length, _, _ in words] == TEXT.split()
    gaps = {TEXT[a[0] : a[0] + a[1]]: b[2] - a[3] for a, b in pairwise(words) if b[2] - a[3] > 1e-9}
    assert list(gaps) == ["morning,", "practice."]
    assert all(0.02 < gap < 0.2 for gap in gaps.values())
    told = [words[0][2], words[1][3], words[2][2], words[6][3], words[7][2], words[-1][3]]
    assert told == pytest.approx(edges.tolist(), abs=1 / 8000)


def test_the_lifelike_voice_varies_by_piece_and_by_word() -> None:
    """Pieces take, on the average, as long as the ideal voice's; the rate has a cv of 0.15 from piece to piece, and the
    same again from word to word inside a piece."""
    voice = lifelike_voice(random.Random("statistics"))
    pieces, inside = [], []
    for _ in range(3000):
        words = said(voice, "four four four four four four").words
        lengths = [end - start for _, _, start, end in words]
        pieces.append(sum(lengths) / 2.0)
        inside.append(statistics.stdev(lengths) / statistics.fmean(lengths))
    assert statistics.fmean(pieces) == pytest.approx(1.0, abs=0.01)
    assert statistics.stdev(pieces) == pytest.approx((0.15**2 + 0.15**2 / 6) ** 0.5, rel=0.05)
    assert statistics.fmean(inside) == pytest.approx(0.15, rel=0.1)


@example("")
@example("  two  blanks ")
@given(st.text(max_size=60))
def test_any_text_is_spoken_and_repeats(text: str) -> None:
    """The same draws give the same sound; words lie in their order inside it."""
    one, again = (said(lifelike_voice(random.Random(5)), text) for _ in range(2))
    assert one == again
    edges = [0.08, *(edge for word in one.words for edge in word[2:]), seconds_of(one.pcm, 8000) - 0.12]
    assert all(before <= after + 1 / 8000 for before, after in pairwise(edges))


def test_speed_divides_time() -> None:
    """But not the silence around."""
    plain, fast = (said(lifelike_voice(random.Random(5)), TEXT, speed=speed) for speed in (1.0, 2.0))
    assert seconds_of(fast.pcm, 8000) - 0.2 == pytest.approx((seconds_of(plain.pcm, 8000) - 0.2) / 2, abs=0.001)
