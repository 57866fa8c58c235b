"""Decides what Telnyx's media streaming messages mean and how they are written; who dials is not its affair.

Wire: developers.telnyx.com, media streaming over WebSockets, in `rtp` mode (in its default, `mp3`, Telnyx plays nothing
of what is sent here). Telnyx promises no order: sound is put back in order by its chunk numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from orchestrator.adapters.telephony.codecs.json_media import (
    Fields,
    SoundFormat,
    identifier,
    number,
    plain,
    section,
    sound_format,
    texts,
)
from orchestrator.adapters.telephony.codecs.portions import PortionedCodec, PortionSizes
from orchestrator.ports import CallFacts, CarrierEvent, MarksAfterClear, Media, WireMessage

_HELD = 5
"""Chunks (0.1 s) that wait for one that is missing; then it is given up."""
_RESTART = 100
"""A chunk so many before its turn is not late: the count began anew."""
_UNKNOWN = -1
"""No chunk has come that would tell which is next."""
_LEAST, _MOST = 0.02, 29.0
"""Seconds that Telnyx takes in one message (it says 20 ms to 30 s)."""


class TelnyxCodec(PortionedCodec):
    """One call over Telnyx's media streaming: implements ports.CarrierCodec. `rate` holds if the start tells none.

    What is sent is in the format of what comes: `stream_codec` and `stream_bidirectional_codec` must be the same. The
    facts' id is the call_control_id, by which the REST API knows the call.
    """

    name = "telnyx"
    marks_after_clear = MarksAfterClear.RETURNED

    def __init__(self, *, rate: int = 8000) -> None:
        super().__init__(SoundFormat(rate, "ulaw"), _sizes(rate, 1))
        self._before = '{"event":"media","media":{"payload":"'
        self._order = ChunkOrder()

    def _read_start(self, fields: Fields) -> CallFacts:
        start = section(fields, "start")
        told = section(start, "media_format")
        self._sound = sound_format(told.get("encoding"), told.get("sample_rate"), otherwise=self._sound)
        self._resize(_sizes(self._sound.rate, self._sound.sample_bytes))
        return CallFacts(
            identifier(start, "call_control_id"),
            caller=plain(start.get("from")),
            called=plain(start.get("to")),
            leg=self.name,
            parameters=texts(section(start, "custom_parameters")),
        )

    def _sound_in(self, media: Fields) -> Sequence[CarrierEvent]:
        heard = super()._sound_in(media)
        chunk = number(media.get("chunk"))
        if chunk is None:
            return heard
        if not heard:  # of the other track, or empty
            self._order.skip(chunk)
        return [event for piece in heard if isinstance(piece, Media) for event in self._order.take(chunk, piece)]

    def _end(self, fields: Fields) -> Sequence[CarrierEvent]:
        return [*self._order.rest(), *super()._end(fields)]

    def _mark(self, name: str) -> WireMessage:
        return f'{{"event":"mark","mark":{{"name":{json.dumps(name)}}}}}'

    def _clear(self) -> WireMessage:
        return '{"event":"clear"}'


def _sizes(rate: int, sample_bytes: int) -> PortionSizes:
    second = rate * sample_bytes
    return PortionSizes(least=round(_LEAST * rate) * sample_bytes, step=sample_bytes, most=round(_MOST * second))


class ChunkOrder:
    """Puts numbered sound back in order: what comes too early waits for what is missing, but never long.

    Whether Telnyx counts its two tracks together or each by itself is not documented: what comes in order is lost with
    neither. With the latter, sound that comes late is lost where the other track had a chunk of its number meanwhile.
    """

    def __init__(self) -> None:
        self._next = _UNKNOWN
        self._waiting: dict[int, Media] = {}
        self._silent: set[int] = set()
        """Chunks that came without sound of the caller: where only they are missing, nothing waits."""

    def skip(self, chunk: int) -> None:
        """Take note that the chunk of that number has nothing to be heard."""
        if self._next <= chunk < self._next + _RESTART:
            self._silent.add(chunk)

    def take(self, chunk: int, media: Media) -> list[Media]:
        """Take the sound numbered `chunk`; return what can be heard now, in order. What comes too late is dropped."""
        if self._next == _UNKNOWN or chunk < self._next - _RESTART:
            self._next = chunk
            self._waiting.clear()
            self._silent.clear()
        if chunk >= self._next:
            self._waiting[chunk] = media
        if len(self._waiting) > _HELD:
            self._next = min(self._waiting)
        return self._in_turn()

    def rest(self) -> list[Media]:
        """Return what is still waiting, in order."""
        rest = [media for _, media in sorted(self._waiting.items())]
        self._waiting.clear()
        return rest

    def _in_turn(self) -> list[Media]:
        heard = []
        while self._waiting and (self._next in self._waiting or self._next in self._silent):
            if (media := self._waiting.pop(self._next, None)) is not None:
                heard.append(media)
            self._next += 1
        self._silent = {chunk for chunk in self._silent if chunk >= self._next}
        return heard
