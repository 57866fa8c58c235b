"""espeak: any text becomes sound whose word times say where each word's energy lies."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from orchestrator.adapters.voices import espeak
from orchestrator.adapters.voices.espeak import Espeak, speakable
from orchestrator.audio import SILENCE_DBFS, level_dbfs, seconds_of, sounding
from orchestrator.errors import FaultKind, ProviderFault, SettingsError
from orchestrator.ports import Spoken
from simulations.voices import default_voice_name

ENGLISH = "Good morning, this is the clinic. I have been told that one of the doctors is free on Tuesday - at 10:30?"
HINDI = "नमस्ते, मैं आपकी क्या मदद कर सकता हूँ? आपका अपॉइंटमेंट 3 बजे है।"
ONE_WINDOW_OF_THREE = SILENCE_DBFS - 4.8
"""dBFS of 15 ms of which 5 ms sound."""
VOICES = ("en-us", "en-gb", "en-us+f3", "en-gb-scotland+m4")

installed = pytest.mark.skipif(default_voice_name() != "espeak", reason="the extra demo is not installed")


def slice_of(spoken: Spoken, start: float, end: float) -> bytes:
    """Return the sound from `start` to `end` seconds."""
    return spoken.pcm[2 * round(start * spoken.rate) : 2 * round(end * spoken.rate)]


def words_of(text: str, spoken: Spoken) -> list[str]:
    """Return the words that got a time."""
    return [text[offset : offset + length] for offset, length, _, _ in spoken.words]


@installed
@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100])
def test_every_word_has_its_time(voice: str, rate: int) -> None:
    """All words but the lone dash, in order, also those that espeak runs into one ("one of the")."""
    spoken = Espeak().speak(ENGLISH, voice=voice, rate=rate)
    assert words_of(ENGLISH, spoken) == [word for word in ENGLISH.split() if word != "-"]
    edges = [edge for _, _, start, end in spoken.words for edge in (start, end)]
    assert edges == sorted(edges)
    assert edges[-1] <= seconds_of(spoken.pcm, rate) + 0.001


@installed
@pytest.mark.parametrize("voice", [*VOICES, "hi", "hi+f2"])
def test_a_words_energy_lies_where_its_time_says(voice: str) -> None:
    """Sound begins within 15 ms of a word's start and ends within 15 ms of its end, and no sound lies outside words."""
    spoken = Espeak().speak(HINDI if voice.startswith("hi") else ENGLISH, voice=voice, rate=16000)
    loud = sounding(spoken.pcm, 16000)
    inside = np.zeros(len(loud), bool)
    for _, _, start, end in spoken.words:
        assert level_dbfs(slice_of(spoken, start, end)) > -40
        assert level_dbfs(slice_of(spoken, start, start + 0.015)) > ONE_WINDOW_OF_THREE
        assert level_dbfs(slice_of(spoken, end - 0.015, end)) > ONE_WINDOW_OF_THREE
        inside[max(0, round(start / 0.005) - 1) : round(end / 0.005) + 1] = True
    assert np.mean(loud & ~inside) < 0.02


@installed
def test_hindi_words_are_found_by_character_not_by_byte() -> None:
    """Offsets are those of the text as Python counts it."""
    assert words_of(HINDI, Espeak().speak(HINDI, voice="hi", rate=8000)) == HINDI.split()


@installed
@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "—",
        "...",
        "\x00",
        "a\x00b",
        "lone \ud800 surrogate \udfff here",
        "\x1b[31mred\x1b[0m \x07 bell",
        "<speak><break time='9s'/>&lt;hi&gt; & </speak>",
        "[[h@'loU]] $HOME %s %n {} \\",
        "😀 👨\u200d👩\u200d👧 smile",
        "\u202eright to left\u202c \ufeff",
        "word" * 500,
        "one, " * 400,
        "  \n\x00 late, and - again",
        "مرحبا 你好 привет",
    ],
)
def test_any_text_is_spoken_or_skipped(text: str) -> None:
    """Never a crash; times stay inside the sound and offsets inside the text."""
    spoken = Espeak().speak(text, voice="en-us", rate=8000)
    for offset, length, start, end in spoken.words:
        assert text[offset : offset + length].split() == [text[offset : offset + length]]
        assert 0 <= start <= end <= seconds_of(spoken.pcm, 8000) + 0.001


@installed
def test_speed_changes_the_length() -> None:
    """Speed 1.0 speaks about 15 characters a second; 2.0 takes about half of it, and no speed is refused."""
    slow, plain, fast = (seconds_of(Espeak().speak(ENGLISH, rate=8000, speed=s).pcm, 8000) for s in (0.01, 1.0, 2.0))
    assert 11 < len(ENGLISH) / plain < 19
    assert fast < 0.65 * plain < plain < slow


@installed
def test_an_unknown_voice_is_refused() -> None:
    """The next text is spoken as if nothing had been."""
    with pytest.raises(ProviderFault, match="no voice 'xx-klingon'") as refusal:
        Espeak().speak("Hello.", voice="xx-klingon", rate=8000)
    assert refusal.value.kind is FaultKind.REQUEST
    assert len(Espeak().speak("Hello.", voice="en-us", rate=8000).words) == 1


@pytest.mark.parametrize("module", ["espeakng_loader", "samplerate"])
def test_a_missing_extra_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not installed the extra reads what to type."""
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(espeak, "_load", espeak._load.__wrapped__)
    with pytest.raises(SettingsError, match=r"extra demo .*pip install 'talkingstick\[demo\]'"):
        Espeak()


def test_cleaning_keeps_every_offset() -> None:
    """What no voice can read becomes a space of the same length; Hindi's joiners stay."""
    dirty = "a\ud800b\x00c\u202ed क्\u200dष"
    assert speakable(dirty) == "a b c d क्\u200dष"
