"""Voices of the simulation: tones with exact word times, and espeak off the loop."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audio import level_dbfs, seconds_of, to_samples
from orchestrator.errors import SettingsError
from orchestrator.ports import Spoken
from simulations import voices
from simulations.demo.callers import PEOPLE
from simulations.voices import ESPEAK_VOICES, default_voice_name, espeak_voice, tone, voice_named
from tests.simulations.waves.peer import wanted

TEXT = "Hello there, I have a place free on Tuesday. Shall I - book it?"
installed = pytest.mark.skipif(default_voice_name() != "espeak", reason="the extra demo is not installed")


def silences(spoken: Spoken) -> list[bytes]:
    """Return the sound between, before and after the words."""
    edges = [0.0, *(edge for word in spoken.words for edge in word[2:]), seconds_of(spoken.pcm, spoken.rate)]
    samples = [2 * round(edge * spoken.rate) for edge in edges]
    return [spoken.pcm[a:b] for a, b in zip(samples[::2], samples[1::2], strict=True)]


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=80), st.sampled_from([8000, 16000, 44100]), st.floats(0.5, 2.0))
def test_any_text_is_spoken_with_exact_word_times(text: str, rate: int, speed: float) -> None:
    """Each word is sound from its start to its end, everything else digital silence, gaps between words included."""
    spoken = tone(text, voice="avery", rate=rate, speed=speed)
    quiet = silences(spoken)
    assert not any(any(part) for part in quiet)
    assert seconds_of(quiet[0], rate) >= 0.08 - 1 / rate
    assert seconds_of(quiet[-1], rate) >= 0.12 - 1 / rate
    assert all(seconds_of(gap, rate) > 0.03 for gap in quiet[1:-1])
    for offset, length, start, end in spoken.words:
        assert not any(letter.isspace() for letter in text[offset : offset + length])
        assert level_dbfs(spoken.pcm[2 * round(start * rate) : 2 * round(end * rate)]) > -25


def test_the_tone_speaks_fifteen_characters_a_second() -> None:
    """Spaces counted, silence around it and pauses at punctuation on top; speed divides all of it."""
    plain = tone("one word after the other and then again one", voice="a", rate=16000)
    assert plain.words[-1][3] - plain.words[0][2] == pytest.approx(43 / 15, abs=0.001)
    fast = tone("one word after the other and then again one", voice="a", rate=16000, speed=2.0)
    assert fast.words[-1][3] - fast.words[0][2] == pytest.approx(43 / 30, abs=0.001)


def test_punctuation_pauses() -> None:
    """A comma 100 ms, a full stop 250 ms beyond the gap, in quotes, too; a dash is a pause and no word."""
    words = tone('so, "so." so - so', voice="a", rate=16000).words
    gaps = [after[2] - before[3] for before, after in pairwise(words)]
    assert gaps == pytest.approx([0.1 + 1 / 15, 0.25 + 1 / 15, 1 / 15], abs=0.001)


def test_the_tone_is_the_same_every_time_and_another_for_another_voice() -> None:
    """No state, no randomness; a name is a pitch."""
    assert tone(TEXT, voice="avery", rate=8000) == tone(TEXT, voice="avery", rate=8000)
    assert tone(TEXT, voice="avery", rate=8000).pcm != tone(TEXT, voice="liam", rate=8000).pcm


def test_known_voices_differ() -> None:
    """Callers can tell the provider's voices apart, by tone and by espeak."""
    assert len({voices._pitch(name) for name in ESPEAK_VOICES}) == len(ESPEAK_VOICES)
    assert len(set(ESPEAK_VOICES.values())) == len(ESPEAK_VOICES)
    assert not set(ESPEAK_VOICES.values()) & set(voices._OTHERS)


def test_bursts_rise_and_fall_without_a_click() -> None:
    """The first and the last sample of a word are next to nothing."""
    spoken = tone("hello", voice="avery", rate=16000)
    (_, _, start, end) = spoken.words[0]
    burst = to_samples(spoken.pcm)[round(start * 16000) : round(end * 16000)]
    assert abs(int(burst[0])) < 100
    assert abs(int(burst[-1])) < 100
    assert burst.max() > 9000


def test_the_tone_is_cheap() -> None:
    """Under 1 ms of processor for a second of sound, with five-fold slack (measured: 0.04)."""
    tone(TEXT, voice="avery", rate=16000)
    before = time.process_time()
    sound = sum(seconds_of(tone(TEXT, voice="avery", rate=16000).pcm, 16000) for _ in range(20))
    assert (time.process_time() - before) / sound < 0.005


async def test_the_tone_needs_no_thread_and_no_time(autojump_clock: trio.testing.MockClock) -> None:
    """It is there at once, in virtual time, too."""
    before = trio.current_time()
    spoken = await voice_named("tone")(wanted(TEXT))
    assert (trio.current_time(), spoken) == (before, tone(TEXT, voice="avery", rate=8000))


@installed
async def test_espeak_speaks_off_the_loop() -> None:
    """Texts asked for at once come one after another, and the loop turns meanwhile."""
    voice = voice_named("espeak")
    results: dict[str, Spoken] = {}
    turns = 0

    async def say(name: str) -> None:
        results[name] = await voice(wanted(TEXT * 4, name, rate=16000))

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(turn)
        async with trio.open_nursery() as speakers:
            for name in ("avery", "liam", "a caller"):
                speakers.start_soon(say, name)
        nursery.cancel_scope.cancel()
    assert turns > 100
    assert len({spoken.pcm for spoken in results.values()}) == 3


@installed
async def test_espeak_is_padded_as_a_provider_pads() -> None:
    """80 ms before and 120 ms after, and the word times say so."""
    spoken = await voice_named("espeak")(wanted("Hello.", rate=16000))
    assert not any(spoken.pcm[: 2 * 1280])
    assert not any(spoken.pcm[-2 * 1920 :])
    assert 0.08 <= spoken.words[0][2] < 0.11


@installed
async def test_a_cancelled_wait_for_espeak_leaves_at_once_and_the_next_is_served() -> None:
    """The thread is abandoned, its lane is given back when it is done."""
    voice = voice_named("espeak")
    with trio.move_on_after(0):
        await voice(wanted(TEXT * 50, rate=16000))
    assert (await voice(wanted("Hello.", rate=16000))).words


@installed
async def test_hindi_is_spoken_in_hindi() -> None:
    """The language follows the script, the variant the voice."""
    assert espeak_voice("नमस्ते जी", "avery") == "hi+f3"
    assert len((await voice_named("espeak")(wanted("नमस्ते जी", rate=16000))).words) == 2


@installed
async def test_every_voice_name_speaks() -> None:
    """No name of the table or of the fallback is unknown to espeak."""
    spoken = voice_named("espeak")
    own = [espeak for _, espeak in PEOPLE]
    assert [espeak_voice("Yes.", name) for name in own] == own
    for name in (
        *ESPEAK_VOICES,
        *own,
        "",
        "\ud800",
        "en-us+",
        "xx+f1",
        "en-gb+no_such_variant",
        *(f"caller {number}" for number in range(60)),
    ):
        assert (await spoken(wanted("Yes.", name))).words


def test_an_unknown_voice_is_named() -> None:
    """The message says what would be right."""
    with pytest.raises(SettingsError, match=r"'opera'.*espeak and tone"):
        voice_named("opera")


async def test_without_a_name_there_is_a_voice_in_any_case() -> None:
    """The real one where its extra is installed, else the tone."""
    spoken = await voice_named(None)(wanted("Hello."))
    assert len(spoken.pcm) > 8000 * 2 * 0.2
