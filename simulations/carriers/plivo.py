"""Plivo audio streaming from Plivo's side: no `connected`, real numbers, checkpoints that a clear drops, no `stop`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from simulations.carriers.carrier import Call, Carrier, MakesPlayback, Message, Payload, text_of
from simulations.carriers.playback import Playback


class FakePlivo(Carrier):
    """One call over `<Stream bidirectional="true" contentType="audio/x-mulaw;rate=8000">`."""

    name = "plivo"
    encoding = "audio/x-mulaw"

    def __init__(self, call: Call, *, rate: int | None = None, playback: MakesPlayback = Playback) -> None:
        super().__init__(call, rate=rate, playback=playback)
        self._sequence = 0
        self._chunk = 0
        self.hand_over(call.parameters)

    def hand_over(self, parameters: Mapping[str, str]) -> None:
        """Take them; they go with every message."""
        super().hand_over(parameters)
        self._headers = ";".join(f"{key}={value}" for key, value in parameters.items())

    def opening(self) -> list[Message]:
        """Return `start`."""
        start = {
            "callId": self.call.call,
            "streamId": self.call.stream,
            "accountId": self.call.account,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": self.encoding, "sampleRate": self.rate},
        }
        self._sequence += 1
        told = {"event": "start", "sequenceNumber": self._sequence, "start": start, "extra_headers": self._headers}
        return [json.dumps(told)]

    def media(self, payload: Payload) -> list[Message]:
        """Return one `media` message: sequence number and chunk are numbers, the timestamp is a string."""
        assert isinstance(payload, str)
        self._sequence += 1
        timestamp, self._chunk = 20 * self._chunk, self._chunk + 1
        what = f'"track":"inbound","timestamp":"{timestamp}","chunk":{self._chunk},"payload":"{payload}"'
        head = f'{{"event":"media","sequenceNumber":{self._sequence},"streamId":"{self.call.stream}"'
        return [f'{head},"media":{{{what}}},"extra_headers":{json.dumps(self._headers)}}}']

    def press(self, digit: str) -> list[Message]:
        """Return one `dtmf` message."""
        dtmf = {"track": "inbound", "digit": digit, "timestamp": str(20 * self._chunk)}
        return [self._numbered("dtmf", dtmf=dtmf)]

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in `playAudio`, `checkpoint`, `clearAudio` or `sendDTMF`."""
        match said:
            case {"event": "playAudio", "media": {"contentType": kind, "sampleRate": rate, "payload": payload}}:
                if (kind, rate) != (self.encoding, self.rate):
                    self.complain(f"sound must be {self.encoding} at {self.rate}")
                else:
                    self.hear(payload, now)
            case {"event": "checkpoint", "streamId": self.call.stream, "name": str(name)}:
                self.playback.mark(name, now)
                return self.due(now)
            case {"event": "clearAudio", "streamId": self.call.stream}:
                self.playback.clear(now)  # its checkpoints are not acknowledged
                return [self._numbered("clearedAudio")]
            case {"event": "sendDTMF"}:
                pass
            case _:
                self.complain(f"event {text_of(said, 'event')} unknown, incomplete or for another stream")
        return []

    def mark_back(self, name: str, *, cleared: bool = False) -> list[Message]:
        """Return `playedStream`."""
        return [self._numbered("playedStream", name=name)]

    def _numbered(self, event: str, **what: Any) -> str:
        self._sequence += 1
        told = {"event": event, "sequenceNumber": self._sequence, "streamId": self.call.stream, **what}
        return json.dumps(told, separators=(",", ":"))
