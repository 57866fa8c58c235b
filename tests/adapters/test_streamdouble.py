"""Calls that streamdouble, somebody else's Twilio, makes at a running `serve`: eight at a time, once for all claims."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from attrs import define

from simulations.carriers.sound import to_ulaw
from tests.adapters.short_bot import ANSWER, GREETING
from tests.serve.test_command import served
from tests.simulations.demo.test_orders import KEY, provider

CONFIG = """
[provider]
address = "{address}"
[admission]
on = false
[serve.hearing]
lines = ["Two rolls, please."]
ends_after = 0.3
[serve.recording]
on = true
directory = "{folder}/recordings"
[[serve.lines]]
carrier = "twilio"
bot = "tests.adapters.short_bot:Short"
"""
TONE = (9000 * np.sin(2 * np.pi * 300 / 8000 * np.arange(8000 // 2))).astype("<i2").tobytes()
VOICE = [to_ulaw(TONE[at : at + 320]) for at in range(0, len(TONE), 320)]
"""Half a second of a caller's voice, by 20 ms."""
Kind = tuple[str, bool]
"""What is played, and whether marks come back."""


@define
class Called:
    """One call: streamdouble's report, our transcript, and what our log says of it."""

    report: Any
    transcript: Mapping[str, Any]
    log: Sequence[Mapping[str, Any]]

    def words(self, what: str) -> list[str]:
        """Return what was "heard" or "cut" of the bot's turns, or the "text" of the caller's."""
        return [turn[what].strip() for turn in self.transcript["turns"] if what in turn]

    @property
    def ended(self) -> list[str]:
        """Why the call ended."""
        return [line["reason"] for line in self.log if line["event"] == "CallEnded"]

    @property
    def echoed(self) -> tuple[int, int]:
        """How many marks we sent, and how many came back."""
        return len(self.report.result.marks_received), len(self.report.result.marks_echoed)


@pytest.mark.realtime
def test_twilio_as_somebody_else_plays_it(tmp_path: Path) -> None:
    """Whole calls, barge-in, a socket that is gone, 5 % of frames lost; with marks that come back, and without.

    streamdouble finds nothing that is against Twilio's protocol, and our log has no warning and no error.
    """
    api = pytest.importorskip("streamdouble.api", reason="plays Twilio: pip install 'talkingstick[peers]'")
    with provider("--slots", "8") as (address, _):
        config = CONFIG.format(address=address, folder=tmp_path)
        with served(tmp_path, config, WAVES_API_KEY=KEY) as server:
            port = server.wait_for("PortsOpened")["port"]
            server.wait_for("ReadinessChanged")
            reports = asyncio.run(call_all(api, f"ws://127.0.0.1:{port}/twilio"))
            server.end(signal.SIGTERM)
    assert server.process.returncode == 0
    slow = ("TaskBlocked",)  # a busy machine is no fault
    assert not [line for line in server.log if line["level"] in ("warning", "error") and line["event"] not in slow]
    calls = {kind: called(report, server.log, folder=tmp_path / "recordings") for kind, report in reports.items()}
    for call in calls.values():
        assert call.report.violations == []
        assert call.report.result.failed_expectations == []
    check_whole(calls["whole", True], calls["whole", False])
    check_whole(calls["loss", True], calls["loss", False])
    assert all(calls["loss", marks].report.result.frames_dropped for marks in (True, False))
    check_barge_in(calls["barge-in", True], calls["barge-in", False])
    check_hang_up(calls["hang-up", True], calls["hang-up", False])


def check_whole(marked: Called, unmarked: Called) -> None:
    """The greeting, what the caller says, the answer, the bot's end; words count as heard where marks come back."""
    assert marked.words("heard") == [GREETING, ANSWER]
    sent, back = marked.echoed
    assert sent == back >= 5
    assert marked.report.result.clears_received == 0
    assert unmarked.words("heard") == ["", ""]
    for call in (marked, unmarked):
        assert call.words("text") == ["Two rolls, please."]
        assert (call.report.result.closed_by, call.ended) == ("agent", ["bot"])
        assert 1.5 < len(call.report.audio_received) / 8000 < 8


def check_barge_in(marked: Called, unmarked: Called) -> None:
    """Our clear arrives; what marks told before it was heard, the rest was cut; the answer to the caller follows."""
    heard, cut = marked.words("heard")[0], marked.words("cut")[0]
    assert f"{heard} {cut}" == GREETING
    assert heard.startswith("Good")
    assert cut.endswith("bakery.")
    assert unmarked.words("heard")[0] == ""
    for call in (marked, unmarked):
        assert call.report.result.clears_received >= 1
        assert call.words("text") == ["Two rolls, please."]
        assert call.ended == ["bot"]


def check_hang_up(marked: Called, unmarked: Called) -> None:
    """The call ends, as the caller's doing, and nothing of the answer is ever said."""
    for call in (marked, unmarked):
        assert call.report.result.closed_by == "caller"
        assert call.ended == ["caller"]
        assert call.words("text") == []
        assert len(call.words("heard")) == 1


def called(report: Any, log: Sequence[Mapping[str, Any]], *, folder: Path) -> Called:
    """Return one call with what we know of it, by its id."""
    [transcript] = folder.glob(f"*{report.result.identity.call_sid}*.json")
    told = [line for line in log if line.get("call") == report.result.identity.call_sid]
    return Called(report, json.loads(transcript.read_text("utf-8")), told)


async def call_all(api: ModuleType, url: str) -> Mapping[Kind, Any]:
    """Make each call with and without marks, all of them at a time; return streamdouble's reports."""
    kinds = [(name, marks) for name in ("whole", "loss", "barge-in", "hang-up") for marks in (True, False)]
    calls = [api.run_scenario(url, script(name), config=manner(name, marks=marks)) for name, marks in kinds]
    return dict(zip(kinds, await asyncio.gather(*calls), strict=True))


def script(name: str) -> Any:
    """Return what the caller does: the greeting lasts 2 s."""
    scenario = pytest.importorskip("streamdouble.scenario")
    hears, speaks = scenario.WaitFor("audio", 10.0), scenario.Say(Path("voice"), VOICE)
    steps = {
        "whole": [scenario.Wait(3.5), speaks, scenario.Wait(8.0)],
        "barge-in": [
            scenario.Wait(0.8),
            scenario.Expect("clear", negated=True),
            speaks,
            scenario.Expect("clear"),
            scenario.Wait(8.0),
        ],
        "hang-up": [scenario.Wait(1.0), scenario.Hangup()],
    }
    return scenario.Scenario(name, [hears, *(steps["whole"] if name == "loss" else steps[name])])


def manner(name: str, *, marks: bool) -> Any:
    """Return how the line is: the same frames are lost each time."""
    lost = pytest.importorskip("streamdouble.chaos").Impairments(loss=0.05 if name == "loss" else 0.0)
    config = pytest.importorskip("streamdouble.session").SessionConfig
    return config(echo_marks=marks, impairments=lost, chaos_seed=7, max_call_s=20.0, max_drain_s=1.0)
