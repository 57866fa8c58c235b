"""The command `load` against small servers on real sockets: what it measures, how it ends, what it says of mistakes."""

from __future__ import annotations

import json
import os
import signal
from base64 import b64encode
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import trio
from websockets.http11 import Request, Response
from websockets.trio.server import ServerConnection

from orchestrator.commands_load import LoadOptions
from orchestrator.errors import SettingsError
from orchestrator.events import RunEnded
from simulations.carriers.twilio import upgrade_signature
from simulations.load.command import run
from simulations.load.report import RunFacts as LoadFacts
from simulations.load.report import Tally, headline, summary
from simulations.reports.summary import RunFacts, summarise
from tests.simulations.load.servers import TwilioBot, audiosocket_echo, twilio_echo, websocket_server

SCENARIO = """
answer_within = 4.0
quiet = 0.5
[[turns]]
say = 0.8
wait = false
[[turns]]
say = 0.6
interrupt_after = 0.5
wait = false
[[turns]]
press = "7#"
wait = false
[[turns]]
pause = 2.0
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Return the path of a short conversation."""
    path = tmp_path / "short.toml"
    path.write_text(SCENARIO)
    return path


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the JSON object that was printed, the only thing on standard output."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.realtime
async def test_a_conversation_is_measured(capsys: pytest.CaptureFixture[str], scenario: Path) -> None:
    """A bot that answers after 0.6 s and clears 60 ms into an interruption: both are found, and every key of it."""
    bot = TwilioBot()
    async with websocket_server(bot) as url:
        options = LoadOptions(
            url=url, carrier="twilio", calls=3, ramp=10, seconds=6, scenario=scenario, json=True, parameter=("k=v",)
        )
        status = await run(options=options)
    found = report(capsys)
    assert status == 0
    assert (found["calls"], found["calls_failed"], found["load"]["connected"]) == (3, 0, 3)
    assert found["turns"] >= 3
    assert 0.55 <= found["response_s"]["p50"] <= 1.0
    assert found["barge_ins"] >= 3
    assert 0.02 <= found["load"]["barge_in_s"]["p50"] <= 0.35
    assert found["load"]["barge_ins_not_stopped"] == 0
    assert found["load"]["complaints"] == {}
    assert f"Callers pressed {found['load']['keys']} keys." in headline(found)
    assert [said["dtmf"]["digit"] for said in bot.heard if said["event"] == "dtmf"][:1] == ["7"]
    starts = [said["start"] for said in bot.heard if said["event"] == "start"]
    assert all(start["customParameters"] == {"k": "v"} for start in starts)
    assert len({start["callSid"] for start in starts}) == 3
    assert len([said for said in bot.heard if said["event"] == "stop"]) == 3


def test_the_report_has_the_keys_that_every_report_has(capsys: pytest.CaptureFixture[str]) -> None:
    """The object of section 6, with the same keys inside; what a caller can't know is null."""
    options = LoadOptions(url="ws://127.0.0.1:9/", carrier="twilio", calls=1, seconds=0.1, ramp=1000, json=True)
    assert trio.run(_run, options) == 1
    found = report(capsys)
    usual = summarise([RunEnded(at=1.0, reason="finished")], run=RunFacts(calls=1, seconds=1.0), books=None)
    assert list(found) == [*usual, "load"]
    for key, value in usual.items():
        if isinstance(value, dict):
            assert list(found[key]) == list(value)
    assert found["wait_s"]["p50"] is None
    assert found["response_s"]["count"] == 0


@pytest.mark.parametrize(
    ("came", "told"),
    [
        ({"seconds_heard": 2.5}, "the bot still did when the calls ended; try longer --seconds. They heard 2.5 s"),
        ({}, "No caller spoke: they waited for the bot when the calls ended"),
        ({"ended_by_bot": 3, "seconds_heard": 1.0}, "No caller spoke before the bot hung up. They heard 1.0 s"),
        ({"caller_turns": 1, "seconds_heard": 1.0}, "They heard 1.0 s of the bot."),
    ],
)
def test_callers_who_never_came_to_speak_are_told_of(came: dict[str, Any], told: str) -> None:
    """With what may help; not of calls that pressed keys, that timed echoes, or that never came about."""
    facts = LoadFacts(calls=3, seconds=9.0, seed=1, carrier="twilio")
    assert told in headline(summary(Tally(placed=3, connected=3, **came), facts, lateness=[]))
    others: list[dict[str, Any]] = [{"keys": 1}, {"echoes": [0.1]}, {"connected": 0}]
    for other in others:
        tally = Tally(**{"placed": 3, "connected": 3, **other})
        assert "No caller spoke" not in headline(summary(tally, facts, lateness=[]))


async def _run(options: LoadOptions) -> int:
    return await run(options=options)


@pytest.mark.realtime
async def test_echoes_are_timed_on_a_websocket(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten marked frames a second and call go out and come back; on this machine in far less than 100 ms."""
    async with websocket_server(twilio_echo) as url:
        options = LoadOptions(url=url, carrier="twilio", calls=5, ramp=100, seconds=2, echo=True, json=True)
        assert await run(options=options) == 0
    echo = (load := report(capsys)["load"])["echo_s"]
    assert echo["count"] >= 60
    assert load["echoes_lost"] == 0
    assert 0 < echo["p50"] < 0.1


@pytest.mark.realtime
async def test_echoes_are_timed_on_audiosocket(capsys: pytest.CaptureFixture[str]) -> None:
    """The same over bare TCP."""
    async with audiosocket_echo() as url:
        options = LoadOptions(url=url, carrier="audiosocket", calls=2, ramp=100, seconds=1.5, echo=True)
        assert await run(options=options) == 0
    told = capsys.readouterr().out
    assert "2 calls at a time as audiosocket" in told
    assert "There and back: p50" in told


@pytest.mark.realtime
async def test_a_server_that_breaks_calls_off_makes_it_fail(capsys: pytest.CaptureFixture[str]) -> None:
    """A close with 1011 fails, told with its reason; one with 1000 is the bot's good right, once it said something."""

    async def broken(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.aclose(1011, "no bot")

    async with websocket_server(broken) as url:
        options = LoadOptions(url=url, carrier="twilio", calls=1, ramp=100, seconds=0.3, json=True)
        assert await run(options=options) == 1
    found = report(capsys)
    assert found["calls_failed"] == 1
    assert found["load"]["errors"] == {"closed with 1011 no bot": 1}

    async def rude(connection: ServerConnection) -> None:
        await connection.recv()

    async with websocket_server(rude) as url:
        options = LoadOptions(url=url, carrier="twilio", calls=1, ramp=100, seconds=0.3, json=True)
        assert await run(options=options) == 1
    assert report(capsys)["load"]["errors"] == {"the server ended the call before there was a sound": 1}

    async def polite(connection: ServerConnection) -> None:
        await connection.recv()
        stream = json.loads(await connection.recv())["streamSid"]
        sound = b64encode(bytes(160)).decode()
        await connection.send(json.dumps({"event": "media", "streamSid": stream, "media": {"payload": sound}}))
        await trio.sleep(0.1)

    async with websocket_server(polite) as url:
        options = LoadOptions(url=url, carrier="twilio", calls=1, ramp=100, seconds=0.3, json=True)
        assert await run(options=options) == 0
    assert report(capsys)["load"]["ended_by_bot"] == 1


@pytest.mark.realtime
async def test_the_upgrade_is_signed_and_refusals_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the right token the server lets the call in, with none it answers 403: a failed call; 503 is refused."""
    monkeypatch.setenv("TOKEN", "12345")
    answers: dict[bool, HTTPStatus] = {False: HTTPStatus.FORBIDDEN}

    def check(connection: ServerConnection, request: Request) -> Response | None:
        signed = upgrade_signature("wss://bots.example.com/call", "12345")
        good = request.headers.get("X-Twilio-Signature") == signed
        return None if good else connection.respond(answers[good], "no\n")

    async with websocket_server(twilio_echo, process_request=check) as url:
        signed = LoadOptions(
            url=url,
            carrier="twilio",
            calls=1,
            ramp=100,
            seconds=0.3,
            secret_env="TOKEN",
            signed_url="wss://bots.example.com/call",
        )
        assert await run(options=signed) == 0
        unsigned = LoadOptions(url=url, carrier="twilio", calls=1, ramp=100, seconds=0.3, json=True)
        capsys.readouterr()
        assert await run(options=unsigned) == 1
        found = report(capsys)
        assert (found["calls_failed"], found["load"]["errors"]) == (1, {"HTTP 403": 1})
        answers[False] = HTTPStatus.SERVICE_UNAVAILABLE
        assert await run(options=unsigned) == 1
        found = report(capsys)
        assert (found["calls_failed"], found["calls_refused"]) == (0, 1)


@pytest.mark.realtime
async def test_ctrl_c_ends_it_within_a_second_and_still_reports(capsys: pytest.CaptureFixture[str]) -> None:
    """SIGINT: every call hangs up, the report is printed, the exit status is 130."""
    bot = TwilioBot()

    async def interrupt() -> None:
        await trio.sleep(1.0)
        os.kill(os.getpid(), signal.SIGINT)

    async with websocket_server(bot) as url, trio.open_nursery() as nursery:
        nursery.start_soon(interrupt)
        began = trio.current_time()
        options = LoadOptions(url=url, carrier="twilio", calls=5, ramp=100, seconds=60, json=True)
        assert await run(options=options) == 130
        assert trio.current_time() - began < 2.0
    assert report(capsys)["load"]["connected"] == 5
    assert len([said for said in bot.heard if said["event"] == "stop"]) == 5


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"url": "ftp://a/"}, "expected ws://"),
        ({"url": "http://a/", "carrier": "generic"}, "generic asks no webhook"),
        ({"url": "http://a/", "parameter": ("k=v",)}, "its markup says them"),
        ({"url": "audiosocket://a:1"}, "AudioSocket alone is bare TCP"),
        ({"url": "ws://a:port/"}, "--url ws://a:port/"),
        ({"secret_env": "NOT_THERE_AT_ALL"}, "--secret-env NOT_THERE_AT_ALL"),
        ({"rate": 16000}, "--rate 16000: twilio has 8000"),
        ({"scenario": Path("/none.toml")}, "/none.toml: cannot be read"),
        ({"echo": True, "scenario": Path("a")}, "--echo"),
        ({"parameter": ("k",)}, "--parameter k: expected NAME=VALUE"),
    ],
)
async def test_wrong_use_is_told_before_anything_is_called(changes: dict[str, Any], told: str) -> None:
    """Each names the option and what would be right."""
    given: dict[str, Any] = {"url": "ws://127.0.0.1:9/", "carrier": "twilio", **changes}
    with pytest.raises(SettingsError) as error:
        await run(options=LoadOptions(**given))
    assert told in str(error.value)
