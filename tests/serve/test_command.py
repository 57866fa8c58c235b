"""Claims about `talkingstick serve` as a process: its port, its exit status, what signals do."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.sync.client import ClientConnection, connect

from orchestrator.cli import main
from tests.port.test_tls import certificate, client_context
from tests.simulations.demo.test_orders import provider

__all__ = ["certificate"]
PROGRAM = [sys.executable, "-m", "orchestrator", "serve"]
ECHO = '[[serve.lines]]\ncarrier = "twilio"\nbot = "audio-echo"\n'


class Served:
    """A running server: its process, and what it logs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log: list[dict[str, Any]] = []

    def wait_for(self, event: str) -> dict[str, Any]:
        """Read the log until something happens."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(json.loads(line))
            if self.log[-1]["event"] == event:
                return self.log[-1]
        raise AssertionError(f"no {event} in {self.log}")

    def end(self, number: signal.Signals) -> float:
        """Send a signal and return how many seconds the end took."""
        began = time.monotonic()
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        self.log += [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
        return time.monotonic() - began


@contextmanager
def served(folder: Path, config: str, **environment: str) -> Iterator[Served]:
    """Run the server."""
    path = folder / "serve.toml"
    path.write_text(config, "utf-8")
    with subprocess.Popen(
        [*PROGRAM, "--config", str(path), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(folder), **environment},
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def echo(line: ClientConnection) -> None:
    """Begin a call, say something and hear it again."""
    started = {"streamSid": "MZ1", "callSid": "CA1", "mediaFormat": {"encoding": "audio/x-mulaw"}}
    line.send(json.dumps({"event": "start", "start": started, "streamSid": "MZ1"}))
    line.send(json.dumps({"event": "media", "media": {"payload": "fn5+fg=="}, "streamSid": "MZ1"}))
    assert json.loads(line.recv(timeout=5))["media"]["payload"] == "fn5+fg=="


@pytest.mark.realtime
def test_an_echo_answers_and_ctrl_c_ends_it_within_a_second(tmp_path: Path) -> None:
    """Without any key, with a call that goes on: status 130."""
    with served(tmp_path, ECHO) as server:
        port = server.wait_for("PortsOpened")["port"]
        assert httpx2.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).json() == {"ready": True}

        with connect(f"ws://127.0.0.1:{port}/twilio", proxy=None) as line:
            echo(line)
            assert server.end(signal.SIGINT) < 5  # one second, five-fold
    assert server.process.returncode == 130
    assert server.log[-1]["event"] == "RunEnded"


@pytest.mark.realtime
def test_a_provider_that_is_not_there_is_the_reason_why_it_is_not_ready(tmp_path: Path) -> None:
    """It serves all the same; SIGTERM lets it end with 0."""
    config = '[provider]\naddress = "ws://127.0.0.1:1"\n[[serve.lines]]\ncarrier = "generic"\nbot = "echo"\n'
    with served(tmp_path, config, WAVES_API_KEY="sk_x") as server:
        port = server.wait_for("PortsOpened")["port"]
        while "no link" not in server.wait_for("ReadinessChanged")["reason"]:
            pass
        answer = httpx2.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)
        assert answer.status_code == 503
        assert "127.0.0.1:1" in answer.json()["reason"]
        assert server.end(signal.SIGTERM) < 10
    assert server.process.returncode == 0
    assert "DrainStarted" in [line["event"] for line in server.log]


@pytest.mark.realtime
def test_a_key_that_is_refused_for_good_ends_the_start(tmp_path: Path) -> None:
    """Status 1, and a line that says why without the key."""
    with provider() as (address, _):
        config = f'[provider]\naddress = "{address}"\n[[serve.lines]]\ncarrier = "generic"\nbot = "echo"\n'
        with served(tmp_path, config, WAVES_API_KEY="sk_wrong_key") as server:
            _, errors = server.process.communicate(timeout=20)
    assert server.process.returncode == 1
    assert "401" in errors.splitlines()[-1]
    assert "sk_wrong_key" not in errors


@pytest.mark.realtime
def test_tls_by_certificate(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """Pages and WebSockets on the same port."""
    pem, key = certificate
    config = f'[serve]\ncertificate = "{pem}"\ncertificate_key = "{key}"\nhandshake_within = 1.0\n{ECHO}'
    with served(tmp_path, config) as server:
        port = server.wait_for("PortsOpened")["port"]
        context = client_context(pem)
        answer = httpx2.get(f"https://127.0.0.1:{port}/readyz", trust_env=False, verify=context)
        assert answer.status_code == 200

        with connect(f"wss://127.0.0.1:{port}/twilio", proxy=None, ssl=context) as line:
            echo(line)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"alive" not in plain.recv(1000)
        with pytest.raises((httpx2.ConnectError, ssl.SSLError)):
            httpx2.get(f"https://127.0.0.1:{port}/readyz", trust_env=False)
        assert server.end(signal.SIGTERM) < 5
    assert server.process.returncode == 0


@pytest.mark.realtime
def test_too_many_connections_are_closed_at_once(tmp_path: Path) -> None:
    """And those that say nothing a little later."""
    config = f"[serve]\nconnections_per_address = 2\nhandshake_within = 0.5\n{ECHO}"
    with served(tmp_path, config) as server:
        port = server.wait_for("PortsOpened")["port"]
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as one,
            socket.create_connection(("127.0.0.1", port), timeout=5) as two,
            socket.create_connection(("127.0.0.1", port), timeout=5) as three,
        ):
            assert server.wait_for("RequestRefused")["status"] == 503
            for each in (three, two, one):
                with suppress(ConnectionResetError):  # whether it is closed with a reset is the system's
                    assert each.recv(1) == b""
        assert httpx2.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
        server.end(signal.SIGINT)


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1; with where it was said."""
    config = tmp_path / "serve.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(ECHO)
        assert main(["serve", "--config", str(config), "--port", str(port)]) == 1
        assert f"--port {port}: " in capsys.readouterr().err
        config.write_text(f"[serve]\nport = {port}\n{ECHO}")
        assert main(["serve", "--config", str(config)]) == 1
        assert f"serve.port = {port}: " in capsys.readouterr().err


def test_a_configuration_without_lines_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and what is missing."""
    config = tmp_path / "serve.toml"
    config.write_text("")
    assert main(["serve", "--config", str(config)]) == 2
    assert "serve.lines: there is none" in capsys.readouterr().err
