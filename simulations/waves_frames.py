"""What the Waves WebSocket sends: the frames, and when each is made as its audio comes into being; pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from orchestrator.audio import SAMPLE_BYTES, seconds_of
from orchestrator.ports import Spoken
from simulations.waves_requests import Ask, Issue

WORD_TIMESTAMP_VOICES = frozenset({"meher", "devansh", "kartik", "maithili", "liam", "avery"})
"""The voices that tell when a word sounds; with all others there is silently nothing (published)."""

_ROUNDING = 1e-9


@frozen(kw_only=True)
class Ids:
    """The names on every frame of one synthesis; `external_*` are the client's own, None where it gave none."""

    session: str
    request: str
    external_session: str | None
    external_request: str | None

    def frame(self, status: str, **more: Any) -> str:
        """Return a frame under these names."""
        names = {"session_id": self.session, "request_id": self.request}
        if self.external_session is not None:
            names["external_session_id"] = self.external_session
        if self.external_request is not None:
            names["external_request_id"] = self.external_request
        return json.dumps({**names, "status": status, **more})

    def complete(self) -> str:
        """Return the frame that ends a synthesis."""
        return self.frame("complete")


@frozen
class Made:
    """A frame that is ready when `at` seconds of the synthesis' audio are made; `seconds` of them it carries."""

    at: float
    seconds: float
    frame: str


def error_frame(message: str, issues: list[Issue] | None = None) -> str:
    """Return an error frame, with the issues of a request that is wrong."""
    body: dict[str, Any] = {"status": "error", "message": message}
    return json.dumps(body if issues is None else {**body, "errors": issues})


@frozen
class Part:
    """A part of a synthesis' text and its sound; long texts are spoken part by part."""

    text: str
    spoken: Spoken
    begins: float = 0.0
    """Seconds of the synthesis' audio before it."""
    words_before: int = 0

    @property
    def ends(self) -> float:
        """Seconds of the synthesis' audio up to its end."""
        return self.begins + seconds_of(self.spoken.pcm, self.spoken.rate)


def frames_of(part: Part, *, ask: Ask, ids: Ids, chunk_seconds: float) -> Iterator[Made]:
    """Yield the frames of `part` in the order of their audio: chunks, each followed by the words that end in it."""
    words = _words(part) if ask.word_timestamps and ask.voice in WORD_TIMESTAMP_VOICES else iter(())
    word = next(words, None)
    pcm, rate = part.spoken.pcm, part.spoken.rate
    step = max(1, round(rate * chunk_seconds)) * SAMPLE_BYTES
    for start in range(0, len(pcm), step):
        chunk = pcm[start : start + step]
        at = part.begins + (start + len(chunk)) / (SAMPLE_BYTES * rate)
        audio = base64.b64encode(chunk).decode("ascii")
        yield Made(at, seconds_of(chunk, rate), ids.frame("chunk", data={"audio": audio}))
        last = start + step >= len(pcm)
        while word is not None and (last or word["end"] <= at + _ROUNDING):
            yield Made(at, 0.0, ids.frame("word_timestamp", data=word))
            word = next(words, None)


def _words(part: Part) -> Iterator[dict[str, Any]]:
    for number, (offset, length, start, end) in enumerate(part.spoken.words, part.words_before):
        word = part.text[offset : offset + length]
        yield {"id": number, "word": word, "start": round(part.begins + start, 3), "end": round(part.begins + end, 3)}
