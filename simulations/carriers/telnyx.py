"""Telnyx media streaming from Telnyx's side (mode rtp): snake_case, marks return on clear."""

from __future__ import annotations

import json
from typing import Any

from simulations.carriers.carrier import Call, Carrier, MakesPlayback, Message, Payload, text_of
from simulations.carriers.playback import Playback

_LONGEST = 30.0
"""Seconds that one message may hold; the shortest is 20 ms."""


class FakeTelnyx(Carrier):
    """One call with `stream_bidirectional_mode` rtp and PCMU."""

    name = "telnyx"

    def __init__(self, call: Call, *, rate: int | None = None, playback: MakesPlayback = Playback) -> None:
        super().__init__(call, rate=rate, playback=playback)
        self._sequence = 0
        self._chunk = 0

    def opening(self) -> list[Message]:
        """Return `connected` and `start`."""
        start = {
            "user_id": self.call.account,
            "call_control_id": f"v3:{self.call.call}",
            "call_session_id": self.call.call,
            "from": self.call.caller,
            "to": self.call.called,
            "tags": [],
            "client_state": "",
            "custom_parameters": dict(self.call.parameters),
            "media_format": {"encoding": "PCMU", "sample_rate": self.rate, "channels": 1},
        }
        return [json.dumps({"event": "connected", "version": "1.0.0"}), self._numbered("start", start=start)]

    def media(self, payload: Payload) -> list[Message]:
        """Return one `media` message."""
        assert isinstance(payload, str)
        self._sequence += 1
        timestamp, self._chunk = 20 * self._chunk, self._chunk + 1
        head = f'{{"event":"media","sequence_number":"{self._sequence}","media":{{"track":"inbound"'
        what = f'"chunk":"{self._chunk}","timestamp":"{timestamp}","payload":"{payload}"'
        return [f'{head},{what}}},"stream_id":"{self.call.stream}"}}']

    def press(self, digit: str) -> list[Message]:
        """Return one `dtmf` message."""
        return [self._numbered("dtmf", dtmf={"digit": digit})]

    def stop(self) -> list[Message]:
        """Return `stop`."""
        stop = {"user_id": self.call.account, "call_control_id": f"v3:{self.call.call}"}
        return [self._numbered("stop", stop=stop)]

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in `media`, `mark` or `clear`."""
        match said:
            case {"event": "media", "media": {"payload": payload}}:
                seconds = self.hear(payload, now) / self.rate
                if not 0.02 <= seconds <= _LONGEST:
                    self.complain("a message must hold 20 ms to 30 s")
            case {"event": "mark", "mark": {"name": str(name)}}:
                self.playback.mark(name, now)
                return self.due(now)
            case {"event": "clear"}:
                return [message for name in self.playback.clear(now) for message in self.mark_back(name)]
            case _:
                self.complain(f"unknown event {text_of(said, 'event')}")
        return []

    def mark_back(self, name: str, *, cleared: bool = False) -> list[Message]:
        """Return `mark`; whether it was cleared Telnyx does not say."""
        return [self._numbered("mark", mark={"name": name})]

    def _numbered(self, event: str, **what: Any) -> str:
        self._sequence += 1
        told = {"event": event, "sequence_number": str(self._sequence), "stream_id": self.call.stream, **what}
        return json.dumps(told, separators=(",", ":"))
