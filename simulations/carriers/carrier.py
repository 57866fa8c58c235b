"""What all simulated carriers have in common: who calls, the buffer, marks that come back, what they complain about.

Each is one call's wire seen from the carrier, pure: messages in and out, time given. Sockets are wire.py's.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Any, ClassVar, Protocol

from attrs import Factory, evolve, frozen

from simulations.carriers.playback import Playback
from simulations.carriers.sound import from_ulaw, to_ulaw

Message = str | bytes
Payload = str | bytes
"""20 ms of the caller's sound as a carrier writes it: base64 where its messages are JSON."""
FRAME_SECONDS = 0.02


class MakesPlayback(Protocol):
    """Makes a call's buffer: Playback itself, or what measures more than it."""

    def __call__(self, *, rate: int, jitter: float = 0.0, most: float = ...) -> Playback:
        """Return an empty buffer."""


@frozen(kw_only=True)
class Call:
    """Who calls whom, and what the carrier was told to hand over. `call` and `stream` are 32 hexadecimal digits."""

    call: str
    stream: str
    account: str = "ac" * 16
    caller: str = "+15550100"
    called: str = "+15550199"
    parameters: Mapping[str, str] = Factory(dict)


def call_drawn(rng: Random, *, parameters: Mapping[str, str] | None = None) -> Call:
    """Return a call with ids of its own."""
    caller = f"+1555{rng.randrange(10**7):07}"
    return Call(
        call=f"{rng.getrandbits(128):032x}",
        stream=f"{rng.getrandbits(128):032x}",
        caller=caller,
        parameters=dict(parameters or {}),
    )


class Carrier:
    """The carrier's side of one call. `rate` is in samples a second, of both directions.

    `complaints` counts what the bot did that the carrier's documents forbid. `hung_up` says that the bot ended the
    call over the wire, `dropped` why the carrier did, "" while it did not.
    """

    name: ClassVar[str]
    subprotocols: ClassVar[Sequence[str]] = ()
    usual_rate: ClassVar[int] = 8000
    rates: ClassVar[Collection[int]] = (8000,)
    """Those that the carrier offers."""
    jitter: ClassVar[float] = 0.0
    most: ClassVar[float] = float("inf")
    """Seconds that the carrier's buffer holds."""
    law: ClassVar[bool] = True
    """Whether sound is mu-law; else 16 bit PCM, little endian."""
    as_text: ClassVar[bool] = True
    """Whether sound goes as base64 in JSON."""

    def __init__(self, call: Call, *, rate: int | None = None, playback: MakesPlayback = Playback) -> None:
        self.call = call
        self.rate = rate or self.usual_rate
        self.playback = playback(rate=self.rate, jitter=self.jitter, most=self.most)
        self.complaints: Counter[str] = Counter()
        self.hung_up = False
        self.dropped = ""

    def hand_over(self, parameters: Mapping[str, str]) -> None:
        """Take from a webhook's markup what the bot is to be told; before `opening`."""
        self.call = evolve(self.call, parameters=dict(parameters))

    # --- what the carrier sends ---

    def opening(self) -> list[Message]:
        """Return what is sent as soon as the connection is open."""
        return []

    def media(self, payload: Payload) -> list[Message]:
        """Return what carries the next 20 ms of the caller's sound."""
        raise NotImplementedError

    def press(self, digit: str) -> list[Message]:
        """Return what is sent when the caller pressed a key."""
        return []

    def stop(self) -> list[Message]:
        """Return what is sent when the caller hangs up, before the connection is closed."""
        return []

    def payload(self, pcm: bytes) -> Payload:
        """Return 20 ms of 16 bit PCM as this carrier writes it; it may be sent any number of times."""
        data = to_ulaw(pcm) if self.law else pcm
        return b64encode(data).decode() if self.as_text else data

    @property
    def frame_bytes(self) -> int:
        """20 ms of 16 bit PCM at the wire's rate."""
        return 2 * round(self.rate * FRAME_SECONDS)

    # --- what the bot sends ---

    def receive(self, message: Message, now: float) -> list[Message]:
        """Take in what the bot sent; return what the carrier answers at once."""
        if isinstance(message, bytes):
            return self.take_bytes(message, now)
        try:
            said = json.loads(message)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            self.complain("no JSON object")
            return []
        return self.take(said, now)

    def take(self, said: dict[str, Any], now: float) -> list[Message]:
        """Take in one JSON message."""
        self.complain("a text message")
        return []

    def take_bytes(self, data: bytes, now: float) -> list[Message]:
        """Take in one binary message."""
        self.complain("a binary message")
        return []

    def due(self, now: float) -> list[Message]:
        """Return what is to be sent because time has passed: marks whose sound was played."""
        reached = self.playback.reached(now)
        return [message for name in reached for message in self.mark_back(name)] if reached else []

    def mark_back(self, name: str, *, cleared: bool = False) -> list[Message]:
        """Return a mark to the bot."""
        return []

    # --- for the carriers ---

    def complain(self, text: str) -> None:
        """Note what the bot did wrong."""
        self.complaints[f"{self.name}: {text}"] += 1

    def hear(self, payload: Any, now: float) -> int:
        """Play the base64 of a JSON message; return its size in bytes, 0 if it is none."""
        try:
            data = b64decode(payload, validate=True)
        except (Base64Error, TypeError, ValueError):
            self.complain("payload is no base64")
            return 0
        self.play(from_ulaw(data) if self.law else data, now)
        return len(data)

    def play(self, pcm: bytes, now: float) -> None:
        """Play PCM; half a sample is a fault of the bot's."""
        if len(pcm) % 2:
            self.complain("half a sample")
        self.playback.add(pcm, now)


def text_of(table: Any, key: str) -> str | None:
    """Return a string of a JSON object, None where there is none."""
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, str) else None
