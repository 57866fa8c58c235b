"""Claims about a running demo and its signals: SIGTERM drains it, SIGHUP has it read its configuration again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.simulations.listening import misplaced

PROGRAM = [sys.executable, "-m", "orchestrator"]
KEY = "sk_demo"
Text = Callable[[], str]


@contextmanager
def provider(*options: str) -> Iterator[tuple[str, str]]:
    """Run the simulated provider in a process of its own; yield its addresses, for sockets and for pages."""
    command = [*PROGRAM, "waves-server", "--port", "0", "--voice", "tone", "--account", f"shop={KEY}", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            words = process.stderr.readline().split()
            yield words[3], words[5]
        finally:
            process.kill()


@contextmanager
def demo(tmp_path: Path, *options: str, config: str = "") -> Iterator[tuple[subprocess.Popen[str], Text]]:
    """Run a demo with the tone; yield it and what reads its event log so far."""
    command = [*PROGRAM, "demo", "--voice", "tone", "--no-table", "--json", "--out", str(tmp_path / "out"), *options]
    if config:
        (tmp_path / "demo.toml").write_text(config, "utf-8")
        command += ["--config", str(tmp_path / "demo.toml")]
    environment = {**os.environ, "WAVES_API_KEY": KEY, "XDG_CACHE_HOME": str(tmp_path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        log = tmp_path / "out" / "events.jsonl"
        try:
            yield process, lambda: log.read_text("utf-8") if log.exists() else ""
        finally:
            process.kill()


def wait_for(happened: str, log: Text, *, times: int = 1, within: float = 20.0) -> None:
    """Wait until the event log has an event so often."""
    until = time.monotonic() + within
    while log().count(f'"event": "{happened}"') < times:
        assert time.monotonic() < until, f"no {happened} within {within:g} s in:\n{log()[-2000:]}"
        time.sleep(0.05)


def told(log: Text, kind: str) -> list[dict[str, Any]]:
    """Return the events of a kind."""
    return [event for line in log().splitlines() if (event := json.loads(line))["event"] == kind]


def settings(address: str, *, slots: int = 1, more: str = "") -> str:
    """Return a configuration for that provider."""
    return (
        f'[provider]\naddress = "{address}"\nslots = {slots}\nlinks = {5 * slots}\n'
        f'[bot]\nuse = "survey"\n[admission]\ndrain_within = 1.0\ngoodbyes = {{ en = ["Goodbye."] }}\n{more}'
    )


@pytest.mark.sweep
@pytest.mark.realtime
def test_sigterm_drains(tmp_path: Path) -> None:
    """Calls that go on after a second are told goodbye; every file is complete, and the exit status is 0."""
    with provider() as (address, _), demo(tmp_path, "--calls", "2", config=settings(address)) as (process, log):
        wait_for("FirstAudioPlayed", log, times=2)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=25)
    assert process.returncode == 0, errors
    assert [event["calls"] for event in told(log, "DrainStarted")] == [2]
    reasons = [event["reason"] for event in told(log, "CallEnded")]
    assert reasons.count("drained") == 2
    assert told(log, "RunEnded")[0]["reason"] == "finished"
    assert json.loads(output)["words"]["unspoken"] == 0
    recordings = sorted((tmp_path / "out").glob("call-*.wav"))
    assert len(recordings) == len(told(log, "CallStarted"))
    assert (tmp_path / "out" / "report.html").stat().st_size > 1000


@pytest.mark.sweep
@pytest.mark.realtime
def test_a_second_sigterm_ends_it_at_once(tmp_path: Path) -> None:
    """As Ctrl-C does; the status says that it was cut short."""
    with provider() as (address, _):
        config = settings(address).replace("drain_within = 1.0", "drain_within = 600.0")
        with demo(tmp_path, "--calls", "2", config=config) as (process, log):
            wait_for("FirstAudioPlayed", log)
            process.send_signal(signal.SIGTERM)
            wait_for("DrainStarted", log)
            process.send_signal(signal.SIGTERM)
            asked = time.monotonic()
            process.communicate(timeout=25)
    assert time.monotonic() - asked < 5
    assert process.returncode == 130
    assert misplaced(tmp_path / "out" / "call-1.wav", within=0.06) == []


@pytest.mark.sweep
@pytest.mark.realtime
def test_a_plan_upgrade_needs_no_restart(tmp_path: Path) -> None:
    """Three slots at the provider, SIGHUP, and three requests are in flight at a time; no call notices.

    A file that is wrong changes nothing, and what needs a restart is named.
    """
    with provider("--ttfb", "1.0", "--rtf", "0.9") as (address, pages):
        first = settings(address, more="calls = 6\n")
        with demo(tmp_path, "--calls", "6", "--seconds", "60", config=first) as (process, log):
            wait_for("FirstAudioPlayed", log)
            (tmp_path / "demo.toml").write_text("[provider]\nslots = -1\n", "utf-8")
            process.send_signal(signal.SIGHUP)
            upgrade(pages, slots=3)
            time.sleep(0.5)
            assert told(log, "SettingsReloaded") == []
            wanted = settings(address, slots=3, more='calls = 6\n[log]\nlevel = "debug"\n[slot]\npatience = 0.3\n')
            (tmp_path / "demo.toml").write_text(wanted, "utf-8")
            process.send_signal(signal.SIGHUP)
            wait_for("SettingsReloaded", log)
            until = time.monotonic() + 30
            while at_a_time(log) < 3 and time.monotonic() < until:
                time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=25)
    (reloaded,) = told(log, "SettingsReloaded")
    assert reloaded["changed"] == "provider.slots, provider.links, log.level"
    assert reloaded["need_restart"] == "slot.patience"
    assert "provider.slots = -1" in errors
    assert at_a_time(log) == 3
    assert told(log, "ProviderRefused") == []
    assert '"level": "debug"' in (tmp_path / "out" / "log.jsonl").read_text("utf-8")
    assert json.loads(output)["slot"]["limit"] == 3


def upgrade(pages: str, *, slots: int) -> None:
    """Give the account another plan."""
    body = json.dumps({"account": "shop", "slots": slots}).encode()
    with urlopen(Request(f"{pages}/accounts", data=body, method="POST")) as answer:
        assert answer.status == 200


def at_a_time(log: Text) -> int:
    """Return how many slots were held at a time, at most."""
    held = most = 0
    for line in log().splitlines():
        held += {"SlotGranted": 1, "SlotFreed": -1}.get(json.loads(line)["event"], 0)
        most = max(most, held)
    return most
