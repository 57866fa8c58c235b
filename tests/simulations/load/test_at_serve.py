"""The command `load` at a running `serve`: from the webhook on, by public addresses, with certificates of its own."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from orchestrator.commands_load import LoadOptions
from simulations.load.command import run
from tests.port.test_tls import certificate
from tests.serve.test_command import served

__all__ = ["certificate"]


@pytest.mark.realtime
async def test_the_whole_path_from_the_webhook_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`serve` known by a public address: each call asks, signed, and is dialled where the markup says, signed again.

    With another token it is told that it may not, and what may help.
    """
    monkeypatch.setenv("TOKEN", "12345")
    line = '[[serve.lines]]\ncarrier = "twilio"\nbot = "audio-echo"\nsecret_env = "TOKEN"\n'
    with served(tmp_path, f'[serve]\npublic_url = "https://bots.example.com"\n{line}') as server:
        port = server.wait_for("PortsOpened")["port"]
        asking = LoadOptions(
            url=f"http://127.0.0.1:{port}/twilio?tier=gold",
            carrier="twilio",
            calls=2,
            ramp=100,
            seconds=0.6,
            echo=True,
            secret_env="TOKEN",
            signed_url="https://bots.example.com/twilio?tier=gold",
        )
        assert await run(options=asking) == 0
        assert "2 connected, 0 failed" in capsys.readouterr().out
        monkeypatch.setenv("TOKEN", "wrong")
        assert await run(options=asking) == 1
        told = capsys.readouterr().out
        assert "HTTP 403 (2); does --secret-env" in told
        assert "?." not in told


@pytest.mark.realtime
async def test_a_webhook_that_does_not_answer_is_a_failed_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Told as what it was."""
    options = LoadOptions(url="http://127.0.0.1:9/", carrier="vonage", calls=1, ramp=100, seconds=0.3, rate=8000)
    assert await run(options=options) == 1
    told = capsys.readouterr().out
    assert "1 failed" in told
    assert "the webhook: " in told
    assert "at most" not in told


@pytest.mark.realtime
async def test_self_signed_certificates(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    certificate: tuple[Path, Path],
) -> None:
    """Refused by itself; taken with SSL_CERT_FILE, and with --insecure."""
    pem, key = certificate
    config = f'[serve]\ncertificate = "{pem}"\ncertificate_key = "{key}"\n'
    with served(tmp_path, f'{config}[[serve.lines]]\ncarrier = "twilio"\nbot = "audio-echo"\n') as server:
        url = f"wss://localhost:{server.wait_for('PortsOpened')['port']}/twilio"
        options = LoadOptions(url=url, carrier="twilio", calls=1, ramp=100, seconds=0.3, echo=True)
        assert await run(options=options) == 1
        assert "certificate" in capsys.readouterr().out.lower()
        assert await run(options=attrs.evolve(options, insecure=True)) == 0
        assert await run(options=attrs.evolve(options, url=url.replace("wss", "https"), insecure=True)) == 0
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert await run(options=options) == 0
