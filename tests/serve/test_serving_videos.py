"""Claims about `talkingstick serve` with `[lipsync] on`: it works on the queue, hears webhooks, no call feels it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import httpx2
import pytest
from websockets.sync.client import connect

from orchestrator.cli import main
from tests.serve.test_command import ECHO, echo, served
from tests.serve.test_sync_hook import DONE, said, signature

LIPSYNC = """
[lipsync]
on = true
address = "http://127.0.0.1:1"
webhook_secret_env = "HOOK"
ask_again = 1.0
store = "{store}"
[serve]
public_url = "https://bots.example.com"
"""
SECRETS = {"SYNC_API_KEY": "sk_0123456789", "HOOK": "whsec_0123456789"}


def signed_now(body: bytes) -> str:
    """Sign as the service does, now."""
    return signature(body, time=int(time.time()), secret=SECRETS["HOOK"])


def heard(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Tell something until it is not asked for again, as the queue may be on its way; return the last status."""
    for _ in range(50):
        status = httpx2.post(url, content=body, headers=headers, trust_env=False).status_code
        if status != 503:
            break
        time.sleep(0.1)
    return status


@pytest.mark.realtime
def test_a_signed_webhook_is_heard_and_a_forged_one_is_told(tmp_path: Path) -> None:
    """On the one port, beside the lines; the end of all is clean, and nothing of the secrets is logged."""
    body = said(DONE)
    with served(tmp_path, LIPSYNC.format(store=tmp_path / "v.db") + ECHO, **SECRETS) as server:
        url = f"http://127.0.0.1:{server.wait_for('PortsOpened')['port']}/hooks/sync"
        right = {"sync-signature": signed_now(body)}
        assert httpx2.post(url, content=body, trust_env=False).status_code == 401
        assert httpx2.post(url, content=body + b" ", headers=right, trust_env=False).status_code == 403
        assert heard(url, body, right) == 200
        assert httpx2.post(url, content=body, headers=right, trust_env=False).status_code == 403
        assert server.end(signal.SIGTERM) < 10
    assert server.process.returncode == 0
    assert [line["status"] for line in server.log if line["event"] == "RequestRefused"] == [401, 403, 403]
    assert "0123456789" not in str(server.log)


@pytest.mark.realtime
def test_a_queue_that_cannot_be_opened_hurts_no_call(tmp_path: Path) -> None:
    """It is told, and tried again; webhooks may come again later."""
    store = tmp_path / "v.db"
    store.write_bytes(b"no database at all" * 100)
    body = said(DONE)
    with served(tmp_path, LIPSYNC.format(store=store) + ECHO, **SECRETS) as server:
        port = server.wait_for("PortsOpened")["port"]
        assert "it is no SQLite database" in server.wait_for("QueueStopped")["error"]
        with connect(f"ws://127.0.0.1:{port}/twilio", proxy=None) as line:
            echo(line)
        url, right = f"http://127.0.0.1:{port}/hooks/sync", {"sync-signature": signed_now(body)}
        assert httpx2.post(url, content=body, headers=right, trust_env=False).status_code == 503
        store.unlink()
        assert heard(url, body, right) == 200
        assert server.end(signal.SIGINT) < 5
    assert server.process.returncode == 130


def test_a_key_that_is_missing_is_told_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 2."""
    monkeypatch.delenv("SYNC_API_KEY", raising=False)
    config = tmp_path / "serve.toml"
    config.write_text(f"[lipsync]\non = true\n{ECHO}", "utf-8")
    assert main(["serve", "--config", str(config)]) == 2
    assert "SYNC_API_KEY" in capsys.readouterr().err
