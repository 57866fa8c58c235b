"""Exotel's Voicebot from Exotel's side: raw PCM by 100 ms, strings for numbers, no marks on clear."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from simulations.carriers.carrier import Call, Carrier, MakesPlayback, Message, Payload, text_of
from simulations.carriers.playback import Playback

_FRAMES = 5
"""Of 20 ms each, in one message."""
_LEAST, _MOST, _STEP = 3200, 100_000, 320
"""Bytes that a message of the bot's may hold, and what they are a multiple of."""


class FakeExotel(Carrier):
    """One call of a Voicebot applet. Whether marks return on a clear is not known: here they don't."""

    name = "exotel"
    rates = (8000, 16_000, 24_000)
    law = False
    as_text = False  # five frames make one message: they are turned into base64 together

    def __init__(self, call: Call, *, rate: int | None = None, playback: MakesPlayback = Playback) -> None:
        super().__init__(call, rate=rate, playback=playback)
        self._sequence = 0
        self._chunk = 0
        self._frames: list[bytes] = []

    def opening(self) -> list[Message]:
        """Return `connected` and `start`."""
        start = {
            "stream_sid": self.call.stream,
            "call_sid": self.call.call,
            "account_sid": self.call.account,
            "from": self.call.caller,
            "to": self.call.called,
            "custom_parameters": dict(self.call.parameters),
            "media_format": {"encoding": "audio/x-raw", "sample_rate": str(self.rate), "bit_rate": "16"},
        }
        return [json.dumps({"event": "connected"}), self._numbered("start", start=start)]

    def media(self, payload: Payload) -> list[Message]:
        """Return a `media` message for every fifth frame."""
        assert isinstance(payload, bytes)
        self._frames.append(payload)
        if len(self._frames) < _FRAMES:
            return []
        timestamp, self._chunk = 100 * self._chunk, self._chunk + 1
        data = b64encode(b"".join(self._frames)).decode()
        self._frames.clear()
        return [
            self._numbered("media", media={"chunk": str(self._chunk), "timestamp": str(timestamp), "payload": data})
        ]

    def press(self, digit: str) -> list[Message]:
        """Return one `dtmf` message."""
        return [self._numbered("dtmf", dtmf={"digit": digit, "duration": "100"})]

    def stop(self) -> list[Message]:
        """Return `stop`."""
        stop = {"call_sid": self.call.call, "account_sid": self.call.account, "reason": "callended"}
        return [self._numbered("stop", stop=stop)]

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in `media`, `mark` or `clear`."""
        if said.get("stream_sid") != self.call.stream:
            self.complain("no or another stream_sid")
            return []
        match said:
            case {"event": "media", "media": {"payload": payload}}:
                size = self.hear(payload, now)
                if not _LEAST <= size <= _MOST or size % _STEP:
                    self.complain("a message must hold 3200 to 100000 bytes, a multiple of 320")
            case {"event": "mark", "mark": {"name": str(name)}}:
                self.playback.mark(name, now)
                return self.due(now)
            case {"event": "clear"}:
                self.playback.clear(now)
            case _:
                self.complain(f"unknown event {text_of(said, 'event')}")
        return []

    def mark_back(self, name: str, *, cleared: bool = False) -> list[Message]:
        """Return `mark`."""
        return [self._numbered("mark", mark={"name": name})]

    def _numbered(self, event: str, **what: Any) -> str:
        self._sequence += 1
        told = {"event": event, "sequence_number": str(self._sequence), "stream_sid": self.call.stream, **what}
        return json.dumps(told, separators=(",", ":"))
