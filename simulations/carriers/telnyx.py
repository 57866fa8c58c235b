"""Telnyx media streaming from Telnyx's side (mode rtp): snake_case, marks return on clear."""

from __future__ import annotations

import json

from simulations.carriers.carrier import Message, Payload
from simulations.carriers.numbered import NumberedCarrier

_LONGEST = 30.0
"""Seconds that one message may hold; the shortest is 20 ms."""


class FakeTelnyx(NumberedCarrier):
    """One call with `stream_bidirectional_mode` rtp and PCMU."""

    name = "telnyx"
    stream_key = "stream_id"

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
        return [json.dumps({"event": "connected", "version": "1.0.0"}), self.numbered("start", start=start)]

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
        return [self.numbered("dtmf", dtmf={"digit": digit})]

    def stop(self) -> list[Message]:
        """Return `stop`."""
        stop = {"user_id": self.call.account, "call_control_id": f"v3:{self.call.call}"}
        return [self.numbered("stop", stop=stop)]

    def check_size(self, size: int) -> None:
        """Complain of messages that are too short or too long."""
        if not 0.02 <= size / self.rate <= _LONGEST:
            self.complain("a message must hold 20 ms to 30 s")
