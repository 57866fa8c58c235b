"""Decides what Twilio's Media Streams messages mean and how they are written; who dials and when is not its affair.

Wire: twilio.com/docs/voice/media-streams/websocket-messages. Twilio knows three messages, and anything else it gets is
its error 31924: nothing may be added to them.
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
    section,
    sound_format,
    texts,
)
from orchestrator.ports import CallFacts, MarksAfterClear, WireMessage

_MULAW = SoundFormat(8000, "ulaw")
"""The only format that Twilio has."""


class TwilioCodec(JsonMediaCodec):
    """One call over Twilio's Media Streams: implements ports.CarrierCodec.

    Its start does not say who calls whom: custom parameters `caller` and `called` do, which our own TwiML gives.
    Closing the connection lets Twilio go on with the TwiML behind `<Connect>`: with none there, the call ends.
    """

    name = "twilio"
    marks_after_clear = MarksAfterClear.RETURNED

    def __init__(self) -> None:
        super().__init__(_MULAW)

    def mark(self, name: str) -> Sequence[WireMessage]:
        """Return the message that asks for MarkBack(name)."""
        return (f'{{"event":"mark","streamSid":{self._stream},"mark":{{"name":{json.dumps(name)}}}}}',)

    def clear(self) -> Sequence[WireMessage]:
        """Return the message that empties Twilio's buffer: all marks that are outstanding come back."""
        return (f'{{"event":"clear","streamSid":{self._stream}}}',)

    def _read_start(self, fields: Fields) -> CallFacts:
        start = section(fields, "start")
        told = section(start, "mediaFormat")
        self._sound = sound_format(told.get("encoding"), told.get("sampleRate"), otherwise=_MULAW)
        self._stream = json.dumps(identifier(start, "streamSid"))
        self._before = f'{{"event":"media","streamSid":{self._stream},"media":{{"payload":"'
        given = texts(section(start, "customParameters"))
        return facts_told(identifier(start, "callSid"), given, leg=self.name)
