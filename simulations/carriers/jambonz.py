"""jambonz' `listen` with bidirectional streaming (mod_audio_fork) from its side: 30 marks, cleared ones are told."""

from __future__ import annotations

import json
from typing import Any

from simulations.carriers.carrier import Call, Carrier, MakesPlayback, Message, Payload, text_of
from simulations.carriers.playback import Playback

_MOST_MARKS = 30


class FakeJambonz(Carrier):
    """One call of a `listen` verb with `streaming`, both rates equal."""

    name = "jambonz"
    subprotocols = ("audio.drachtio.org",)
    rates = (8000, 16_000, 24_000, 32_000, 48_000)
    law = False
    as_text = False
    jitter = 0.08  # the module waits for so much before it plays

    def __init__(self, call: Call, *, rate: int | None = None, playback: MakesPlayback = Playback) -> None:
        super().__init__(call, rate=rate, playback=playback)
        self._marks = 0
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
        self.play(data[:even], now)
        return []

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in `mark`, `killAudio`, `clearMarks`, `disconnect`, or what is for the application."""
        match said:
            case {"type": "mark", "data": {"name": str(name)}}:
                if self._marks < _MOST_MARKS:  # more are dropped without a word
                    self._marks += 1
                    self.playback.mark(name, now)
                return self.due(now)
            case {"type": "killAudio"}:
                self._odd = b""
                names = self.playback.clear(now)
                return [message for name in names for message in self.mark_back(name, cleared=True)]
            case {"type": "disconnect"}:
                self.hung_up = True
            case {"type": "clearMarks" | "json" | "transcription" | "transfer" | "error"}:
                pass
            case _:
                self.complain(f"unknown type {text_of(said, 'type')}")
        return []

    def mark_back(self, name: str, *, cleared: bool = False) -> list[Message]:
        """Return `mark`, played out or cleared."""
        self._marks -= 1
        return [json.dumps({"type": "mark", "data": {"name": name, "event": "cleared" if cleared else "playout"}})]
