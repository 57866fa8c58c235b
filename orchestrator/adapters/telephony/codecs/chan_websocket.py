"""Decides how a call reads and writes Asterisk's chan_websocket, in both formats of its control messages.

Formats: channels/chan_websocket.c of Asterisk 23.4.1. Once the socket is open the wire is the same whether Asterisk
called us (`Dial(WebSocket/bot/c(slin16)f(json)v(from=...,to=...))`) or we it (`/media/<connection id>`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from orchestrator import g711
from orchestrator.adapters.telephony.codecs.fields import facts_of
from orchestrator.adapters.telephony.codecs.frames import KEPT_SECONDS, Frames, cut, frame_bytes, whole_samples
from orchestrator.adapters.telephony.codecs.json_media import (
    Fields,
    keys_pressed,
    marks_back,
    number,
    parse,
    plain,
    section,
    texts,
)
from orchestrator.audio import SAMPLE_BYTES
from orchestrator.errors import CarrierFault
from orchestrator.ports import (
    Answered,
    CarrierEvent,
    Complaint,
    Congested,
    Emptied,
    MarksAfterClear,
    Media,
    WireMessage,
)

MOST_TEXT_BYTES = 128
"""A longer text is ignored by Asterisk, with nothing but a warning in its log."""
MOST_MEDIA_BYTES = 65_500
"""A longer binary message ends the call with 1009."""
_RATES: Mapping[str, int] = {
    "ulaw": 8000,
    "alaw": 8000,
    "slin": 8000,
    "slin12": 12_000,
    "slin16": 16_000,
    "slin24": 24_000,
    "slin32": 32_000,
    "slin44": 44_100,
    "slin48": 48_000,
    "slin96": 96_000,
    "slin192": 192_000,
}
_OF_THE_CALL = ("connection_id", "channel", "channel_id")
_LAWS: Mapping[str, g711.Law] = {"ulaw": "ulaw", "alaw": "alaw"}


def _parse_plain(text: str) -> Fields:
    """Return a plain text message in the shape of a JSON one: a word, then `name:value` or one bare identifier."""
    event, _, rest = text.partition(" ")
    given: dict[str, object] = {"event": event}
    if event == "ERROR":  # its last value has spaces
        given["error_text"] = rest.partition("error_text:")[2]
        return given
    for part in rest.split():
        name, colon, value = part.partition(":")
        given[name if colon else "correlation_id"] = value if colon else part
    return given


class ChanWebSocketCodec:
    """One call's chan_websocket: implements ports.CarrierCodec.

    Only whole frames are sent, so that buffering mode is not needed: outside it Asterisk drops what fills no frame, and
    every flush would end it. `format` is what we write until Asterisk shows which one it uses, `query` the parameters
    of the URL (`v(k=v)`): `from` and `to` have a meaning, there or among the channel variables. A mark before whose
    sound part of a frame is still kept comes back up to 20 ms early.
    """

    name = "asterisk"
    subprotocols: Sequence[str] = ("media",)
    marks_after_clear = MarksAfterClear.DROPPED
    keeps = KEPT_SECONDS
    most_marks = 1000
    """No limit is known; its queue of sound has so many frames."""

    def __init__(
        self, *, format: Literal["json", "plain"] = "json", rate: int = 8000, query: Mapping[str, str] | None = None
    ) -> None:
        self.rate = rate
        self._json = format == "json"
        self._query = dict(query or {})
        self._law: g711.Law | None = None
        self._frames = Frames(frame_bytes(rate))
        self._answered = False

    def receive(self, message: WireMessage) -> Sequence[CarrierEvent]:
        """Return what a message means. Raises CarrierFault for broken JSON, or a format that we do not speak."""
        if isinstance(message, bytes):
            pcm = g711.decode(message, self._law) if self._law else whole_samples(message)
            return [Media(pcm)] if pcm and self._answered else ()
        is_json = message.lstrip().startswith("{")
        given = parse(message) if is_json else _parse_plain(message)
        if given.get("event") == "MEDIA_START":
            self._json = is_json
            return self._started(given)
        return self._meaning(given)

    def _meaning(self, given: Fields) -> Sequence[CarrierEvent]:
        match given.get("event"):
            case "MEDIA_MARK_PROCESSED":
                return marks_back(given.get("correlation_id"))
            case "DTMF_END":
                return keys_pressed(given.get("digit"))
            case "MEDIA_XOFF" | "MEDIA_XON" as event:
                return [Congested(event == "MEDIA_XOFF")]
            case "QUEUE_DRAINED":
                return [Emptied()]
            case "ERROR":
                return [Complaint(plain(given.get("error_text")) or "error")]
        return ()

    def _started(self, given: Fields) -> Sequence[CarrierEvent]:
        if self._answered:
            return ()
        sound = plain(given.get("format"))
        if sound not in _RATES:
            raise CarrierFault(f"Asterisk sends {sound!r}: ask for c(slin16), c(slin), c(ulaw) or c(alaw)")
        self.rate = _RATES[sound]
        self._law = _LAWS.get(sound)
        self._frames = Frames(frame_bytes(self.rate))
        self._check_frame(given.get("optimal_frame_size"))
        self._answered = True
        told = {name: value for name, value in texts(given).items() if name in _OF_THE_CALL}
        told = texts(section(given, "channel_variables")) | self._query | told
        return [Answered(facts_of(self.name, told, ids=("channel_id",)))]

    def _check_frame(self, size: object) -> None:
        """Take the frame that Asterisk wants, where it is not that of 20 ms."""
        if size is None:
            return
        wanted = number(size) or 0
        pcm_bytes = SAMPLE_BYTES * wanted if self._law else wanted
        if not 0 < wanted <= MOST_MEDIA_BYTES or pcm_bytes % SAMPLE_BYTES:
            raise CarrierFault(f"Asterisk wants frames of {wanted} bytes")
        self._frames = Frames(pcm_bytes)

    def media(self, pcm: bytes) -> Sequence[WireMessage]:
        """Return the whole frames in as few messages as Asterisk takes."""
        return self._messages(self._frames.take(pcm))

    def fill(self) -> Sequence[WireMessage]:
        """Return the last frame, filled up with silence."""
        return self._messages(self._frames.fill())

    def _messages(self, pcm: bytes) -> Sequence[WireMessage]:
        data = g711.encode(pcm, self._law) if self._law else pcm
        frame = self._frames.size // SAMPLE_BYTES if self._law else self._frames.size
        return cut(data, MOST_MEDIA_BYTES - MOST_MEDIA_BYTES % frame)

    def mark(self, name: str) -> Sequence[WireMessage]:
        """Return the command that has the name sent back when what was sent before left the queue."""
        return [self._command("MARK_MEDIA", name)]

    def clear(self) -> Sequence[WireMessage]:
        """Return the commands that empty the queue and have QUEUE_DRAINED sent then.

        The request for that goes first; a pause is not lifted by a flush, whatever the documentation says.
        """
        self._frames.clear()
        return [self._command(command) for command in ("REPORT_QUEUE_DRAINED", "FLUSH_MEDIA", "CONTINUE_MEDIA")]

    def answer(self) -> Sequence[WireMessage]:
        """Return the command that answers the channel; Asterisk drops it where that is answered."""
        return [self._command("ANSWER")]

    def hang_up(self) -> Sequence[WireMessage]:
        """Return the command that ends the call."""
        return [self._command("HANGUP")]

    def transfer(self, to: str) -> Sequence[WireMessage] | None:
        """Only the dialplan or ARI transfers."""
        return None

    def _command(self, command: str, identifier: str = "") -> str:
        if not self._json:
            return f"{command} {identifier}".rstrip()
        named = {"correlation_id": identifier} if identifier else {}
        return json.dumps({"command": command, **named}, separators=(",", ":"))
