"""What a client's address asks of Pulse, or what is wrong with it; pure, and unknown options pass.

Who is let in is upgrades.py's. Accepted, and without any effect here: `itn_normalize`, `numerals`, `keywords`,
`redact_pii`, `redact_pci`, `emotion_detection`, `gender_detection`, `no_format_delay`, `finalize_on_words`,
`external_session_id` and `vad_threshold`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

RATES = (8000, 16000, 22050, 24000, 44100, 48000)
ENCODINGS = ("linear16", "linear32", "alaw", "mulaw", "opus", "ogg_opus")
PLAYABLE = ("linear16", "linear32", "alaw", "mulaw")
"""The encodings that this simulation can decode."""
_LANGUAGES = (
    "bg bn cs da de en es et fi fr gu hi hu it ja kn ko lt lv ml mr mt nl or pa pl pt ro ru sk sv ta te uk yue zh"
    " multi multi-asian multi-eu multi-indic multi-south-indic north_indic"
)
LANGUAGES = frozenset(_LANGUAGES.split())
"""What the published list names, and what the plugins and the older SDK send. The provider knows a few
more; which, is not published."""
STREAMING_MODELS = ("pulse", "pulse-2")
"""`pulse-2` is not in the published specification: Pipecat's service dials it, in English only."""
NO_STREAMING = "Pulse Pro has no streaming transport. Use POST /waves/v1/stt/?model=pulse-pro instead."

_UNIFIED = "/waves/v1/stt/live"
_PER_MODEL = re.compile(r"/(?:waves|api)/v1/(?:pulse|lightning)/get_text")
_ASR = re.compile(r"/(?:waves|api)/v1/asr")
_ASR_NAMES = {
    "audioLanguage": "language",
    "audioEncoding": "encoding",
    "audioSampleRate": "sample_rate",
    "emitVoiceActivity": "vad_events",
    "speechEndThreshold": "endpointing_timeout",
}
"""The options of the oldest path, and what they are called today."""

_TIMEOUTS = {"eou_timeout_ms": (100, 10_000, 800), "endpointing_timeout": (10, 60_000, 600)}
"""Least, most and usual value in ms. The first is published, the second is what LiveKit's plugin says, its range
that of the oldest path."""


class BadQuery(Exception):
    """The options cannot be served: `message` names the kind of error, `errors` says what is wrong."""

    def __init__(self, message: str, errors: str) -> None:
        super().__init__(errors)
        self.message = message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """Return the body of the HTTP 400, in the shape that was seen live."""
        return {"status": "error", "message": self.message, "errors": self.errors}


@frozen(kw_only=True)
class Listening:
    """How one session listens and what its transcripts show. Times in seconds."""

    language: str = "en"
    rate: int = 16000
    encoding: str = "linear16"
    quiet: float = 0.6
    """So much silence ends an utterance."""
    vad_events: bool = False
    vad_quiet: float = 0.6
    """So much silence ends a voiced region."""
    max_words: int | None = None
    """A finished utterance with more words is several finals."""
    word_timestamps: bool = False
    sentence_timestamps: bool = False
    full_transcript: bool = False
    diarize: bool = False
    punctuate: bool = True
    capitalize: bool = True
    oldest: bool = False
    """The frames are those of `/api/v1/asr`: nothing but a text and whether the turn is over."""

    @property
    def detected_language(self) -> str:
        """The language that finals name: of several to choose from, English."""
        return "en" if self.language.startswith(("multi", "north")) else self.language


def takes(path: str) -> bool:
    """Say whether an upgrade to this path is Pulse's."""
    return path == _UNIFIED or bool(_PER_MODEL.fullmatch(path) or _ASR.fullmatch(path))


def read_query(path: str, query: Mapping[str, str]) -> Listening:
    """Return what a socket's address asks for; only the unified path needs a `model`. Raises BadQuery."""
    oldest = bool(_ASR.fullmatch(path))
    if oldest:
        query = {_ASR_NAMES.get(name, name): value for name, value in query.items()}
    if path == _UNIFIED:
        _check_model(query)
    return read_options(query, oldest=oldest)


def read_options(query: Mapping[str, str], *, oldest: bool = False) -> Listening:
    """Return what the options ask for, whatever the model. Raises BadQuery."""
    language = query.get("language", "en")
    encoding = query.get("encoding", "linear16")
    _check(_problems(language=language, encoding=encoding, query=query))
    vad_quiet, model_quiet = _seconds(query, "endpointing_timeout"), _seconds(query, "eou_timeout_ms")
    formatted = _is_on(query, "format", usual=True)
    return Listening(
        language=language,
        rate=int(query.get("sample_rate", "16000")),
        encoding=encoding,
        quiet=min(vad_quiet, model_quiet) if _is_on(query, "endpointing", usual=True) else model_quiet,
        vad_events=_is_on(query, "vad_events" if "vad_events" in query else "vad"),
        vad_quiet=vad_quiet,
        max_words=int(query["max_words"]) if "max_words" in query else None,
        word_timestamps=_is_on(query, "word_timestamps"),
        sentence_timestamps=_is_on(query, "sentence_timestamps"),
        full_transcript=_is_on(query, "full_transcript"),
        diarize=_is_on(query, "diarize"),
        punctuate=formatted and _is_on(query, "punctuate", usual=True),
        capitalize=formatted and _is_on(query, "capitalize", usual=True),
        oldest=oldest,
    )


def _check_model(query: Mapping[str, str]) -> None:
    model = query.get("model")
    if model in STREAMING_MODELS:
        if model == "pulse-2" and query.get("language", "en") != "en":
            raise BadQuery("Invalid query parameters.", "language: pulse-2 is English-only")
        return
    supported = " | ".join(STREAMING_MODELS)
    if model is None:
        problem = f"Missing required query param: model. Supported values: {supported}."
    else:
        problem = NO_STREAMING if model == "pulse-pro" else f"model: Expected {supported}, received '{model}'"
    raise BadQuery("Invalid model query parameter.", problem)


def _check(problems: list[str]) -> None:
    if problems:
        raise BadQuery("Invalid query parameters.", "; ".join(problems))


def _problems(*, language: str, encoding: str, query: Mapping[str, str]) -> list[str]:
    problems = []
    if language not in LANGUAGES:
        problems.append(f"language: Language '{language}' is not supported")
    if encoding not in ENCODINGS:
        problems.append(_not_one_of("encoding", encoding, options=ENCODINGS))
    elif encoding not in PLAYABLE:
        problems.append(f"encoding: {encoding} is not supported by this simulation")
    rate = query.get("sample_rate", "16000")
    if rate not in map(str, RATES):
        problems.append(_not_one_of("sample_rate", rate, options=RATES))
    for name, (least, most, _) in _TIMEOUTS.items():
        problems += _not_within(name, query.get(name), bounds=(least, most))
    return problems + _not_within("max_words", query.get("max_words"), bounds=(1, 10_000))


def _not_one_of(name: str, value: str, *, options: tuple[object, ...]) -> str:
    expected = " | ".join(f"'{option}'" for option in options)
    return f"{name}: Invalid enum value. Expected {expected}, received '{value}'"


def _not_within(name: str, value: str | None, *, bounds: tuple[int, int]) -> list[str]:
    least, most = bounds
    if value is None or (re.fullmatch("[0-9]{1,9}", value, re.ASCII) and least <= int(value) <= most):
        return []
    return [f"{name}: Expected an integer from {least} to {most}, received '{value}'"]


def _seconds(query: Mapping[str, str], name: str) -> float:
    return int(query.get(name, _TIMEOUTS[name][2])) / 1000


def _is_on(query: Mapping[str, str], name: str, *, usual: bool = False) -> bool:
    """Return a switch: the server takes "true" for true and, as the SDK knows, everything else for false."""
    return query[name] == "true" if name in query else usual
