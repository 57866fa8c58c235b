"""Decides what the messages of Exotel's Voicebot applet mean and how they are written; who dials is not its affair.

Wire: developer.exotel.com/docs/agentstream/stream-voicebot-applet. Numbers come as strings or as numbers; sound is L16
unless the start says mu-law (their pages differ); sound that is not sent in whole multiples of 320 bytes has gaps.
"""

from __future__ import annotations

import json

from orchestrator.adapters.telephony.codecs.json_media import (
    Fields,
    SoundFormat,
    identifier,
    plain,
    section,
    sound_format,
    texts,
)
from orchestrator.adapters.telephony.codecs.portions import PortionedCodec, PortionSizes
from orchestrator.ports import CallFacts, MarksAfterClear, WireMessage

_SIZES = PortionSizes(least=3200, step=320, most=320 * 312)
"""As published: 3.2 to 100 KB of sound in a message, a multiple of 320 bytes."""


class ExotelCodec(PortionedCodec):
    """One call over Exotel's Voicebot applet: implements ports.CarrierCodec. `rate` holds if the start tells none.

    Closing the connection lets Exotel go on with the next applet of the flow.
    """

    name = "exotel"
    marks_after_clear = MarksAfterClear.UNKNOWN

    def __init__(self, *, rate: int = 8000) -> None:
        super().__init__(SoundFormat(rate, None), _SIZES)

    def _read_start(self, fields: Fields) -> CallFacts:
        start = section(fields, "start")
        told = section(start, "media_format")
        encoding = told.get("encoding")
        # Older streams say how the payload is written, not what it is: raw at 128 kbit/s.
        encoding = None if encoding == "base64" else encoding
        self._sound = sound_format(encoding, told.get("sample_rate"), otherwise=self._sound)
        self._stream = json.dumps(identifier(start if "stream_sid" in start else fields, "stream_sid"))
        self._before = f'{{"event":"media","stream_sid":{self._stream},"media":{{"payload":"'
        return CallFacts(
            identifier(start, "call_sid"),
            caller=plain(start.get("from")),
            called=plain(start.get("to")),
            leg=self.name,
            parameters=texts(section(start, "custom_parameters")),
        )

    def _mark(self, name: str) -> WireMessage:
        return f'{{"event":"mark","stream_sid":{self._stream},"mark":{{"name":{json.dumps(name)}}}}}'

    def _clear(self) -> WireMessage:
        return f'{{"event":"clear","stream_sid":{self._stream}}}'
