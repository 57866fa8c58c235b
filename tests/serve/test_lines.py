"""The lines as they are served: what is wrong with them is told at once, a line each."""

from __future__ import annotations

import pytest

from orchestrator.errors import SettingsError
from orchestrator.serve.lines import open_lines
from orchestrator.settings import LineSettings
from tests.serve.desk import settings_of


def test_everything_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot, a secret that is missing, an echo beside a bot, a hand-over that is no XML."""
    monkeypatch.delenv("NO_SECRET", raising=False)
    lines = (
        LineSettings(carrier="twilio", bot="no_such:Bot"),
        LineSettings(carrier="plivo", secret_env="NO_SECRET"),
        LineSettings(carrier="vonage", bot="echo", numbers={"1": "audio-echo"}),
        LineSettings(carrier="telnyx", hand_over="<Dial>"),
    )
    with pytest.raises(SettingsError) as caught:
        open_lines(settings_of(*lines))
    told = str(caught.value).splitlines()
    assert ["no_such" in told[0], "NO_SECRET" in told[1], "a line of its own" in told[-2]] == [True] * 3
    assert "hand_over" in told[-1]


def test_a_file_for_two_settings_is_told_once() -> None:
    """Twilio's secret is the key of its REST API, too."""
    with pytest.raises(SettingsError) as caught:
        open_lines(settings_of(LineSettings(carrier="twilio", secret_file="/nope", account="AC1")))
    (told,) = str(caught.value).splitlines()
    assert told.startswith('serve.lines[0].secret_file = "/nope": cannot be read')


@pytest.mark.parametrize(
    ("bot", "meant"), [("ecko", "echo"), ("audioecho", "audio-echo"), ("Survey", "survey"), ("florist", "")]
)
def test_a_bot_that_is_misspelt_is_guessed(bot: str, meant: str) -> None:
    """Of the installed ones and the one that is built in."""
    with pytest.raises(SettingsError, match=f"serve.lines\\[0\\]: bot '{bot}' is neither") as caught:
        open_lines(settings_of(LineSettings(carrier="twilio", bot=bot)))
    assert str(caught.value).partition("did you mean ")[2].rstrip("?") == meant


def test_a_usual_bot_that_is_wrong_is_no_fault_of_a_line() -> None:
    """It is [bot] that names it: told once, and not with a line's number."""
    with pytest.raises(SettingsError, match=r"^bot 'no_such:Bot'") as caught:
        open_lines(settings_of(LineSettings(carrier="twilio"), LineSettings(carrier="plivo"), bot="no_such:Bot"))
    assert len(str(caught.value).splitlines()) == 1


def test_a_secret_is_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are in tracebacks, and those in logs."""
    monkeypatch.setenv("LINE_SECRET", "hunter2hunter2")
    (line,) = open_lines(settings_of(LineSettings(carrier="twilio", secret_env="LINE_SECRET", account="AC1")))
    assert line.secret == "hunter2hunter2"
    assert "hunter2" not in repr(line)
    assert line.control is not None


def test_each_bot_is_loaded_once() -> None:
    """However many lines and numbers have it."""
    lines = (
        LineSettings(carrier="twilio", bot="echo"),
        LineSettings(carrier="plivo", bot="echo", numbers={"1": "echo"}),
    )
    one, two = open_lines(settings_of(*lines))
    assert one.bot() is two.bot(called="1")
    assert not one.echoes
    (echo,) = open_lines(settings_of(LineSettings(carrier="generic")))
    assert echo.echoes
    assert echo.bot() is None


def test_without_a_secret_no_call_is_controlled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger would name the call that our key ends."""
    monkeypatch.setenv("REST_KEY", "key")
    monkeypatch.setenv("LINE_SECRET", "hunter2")
    (open_line,) = open_lines(settings_of(LineSettings(carrier="jambonz", key_env="REST_KEY", account="a")))
    assert open_line.control is None
    closed = LineSettings(carrier="jambonz", key_env="REST_KEY", account="a", secret_env="LINE_SECRET")
    assert open_lines(settings_of(closed))[0].control is not None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (LineSettings(carrier="exotel", key_env="REST_KEY"), "exotel has no REST API"),
        (LineSettings(carrier="jambonz", key_env="REST_KEY"), "set the line's account"),
        (LineSettings(carrier="twilio", account="AC1"), "set the line's secret_env or secret_file"),
        (LineSettings(carrier="vonage", key_env="REST_KEY", account="a"), "key"),
    ],
)
def test_rest_settings_that_cannot_work_are_told(
    line: LineSettings, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, not when the first call is to be handed over."""
    monkeypatch.setenv("REST_KEY", "no-pem")
    with pytest.raises(SettingsError) as caught:
        open_lines(settings_of(line))
    (problem,) = str(caught.value).splitlines()
    assert problem.startswith("serve.lines[0]: ")
    assert told in problem
