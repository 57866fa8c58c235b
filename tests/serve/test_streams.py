"""Whole calls over memory streams: a carrier's side on trio-websocket, the real conversation behind it."""

from __future__ import annotations

import json
import wave
from base64 import b64encode
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair
from trio_websocket import ConnectionClosed, WebSocketConnection

from orchestrator.dialogue.bot import Bot
from orchestrator.events import CallEnded, CallFailed, CallStarted, StreamFailed
from orchestrator.settings import LineSettings, RecordingSettings
from tests.serve.desk import Desk, desk, open_desk, settings_of

FRAME = b64encode(bytes([0x20]) * 160).decode()


class Greeting(Bot):
    """Says hello, and who called whom."""

    async def opening(self, talk: Any) -> Any:
        """Greet."""
        yield f"Hello {talk.call.caller}, this is {talk.call.called}."


class Other(Greeting):
    """Another bot."""


HERE = "tests.serve.test_streams"
LINE = LineSettings(carrier="twilio", bot=f"{HERE}:Greeting", numbers={"+15550199": f"{HERE}:Other"})


def start(call: str = "CA1", **parameters: str) -> str:
    """Return Twilio's `start`."""
    told = {
        "accountSid": "AC1", "streamSid": "MZ1", "callSid": call, "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": parameters,
    }  # fmt: skip
    return json.dumps({"event": "start", "sequenceNumber": "1", "start": told, "streamSid": "MZ1"})


def media(payload: str = FRAME) -> str:
    """Return one frame of Twilio's."""
    what = {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": payload}
    return json.dumps({"event": "media", "sequenceNumber": "2", "media": what, "streamSid": "MZ1"})


async def messages_of(socket: WebSocketConnection, *, seconds: float) -> list[dict[str, Any]]:
    """Return what comes in so many seconds."""
    came = []
    with trio.move_on_after(seconds):
        while True:
            came.append(json.loads(await socket.get_message()))
    return came


async def test_a_called_number_chooses_the_bot_and_the_bot_speaks(autojump_clock: MockClock) -> None:
    """The call has the carrier's id, and ends when the caller hangs up."""
    async with open_desk(settings_of(LINE)) as at:
        _, answer = await at.post("/twilio", b"From=%2B15550100&To=%2B15550199")
        token = answer.decode().partition("/twilio/")[2].partition('"')[0]
        async with at.websocket(f"/twilio/{token}") as socket:
            await socket.send_message('{"event":"connected","protocol":"Call","version":"1.0.0"}')
            await socket.send_message(start())
            came = await messages_of(socket, seconds=3)
            await socket.send_message('{"event":"stop","stop":{"accountSid":"AC1","callSid":"CA1"},"streamSid":"MZ1"}')
            await trio.sleep(2)
    assert {message["event"] for message in came} >= {"media", "mark"}
    (started,) = at.told(CallStarted)
    assert (started.call, started.bot, started.leg) == ("CA1", f"{HERE}:Other", "twilio")
    assert [event.reason for event in at.told(CallEnded)] == ["caller"]
    assert at.told(CallFailed) == []


async def test_two_calls_of_one_id_do_not_meet(autojump_clock: MockClock) -> None:
    """Each has a name of its own, and its own sound."""
    async with open_desk(settings_of(LINE)) as at, at.websocket("/twilio") as one, at.websocket("/twilio") as two:
        for socket in (one, two):
            await socket.send_message(start())
        for socket in (one, two):
            assert any(message["event"] == "media" for message in await messages_of(socket, seconds=2))
        assert sorted(event.call for event in at.told(CallStarted)) == ["CA1", "CA1.2"]
        assert sorted(await running(at)) == ["CA1", "CA1.2"]
        await one.aclose()
        await trio.sleep(2)
        assert await running(at) == ["CA1"] or await running(at) == ["CA1.2"]


async def running(at: Desk) -> list[str]:
    """Return the calls that go on."""
    await trio.lowlevel.checkpoint()
    ended = {event.call for event in at.told(CallEnded)}
    return [event.call for event in at.told(CallStarted) if event.call not in ended]


async def test_a_socket_that_never_starts_a_call_is_dropped(autojump_clock: MockClock) -> None:
    """In time, with one event."""
    at = desk(settings_of(LineSettings(carrier="twilio"), handshake_within=5.0))
    began = trio.current_time()
    async with at.websocket("/twilio") as socket:
        with pytest.raises(ConnectionClosed):
            await socket.get_message()
    assert trio.current_time() - began <= 7
    assert [event.line for event in at.told(StreamFailed)] == ["/twilio"]


@pytest.mark.parametrize("message", ["{", "[]", '{"event":7}', '{"event":"start","start":[]}', "\x00", b"\x00\x01"])
async def test_nonsense_ends_in_an_event_and_nothing_else(autojump_clock: MockClock, message: str | bytes) -> None:
    """The connection is closed in time, whatever was sent before the start."""
    at = desk(settings_of(LineSettings(carrier="twilio")))
    async with at.websocket("/twilio") as socket:
        await socket.send_message(message)
        with pytest.raises(ConnectionClosed):
            await socket.get_message()
    assert len(at.told(StreamFailed)) == 1


async def test_what_is_heard_is_sent_back(autojump_clock: MockClock) -> None:
    """By `audio-echo`, which needs neither voice nor slot."""
    at = desk(settings_of(LineSettings(carrier="twilio", bot="audio-echo")))
    async with at.websocket("/twilio") as socket:
        await socket.send_message(start())
        await socket.send_message(media())
        back = json.loads(await socket.get_message())
        assert (back["event"], back["streamSid"], back["media"]["payload"]) == ("media", "MZ1", FRAME)
    with trio.fail_after(5):
        await at.calls.wait_none()


async def test_audiosocket_chooses_the_bot_by_uuid(autojump_clock: MockClock) -> None:
    """And is paced: a frame of 20 ms each 20 ms."""
    line = LineSettings(carrier="audiosocket", bot=f"{HERE}:Greeting", uuids={"0a0b": f"{HERE}:Other"})
    settings = settings_of(line, audiosocket_port=0)
    async with open_desk(settings) as at, trio.open_nursery() as nursery:
        near, far = memory_stream_pair()
        nursery.start_soon(partial(at.streams.take_audiosocket, far, "192.0.2.1"))
        await near.send_all(b"\x01\x00\x10" + bytes([10, 11]) + bytes(14))
        came = b""
        with trio.move_on_after(2):
            while len(came) < 323 * 10:
                came += bytes(await near.receive_some())
        assert came[:3] == b"\x10\x01\x40"
        await near.aclose()
    assert [event.bot for event in at.told(CallStarted)] == [f"{HERE}:Other"]


async def test_a_call_is_recorded_with_its_transcript(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Both sides on one clock, under names that are ours, for the owner only."""
    folder = tmp_path / "kept"
    recording = RecordingSettings(on=True, directory=str(folder))
    async with open_desk(settings_of(LINE, recording=recording), recordings=True) as at:
        async with at.websocket("/twilio") as socket:
            await socket.send_message(start("CA/../1", called="+1"))
            for _ in range(50):
                await socket.send_message(media())
                await trio.sleep(0.02)
            await messages_of(socket, seconds=1)
        await trio.sleep(3)
    wav, json_file, markdown = (next(folder.glob(f"*.{kind}")) for kind in ("wav", "json", "md"))
    assert wav.stem == json_file.stem == markdown.stem
    assert wav.name.endswith("-CA_.._1.wav")
    with wave.open(str(wav)) as sound:
        assert sound.getnchannels() == 2
        assert sound.getframerate() == 8000
        assert sound.getnframes() >= 8000
    assert json.loads(json_file.read_text("utf-8"))["recording"] == wav.name
    assert folder.stat().st_mode & 0o077 == 0


async def test_where_others_are_named_by_a_proxy_each_has_its_share(autojump_clock: MockClock) -> None:
    """One address too often is a 503."""
    settings = settings_of(LineSettings(carrier="twilio"), forwarded=True, connections_per_address=1)
    at = desk(settings)
    async with at.websocket("/twilio", {"X-Forwarded-For": "9.9.9.9, 203.0.113.7"}):
        assert await at.upgrade("/twilio", x_forwarded_for="203.0.113.7") == 503
        assert await at.upgrade("/twilio", x_forwarded_for="203.0.113.8") == 101


async def test_a_path_without_a_line_is_not_found(autojump_clock: MockClock) -> None:
    """Before anything of a WebSocket happens."""
    at = desk(settings_of(LineSettings(carrier="twilio")))
    assert await at.upgrade("/telnyx") == 404
