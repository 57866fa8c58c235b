"""Decides how a call reads and writes Vonage's Voice WebSocket: L16 in binary, events and actions in JSON.

Formats: Vonage's guide to Voice WebSockets. The socket carries the mix of the conversation, and its buffer holds 3072
messages (a minute); what comes beyond is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from orchestrator.adapters.telephony.codecs.fields import facts_of, rate_of
from orchestrator.adapters.telephony.codecs.frames import KEPT_SECONDS, Frames, cut, frame_bytes, whole_samples
from orchestrator.adapters.telephony.codecs.json_media import (
    Fields,
    keys_pressed,
    marks_back,
    parse,
    plain,
    section,
    texts,
)
from orchestrator.errors import CarrierFault
from orchestrator.ports import Answered, CarrierEvent, Emptied, MarksAfterClear, Media, WireMessage

_IDS = ("call", "uuid", "call_uuid", "conversation_uuid")
"""What may name the call: Vonage itself sends nothing but the headers of the NCCO, so our answer has to set one."""
_OF_THE_WIRE = ("event", "content-type")
_L16 = "audio/l16"


class VonageCodec:
    """One call's Vonage wire: implements ports.CarrierCodec. Every message of sound is one frame of 20 ms.

    The facts of the call are the `headers` of the NCCO, flat in the first message: `call`, `from` and `to` have a
    meaning, all are parameters. A mark before whose sound part of a frame is still kept comes back up to 20 ms early.
    """

    name = "vonage"
    subprotocols: Sequence[str] = ()
    marks_after_clear = MarksAfterClear.UNKNOWN
    keeps = KEPT_SECONDS
    most_marks = 1000
    """Nothing is said of a limit: as many as a minute of sound will ever have."""

    def __init__(self, *, rate: int = 16_000, query: Mapping[str, str] | None = None) -> None:
        self.rate = rate
        self._query = dict(query or {})
        self._frames = Frames(frame_bytes(rate))
        self._answered = False

    def receive(self, message: WireMessage) -> Sequence[CarrierEvent]:
        """Return what a message means. Raises CarrierFault for what is no JSON object, or no L16."""
        if isinstance(message, bytes):
            pcm = whole_samples(message)
            return [Media(pcm)] if pcm and self._answered else ()
        given = parse(message)
        match given.get("event"):
            case "websocket:connected":
                return self._connected(given)
            case "websocket:dtmf":
                # Some versions have the digit one level deeper.
                return keys_pressed(given.get("digit")) or keys_pressed(section(given, "dtmf").get("digit"))
            case "websocket:notify":
                return marks_back(section(given, "payload").get("mark"))
            case "websocket:cleared":
                return [Emptied()]
        return ()

    def _connected(self, given: Fields) -> Sequence[CarrierEvent]:
        if self._answered:
            return ()
        kind, *told = (part.strip() for part in plain(given.get("content-type")).lower().split(";"))
        if kind not in (_L16, ""):
            raise CarrierFault(f"Vonage sends {kind!r}: the NCCO must ask for audio/l16;rate=16000")
        rate = next((part.removeprefix("rate=") for part in told if part.startswith("rate=")), "")
        self.rate = rate_of(rate, otherwise=self.rate)
        self._frames = Frames(frame_bytes(self.rate))
        self._answered = True
        headers = {name: value for name, value in texts(given).items() if name not in _OF_THE_WIRE}
        return [Answered(facts_of(self.name, self._query | headers, ids=_IDS))]

    def media(self, pcm: bytes) -> Sequence[WireMessage]:
        """Return one message for each whole frame of 20 ms."""
        return cut(self._frames.take(pcm), self._frames.size)

    def fill(self) -> Sequence[WireMessage]:
        """Return the last frame, filled up with silence."""
        rest = self._frames.fill()
        return [rest] if rest else ()

    def mark(self, name: str) -> Sequence[WireMessage]:
        """Return the action that has the name sent back when what was sent before was played."""
        return [json.dumps({"action": "notify", "payload": {"mark": name}})]

    def clear(self) -> Sequence[WireMessage]:
        """Return the action that empties Vonage's buffer."""
        self._frames.clear()
        return ['{"action": "clear"}']

    def hang_up(self) -> Sequence[WireMessage]:
        """Return nothing: when the socket closes, the NCCO goes on, and at its end the call is over."""
        return ()

    def transfer(self, to: str) -> Sequence[WireMessage] | None:
        """Only Vonage's REST API transfers."""
        return None
