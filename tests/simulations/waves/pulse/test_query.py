"""What a socket's address means for Pulse, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.waves.pulse.query import LANGUAGES, PLAYABLE, RATES, BadQuery, Listening, read_query, takes
from tests.simulations.waves.pulse.peer import LIVE

_LIVEKIT = {
    "model": "pulse",
    "language": "en",
    "encoding": "linear16",
    "sample_rate": "16000",
    "word_timestamps": "true",
    "diarize": "false",
    "format": "true",
    "itn_normalize": "false",
    "sentence_timestamps": "false",
    "redact_pii": "false",
    "redact_pci": "false",
    "endpointing": "true",
    "vad_events": "true",
    "endpointing_timeout": "300",
    "keywords": "NVIDIA:2",
}
_PIPECAT = {
    "model": "pulse-2",
    "language": "en",
    "encoding": "linear16",
    "sample_rate": "24000",
    "numerals": "auto",
    "emotion_detection": "true",
    "no_format_delay": "false",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (LIVE, True),
        ("/waves/v1/pulse/get_text", True),
        ("/api/v1/lightning/get_text", True),
        ("/api/v1/asr", True),
        ("/waves/v1/tts/live", False),
        ("/waves/v1/stt/", False),
        ("/waves/v1/lightning-v2/get_text", False),
    ],
)
def test_which_paths_are_pulses(path: str, expected: bool) -> None:
    """The unified one, the older two of each model, and the oldest; nothing of speech."""
    assert takes(path) is expected


def test_what_the_plugins_send_is_understood() -> None:
    """LiveKit's usual query has short pauses and voice activity; Pipecat's names a newer model."""
    assert read_query(LIVE, _LIVEKIT) == Listening(quiet=0.3, vad_quiet=0.3, vad_events=True, word_timestamps=True)
    assert read_query(LIVE, _PIPECAT) == Listening(rate=24000)


def test_without_options_there_are_the_published_defaults() -> None:
    """English at 16 kHz; only the unified path needs a model."""
    assert read_query("/waves/v1/pulse/get_text", {}) == Listening(language="en", rate=16000, encoding="linear16")
    with pytest.raises(BadQuery, match="Missing required query param: model"):
        read_query(LIVE, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", "klingon"),
        ("sample_rate", "016000"),
        ("sample_rate", ""),
        ("encoding", "mp3"),
        ("encoding", "ogg_opus"),
        ("eou_timeout_ms", "99"),
        ("eou_timeout_ms", "10001"),
        ("eou_timeout_ms", "٣٠٠"),
        ("endpointing_timeout", "-1"),
        ("max_words", "0"),
    ],
)
def test_wrong_values_are_named(name: str, value: str) -> None:
    """The error names the option."""
    with pytest.raises(BadQuery, match=f"{name}: "):
        read_query(LIVE, {"model": "pulse", name: value})


def test_the_english_only_model_takes_english_only() -> None:
    """Pipecat's service knows this of `pulse-2`."""
    with pytest.raises(BadQuery, match="English-only"):
        read_query(LIVE, {"model": "pulse-2", "language": "hi"})


@pytest.mark.parametrize(("language", "detected"), [("hi", "hi"), ("multi-eu", "en"), ("north_indic", "en")])
def test_finals_name_one_language(language: str, detected: str) -> None:
    """Of several to choose from it is English that was heard."""
    assert read_query(LIVE, {"model": "pulse", "language": language}).detected_language == detected


_NAMES = ["model", "language", "sample_rate", "encoding", "eou_timeout_ms", "endpointing_timeout", "max_words"]
_NAMES += ["endpointing", "format", "vad", "audioSampleRate", "speechEndThreshold"]


@given(
    path=st.sampled_from([LIVE, "/api/v1/pulse/get_text", "/api/v1/asr"]),
    query=st.dictionaries(
        st.sampled_from(_NAMES), st.sampled_from(["pulse", "en", "8000", "mulaw", "true", "300", "9" * 30]) | st.text()
    ),
)
def test_any_query_is_either_refused_or_makes_sense(path: str, query: dict[str, str]) -> None:
    """No value raises anything else, and what is let in can be served."""
    try:
        listening = read_query(path, query)
    except BadQuery:
        return
    assert (listening.rate in RATES, listening.encoding in PLAYABLE, listening.language in LANGUAGES) == (True,) * 3
    assert 0.01 <= listening.quiet <= 10.0
    assert listening.max_words is None or listening.max_words > 0
