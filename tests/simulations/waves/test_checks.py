"""What a field may be: the issues with wrong values have the shapes that were seen live."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.settings import LANGUAGES
from simulations.waves.checks import (
    OLDER_WEBSOCKET,
    OUTPUT_FORMATS,
    RATES,
    WEBSOCKET,
    Checks,
    Issue,
    custom,
    find_issues,
    http_checks,
    knows,
    missing,
)

CURRENT = http_checks("lightning_v3.1", of_path=False)
V2 = http_checks("lightning_v2", of_path=True)
OLDEST = http_checks("lightning", of_path=True)
ALL: dict[str, Checks] = {
    "http": CURRENT,
    "http v3.1": http_checks("lightning_v3.1", of_path=True),
    "http v2": V2,
    "http oldest": OLDEST,
    "websocket": WEBSOCKET,
    "older websocket": OLDER_WEBSOCKET,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def issue_of(name: str, value: Any, checks: Mapping[str, Any] = CURRENT) -> Issue | None:
    """Return what is wrong with a value, None if nothing is."""
    return next(find_issues({name: value}, checks), None)


def test_issues_are_those_seen_live() -> None:
    """The two that the vendor recorded, to the letter."""
    assert issue_of("voice_id", "") == {"code": "custom", "path": ["voice_id"], "message": "Invalid Voice ID"}
    assert issue_of("output_format", "mulaw") == {
        "received": "mulaw",
        "code": "invalid_enum_value",
        "options": ["wav", "ulaw", "alaw", "pcm", "mp3"],
        "path": ["output_format"],
        "message": "Invalid enum value. Expected 'wav' | 'ulaw' | 'alaw' | 'pcm' | 'mp3', received 'mulaw'",
    }


def test_a_language_is_told_with_its_model() -> None:
    """The published beginning of the message, with the languages of that very model."""
    issue = issue_of("language", "xx")
    assert issue is not None
    assert (issue["code"], issue["path"]) == ("custom", ["language"])
    assert issue["message"].startswith(
        "Language 'xx' is not supported on the lightning_v3.1 model. Supported languages: en, hi, mr"
    )
    assert issue_of("language", "ja") is None
    issue = issue_of("language", "ja", V2)
    assert issue is not None
    assert issue["message"].startswith("Language 'ja' is not supported on the lightning_v2 model.")
    assert (issue_of("language", "he", V2), issue_of("language", "hi", OLDEST)) == (None, None)
    assert issue_of("language", "ta", OLDEST) is not None


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("text", 5, {"code": "invalid_type", "expected": "string", "received": "number"}),
        ("text", "", {"code": "too_small", "minimum": 1, "type": "string"}),
        ("word_timestamps", "yes", {"code": "invalid_type", "expected": "boolean", "received": "string"}),
        ("sample_rate", 22050, {"code": "invalid_enum_value", "received": 22050, "options": list(RATES)}),
        ("sample_rate", "8000", {"code": "invalid_type", "received": "string"}),
        ("sample_rate", True, {"code": "invalid_type", "received": "boolean"}),
        ("speed", 0.4, {"code": "too_small", "minimum": 0.5, "type": "number", "inclusive": True, "exact": False}),
        ("speed", 3, {"code": "too_big", "maximum": 2, "message": "Number must be less than or equal to 2"}),
        ("speed", float("nan"), {"code": "invalid_type", "expected": "number", "received": "nan"}),
        ("speed", float("inf"), {"code": "invalid_type", "received": "nan"}),
        ("model", "lightning-v3.1", {"code": "invalid_enum_value", "received": "lightning-v3.1"}),
        ("session_id", "x" * 129, {"code": "invalid_string", "validation": "regex"}),
        ("request_id", "a b", {"code": "invalid_string"}),
        ("request_id", 7, {"code": "invalid_type", "received": "number"}),
        ("pronunciation_dicts", {}, {"code": "invalid_type", "expected": "array", "received": "object"}),
        ("pronunciation_dicts", ["a", 1], {"code": "invalid_type", "path": ["pronunciation_dicts", 1]}),
        ("number_pronunciation_language", "xx", {"code": "invalid_enum_value"}),
        ("math_notation", 1, {"code": "invalid_type", "expected": "boolean"}),
    ],
)  # fmt: skip
def test_every_kind_of_mistake_has_its_code(name: str, value: Any, expected: dict[str, Any]) -> None:
    """Code, path and message, with what belongs to the code."""
    issue = issue_of(name, value)
    assert issue is not None
    assert issue.items() >= {"path": [name], **expected}.items()
    assert issue["message"]


@pytest.mark.parametrize(
    ("checks", "good", "bad"),
    [("http", [8000, 16000, 24000, 44100], [7999, 11025, 48000]), ("http v2", [8000, 11025, 24000], [7999, 44100])],
)
def test_rates_are_those_of_the_model(checks: str, good: list[int], bad: list[int]) -> None:
    """Four of the current models, any from 8000 to 24000 of those before."""
    assert [issue_of("sample_rate", rate, ALL[checks]) for rate in good] == [None] * len(good)
    assert all(issue_of("sample_rate", rate, ALL[checks]) for rate in bad)


def test_a_model_of_the_path_leaves_the_body_s_alone() -> None:
    """Old clients name it in their own way, or not at all."""
    assert issue_of("model", "lightning-v2", V2) is None
    assert issue_of("model", "lightning-v3.1", ALL["http v3.1"]) is None


def test_older_sockets_take_what_was_seen_of_them() -> None:
    """Their speed was wider, and any language and rate passed."""
    assert issue_of("speed", 0.1, OLDER_WEBSOCKET) is None
    assert issue_of("language", "xx", OLDER_WEBSOCKET) is None
    assert issue_of("speed", 0.1, WEBSOCKET) is not None
    assert issue_of("output_format", "anything", WEBSOCKET) is None


def test_fields_that_nobody_knows_pass() -> None:
    """Old and new clients send more than there is."""
    body = {"consistency": 9, "similarity": "x", "enhancement": None, "add_wav_header": "no", "foo": {}}
    assert [list(find_issues(body, checks)) for checks in ALL.values()] == [[]] * len(ALL)


def test_known_voices_are_those_that_are_asked_for() -> None:
    """Whoever knows the names is asked; an empty one is never asked for."""
    checks = {"voice_id": knows(lambda name: name == "avery")}
    assert issue_of("voice_id", "avery", checks) is None
    for wrong in ("emily", "", 5, None):
        assert issue_of("voice_id", wrong, checks) == custom("voice_id", "Invalid Voice ID")


def test_what_is_missing_is_required() -> None:
    """Zod's own words for a field that is not there."""
    assert missing("text") == {
        "code": "invalid_type",
        "expected": "string",
        "received": "undefined",
        "path": ["text"],
        "message": "Required",
    }


@given(st.sampled_from(sorted(ALL)), st.dictionaries(st.sampled_from(sorted({*CURRENT, *WEBSOCKET})), JSON))
def test_any_json_passes_or_gives_issues_that_are_json(kind: str, body: dict[str, Any]) -> None:
    """One issue a field at most, each with code, path and message, in valid JSON."""
    issues = list(find_issues(body, ALL[kind]))
    assert json.loads(json.dumps(issues, allow_nan=False)) == issues
    paths = [issue["path"][0] for issue in issues]
    assert len(set(paths)) == len(paths)
    assert set(paths) <= body.keys()
    assert all(issue.keys() >= {"code", "path", "message"} for issue in issues)


@given(st.sampled_from(LANGUAGES), st.floats(0.5, 2.0), st.sampled_from(OUTPUT_FORMATS))
def test_everything_published_passes(language: str, speed: float, output_format: str) -> None:
    """Every language, speed and format of the specification."""
    body = {
        "text": "a",
        "voice_id": "magnus",
        "model": "lightning_v3.1_pro",
        "language": language,
        "number_pronunciation_language": language,
        "speed": speed,
        "output_format": output_format,
        "pronunciation_dicts": ["a"],
    }
    assert list(find_issues(body, CURRENT)) == []
