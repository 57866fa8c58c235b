"""Decides what Plivo's audio streaming messages mean and how they are written; who dials and when is not its affair.

Wire: docs.plivo.com/docs/voice/xml/audiostream and the types of Plivo's own plivo-stream-sdk. Its numbers are numbers,
but its timestamps are strings of which one page says that they count from the stream's start and another from 1970.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from orchestrator.adapters.telephony.codecs.json_media import (
    Fields,
    JsonMediaCodec,
    SoundFormat,
    facts_told,
    identifier,
    marks_back,
    parse,
    section,
    sound_format,
    texts,
)
from orchestrator.errors import CarrierFault
from orchestrator.ports import CallFacts, CarrierEvent, Emptied, MarksAfterClear, WireMessage

WRAPPED = "talkingstick"
"""The extra header that carries our own parameters as hexadecimal JSON: Plivo takes letters and digits only."""
_CONTENT_TYPES = {"ulaw": "audio/x-mulaw", "alaw": "audio/x-alaw", None: "audio/x-l16"}


class PlivoCodec(JsonMediaCodec):
    """One call over a bidirectional `<Stream>` of Plivo's: implements ports.CarrierCodec.

    `rate` holds if the start tells none. Who calls whom is not in the start: it comes in our own extra header. After a
    clear Plivo says that its buffer is empty, and checkpoints that were waiting never come back.
    """

    name = "plivo"
    marks_after_clear = MarksAfterClear.DROPPED

    def __init__(self, *, rate: int = 8000) -> None:
        super().__init__(SoundFormat(rate, None))
        self._first_at: float | None = None

    def mark(self, name: str) -> Sequence[WireMessage]:
        """Return the checkpoint that comes back as `playedStream`."""
        return (f'{{"event":"checkpoint","streamId":{self._stream},"name":{json.dumps(name)}}}',)

    def clear(self) -> Sequence[WireMessage]:
        """Return the message that empties Plivo's buffer; `clearedAudio` answers it."""
        return (f'{{"event":"clearAudio","streamId":{self._stream}}}',)

    def _read_start(self, fields: Fields) -> CallFacts:
        start = section(fields, "start")
        told = section(start, "mediaFormat")
        self._sound = sound_format(told.get("encoding"), told.get("sampleRate"), otherwise=self._sound)
        self._stream = json.dumps(identifier(start, "streamId"))
        self._before = (
            f'{{"event":"playAudio","streamId":{self._stream},"media":{{"contentType":"{_CONTENT_TYPES[self._sound.law]}",'
            f'"sampleRate":{self._sound.rate},"payload":"'
        )
        given = extra_headers(fields.get("extra_headers"))
        return facts_told(identifier(start, "callId"), given, leg=self.name)

    def _word(self, event: object, fields: Fields) -> Sequence[CarrierEvent]:
        if event == "playedStream":
            return marks_back(fields.get("name"))
        return (Emptied(),) if event == "clearedAudio" else super()._word(event, fields)

    def _at(self, media: Fields) -> float | None:
        """Return the seconds since the first timestamp, whatever that counted from."""
        at = super()._at(media)
        if self._first_at is None:
            self._first_at = at
        return None if at is None or self._first_at is None else at - self._first_at


def extra_headers(written: object) -> dict[str, str]:
    """Return the parameters in `a=1;b=2` (commas as well), those that we wrapped unwrapped; {} for anything else."""
    if not isinstance(written, str):
        return {}
    pairs = (pair.partition("=") for pair in written.strip("{} ").replace(",", ";").split(";"))
    given = texts({name.strip(): value.strip() for name, _, value in pairs if name.strip()})
    try:
        ours = parse(bytes.fromhex(given.pop(WRAPPED, "")).decode())
    except (ValueError, CarrierFault):
        return given
    return given | texts(ours)
