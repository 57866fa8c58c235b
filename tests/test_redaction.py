"""What looks like a key is blanked, wherever it stands; what only looks a little like one stays."""

from __future__ import annotations

import pytest

from orchestrator.redaction import redacted


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("key sk_abc.DEF-1 is wrong", "key *** is wrong"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ('{"line": "a\\nsk_abc"}', '{"line": "a\\n***"}'),
        ("KEY0189ABCDEF0123456789_aBcDeF12345", "***"),
        ("authorization: Basic QUNDOnRoZS10b2tlbi1vZi0xNg==,", "authorization: Basic ***,"),
        ("GET /generic?a=b&token=s3cret&c=d", "GET /generic?a=b&token=***&c=d"),
        ('GET /generic?token=s3cret"', 'GET /generic?token=***"'),
    ],
)
def test_keys_are_blanked(text: str, left: str) -> None:
    """Of the provider and of carriers, in headers and in URLs."""
    assert redacted(text) == left


@pytest.mark.parametrize(
    "text",
    ["task_name=1", "expected KEY=VALUE", "KEY_ENV", "Basic authentication of the form", "a token=", "tokens=3"],
)
def test_other_words_stay(text: str) -> None:
    """A log is to be read."""
    assert redacted(text) == text


def test_secrets_that_are_known_are_blanked_whatever_they_look_like() -> None:
    """An empty one is none."""
    assert redacted("a tiger in a tank", "tiger", "") == "a *** in a tank"
