"""A caller on a simulated carrier's line: what is said and pressed, frame by frame; no sockets, no clock, no script."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from attrs import define, field

from simulations.carriers.carrier import FRAME_SECONDS, Carrier, Message, Payload

Choose = Callable[[float], Payload]
"""Gives the payload of the frame that goes out now, where the caller says nothing in particular."""


@define(eq=False)
class Turn:
    """One go of the caller's at speaking: `began` and `ended` are the times of its sound, None while to come."""

    interrupts: bool
    began: float | None = None
    ended: float | None = None


@define(eq=False)
class Line:
    """One call: `tick` is called once for every 20 ms and returns what the carrier sends.

    `turns` are the caller's, in order; `keys` counts what was pressed. Between turns the line carries silence, or what
    `choose` gives.
    """

    carrier: Carrier
    choose: Choose | None = None
    turns: list[Turn] = field(factory=list, init=False)
    keys: int = field(default=0, init=False)
    frames: int = field(default=0, init=False)
    _silence: Payload = field(init=False)
    _said: deque[tuple[Turn, Payload, bool]] = field(factory=deque, init=False)
    _pressed: deque[str] = field(factory=deque, init=False)

    def __attrs_post_init__(self) -> None:
        self._silence = self.carrier.payload(bytes(self.carrier.frame_bytes))

    def say(self, frames: Sequence[Payload], *, interrupts: bool = False) -> Turn:
        """Begin to speak with the next frame; the first and the last frame should sound."""
        turn = Turn(interrupts)
        self.turns.append(turn)
        last = len(frames) - 1
        self._said.extend((turn, payload, place == last) for place, payload in enumerate(frames))
        return turn

    def press(self, digits: str) -> None:
        """Press keys, one each 20 ms."""
        self._pressed.extend(digits)

    @property
    def busy(self) -> bool:
        """Whether the caller is still speaking or pressing keys."""
        return bool(self._said or self._pressed)

    def tick(self, now: float) -> list[Message]:
        """Return what goes out for the next 20 ms: marks that are due, a key, the caller's sound."""
        out = self.carrier.due(now)
        if self._pressed:
            out += self.carrier.press(self._pressed.popleft())
            self.keys += 1
        self.frames += 1
        return out + self.carrier.media(self._payload(now))

    def _payload(self, now: float) -> Payload:
        if self._said:
            return self._speak(now)
        return self._silence if self.choose is None else self.choose(now)

    def _speak(self, now: float) -> Payload:
        turn, payload, last = self._said.popleft()
        if turn.began is None:
            turn.began = now - FRAME_SECONDS  # the frame holds what was said up to now
        if last:
            turn.ended = now
        return payload
