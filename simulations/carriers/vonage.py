"""A Vonage websocket endpoint from Vonage's side: binary frames of 20 ms, notify and clear, 3072 messages of buffer."""

from __future__ import annotations

import json
from typing import Any

from simulations.carriers.carrier import Carrier, Message, Payload, text_of


class FakeVonage(Carrier):
    """One call connected by NCCO. Clear is taken to cancel outstanding notifies, as one implementation says."""

    name = "vonage"
    usual_rate = 16_000
    rates = (8000, 16_000, 24_000)
    law = False
    as_text = False
    most = 3072 * 0.02

    def opening(self) -> list[Message]:
        """Return `websocket:connected`, the parameters flattened into it."""
        told = {"event": "websocket:connected", "content-type": f"audio/l16;rate={self.rate}", **self.call.parameters}
        return [json.dumps(told)]

    def media(self, payload: Payload) -> list[Message]:
        """Return one binary frame."""
        return [payload]

    def press(self, digit: str) -> list[Message]:
        """Return `websocket:dtmf`."""
        return [json.dumps({"event": "websocket:dtmf", "digit": digit, "duration": 260})]

    def take_bytes(self, data: bytes, now: float) -> list[Message]:
        """Play one frame."""
        if len(data) != self.frame_bytes:
            self.complain(f"a binary message must hold 20 ms ({self.frame_bytes} bytes)")
        self.play(data, now)
        return []

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in `notify` or `clear`."""
        match said:
            case {"action": "notify", "payload": dict(payload)}:
                self.playback.mark(json.dumps(payload), now)
                return self.due(now)
            case {"action": "clear"}:
                self.playback.clear(now)
                return [json.dumps({"event": "websocket:cleared"})]
            case _:
                self.complain(f"unknown action {text_of(said, 'action')}")
        return []

    def mark_back(self, name: str, *, cleared: bool = False) -> list[Message]:
        """Return `websocket:notify` with the payload it was asked with."""
        return [json.dumps({"event": "websocket:notify", "payload": json.loads(name)})]
