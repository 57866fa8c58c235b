"""The JSON frames that Pulse's WebSocket sends; pure. What is sent when is socket.py's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from simulations.waves.pulse.hearing import Word
from simulations.waves.pulse.query import Listening

_MARKS = ".,?!…।;:"
_DIGITS = 3
"""Times are told to the millisecond, confidences to a thousandth."""


@frozen(kw_only=True)
class Final:
    """What a final says beside its words."""

    last: bool = False
    from_finalize: bool = False
    full: str = ""
    """The finals of the session, this one included."""
    turn_over: bool = True
    """The speaker paused: not so where `max_words` cut an utterance."""


@frozen
class Frames:
    """The frames of one session."""

    session: str
    listening: Listening

    def interim(self, words: Sequence[Word]) -> str:
        """Return what is understood so far; never with word times (seen live)."""
        text = written(words, self.listening)
        if self.listening.oldest:
            return json.dumps({"text": text, "isEndOfTurn": False})
        return self._transcription(text, is_final=False, is_last=False)

    def final(self, words: Sequence[Word], said: Final) -> str:
        """Return a segment that will not be revised, with what the session asked for."""
        text = written(words, self.listening)
        if self.listening.oldest:
            return json.dumps({"text": text, "isEndOfTurn": said.turn_over})
        language = self.listening.detected_language
        more: dict[str, Any] = {"from_finalize": said.from_finalize, "language": language, "languages": [language]}
        if self.listening.full_transcript:
            more["full_transcript"] = said.full
        if self.listening.word_timestamps:
            more["words"] = word_items(words, self.listening)
        if self.listening.sentence_timestamps:
            more["utterances"] = sentence_items(words, self.listening)
        return self._transcription(text, is_final=True, is_last=said.last, **more)

    def speech_started(self, at: float) -> str:
        """Return the frame that says when, in seconds of the session's sound, a voiced region began."""
        return self._activity("speech_started", at)

    def speech_ended(self, at: float) -> str:
        """Return the frame that says when, in seconds of the session's sound, a voiced region ended."""
        return self._activity("speech_ended", at)

    def _activity(self, kind: str, at: float) -> str:
        return json.dumps({"type": kind, "session_id": self.session, "timestamp": round(at, _DIGITS)})

    def _transcription(self, text: str, **more: Any) -> str:
        head = {"type": "transcription", "status": "success", "session_id": self.session}
        return json.dumps({**head, "transcript": text, "transcription": text, **more})


def error_frame(message: str) -> str:
    """Return the frame that comes before a close that the client did not ask for."""
    return json.dumps({"type": "error", "status": "error", "message": message})


def pong_frame() -> str:
    """Return the answer to a keep-alive, as LiveKit's plugin knows it."""
    return json.dumps({"type": "pong"})


def written(words: Sequence[Word], listening: Listening) -> str:
    """Return the words as one text, with or without punctuation and capitals as the session asked."""
    return " ".join(text for word in words if (text := _spelled(word.text, listening)))


def word_items(words: Sequence[Word], listening: Listening) -> list[dict[str, Any]]:
    """Return the words with times and confidences; the one speaker there is, where the session asked who spoke."""
    speaker = {"speaker": 0, "speaker_confidence": 1.0} if listening.diarize else {}
    return [
        {
            "word": text,
            "start": round(word.start, _DIGITS),
            "end": round(word.end, _DIGITS),
            "confidence": round(word.confidence, _DIGITS),
            **speaker,
        }
        for word in words
        if (text := _spelled(word.text, listening))
    ]


def sentence_items(words: Sequence[Word], listening: Listening) -> list[dict[str, Any]]:
    """Return the sentences with their times: a sentence ends with its mark, or with the words."""
    sentences: list[list[Word]] = [[]]
    for word in words:
        sentences[-1].append(word)
        if word.text.endswith((".", "?", "!", "…", "।")):
            sentences.append([])
    speaker = {"speaker": 0} if listening.diarize else {}
    return [
        {
            "text": written(sentence, listening),
            "start": round(sentence[0].start, _DIGITS),
            "end": round(sentence[-1].end, _DIGITS),
            **speaker,
        }
        for sentence in sentences
        if sentence
    ]


def _spelled(word: str, listening: Listening) -> str:
    if not listening.punctuate:
        word = word.strip(_MARKS)
    return word if listening.capitalize else word.lower()
