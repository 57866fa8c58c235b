"""Keys tell apart what sounds different; what can be no phrase is none."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.settings import ProviderSettings, Settings, SpeechSettings
from orchestrator.speech.phrase import PhraseKey
from tests.speech.kept import key, phrase


@pytest.mark.parametrize(
    "changed",
    [
        key("One moment please."),
        key(voice="asha"),
        key(language="hi"),
        key(speed=1.1),
        key(rate=16000),
        key(settings=Settings(provider=ProviderSettings(address="ws://127.0.0.1:1"))),
        key(settings=Settings(provider=ProviderSettings(model="lightning-v2"))),
        key(settings=Settings(provider=ProviderSettings(dictionaries=("d1",)))),
        key(settings=Settings(speech=SpeechSettings(pause_before=0.03))),
        key(settings=Settings(speech=SpeechSettings(pause_comma=0.2))),
        key(settings=Settings(speech=SpeechSettings(pause_sentence=0.2))),
    ],
)
def test_whatever_changes_the_sound_changes_the_key(changed: PhraseKey) -> None:
    """And so the digest; one made the same way has the same."""
    assert changed != key()
    assert changed.digest != key().digest
    assert key(speed=1) == key(speed=1.0)
    assert key(speed=1).digest == key().digest


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_two_texts_have_keys_of_their_own(one: str, other: str) -> None:
    """Lone surrogates, too: a bot may say anything."""
    assert (key(one).digest == key(other).digest) == (one == other)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pcm": b"\0"},
        {"rate": 0},
        {"rate": 8000.0},
        {"words": ((0, "a", 0.5, 0.4),)},
        {"words": ((0, "a", float("nan"), 1.0),)},
        {"words": ((0, "a", 0.0, 1.1),)},
        {"words": ((True, "a", 0.0, 1.0),)},
        {"words": ((0, "a", 0.0),)},
        {"words": [(0, "a", 0.0, 1.0)]},
    ],
)
def test_what_can_be_no_phrase_is_none(wrong: dict[str, Any]) -> None:
    """Half samples, no rate, words without a place in the sound."""
    with pytest.raises((ValueError, TypeError)):
        attrs.evolve(phrase(1.0), **wrong)
