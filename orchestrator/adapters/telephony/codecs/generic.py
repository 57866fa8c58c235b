"""Decides how a call reads and writes the generic leg: a WebSocket for every telephony stack that has no codec here.

A program that holds the telephone call connects to the line's path (`/generic` by default), one connection a call, and
speaks what follows. It asks for the subprotocol `talkingstick.v1`, or for none. JSON messages are text and objects with
a `type`; what is unknown in them is ignored, so that more can come later.

**Start.** The first message tells who calls. All but `type` may be left out; `call` is then an id of our own.

    {"type": "start", "call": "6f1c", "from": "+4930123", "to": "+4930456", "rate": 16000, "parameters": {"k": "v"}}

`rate`: samples a second of both directions, a multiple of 50 from 8000 to 48000; without it that of the line, 8000 by
default. `parameters`: texts and numbers; the bot gets them as texts. A client that can't send a first
message says the same in the URL, `wss://host/generic?call=6f1c&from=%2B4930123&rate=16000&k=v`: where `call` is there
the call starts with the first message of whatever kind, usually its first sound. What a start message says besides
counts more.

**Sound**, both ways: binary messages of PCM, 16 bit, little endian, mono, whole samples, at the rate of the start.
Send the caller's sound as it comes, 20 ms (640 bytes at 16000) a message if you can choose. What the bot says comes
faster than it sounds, in messages of at most 32000 bytes: queue it, and play it in order. At most a few seconds are
sent ahead (`lead` in `[serve]`). Nothing is sent while the bot is silent.

**From the bot.**

* `{"type": "mark", "name": "u1-4000"}`: put the mark behind the sound that came before it. When that has been played,
  or at once where nothing is waiting, answer `{"type": "marked", "name": "u1-4000"}`. From marks the bot knows what the
  caller heard, and sends on: without answers it stops talking. Names have at most 40 letters, digits, `_` and `-`; up
  to 1000 marks may be open.
* `{"type": "clear"}`: the caller interrupts. Throw away all sound that has not been played, and stop what is playing
  within 20 ms. Answer each open mark with `{"type": "marked", "name": "u1-4000", "cleared": true}`, in order, then
  `{"type": "cleared"}`. Sound and marks that arrive after the clear belong to what the bot says next.
* `{"type": "transfer", "to": "+4930789"}`: hand the caller over to this number or address, and close the connection.
* `{"type": "hangup"}`: end the call, and close the connection. A connection that we close without it means the same.

**To the bot.**

* `{"type": "dtmf", "digit": "5"}`: the caller pressed a key: 0-9, `*`, `#`, A-D.
* `{"type": "hangup", "reason": "caller"}`: the call is over; a closed connection means the same.
* `{"type": "error", "text": "..."}`: something is wrong, for our log; the call goes on.

A message that breaks these rules ends the connection. Pings come every 5 s and want their pong within 5 s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from attrs import evolve

from orchestrator.adapters.telephony.codecs.fields import facts_of, marks_cleared, rate_of
from orchestrator.adapters.telephony.codecs.frames import cut, whole_samples
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
from orchestrator.ports import (
    Answered,
    CarrierEvent,
    Complaint,
    Emptied,
    Ended,
    MarksAfterClear,
    Media,
    WireMessage,
)

MOST_MEDIA_BYTES = 32_000
"""What the longest message of sound to the client has: below what clients read by default."""
_OF_THE_START = ("call", "from", "to", "rate", "token")


class GenericCodec:
    """One call's generic leg: implements ports.CarrierCodec. `query` are the parameters of the URL."""

    name = "generic"
    subprotocols: Sequence[str] = ("talkingstick.v1",)
    marks_after_clear = MarksAfterClear.RETURNED
    keeps = 0.0
    most_marks = 1000

    def __init__(self, *, rate: int = 8000, query: Mapping[str, str] | None = None) -> None:
        self.rate = rate
        self._query = dict(query or {})
        self._answered = False
        self._over = False

    def receive(self, message: WireMessage) -> Sequence[CarrierEvent]:
        """Return what a message means. Raises CarrierFault for what the rules above do not allow."""
        if self._over:
            return ()
        if isinstance(message, bytes):
            return [*self._first({}), *self._sound(message)]
        given = parse(message)
        return [*self._first(given), *self._meaning(given)]

    def _first(self, given: Fields) -> Sequence[CarrierEvent]:
        """Return Answered if this message begins the call."""
        if self._answered:
            return ()
        start = given if given.get("type") == "start" else None
        if start is None and not self._query.get("call"):
            raise CarrierFault('a call begins with {"type": "start", ...}, or with call=... in the URL')
        told = self._query | texts(start or {})
        self.rate = rate_of(told.get("rate"), otherwise=self.rate)
        self._answered = True
        parameters = {name: value for name, value in self._query.items() if name not in _OF_THE_START}
        parameters |= texts(section(start or {}, "parameters"))
        return [Answered(evolve(facts_of(self.name, told, ids=("call",)), parameters=parameters))]

    def _sound(self, data: bytes) -> Sequence[CarrierEvent]:
        if len(data) != len(whole_samples(data)):
            raise CarrierFault(f"{len(data)} bytes of sound are no whole samples")
        return [Media(data)] if data else ()

    def _meaning(self, given: Fields) -> Sequence[CarrierEvent]:
        match given.get("type"):
            case "marked":
                back = marks_cleared if given.get("cleared") is True else marks_back
                return back(given.get("name"))
            case "cleared":
                return [Emptied()]
            case "dtmf":
                return keys_pressed(given.get("digit"))
            case "hangup":
                self._over = True
                return [Ended(plain(given.get("reason")))]
            case "error":
                return [Complaint(plain(given.get("text")) or "error")]
        return ()

    def media(self, pcm: bytes) -> Sequence[WireMessage]:
        """Return the sound as it is, in parts that every client reads."""
        return cut(pcm, MOST_MEDIA_BYTES)

    def fill(self) -> Sequence[WireMessage]:
        """Return nothing: sound of any length may be sent."""
        return ()

    def mark(self, name: str) -> Sequence[WireMessage]:
        """Return the mark."""
        return [json.dumps({"type": "mark", "name": name})]

    def clear(self) -> Sequence[WireMessage]:
        """Return the clear."""
        return ['{"type": "clear"}']

    def hang_up(self) -> Sequence[WireMessage]:
        """Return what ends the call."""
        return ['{"type": "hangup"}']

    def transfer(self, to: str) -> Sequence[WireMessage]:
        """Return what hands the caller over."""
        return [json.dumps({"type": "transfer", "to": to})]
