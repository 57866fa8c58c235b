"""`talkingstick call`: one request to the line's carrier, or a line that says what is missing or wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio

from orchestrator.call_command import run
from orchestrator.cli import main
from orchestrator.commands_call import CallOptions
from orchestrator.commands_serve import ServeOptions
from orchestrator.errors import CarrierFault, SettingsError
from orchestrator.serve.command import plan_of
from tests.adapters.carrier_api import FakeApi

CONFIG = """
[serve]
public_url = "https://bots.example.com"
[[serve.lines]]
carrier = "twilio"
account = "AC1"
secret_env = "PHONE_TOKEN"
[[serve.lines]]
carrier = "jambonz"
account = "j1"
key_env = "JAMBONZ_KEY"
secret_env = "PHONE_TOKEN"
[[serve.lines]]
carrier = "asterisk"
path = "/pbx"
[[serve.lines]]
carrier = "telnyx"
path = "/telnyx/one"
[[serve.lines]]
carrier = "telnyx"
path = "/telnyx/two"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with lines of several carriers, and their secrets in the environment."""
    monkeypatch.setenv("PHONE_TOKEN", "t0ken")
    monkeypatch.setenv("JAMBONZ_KEY", "jkey")
    monkeypatch.delenv("MISSING_KEY", raising=False)
    path = tmp_path / "talkingstick.toml"
    path.write_text(CONFIG, "utf-8")
    return path


def options(config: Path, *, line: str = "/twilio", to: str = "+4930 123-456", **more: object) -> CallOptions:
    """Return options of the command; the calling number is set unless a test says otherwise."""
    return CallOptions(config=config, line=line, to=to, **{"caller": "+4930654321", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["/twilio", "twilio"])
async def test_a_line_calls_by_its_carrier(config: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its webhook at the public address is asked once the call is answered; the bot gets the parameters."""
    api = FakeApi(201, {"sid": "CA9"})
    wanted = options(config, line=line, parameter=("who=Ada Lovelace", "code=a=b"))
    assert await run(options=wanted, transport=api.transport) == 0
    assert api.line == "POST https://api.twilio.com/2010-04-01/Accounts/AC1/Calls.json"
    assert api.form == {
        "To": "+4930123456",
        "From": "+4930654321",
        "Url": "https://bots.example.com/twilio?who=Ada+Lovelace&code=a%3Db",
        "Method": "POST",
    }
    assert api.login == "AC1:t0ken"
    assert capsys.readouterr().out == "twilio calls +4930123456: CA9\n"


async def test_the_webhook_of_a_line_with_a_shared_token_is_told_with_it(config: Path) -> None:
    """jambonz signs nothing that we check: it shows the token as a password."""
    api = FakeApi(201, {"sid": "j-9"})
    await run(options=options(config, line="jambonz", to="sip:desk@example.com"), transport=api.transport)
    hook = {"url": "https://bots.example.com/jambonz", "method": "POST"}
    assert api.json["call_hook"] == {**hook, "username": "talkingstick", "password": "t0ken"}
    assert api.json["to"] == {"type": "sip", "sipUri": "sip:desk@example.com"}
    assert api.login == "jkey"


async def test_json_has_the_id_and_no_secret(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object on standard output."""
    await run(options=options(config, json=True), transport=FakeApi(201, {"sid": "CA9"}).transport)
    assert json.loads(capsys.readouterr().out) == {
        "call": "CA9",
        "carrier": "twilio",
        "to": "+4930123456",
        "answer_url": "https://bots.example.com/twilio",
    }


async def test_a_refusal_of_the_carrier_is_a_fault(config: Path) -> None:
    """It ran, and something failed: exit status 1."""
    with pytest.raises(CarrierFault, match="twilio did not dial: 401"):
        await run(options=options(config), transport=FakeApi(401, {"message": "Authenticate"}).transport)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"line": "/nobody"}, "--line /nobody: is no line of this configuration; expected a path (/twilio, /jambonz,"),
        ({"line": "telnyx"}, "--line telnyx: is more than one line"),
        ({"line": "/pbx"}, "serve.lines[2]: asterisk has no REST API"),
        ({"line": "/telnyx/two"}, "serve.lines[4]: the key of telnyx's REST API is not set; set the line's key_env"),
        ({"to": "Ada"}, '--to "Ada": expected a number such as +4930123456'),
        ({"to": ""}, '--to "": expected a number'),
        ({"caller": "<sip:a@b>"}, '--from "<sip:a@b>": expected a number'),
        ({"parameter": ("who",)}, '--parameter "who": expected KEY=VALUE'),
    ],
)
async def test_what_is_wrong_or_missing_is_said(config: Path, changes: dict[str, object], problem: str) -> None:
    """Before anybody is asked: exit status 2."""
    api = FakeApi()
    with pytest.raises(SettingsError) as caught:
        await run(options=options(config, **changes), transport=api.transport)  # type: ignore[arg-type]
    assert problem in str(caught.value)
    assert "t0ken" not in str(caught.value)
    assert api.asked == []


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('"AC1"', '"AC..."', 'serve.lines[0].account = "AC...": expected twilio\'s name of the account'),
        ('"/telnyx/two"', '"/telnyx/one"', "serve.lines[4]: is where serve.lines[3] is"),
        ('"JAMBONZ_KEY"', '"MISSING_KEY"', "environment variable MISSING_KEY: is not set; put jambonz's key there"),
        ('path = "/pbx"', 'bot = "ecko"', "bot 'ecko' is neither"),
    ],
)
async def test_what_the_server_would_refuse_is_refused(config: Path, before: str, after: str, problem: str) -> None:
    """In the same words as by `serve` and `check`: nobody would answer for the one who is called."""
    changed = CONFIG.replace(before, after)
    await trio.Path(config).write_text(changed, "utf-8")
    api = FakeApi()
    with pytest.raises(SettingsError) as caught:
        await run(options=options(config), transport=api.transport)
    assert problem in str(caught.value)
    with pytest.raises(SettingsError) as served:
        plan_of(ServeOptions(config=config))
    assert str(served.value) == str(caught.value)
    assert api.asked == []


def test_the_public_address_is_needed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No carrier finds us otherwise."""
    config.write_text(CONFIG.replace('public_url = "https://bots.example.com"', ""), "utf-8")
    assert main(["call", "--config", str(config), "--line", "/twilio", "--to", "+49301"]) == 2
    assert "serve.public_url is not set" in capsys.readouterr().err


def test_the_command_line(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its options reach the command, mistakes end with status 2, and the help has an example."""
    assert main(["call", "--config", str(config), "--line", "/pbx", "--to", "+49301", "--from", "+49302"]) == 2
    assert "asterisk has no REST API" in capsys.readouterr().err
    assert main(["call", "--config", str(config), "--line", "/twilio"]) == 2
    assert "--to" in capsys.readouterr().err
    assert main(["call", "--help"]) == 0
    assert "Example: talkingstick call --config" in capsys.readouterr().out
