"""A program that holds calls and speaks the generic leg to the bot, as its documentation asks of everybody."""

from __future__ import annotations

import json
import re
from typing import Any

from simulations.carriers.carrier import Carrier, Message, Payload, text_of

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_MOST_BYTES = 32_000


class FakeGeneric(Carrier):
    """One call: start, binary PCM both ways, marks that come back when played, or as cleared before `cleared`."""

    name = "generic"
    subprotocols = ("talkingstick.v1",)
    rates = range(8000, 48_001, 50)
    law = False
    as_text = False

    def opening(self) -> list[Message]:
        """Return `start`."""
        told = {"type": "start", "call": self.call.call, "from": self.call.caller, "to": self.call.called}
        return [json.dumps({**told, "rate": self.rate, "parameters": dict(self.call.parameters)})]

    def media(self, payload: Payload) -> list[Message]:
        """Return one binary message."""
        return [payload]

    def press(self, digit: str) -> list[Message]:
        """Return `dtmf`."""
        return [json.dumps({"type": "dtmf", "digit": digit})]

    def stop(self) -> list[Message]:
        """Return `hangup`."""
        return [json.dumps({"type": "hangup", "reason": "caller"})]

    def take_bytes(self, data: bytes, now: float) -> list[Message]:
        """Play what the bot says."""
        if len(data) > _MOST_BYTES:
            self.complain(f"a binary message of more than {_MOST_BYTES} bytes")
        self.play(data, now)
        return []

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in `mark`, `clear`, `transfer` or `hangup`."""
        match said:
            case {"type": "mark", "name": str(name)}:
                if not _NAME.fullmatch(name):
                    self.complain("a mark's name has other than 1 to 40 letters, digits, _ and -")
                self.playback.mark(name, now)
                return self.due(now)
            case {"type": "clear"}:
                names = self.playback.clear(now)
                back = [message for name in names for message in self.mark_back(name, cleared=True)]
                return [*back, json.dumps({"type": "cleared"})]
            case {"type": "hangup"} | {"type": "transfer", "to": str()}:
                self.hung_up = True
            case _:
                self.complain(f"unknown type {text_of(said, 'type')}")
        return []

    def mark_back(self, name: str, *, cleared: bool = False) -> list[Message]:
        """Return `marked`."""
        return [json.dumps({"type": "marked", "name": name, **({"cleared": True} if cleared else {})})]
