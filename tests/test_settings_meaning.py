"""What a configuration means, in words: every setting is told, changes are marked, secrets are not shown."""

from __future__ import annotations

import pytest

from orchestrator.settings import (
    AdmissionSettings,
    BotSettings,
    LadderSettings,
    ProviderSettings,
    Settings,
    SlotSettings,
)
from orchestrator.settings_file import INNER, NEVER_SHOWN, SECTIONS
from orchestrator.settings_meaning import SENTENCES, describe, keys_in


def test_every_setting_is_in_a_sentence() -> None:
    """A new setting without a word fails here; where keys come from, and lines of calls, have lines of their own."""
    told = {key for sentence in SENTENCES for key in keys_in(sentence)}
    told |= {name for name in NEVER_SHOWN if not name.startswith("serve.lines")}
    tables = {**SECTIONS, **INNER}
    del tables["serve.lines"]
    assert told == {f"{table}.{key}" for table, keys in tables.items() for key in keys} - set(INNER)


def test_what_differs_from_the_defaults_is_marked_with_the_default() -> None:
    """One changed setting marks one line."""
    lines = describe(Settings(slot=SlotSettings(patience=0.5))).splitlines()
    marked = [line for line in lines if line.startswith("*")]
    assert marked == ["* A first piece may wait 0.5 s for the slot before it is late.  [slot.patience, default 0.2]"]


def test_the_defaults_carry_no_mark() -> None:
    """Nothing is marked or pointed out where nothing was changed."""
    assert not any(line.startswith(("*", "!")) for line in describe(Settings()).splitlines())


def test_the_key_is_told_by_its_place_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it comes from and whether it is there."""
    monkeypatch.setenv("WAVES_API_KEY", "sk_live_0123456789")
    text = describe(Settings())
    assert "  key: from WAVES_API_KEY (set)" in text.splitlines()
    assert "0123456789" not in text
    monkeypatch.delenv("WAVES_API_KEY")
    assert "  key: from WAVES_API_KEY (missing)" in describe(Settings()).splitlines()
    changed = describe(Settings(provider=ProviderSettings(key_file="/nowhere/key")))
    assert "* key: from file /nowhere/key (missing)" in changed.splitlines()


def test_options_of_the_bot_are_told_by_name_only() -> None:
    """A bot's options may hold keys of other services."""
    text = describe(Settings(bot=BotSettings(use="echo", options={"model": "m", "llm_key": "hunter2"})))
    assert "options set: model, llm_key" in text
    assert "hunter2" not in text


def test_settings_that_do_not_fit_together_are_pointed_out() -> None:
    """Each may be right by itself."""
    text = describe(Settings(provider=ProviderSettings(slots=5, links=5)))
    assert "! 5 WebSockets are too few to keep 5 requests going and one link spare." in text.splitlines()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(provider=ProviderSettings(backoff=3.0)), "! provider.backoff is above provider.backoff_most"),
        (Settings(admission=AdmissionSettings(on=False, queue=3)), "! admission.queue is set, but admission is off"),
        (Settings(provider=ProviderSettings(language="ta")), "! ladder.fillers has no text in ta"),
        (Settings(provider=ProviderSettings(language="ta")), "! admission.refusals has no text in ta"),
        (Settings(admission=AdmissionSettings(goodbyes={})), "! admission.goodbyes has no text in en"),
        (Settings(ladder=LadderSettings(local="none")), "! ladder.rungs has 'local_voice', but ladder.local is none"),
    ],
)
def test_words_and_numbers_that_are_missing_or_in_vain_are_pointed_out(settings: Settings, told: str) -> None:
    """One line each, beginning with the setting."""
    assert [line for line in describe(settings).splitlines() if line.startswith(told)] != []


def test_a_rung_that_is_not_used_needs_no_words() -> None:
    """Nothing is pointed out with the ladder off, nor for a rung that is left out."""
    off = Settings(ladder=LadderSettings(on=False, fillers={}, local="none"))
    without = Settings(ladder=LadderSettings(rungs=("cache",), fillers={}, local="none"))
    for settings in (off, without):
        assert not any(line.startswith("!") for line in describe(settings).splitlines())


def test_texts_are_told_by_language_and_shortened() -> None:
    """Enough to know them again."""
    fillers = {"en": ("One moment.",), "de": ("Einen kleinen Augenblick Geduld, ich sehe eben nach.", "Gleich.")}
    text = describe(Settings(ladder=LadderSettings(fillers=fillers)))
    assert "en: One moment.; de: Einen kleinen Augenblick Geduld, ich ... (and 1 more)" in text


def test_what_is_empty_says_what_that_means() -> None:
    """No sentence with a hole in it."""
    text = describe(Settings())
    assert "in the user's directory for caches, at most" in text
    assert "handed over to nobody" in text
    assert "Pronunciation dictionaries: none." in text
