"""Asterisk's two wires, against what was seen of Asterisk 23.4.1 and what its sources say."""

from __future__ import annotations

import json

import pytest

from simulations.carriers.asterisk import FakeAsterisk
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
