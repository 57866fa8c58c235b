"""Exotel's Voicebot from Exotel's side: raw PCM by 100 ms, strings for numbers, no marks on clear."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from simulations.carriers.carrier import Call, MakesPlayback, Message, Payload
from simulations.carriers.numbered import NumberedCarrier
from simulations.carriers.playback import Playback

_FRAMES = 5
"""Of 20 ms each, in one message."""
_LEAST, _MOST, _STEP = 3200, 100_000, 320
"""Bytes that a message of the bot's may hold, and what they are a multiple of."""


class FakeExotel(NumberedCarrier):
    """One call of a Voicebot applet. Whether marks return on a clear is not known: here they don't."""

    name = "exotel"
    stream_key = "stream_sid"
    marks_return = False
    rates = (8000, 16_000, 24_000)
    law = False
    as_text = False  # five frames make one message: they are turned into base64 together

    def __init__(self, call: Call, *, rate: int | None = None, playback: MakesPlayback = Playback) -> None:
        super().__init__(call, rate=rate, playback=playback)
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
        return [json.dumps({"event": "connected"}), self.numbered("start", start=start)]

    def media(self, payload: Payload) -> list[Message]:
        """Return a `media` message for every fifth frame."""
        assert isinstance(payload, bytes)
        self._frames.append(payload)
        if len(self._frames) < _FRAMES:
            return []
        timestamp, self._chunk = 100 * self._chunk, self._chunk + 1
        data = b64encode(b"".join(self._frames)).decode()
        self._frames.clear()
        return [self.numbered("media", media={"chunk": str(self._chunk), "timestamp": str(timestamp), "payload": data})]

    def press(self, digit: str) -> list[Message]:
        """Return one `dtmf` message."""
        return [self.numbered("dtmf", dtmf={"digit": digit, "duration": "100"})]

    def stop(self) -> list[Message]:
        """Return `stop`."""
        stop = {"call_sid": self.call.call, "account_sid": self.call.account, "reason": "callended"}
        return [self.numbered("stop", stop=stop)]

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in `media`, `mark` or `clear`."""
        if said.get("stream_sid") != self.stream:
            self.complain("no or another stream_sid")
            return []
        return super().take(said, now)

    def check_size(self, size: int) -> None:
        """Complain of messages that would leave gaps."""
        if not _LEAST <= size <= _MOST or size % _STEP:
            self.complain("a message must hold 3200 to 100000 bytes, a multiple of 320")
