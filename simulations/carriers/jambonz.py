"""jambonz' `listen` with bidirectional streaming from its side: its messages; what mod_audio_fork does is its own."""

from __future__ import annotations

import json
from typing import Any

from simulations.carriers.audio_fork import AudioFork
from simulations.carriers.carrier import Call, Carrier, MakesPlayback, Message, Payload, text_of
from simulations.carriers.playback import Playback


class FakeJambonz(Carrier):
    """One call of a `listen` verb with `streaming`, both rates equal."""

    name = "jambonz"
    subprotocols = ("audio.drachtio.org",)
    rates = (8000, 16_000, 24_000, 32_000, 48_000)
    law = False
    as_text = False
    jitter = 0.02

    def __init__(self, call: Call, *, rate: int | None = None, playback: MakesPlayback = Playback) -> None:
        super().__init__(call, rate=rate, playback=playback)
        self._fork = AudioFork(self.playback, rate=self.rate, complain=self.complain)
        self._odd = b""

    def opening(self) -> list[Message]:
        """Return the call's facts, the metadata among them."""
        told = {
            "sampleRate": self.rate,
            "mixType": "mono",
            "callSid": self.call.call,
            "callId": self.call.stream,
            "accountSid": self.call.account,
            "direction": "inbound",
            "from": self.call.caller,
            "to": self.call.called,
            "callStatus": "in-progress",
            **self.call.parameters,
        }
        return [json.dumps(told)]

    def media(self, payload: Payload) -> list[Message]:
        """Return one binary frame."""
        return [payload]

    def press(self, digit: str) -> list[Message]:
        """Return one `dtmf` message; its duration is in samples at 8 kHz."""
        return [json.dumps({"event": "dtmf", "dtmf": digit, "duration": 1600})]

    def take_bytes(self, data: bytes, now: float) -> list[Message]:
        """Play sound; an odd byte is kept for the next message."""
        data = self._odd + data
        even = len(data) // 2 * 2
        self._odd = data[even:]
        self._fork.take(data[:even], now)
        return []

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in `mark`, `killAudio`, `clearMarks`, `disconnect`, or what is for the application."""
        match said:
            case {"type": "mark", "data": {"name": str(name)}}:
                self._fork.mark(name)
            case {"type": "killAudio"}:
                self._odd = b""
                return [message for name in self._fork.clear(now) for message in self.mark_back(name, cleared=True)]
            case {"type": "disconnect"}:
                self.hung_up = True
            case {"type": "clearMarks" | "json" | "transcription" | "transfer" | "error"}:
                pass
            case _:
                self.complain(f"unknown type {text_of(said, 'type')}")
        return []

    def due(self, now: float) -> list[Message]:
        """Return marks that were reached, by a marker of their own or another -1."""
        return [message for name in self._fork.reached(now) for message in self.mark_back(name)]

    def mark_back(self, name: str, *, cleared: bool = False) -> list[Message]:
        """Return `mark`, played out or cleared."""
        return [json.dumps({"type": "mark", "data": {"name": name, "event": "cleared" if cleared else "playout"}})]
