"""What carriers whose JSON messages are numbered have in common, as Twilio: numbers as strings, marks, clears."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from simulations.carriers.carrier import Call, Carrier, MakesPlayback, Message, text_of
from simulations.carriers.playback import Playback


class NumberedCarrier(Carrier):
    """One call whose messages bear a number and the stream's id, under these keys."""

    number_key: ClassVar[str] = "sequence_number"
    stream_key: ClassVar[str]
    unknown_event: ClassVar[str] = "unknown event"
    marks_return: ClassVar[bool] = True
    """Whether marks that are outstanding come back on a clear."""

    def __init__(self, call: Call, *, rate: int | None = None, playback: MakesPlayback = Playback) -> None:
        super().__init__(call, rate=rate, playback=playback)
        self.stream = call.stream
        self._sequence = 0
        self._chunk = 0

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in `media`, `mark` or `clear`."""
        match said:
            case {"event": "media", "media": {"payload": payload}}:
                self.check_size(self.hear(payload, now))
            case {"event": "mark", "mark": {"name": str(name)}}:
                self.playback.mark(name, now)
                return self.due(now)
            case {"event": "clear"}:
                cleared = self.playback.clear(now)
                return [message for name in cleared for message in self.mark_back(name)] if self.marks_return else []
            case _:
                self.complain(f"{self.unknown_event} {text_of(said, 'event')}")
        return []

    def check_size(self, size: int) -> None:
        """Complain where so many bytes may not be in one message."""

    def mark_back(self, name: str, *, cleared: bool = False) -> list[Message]:
        """Return `mark`; whether it was cleared these carriers do not say."""
        return [self.numbered("mark", mark={"name": name})]

    def numbered(self, event: str, **what: Any) -> str:
        """Return the next message."""
        self._sequence += 1
        told = {"event": event, self.number_key: str(self._sequence), self.stream_key: self.stream, **what}
        return json.dumps(told, separators=(",", ":"))
