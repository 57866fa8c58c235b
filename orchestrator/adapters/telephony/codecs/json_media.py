"""What carriers' codecs have in common whose messages are JSON with sound in base64: formats, envelopes, events.

It decides nothing about one carrier: what its fields are called and what it wants is in its own file.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from orchestrator import g711
from orchestrator.audio import SAMPLE_BYTES
from orchestrator.errors import CarrierFault
from orchestrator.ports import Answered, CallFacts, CarrierEvent, Complaint, Ended, Key, MarkBack, Media, WireMessage

Fields = Mapping[str, Any]
"""One object of JSON, as it came: nothing about its values is known."""

CALLER, CALLED = "caller", "called"
"""The custom parameters by which our own webhook tells who calls whom, for carriers whose stream does not."""
UNLIMITED_MARKS = 1000
"""For carriers that document no limit; a leg has eight on their way as a rule."""

_NOTHING: Fields = {}
_LONGEST_TEXT = 500
_SLOWEST, _FASTEST = 8000, 48_000
_OUR_MARK = re.compile(r"[A-Za-z0-9_-]{1,40}")
_KEYS = frozenset("0123456789*#ABCD")
_OUTBOUND = ("outbound", "outbound_track")
_COMPLAINTS = ("code", "title", "detail", "message", "reason")
_LAWS: Mapping[str, g711.Law | None] = {
    **dict.fromkeys(("audio/x-mulaw", "audio/mulaw", "audio/pcmu", "mulaw", "ulaw", "pcmu"), "ulaw"),
    **dict.fromkeys(("audio/x-alaw", "audio/alaw", "audio/pcma", "alaw", "pcma"), "alaw"),
    **dict.fromkeys(("audio/x-l16", "audio/l16", "audio/x-raw", "audio/pcm", "l16", "raw", "slin", "pcm"), None),
}


# --- reading what may be anything ---


def parse(message: WireMessage) -> Fields:
    """Return the object that a text message is. Raises CarrierFault."""
    if not isinstance(message, str):
        raise CarrierFault("the carrier sent a binary message where JSON was due")
    try:
        fields = json.loads(message)
    except (ValueError, RecursionError):
        raise CarrierFault("the carrier sent a message that is no JSON") from None
    if not isinstance(fields, dict):
        raise CarrierFault("the carrier sent JSON that is no object")
    return fields


def section(fields: Fields, key: str) -> Fields:
    """Return the object under `key`, an empty one if there is none."""
    value = fields.get(key)
    return value if isinstance(value, dict) else _NOTHING


def plain(value: object) -> str:
    """Return a text, number or truth value as text of at most 500 characters that can be stored; else nothing."""
    if isinstance(value, int | float):
        value = json.dumps(value)
    return value[:_LONGEST_TEXT].encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def texts(fields: Fields) -> dict[str, str]:
    """Return those custom parameters that are texts, numbers or truth values, as text."""
    return {plain(key): plain(value) for key, value in fields.items() if isinstance(value, str | int | float)}


def identifier(fields: Fields, key: str) -> str:
    """Return the name of a call or a stream. Raises CarrierFault if there is none that can be shown."""
    value = fields.get(key)
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _LONGEST_TEXT:
        raise CarrierFault(f"the carrier's start has no {key}")
    return value


def number(value: object) -> int | None:
    """Return a whole number of at most 18 digits that came as a number or as digits, None for anything else."""
    if isinstance(value, str):
        return int(value) if len(value) <= 18 and value.isascii() and value.isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**18:
        return None
    return int(value)


def keys_pressed(digits: object) -> Sequence[Key]:
    """Return the keys that a text or a whole number names, in order; what no phone has is left out."""
    told = plain(digits) if isinstance(digits, str | int) and not isinstance(digits, bool) else ""
    return [Key(digit) for digit in told.upper() if digit in _KEYS]


def facts_told(call: str, parameters: Mapping[str, str], *, leg: str) -> CallFacts:
    """Return what is known of a call whose stream does not say who calls whom: our own parameters do."""
    caller, called = parameters.get(CALLER, ""), parameters.get(CALLED, "")
    return CallFacts(call, caller=caller, called=called, leg=leg, parameters=parameters)


def marks_back(name: object) -> Sequence[CarrierEvent]:
    """Return the MarkBack of a mark's name; nothing for a name that we never gave."""
    return (MarkBack(name),) if isinstance(name, str) and _OUR_MARK.fullmatch(name) else ()


# --- sound ---


@frozen
class SoundFormat:
    """How a carrier writes sound: samples a second, and the law of G.711 or None for L16 (little endian)."""

    rate: int = 8000
    law: g711.Law | None = "ulaw"

    @property
    def sample_bytes(self) -> int:
        """Return how many bytes a sample has on the wire."""
        return 1 if self.law else SAMPLE_BYTES

    def pack(self, pcm: bytes) -> bytes:
        """Return `pcm` as the carrier has it."""
        return g711.encode(pcm, self.law) if self.law else pcm

    def unpack(self, payload: object) -> bytes:
        """Return the PCM in a payload of base64, a missing padding forgiven; nothing if it is none."""
        if not isinstance(payload, str):
            return b""
        try:
            data = a2b_base64(payload)
        except ValueError:
            data = _unpadded(payload)
        if self.law:
            return g711.decode(data, self.law)
        return data[: len(data) - len(data) % SAMPLE_BYTES]


def _unpadded(payload: str) -> bytes:
    try:
        return a2b_base64(payload + "==")
    except ValueError:
        return b""


def sound_format(encoding: object, rate: object, *, otherwise: SoundFormat) -> SoundFormat:
    """Return the format that a start tells, parts that it leaves out as in `otherwise`.

    Raises CarrierFault for an encoding that is none of G.711 and L16, and for a useless rate.
    """
    name = plain(encoding).partition(";")[0].strip().lower()
    if name and name not in _LAWS:
        raise CarrierFault(f"the carrier streams {name[:40]!a}; it must be set to G.711 (PCMU, PCMA) or L16")
    told = number(rate)
    samples = otherwise.rate if told is None else told
    if not _SLOWEST <= samples <= _FASTEST:
        raise CarrierFault(f"the carrier streams {samples} samples a second; {_SLOWEST} to {_FASTEST} would do")
    return SoundFormat(samples, _LAWS[name] if name else otherwise.law)


# --- the codecs' common part ---


class JsonMediaCodec(ABC):
    """One call of a carrier that sends `start`, `media`, `dtmf`, `mark` and `stop`: implements ports.CarrierCodec.

    A carrier's own file reads the start and writes marks and clears.
    """

    name: str
    subprotocols: Sequence[str] = ()
    most_marks: int = UNLIMITED_MARKS

    def __init__(self, sound: SoundFormat) -> None:
        self._sound = sound
        self.rate = sound.rate
        self._stream = ""
        """The stream's name as JSON writes it."""
        self._before = ""
        """What comes before the payload of an outgoing message."""
        self._started = False

    @property
    def keeps(self) -> float:
        """Seconds of sound that may be kept back: none."""
        return 0.0

    def receive(self, message: WireMessage) -> Sequence[CarrierEvent]:
        """Return what a message means; nothing for one that is unknown or before the start. Raises CarrierFault."""
        fields = parse(message)
        event = fields.get("event")
        if not self._started:
            return self._begin(fields) if event == "start" else self._end(fields) if event == "stop" else ()
        if event == "media":
            return self._sound_in(section(fields, "media"))
        if event == "dtmf":
            return keys_pressed(section(fields, "dtmf").get("digit"))
        if event == "stop":
            return self._end(fields)
        return self._word(event, fields)

    def media(self, pcm: bytes) -> Sequence[WireMessage]:
        """Return the message that carries sound."""
        return (self._message(self._sound.pack(pcm)),) if pcm else ()

    def fill(self) -> Sequence[WireMessage]:
        """Return nothing: nothing is kept."""
        return ()

    @abstractmethod
    def mark(self, name: str) -> Sequence[WireMessage]:
        """Return the message that asks for MarkBack(name)."""

    @abstractmethod
    def clear(self) -> Sequence[WireMessage]:
        """Return the message that empties the carrier's buffer."""

    def hang_up(self) -> Sequence[WireMessage]:
        """Return nothing: closing the connection ends the stream, and the call only by what comes after it."""
        return ()

    def transfer(self, to: str) -> Sequence[WireMessage] | None:
        """Return None: only the carrier's REST API can."""
        return None

    # --- for the carrier's own file ---

    @abstractmethod
    def _read_start(self, fields: Fields) -> CallFacts:
        """Take the names and the format of a stream, and what comes before a payload. Raises CarrierFault."""

    def _word(self, event: object, fields: Fields) -> Sequence[CarrierEvent]:
        """Return what any other message means."""
        if event == "mark":
            return marks_back(section(fields, "mark").get("name"))
        if event == "error":
            return (_complaint(fields),)
        return ()

    def _at(self, media: Fields) -> float | None:
        """Return the media timestamp in seconds."""
        at = number(media.get("timestamp"))
        return None if at is None else at / 1000

    def _sound_in(self, media: Fields) -> Sequence[CarrierEvent]:
        """Return the caller's sound; what goes to the caller may come back as well and is nothing."""
        if media.get("track") in _OUTBOUND:
            return ()
        pcm = self._sound.unpack(media.get("payload"))
        return (Media(pcm, self._at(media)),) if pcm else ()

    def _end(self, fields: Fields) -> Sequence[CarrierEvent]:
        return (Ended(plain(section(fields, "stop").get("reason"))),)

    def _message(self, data: bytes) -> WireMessage:
        return f'{self._before}{b2a_base64(data, newline=False).decode("ascii")}"}}}}'

    def _begin(self, fields: Fields) -> Sequence[CarrierEvent]:
        facts = self._read_start(fields)
        self.rate = self._sound.rate
        self._started = True
        return (Answered(facts),)


def _complaint(fields: Fields) -> Complaint:
    """Return what an error says: no carrier documents where, so that the usual fields are looked for."""
    told = section(fields, "payload") or section(fields, "error") or fields
    return Complaint("; ".join(filter(None, (plain(told.get(key)) for key in _COMPLAINTS))))
