"""A model of mod_audio_fork's buffers (jambonz/freeswitch-modules, lws_glue.cpp), line by line where it bites.

Inventory, in use and cleared are its three lists of marks; a marker in the sound is the sample 0xFFFF.
"""

from __future__ import annotations

import json

from orchestrator.ports import WireMessage

MARKER = 0xFFFF
MOST_MARKS = 30


class AudioFork:
    """One call's buffers for sound of the bot. `heard` is what the caller got; `said` what went to the bot."""

    def __init__(self, *, rate: int, channel_rate: int) -> None:
        self.downscale = rate // channel_rate if rate > channel_rate else 1
        self.threshold = 320 * self.downscale * 4
        self.frame = rate // 50
        self.before: list[int] = []
        self.playing: list[int] = []
        self.inventory: list[str] = []
        self.in_use: list[str] = []
        self.cleared: list[str] = []
        self.clearing = False
        self.dropped_marks = 0
        self.heard: list[int] = []
        self.said: list[str] = []

    def take(self, message: WireMessage) -> None:
        """processIncomingBinary, or processIncomingMessage."""
        if isinstance(message, bytes):
            self._take_sound(message)
            return
        given = json.loads(message)
        if given["type"] == "killAudio":
            self.clearing = True
        elif given["type"] == "mark":
            if len(self.inventory) + len(self.in_use) >= MOST_MARKS:
                self.dropped_marks += 1
            else:
                self.inventory.append(given["data"]["name"])

    def _take_sound(self, data: bytes) -> None:
        self.before += [MARKER] * len(self.inventory)
        self.in_use += self.inventory
        self.inventory = []
        self.before += [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]
        if len(self.before) >= self.threshold:
            self.threshold = 320 * self.downscale * 2
            self.playing += self.before
            self.before = []

    def play(self, *, seconds: float = 0.02) -> None:
        """dub_speech_frame, every 20 ms."""
        for _ in range(round(seconds * 50)):
            self._play_frame()

    def _play_frame(self) -> None:
        if self.clearing:
            self.clearing = False
            self.playing = []
            for name in [*self.in_use, *self.inventory]:
                self._say(name, "cleared")
            self.cleared += self.in_use
            self.in_use, self.inventory = [], []
            return
        has_markers = bool(self.in_use or self.cleared)
        frame, self.playing = self.playing[: self.frame], self.playing[self.frame :]
        for sample in frame:
            if has_markers and sample == MARKER:
                if self.cleared:
                    self.cleared.pop(0)
                elif self.in_use:
                    self._say(self.in_use.pop(0), "playout")
            else:
                self.heard.append(sample)
        if not frame and not has_markers and self.inventory:
            self._say(self.inventory.pop(0), "playout")

    def _say(self, name: str, event: str) -> None:
        self.said.append(json.dumps({"type": "mark", "data": {"name": name, "event": event}}))
