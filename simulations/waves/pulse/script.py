"""Owns the recogniser that hears nothing: the next line of a script is what the next utterance said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import trio
from attrs import define, field, frozen

from orchestrator.audio import seconds_of
from orchestrator.errors import SettingsError
from simulations.waves.pulse.hearing import Word

USUAL_LINES = (
    "Hello, I would like to book an appointment.",
    "On Thursday, if that is possible.",
    "Half past three would be fine.",
    "Yes, please.",
    "No, that is all. Thank you, and goodbye.",
)
"""What callers say without a file."""

CHARACTERS_PER_SECOND = 15.0
"""The pace at which interim results grow: that of the simulated voices."""
CONFIDENCE = 0.98
DELAY_SECONDS = 0.15
"""From the end of an utterance to its transcript: what the vendor publishes for one stream."""


@frozen
class Script:
    """A recogniser of `lines`: each finished utterance of a session is the next line, and after the last comes the
    first again. A session begins with the first line."""

    lines: Sequence[str]
    delay: float = DELAY_SECONDS
    growing: float = 0.2

    def begin(self) -> ScriptHearing:
        """Return a reader of the script, at its first line."""
        return ScriptHearing(self)


@define
class ScriptHearing:
    """One session's place in the script."""

    _script: Script
    _next: int = field(default=0, init=False)

    async def transcribe(self, pcm: bytes, rate: int, *, language: str) -> list[Word]:
        """Return the next line, its words spread over the sound by their letters."""
        line, self._next = self._line, self._next + 1
        await trio.sleep(self._script.delay)
        return _spread(line, seconds_of(pcm, rate))

    async def guess(self, pcm: bytes, rate: int, *, language: str) -> list[Word]:
        """Return the words of the next line that fit into the sound so far, the first at least."""
        await trio.lowlevel.checkpoint()
        fitting = seconds_of(pcm, rate) * CHARACTERS_PER_SECOND
        words = _spread(self._line, len(self._line) / CHARACTERS_PER_SECOND)
        return [word for word in words if word is words[0] or word.end * CHARACTERS_PER_SECOND <= fitting]

    @property
    def _line(self) -> str:
        return self._script.lines[self._next % len(self._script.lines)]


def read_lines(path: Path) -> tuple[str, ...]:
    """Return the lines of a script that are not blank. Raises SettingsError for a file that has none or is no text."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise SettingsError(f"--transcript {path}: cannot be read ({error.strerror})") from error
    except UnicodeError as error:
        raise SettingsError(f"--transcript {path}: is no text in UTF-8") from error
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not lines:
        raise SettingsError(f"--transcript {path}: it has no lines; write one for each utterance")
    return lines


def _spread(line: str, seconds: float) -> list[Word]:
    """Return the words of a line, each as long as its part of the letters."""
    texts = line.split()
    scale = seconds / (sum(map(len, texts)) + len(texts) - 1)
    words, at = [], 0
    for text in texts:
        words.append(Word(text, at * scale, (at + len(text)) * scale, CONFIDENCE))
        at += len(text) + 1
    return words
