"""Scripts: each bot has enough of them that callers differ, and every text is one that can be said."""

from __future__ import annotations

import pytest

from simulations.demo.scripts import SCRIPTS, Keys, Script, scripts_for

ALL = [script for scripts in SCRIPTS.values() for script in scripts]


def _texts(script: Script) -> list[str]:
    return [line for line in script.lines if isinstance(line, str)] + [script.goodbye, *script.interjections]


@pytest.mark.parametrize("bot", ["echo", "appointments", "survey", "somebody.elses:Bot"])
def test_every_bot_has_four_different_scripts(bot: str) -> None:
    """Four calls at a time do not say the same."""
    scripts = scripts_for(bot)
    assert len({script.lines for script in scripts}) == len(scripts) >= 4


def test_a_bot_is_known_by_its_entry_point_and_by_its_class() -> None:
    """Its module's name decides; everybody else's bot gets the general scripts."""
    assert scripts_for("survey") is scripts_for("bots.survey:Survey") is SCRIPTS["survey"]
    assert scripts_for("appointments") is scripts_for("bots.appointments:AppointmentDesk") is SCRIPTS["appointments"]
    assert scripts_for("echo") is scripts_for("my.package:Survey") is SCRIPTS[""]


@pytest.mark.parametrize("script", ALL)
def test_the_callers_name_is_filled_in_everywhere(script: Script) -> None:
    """No placeholder is ever spoken."""
    filled = script.spoken_by("Priya Raman")
    assert any("Priya Raman" in text for text in _texts(filled)) == any("{name}" in text for text in _texts(script))
    assert not any("{" in text for text in _texts(filled))


@pytest.mark.parametrize("script", ALL)
def test_texts_are_sentences_and_keys_are_keys(script: Script) -> None:
    """At least four lines (a sure interruption needs answers), each a sentence a caller could say in ten seconds."""
    assert len(script.lines) >= 4
    assert all(text[-1] in ".?!" and text == text.strip() and len(text) < 150 for text in _texts(script))
    assert all(set(line.digits) <= set("0123456789*#") for line in script.lines if isinstance(line, Keys))


def test_some_caller_presses_keys() -> None:
    """The survey offers it, so the demo must show it."""
    assert any(isinstance(line, Keys) for script in SCRIPTS["survey"] for line in script.lines)
