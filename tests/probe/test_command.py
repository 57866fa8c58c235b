"""`talkingstick probe` as a user has it: options, exit statuses, a real port, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from orchestrator.cli import main
from orchestrator.commands_probe import ProbeOptions
from orchestrator.errors import FaultKind, ProviderFault, SettingsError
from orchestrator.probe import command
from orchestrator.settings_file import load_settings
from simulations.voices import voice_named
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer, open_waves_server

KEY = "sk_live_0123456789"


def nothing(_line: str) -> None:
    """Tell nobody."""


def test_options_go_before_the_configuration(tmp_path: Path) -> None:
    """Word times are asked for in any case; a variable for the key replaces a file."""
    config = tmp_path / "talkingstick.toml"
    config.write_text('[provider]\nvoice = "liam"\nkey_file = "k"\nword_timestamps = false\nslots = 3\n', "utf-8")
    settings = command.settings_of(ProbeOptions(config=config, key_env="OTHER", model="lightning_v3.1_pro"))
    assert (settings.voice, settings.model, settings.slots) == ("liam", "lightning_v3.1_pro", 3)
    assert (settings.key_env, settings.key_file, settings.word_timestamps) == ("OTHER", "", True)
    assert command.settings_of(ProbeOptions(config=config)).key_file == "k"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ProbeOptions(address="https://a"), '--address: expected "wss://" or "ws://" and a host, without a path'),
        (ProbeOptions(key_env="sk_live_1"), "--key-env: expected the name of an environment variable"),
        (ProbeOptions(key_file="sk_live_1"), "--key-file: expected the name of a file"),
        (ProbeOptions(voice="a b"), "--voice: expected a name without spaces"),
        (ProbeOptions(language="tlh"), "--language: expected one of auto, en"),
    ],
)
def test_a_wrong_option_is_named_with_what_would_be_right(options: ProbeOptions, message: str) -> None:
    """Without the value, which may be a key."""
    with pytest.raises(SettingsError) as caught:
        command.settings_of(options)
    assert str(caught.value).startswith(message)
    assert "sk_live" not in str(caught.value)


def test_only_this_machine_goes_without_a_key() -> None:
    """A simulated provider needs none; any other does."""
    told: list[str] = []
    local = command.settings_of(ProbeOptions(address="ws://127.0.0.1:1"))
    assert command.key_of(local, {}, tell=told.append) == "none"
    assert len(told) == 1
    assert command.key_of(local, {"WAVES_API_KEY": KEY}, tell=told.append) == KEY
    with pytest.raises(SettingsError, match="WAVES_API_KEY: is not set"):
        command.key_of(command.settings_of(ProbeOptions()), {}, tell=told.append)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("probe --most-slots 0", 'Invalid value "0" for --most-slots. Must be >= 1.'),
        ("probe --most-slots 21", 'Invalid value "21" for --most-slots. Must be <= 20.'),
        ("probe --api v9", 'for --api. Choose from: "unified", "per_model".'),
        ("probe --address http://x", "--address: expected"),
        ("probe --config none.toml", "none.toml: cannot be read"),
    ],
)
def test_wrong_use_is_status_2(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With nothing on standard output."""
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """For an account of one's own and for a simulated one."""
    assert main(["probe", "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example: talkingstick probe --config talkingstick.toml" in out
    assert "talkingstick probe --address ws://127.0.0.1:8090" in out


async def test_a_provider_that_is_not_there_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    """With a fault, at once; that is status 1."""
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))
        options = ProbeOptions(address=f"ws://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(ProviderFault, match="cannot be reached"), trio.fail_after(5):
            await command.run(options=options)
    assert capsys.readouterr().out == ""


async def test_a_refused_key_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not with the key."""
    monkeypatch.setenv("WAVES_API_KEY", KEY)
    async with open_waves_server(WavesServer(WavesOptions(api_key="sk_another"), voice_named("tone"))) as server:
        with pytest.raises(ProviderFault, match=r"401.*\(key: from WAVES_API_KEY\)") as caught, trio.fail_after(5):
            await command.run(options=ProbeOptions(address=server.address))
    assert caught.value.kind is FaultKind.FINAL
    assert KEY not in str(caught.value)


@pytest.mark.realtime
async def test_over_a_real_port_it_prints_what_the_server_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings on standard output, progress on standard error, status 0: the file that it prints is read back."""
    monkeypatch.setenv("WAVES_API_KEY", KEY)
    options = WavesOptions(slots=2, links=7, close_after_complete=False, ttfb=0.1, rtf=0.05, api_key=KEY)
    async with open_waves_server(WavesServer(options, voice_named("tone"))) as server:
        assert await command.run(options=ProbeOptions(address=server.address)) == 0
    out, err = capsys.readouterr()
    config = tmp_path / "talkingstick.toml"
    config.write_text(out, "utf-8")
    provider = load_settings(config).provider
    assert (provider.address, provider.slots, provider.links, provider.link_reuse) == (server.address, 2, 7, "auto")
    assert 0.02 <= provider.settle <= 0.5
    assert "at most" in err.splitlines()[0]
    assert all(line.startswith("probe: ") for line in err.splitlines())
    assert KEY not in out + err


SCRIPT = "import sys; from orchestrator.__main__ import main; sys.exit(main())"


@pytest.mark.realtime
def test_ctrl_c_ends_it_cleanly() -> None:
    """In the middle, without a traceback; the simulated provider is another process."""
    server = [sys.executable, "-c", SCRIPT, "waves-server", "--port", "0", "--voice", "tone"]
    with subprocess.Popen(server, stderr=subprocess.PIPE, text=True) as provider:
        assert provider.stderr
        address = provider.stderr.readline().partition(" on ")[2].partition(" ")[0]
        probe = [sys.executable, "-c", SCRIPT, "probe", "--address", address, "--json"]
        with subprocess.Popen(probe, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asking:
            assert asking.stderr
            while "first byte after" not in asking.stderr.readline():
                pass
            asking.send_signal(signal.SIGINT)
            out, err = asking.communicate(timeout=10)
        provider.send_signal(signal.SIGINT)
    assert (asking.returncode, out) == (130, "")
    assert "Traceback" not in err


def test_json_is_asked_for_with_a_flag(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One object, also where the probe was broken off: that is status 1."""
    from tests.probe.world import probed

    found = probed(requests_per_minute=2).report

    async def report_on(*_args: object, **_options: object) -> object:
        return found

    monkeypatch.setattr(command, "report_on", report_on)
    assert main(["probe", "--address", "ws://127.0.0.1:1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"]["requests_per_minute"]["value"] == 2
