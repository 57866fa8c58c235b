"""Asterisk's chan_websocket from Asterisk's side, in both control formats: 1000 frames of queue, whole frames only."""

from __future__ import annotations

import json
from typing import Any, Literal

from simulations.carriers.carrier import Call, Carrier, MakesPlayback, Message, Payload
from simulations.carriers.playback import Playback
from simulations.carriers.sound import from_ulaw

_XON, _XOFF, _QUEUE = 800, 900, 1000
_LONGEST_TEXT, _LONGEST_BINARY = 128, 65_500
_FORMATS = {8000: "slin", 12_000: "slin12", 16_000: "slin16", 24_000: "slin24", 48_000: "slin48"}


class FakeAsterisk(Carrier):
    """One call of `Dial(WebSocket/bot/c(slin)f(json))`, or with f(plain-text)."""

    name = "asterisk"
    subprotocols = ("media",)
    rates = tuple(_FORMATS)
    law = False
    as_text = False
    most = _QUEUE * 0.02

    def __init__(
        self,
        call: Call,
        *,
        rate: int | None = None,
        playback: MakesPlayback = Playback,
        format: Literal["json", "plain"] = "json",
    ) -> None:
        super().__init__(call, rate=rate, playback=playback)
        self._json = format == "json"
        self._channel = f"asterisk-{call.call[:10]}.1"
        self._report_drained = self._bulk = self._full = False
        self._partial = b""
        self._size = self.frame_bytes // 2 if self.law else self.frame_bytes
        self.answers = 0
        """How often the bot answered the channel."""

    def opening(self) -> list[Message]:
        """Return MEDIA_START."""
        start = {
            "connection_id": "bot",
            "channel": f"WebSocket/bot/0x{self.call.stream[:12]}",
            "channel_id": self._channel,
            "format": "ulaw" if self.law else _FORMATS.get(self.rate, "slin"),
            "optimal_frame_size": self._size,
            "ptime": 20,
        }
        if not self._json:
            return ["MEDIA_START " + " ".join(f"{key}:{value}" for key, value in start.items())]
        return [json.dumps({"event": "MEDIA_START", **start, "channel_variables": dict(self.call.parameters)})]

    def media(self, payload: Payload) -> list[Message]:
        """Return one binary frame."""
        return [payload]

    def press(self, digit: str) -> list[Message]:
        """Return DTMF_END."""
        if not self._json:
            return [f"DTMF_END digit:{digit} channel_id:{self._channel}"]
        return [self._told("DTMF_END", digit=digit)]

    def receive(self, message: Message, now: float) -> list[Message]:
        """Take in what the bot sent; a text of more than 128 bytes is ignored, as Asterisk does."""
        if isinstance(message, str):
            if len(message.encode()) > _LONGEST_TEXT:
                self.complain("text longer than 128 bytes: ignored")
                return []
            if not self._json:
                command, _, argument = message.partition(" ")
                return self.take({"command": command, "correlation_id": argument}, now)
        return super().receive(message, now)

    def take_bytes(self, data: bytes, now: float) -> list[Message]:
        """Queue whole frames; outside of buffering what fills none is lost."""
        if len(data) > _LONGEST_BINARY:
            self.dropped = "1009: a binary message of more than 65500 bytes"
            return []
        data = self._partial + data
        whole = len(data) // self._size * self._size
        if self._bulk:
            self._partial = data[whole:]
        elif whole != len(data):
            self.complain("bytes that fill no frame: dropped")
        self.play(from_ulaw(data[:whole]) if self.law else data[:whole], now)
        if not self._full and self._queued(now) >= _XOFF:
            self._full = True
            return [self._told("MEDIA_XOFF")]
        return []

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Carry out a command; an unknown one is ignored."""
        name = str(said.get("correlation_id", ""))
        match said.get("command"):
            case "MARK_MEDIA":
                self.playback.mark(f"MEDIA_MARK_PROCESSED {name}", now)
                return self.due(now)
            case "FLUSH_MEDIA":
                self.playback.clear(now)  # marks in the queue are never answered
                self._bulk, self._partial = False, b""
                return self.due(now)
            case "REPORT_QUEUE_DRAINED":
                self._report_drained = True
                return self.due(now)
            case "START_MEDIA_BUFFERING":
                self._bulk = True
            case "STOP_MEDIA_BUFFERING":
                return self._stop_buffering(name, now)
            case "GET_STATUS":
                return [self._status(now)]
            case "HANGUP":
                self.hung_up = True
            case "ANSWER":
                self.answers += 1
            case "CONTINUE_MEDIA" | "SET_MEDIA_DIRECTION":
                pass
            case other:
                self.complain(f"unknown command {other}: ignored")
        return []

    def due(self, now: float) -> list[Message]:
        """Return marks that were reached, XON when the queue is short again, QUEUE_DRAINED when that was asked for."""
        told = super().due(now)
        if self._full and self._queued(now) < _XON:
            self._full = False
            told.append(self._told("MEDIA_XON"))
        if self._report_drained and not self._queued(now):
            self._report_drained = False
            told.append(self._told("QUEUE_DRAINED"))
        return told

    def mark_back(self, name: str, *, cleared: bool = False) -> list[Message]:
        """Return what a mark in the queue stands for."""
        event, _, correlation = name.partition(" ")
        return [f"{event} {correlation}" if not self._json else self._told(event, correlation_id=correlation)]

    def _stop_buffering(self, name: str, now: float) -> list[Message]:
        self._bulk = False
        if self._partial:
            partial = from_ulaw(self._partial) if self.law else self._partial
            self.play(partial.ljust(self.frame_bytes, b"\0"), now)
            self._partial = b""
        if name:
            self.playback.mark(f"MEDIA_BUFFERING_COMPLETED {name}", now)
        return self.due(now)

    def _queued(self, now: float) -> int:
        return -int(-self.playback.buffered(now) // 0.02)

    def _status(self, now: float) -> str:
        queued = self._queued(now)
        figures = {"queue_length": queued, "xon_level": _XON, "xoff_level": _XOFF}
        flags = {"queue_full": queued >= _QUEUE, "bulk_media": self._bulk, "media_paused": False}
        if self._json:
            return self._told("STATUS", **figures, **flags)
        words = figures | {key: str(value).lower() for key, value in flags.items()}
        return "STATUS " + " ".join(f"{key}:{value}" for key, value in words.items())

    def _told(self, event: str, **what: Any) -> str:
        return json.dumps({"event": event, "channel_id": self._channel, **what}) if self._json else event


class FakeUlawAsterisk(FakeAsterisk):
    """One call with c(ulaw)."""

    rates = (8000,)
    law = True
