"""How fast the provider is, learned from what was seen: pure predictions, no clock of its own.

What is asked for next is the mouth's, who gets the slot the queue's.
"""

from __future__ import annotations

from attrs import define

_SHARE = 0.2
"""Weight of the newest piece in each running mean: about the last ten pieces count."""

_LEAST_AUDIO = 0.1
"""Seconds: from less the factor would be all noise."""


@define
class Pace:
    """Running means of what a piece costs; the first values are cautious guesses until a piece was seen.

    `ttfb` is the time to first audio in seconds, `rtf` seconds of slot per second of audio after that, `trail` how long
    the slot is held beyond the last of it; `seconds_per_character` the voice's speaking rate.
    """

    ttfb: float = 0.5
    rtf: float = 0.5
    seconds_per_character: float = 1 / 15
    pieces: int = 0
    trail: float = 0.0

    @property
    def overhead(self) -> float:
        """Seconds of slot that each piece costs beside its audio."""
        return self.ttfb + self.trail

    def learn(self, *, ttfb: float, held: float, audio: float, characters: int, trail: float = 0.0) -> None:
        """Take in a completed piece: time to first audio, whole time, its audio in seconds, its text's length.

        `trail` is the part of the whole time after the last audio.
        """
        if audio < _LEAST_AUDIO or characters <= 0:
            return
        share = _SHARE if self.pieces else 1.0
        self.pieces += 1
        self.ttfb += share * (ttfb - self.ttfb)
        self.rtf += share * (max(0.0, held - ttfb - trail) / audio - self.rtf)
        self.trail += share * (trail - self.trail)
        self.seconds_per_character += share * (audio / characters - self.seconds_per_character)

    def audio_seconds(self, characters: int) -> float:
        """Predict how long `characters` of text sound."""
        return characters * self.seconds_per_character

    def slot_seconds(self, characters: int) -> float:
        """Predict how long `characters` of text hold the slot."""
        return self.holds(self.audio_seconds(characters))

    def holds(self, audio: float) -> float:
        """Predict how long a piece of so many seconds of audio holds the slot."""
        return self.overhead + self.rtf * audio

    def audio_within(self, slot_seconds: float) -> float:
        """Predict the seconds of audio that are made while the slot is held for so long."""
        making = max(0.0, slot_seconds - self.overhead)
        return making / self.rtf if self.rtf > 0 else float("inf") if making else 0.0
