"""Asterisk's two wires, against what was seen of Asterisk 23.4.1 and what its sources say."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from orchestrator.adapters.telephony.codecs.audiosocket import AudioSocketCodec
from orchestrator.adapters.telephony.local_clock import open_clock_leg
from orchestrator.adapters.telephony.options import LegOptions
from simulations.carriers.asterisk import FakeAsterisk, FakeUlawAsterisk
from simulations.carriers.audiosocket import FakeAudioSocket
from simulations.carriers.carrier import Message
from simulations.carriers.catalogue import make_carrier
from tests.simulations.carriers.test_carriers import CALL, SILENCE, say, told


def test_chan_websocket_starts_in_both_formats() -> None:
    """MEDIA_START as JSON and as plain text, keys pressed likewise."""
    (start,) = told(FakeAsterisk(CALL, rate=16_000).opening())
    assert (start["event"], start["format"], start["optimal_frame_size"], start["ptime"]) == (
        "MEDIA_START",
        "slin16",
        640,
        20,
    )
    assert start["channel_variables"] == {"k": "v"}
    plain = FakeAsterisk(CALL, format="plain")
    (text,) = plain.opening()
    assert isinstance(text, str)
    assert text.startswith("MEDIA_START connection_id:bot channel:WebSocket/bot/0x")
    assert text.endswith("format:slin optimal_frame_size:320 ptime:20")
    assert str(plain.press("1")[0]).startswith("DTMF_END digit:1 channel_id:")


def test_chan_websocket_has_ulaw_too() -> None:
    """A byte a sample, both ways."""
    carrier = FakeUlawAsterisk(CALL)
    (start,) = told(carrier.opening())
    assert (start["format"], start["optimal_frame_size"]) == ("ulaw", 160)
    assert len(carrier.payload(SILENCE)) == 160
    carrier.receive(bytes(330), 0.0)
    assert carrier.playback.received == pytest.approx(0.04)
    say(carrier, 0.0, command="ANSWER")
    assert carrier.answers == 1


@pytest.mark.parametrize("format", ["json", "plain"])
def test_chan_websocket_forgets_marks_at_a_flush_and_reports_the_empty_queue(format: str) -> None:
    """Marks are answered when their sound left the queue, never after a flush; QUEUE_DRAINED comes where asked for."""
    carrier = make_carrier("asterisk", CALL, format="plain" if format == "plain" else "json")

    def command(name: str, **more: str) -> str:
        return " ".join([name, *more.values()]) if format == "plain" else json.dumps({"command": name, **more})

    def events(messages: list[Message]) -> list[str]:
        return [str(message).split()[0] if format == "plain" else json.loads(message)["event"] for message in messages]

    carrier.receive(bytes(3200), 0.0)
    assert carrier.receive(command("MARK_MEDIA", correlation_id="a"), 0.0) == []
    assert events(carrier.due(0.2)) == ["MEDIA_MARK_PROCESSED"]
    carrier.receive(bytes(16000), 1.0)
    carrier.receive(command("MARK_MEDIA", correlation_id="b"), 1.0)
    assert carrier.receive(command("REPORT_QUEUE_DRAINED"), 1.1) == []
    assert events(carrier.receive(command("FLUSH_MEDIA"), 1.1)) == ["QUEUE_DRAINED"]
    assert carrier.due(10.0) == []
    carrier.receive(command("HANGUP"), 11.0)
    assert carrier.hung_up


def test_chan_websocket_drops_what_fills_no_frame_and_ignores_long_text() -> None:
    """330 bytes are one frame of 320; while buffering the rest is kept; text over 128 bytes is not read."""
    carrier = FakeAsterisk(CALL)
    carrier.receive(bytes(330), 0.0)
    assert carrier.playback.received == pytest.approx(0.02)
    say(carrier, 0.0, command="START_MEDIA_BUFFERING")
    carrier.receive(bytes(330), 0.0)
    carrier.receive(bytes(310), 0.0)
    assert carrier.playback.received == pytest.approx(0.06)
    say(carrier, 0.0, command="HANGUP", correlation_id="x" * 128)
    assert not carrier.hung_up
    assert carrier.complaints.total() == 2
    carrier.receive(bytes(65_501), 0.0)
    assert carrier.dropped.startswith("1009")


def test_chan_websocket_asks_to_wait_at_900_frames_and_to_go_on_below_800() -> None:
    """MEDIA_XOFF once when the queue is that long, MEDIA_XON once when it is short again; 1000 frames are the most."""
    carrier = FakeAsterisk(CALL)
    events = [each["event"] for _ in range(12) for each in told(carrier.receive(bytes(320 * 100), 0.0))]
    assert events == ["MEDIA_XOFF"]
    assert carrier.playback.dropped == pytest.approx(4.0)
    assert carrier.due(3.9) == []
    assert [each["event"] for each in told(carrier.due(4.1))] == ["MEDIA_XON"]


def test_audiosocket_frames_are_kind_length_payload() -> None:
    """The UUID first, big-endian lengths, one byte for a key."""
    carrier = FakeAudioSocket(CALL)
    assert carrier.opening() == [b"\x01\x00\x10" + bytes.fromhex(CALL.call)]
    assert carrier.media(carrier.payload(SILENCE)) == [b"\x10\x01\x40" + SILENCE]
    assert carrier.press("5") == [b"\x03\x00\x015"]


def test_audiosocket_reads_its_stream_in_any_pieces_and_hangs_up_on_request() -> None:
    """Byte by byte is as good as at once; a short frame is as good as a whole one; 00 00 00 ends the call."""
    carrier = FakeAudioSocket(CALL)
    stream = b"\x10\x01\x40" + SILENCE + b"\x12\x00\x1e" + bytes(30) + b"\x00\x00\x00"
    for place in range(len(stream)):
        carrier.receive(stream[place : place + 1], 0.0001 * place)
    assert carrier.playback.received == pytest.approx(0.02 + 15 / 16_000)
    assert carrier.hung_up
    assert not carrier.dropped


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([(b"\x01\x00\x01a", 0.0)], "kind 0x01"),
        ([(b"\x10\x00\x00", 0.0)], "without a byte"),
        ([(b"\x10\x01\x40", 0.0), (SILENCE, 0.15)], "came apart"),
    ],
)
def test_audiosocket_drops_the_call_at_the_first_mistake(pieces: list[tuple[bytes, float]], reason: str) -> None:
    """Another kind, no sound in a frame, a header 100 ms before its payload."""
    carrier = FakeAudioSocket(CALL)
    for piece, at in pieces:
        carrier.receive(piece, at)
    assert reason in carrier.dropped


def test_audiosocket_drops_a_call_on_which_nothing_goes_either_way_for_two_seconds() -> None:
    """On a channel that sends no silence; a frame from either side keeps it for two more."""
    carrier = FakeAudioSocket(CALL)
    carrier.sparse = True
    carrier.due(10.0)
    assert carrier.media(carrier.payload(SILENCE)) == []
    carrier.due(11.9)
    carrier.receive(b"\x10\x01\x40" + SILENCE, 11.9)
    carrier.due(13.8)
    assert carrier.media(carrier.payload(b"\0\x20" * 160))
    carrier.due(15.8)
    assert not carrier.dropped
    carrier.due(15.9)
    assert "2000 ms" in carrier.dropped


def test_audiosocket_drops_a_call_whose_payload_does_not_follow_its_header() -> None:
    """Without waiting for it."""
    carrier = FakeAudioSocket(CALL)
    carrier.receive(b"\x10\x01\x40", 1.0)
    carrier.due(1.05)
    assert not carrier.dropped
    carrier.due(1.15)
    assert "came apart" in carrier.dropped


async def test_our_leg_keeps_asterisks_line(autojump_clock: MockClock) -> None:
    """A caller and a bot that say nothing for ten seconds, then a bot that says more than any queue of Asterisk's
    holds: neither drops the call, and all is heard."""
    carrier = FakeAudioSocket(CALL)
    carrier.sparse = True
    ours, theirs = memory_stream_pair()

    async def listen() -> None:
        while data := await theirs.receive_some():
            carrier.receive(bytes(data), trio.current_time())

    async def tick() -> None:
        while not carrier.dropped:
            carrier.due(trio.current_time())
            await trio.sleep(0.02)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        nursery.start_soon(tick)
        for message in carrier.opening():
            assert isinstance(message, bytes)
            await theirs.send_all(message)
        async with open_clock_leg(ours, AudioSocketCodec(), options=LegOptions(), now=trio.current_time) as leg:
            await trio.sleep(10)
            for _ in range(30):
                await leg.write(b"\0\x20" * 800)
            await trio.sleep(4)
        nursery.cancel_scope.cancel()
    assert not carrier.dropped
    assert carrier.playback.dropped == 0
    assert sum(end - start for start, end in carrier.playback.sounds) == pytest.approx(3.0, abs=0.02)
