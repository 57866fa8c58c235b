"""Decides how a call reads and writes jambonz's listen and stream verbs, and FreeSWITCH's mod_audio_fork: one wire.

Formats and traps: mod_audio_fork of jambonz/freeswitch-modules (lws_glue.cpp), @jambonz/sdk. It wants
`bidirectionalAudio: {enabled: true, streaming: true, sampleRate: R}` with R the verb's own `sampleRate`: with two rates
marks go through a resampler and are lost. What its buffers do to us:

* A mark is the sample -1 in the sound: ours become 0.
* Sound waits in a pre-buffer until a threshold is there (1280 samples at first, then 640, more where the channel's rate
  is lower than ours), and killAudio does not empty it: silence pushes its contents on before a clear and at the end of
  a spurt, where they would otherwise be stuck.
* Marks cut off by killAudio come back at once, and then each still swallows the next marker in the sound: as many
  markers are sent to be swallowed, or all later marks would be late by so many.
* clearMarks sends nothing back and has the same debt: it is not used. Beyond 30 open marks new ones are dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from orchestrator.adapters.telephony.codecs.fields import facts_of, marks_cleared, rate_of
from orchestrator.adapters.telephony.codecs.frames import whole_samples
from orchestrator.adapters.telephony.codecs.json_media import (
    Fields,
    keys_pressed,
    marks_back,
    parse,
    plain,
    section,
    texts,
)
from orchestrator.audio import SAMPLE_BYTES, to_samples
from orchestrator.errors import CarrierFault
from orchestrator.ports import Answered, CarrierEvent, Complaint, MarksAfterClear, Media, WireMessage

_IDS = ("callSid", "callId", "call", "call_id", "uuid")
_OF_THE_WIRE = ("sampleRate", "mixType")
_MARKER = b"\xff\xff"
_FIRST_SECONDS, _LATER_SECONDS = 0.16, 0.08
"""The pre-buffer's thresholds: 1280 and 640 samples, for a channel of 8000 samples a second."""
_DISCONNECT = '{"type": "disconnect"}'
_KILL_AUDIO = '{"type": "killAudio"}'


class JambonzCodec:
    """One call's jambonz wire: implements ports.CarrierCodec.

    The facts come in the first text, flat; `metadata` of the verb lies among them. mod_audio_fork alone sends whatever
    text it was given, or none: then `query`, the parameters of the URL, may say `call`, `from` and `to`.
    """

    name = "jambonz"
    subprotocols: Sequence[str] = ("audio.drachtio.org", "audio.jambonz.org")
    marks_after_clear = MarksAfterClear.RETURNED
    keeps = 0.0
    most_marks = 30

    def __init__(self, *, rate: int = 8000, query: Mapping[str, str] | None = None) -> None:
        self.rate = rate
        self._query = dict(query or {})
        self._channels = 1
        self._answered = False
        self._sent = 0
        self._stuck = False
        self._swallowing = 0

    def receive(self, message: WireMessage) -> Sequence[CarrierEvent]:
        """Return what a message means. Raises CarrierFault for a rate that no call has."""
        if not self._answered:
            answered = self._answer(message if isinstance(message, str) else "")
            self._answered = True
            return [answered] if isinstance(message, str) else [answered, *self._sound(message)]
        if isinstance(message, bytes):
            return self._sound(message)
        try:
            given = parse(message)
        except CarrierFault:
            return ()  # mod_audio_fork passes on any text that a dialplan sends
        return self._meaning(given)

    def _answer(self, text: str) -> Answered:
        try:
            given = parse(text)
        except CarrierFault:
            given = {"metadata": plain(text)} if text else {}
        self.rate = rate_of(given.get("sampleRate"), otherwise=self.rate)
        self._channels = 2 if given.get("mixType") == "stereo" else 1
        told = {name: value for name, value in texts(given).items() if name not in _OF_THE_WIRE}
        return Answered(facts_of(self.name, self._query | told, ids=_IDS))

    def _sound(self, data: bytes) -> Sequence[CarrierEvent]:
        pcm = whole_samples(data)
        if self._channels == 2:  # interleaved, the caller first
            pcm = to_samples(pcm)[::2].tobytes()
        return [Media(pcm)] if pcm else ()

    def _meaning(self, given: Fields) -> Sequence[CarrierEvent]:
        if given.get("event") == "dtmf":
            return keys_pressed(given.get("dtmf"))
        data = section(given, "data")
        match given.get("type"):
            case "mark" if data.get("event") == "cleared":
                self._swallowing = min(self._swallowing + 1, self.most_marks)
                return marks_cleared(data.get("name"))
            case "mark":
                return marks_back(data.get("name"))
            case "error":
                return [Complaint(plain(data.get("error")) or plain(given.get("error")) or "error")]
        return ()

    def media(self, pcm: bytes) -> Sequence[WireMessage]:
        """Return the sound as one message, with 0 for every sample of -1."""
        samples = to_samples(whole_samples(pcm)).copy()
        samples[samples == -1] = 0
        if not len(samples):
            return ()
        swallowed, self._swallowing = _MARKER * self._swallowing, 0
        return [self._noted(swallowed + samples.tobytes())]

    def _noted(self, data: bytes) -> bytes:
        """Return `data`, having noted whether all of it goes on to where it sounds."""
        self._sent += len(data)
        self._stuck = len(data) < self._bytes(_LATER_SECONDS) or self._sent < self._bytes(_FIRST_SECONDS)
        return data

    def _bytes(self, seconds: float) -> int:
        return SAMPLE_BYTES * round(seconds * self.rate)

    def _silence(self, seconds: float) -> bytes:
        """Return silence that moves on whatever the pre-buffer holds, where `seconds` are its threshold."""
        return self._noted(bytes(self._bytes(seconds)))

    def fill(self) -> Sequence[WireMessage]:
        """Return silence behind sound that would wait for more; nothing where none can be stuck."""
        begun = self._sent >= self._bytes(_FIRST_SECONDS)
        return [self._silence(_LATER_SECONDS if begun else _FIRST_SECONDS)] if self._stuck else ()

    def mark(self, name: str) -> Sequence[WireMessage]:
        """Return the mark: it goes before the next sound, or out at once where nothing plays."""
        return [json.dumps({"type": "mark", "data": {"name": name}})]

    def clear(self) -> Sequence[WireMessage]:
        """Return silence, which moves sound and marks on to the buffer that killAudio empties, and killAudio.

        The longer threshold is always enough, even if what was sent before is dropped on the way, and nobody hears it.
        """
        return [self._silence(_FIRST_SECONDS), _KILL_AUDIO]

    def hang_up(self) -> Sequence[WireMessage]:
        """Return what ends the verb: the next one, or the call's end, follows."""
        return [_DISCONNECT]

    def transfer(self, to: str) -> Sequence[WireMessage] | None:
        """Only jambonz's REST API transfers."""
        return None
