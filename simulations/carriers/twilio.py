"""Twilio Media Streams from Twilio's side: numbers as strings, marks that come back when played and on clear."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any

from simulations.carriers.carrier import Call, MakesPlayback, Message, Payload
from simulations.carriers.numbered import NumberedCarrier
from simulations.carriers.playback import Playback

_MINUTES_KEPT = 10


class FakeTwilio(NumberedCarrier):
    """One call over a bidirectional `<Connect><Stream>`."""

    name = "twilio"
    number_key, stream_key = "sequenceNumber", "streamSid"
    unknown_event = "31924:"
    most = 60.0 * _MINUTES_KEPT  # the rest is dropped: warning 31931

    def __init__(self, call: Call, *, rate: int | None = None, playback: MakesPlayback = Playback) -> None:
        super().__init__(call, rate=rate, playback=playback)
        self.stream = f"MZ{call.stream}"

    def opening(self) -> list[Message]:
        """Return `connected` and `start`."""
        start = {
            "accountSid": f"AC{self.call.account}",
            "streamSid": self.stream,
            "callSid": f"CA{self.call.call}",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": dict(self.call.parameters),
        }
        connected = json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        return [connected, self.numbered("start", start=start)]

    def media(self, payload: Payload) -> list[Message]:
        """Return one `media` message."""
        assert isinstance(payload, str)
        self._sequence += 1
        timestamp, self._chunk = 20 * self._chunk, self._chunk + 1
        head = f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound"'
        what = f'"chunk":"{self._chunk}","timestamp":"{timestamp}","payload":"{payload}"'
        return [f'{head},{what}}},"streamSid":"{self.stream}"}}']

    def press(self, digit: str) -> list[Message]:
        """Return one `dtmf` message."""
        return [self.numbered("dtmf", dtmf={"track": "inbound_track", "digit": digit})]

    def stop(self) -> list[Message]:
        """Return `stop`."""
        stop = {"accountSid": f"AC{self.call.account}", "callSid": f"CA{self.call.call}"}
        return [self.numbered("stop", stop=stop)]

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in `media`, `mark` or `clear`; everything else is error 31924."""
        if said.get("streamSid") != self.stream:
            self.complain("31924: no or another streamSid")
            return []
        return super().take(said, now)


def upgrade_signature(url: str, token: str) -> str:
    """Return X-Twilio-Signature of a WebSocket upgrade: HMAC-SHA1 over the public wss URL, without parameters."""
    return b64encode(hmac.new(token.encode(), url.encode(), hashlib.sha1).digest()).decode()
