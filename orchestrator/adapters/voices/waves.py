"""The Waves wire format: requests to JSON messages, JSON messages to frames; pure, no socket.

Both the unified endpoint and the older per-model ones. A request carries our id as `request_id`, which comes back as
`external_request_id` with every frame of it.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Failed, Sound, SpeechRequest, VoiceFrame, WordTime
from orchestrator.redaction import redacted
from orchestrator.settings import ProviderSettings

_KINDS = (
    (FaultKind.RATE, r"per minute|retry_after|rate_limit"),
    (FaultKind.LINKS, r"connections|connection limit|server_full"),
    (FaultKind.CONCURRENCY, r"concurren|rate limit|too many requests|\b429\b"),
    (FaultKind.FINAL, r"api key|unauthori|model_deprecated|retired|invalid token|forbidden"),
    (FaultKind.REQUEST, r"invalid|content_filter|not supported|required"),
)
"""What the words of an error mean, first match first; the provider's texts for a refusal are not documented.

What passes comes before what does not: a limit of "this API key" says nothing against the key.
"""

_LONGEST_WAIT = 3600.0
"""Seconds: a `retry_after` beyond that is no wait but nonsense."""


@frozen
class WavesCodec:
    """One account's wire format: implements ports.VoiceCodec. The key shows in no repr."""

    settings: ProviderSettings
    key: str = field(repr=False)

    def address(self) -> str:
        """The WebSocket URL: one path for all models, or the model in it, hyphenated."""
        base = self.settings.address.rstrip("/")
        if self.settings.api == "unified":
            return f"{base}/waves/v1/tts/live"
        return f"{base}/waves/v1/{self.settings.model.replace('_', '-')}/get_speech/stream"

    def headers(self) -> dict[str, str]:
        """The upgrade's headers."""
        return {"Authorization": f"Bearer {self.key}", "X-Source": "talkingstick"}

    def encode(self, request: SpeechRequest) -> str:
        """The message that asks for `request`; the back-off after the last chunk is 0, for it would hold the slot."""
        body: dict[str, Any] = {
            "text": request.text,
            "voice_id": request.voice,
            "language": request.language,
            "sample_rate": request.rate,
            "speed": request.speed,
            "request_id": request.id,
            "complete_backoff_ms": 0,
        }
        if self.settings.api == "unified":
            body["model"] = self.settings.model
        if self.settings.word_timestamps:
            body["word_timestamps"] = True
        if self.settings.dictionaries:
            body["pronunciation_dicts"] = list(self.settings.dictionaries)
        return json.dumps(body)

    def decode(self, message: str | bytes) -> VoiceFrame | None:
        """What a message says; None for a status that says nothing to us. Raises ProviderFault for garbage."""
        try:
            body = json.loads(message)
        except (ValueError, RecursionError) as error:
            raise ProviderFault(FaultKind.RETRY, f"not JSON: {message[:40]!r}") from error
        if not isinstance(body, dict):
            raise ProviderFault(FaultKind.RETRY, f"not an object: {message[:40]!r}")
        name = body.get("external_request_id")
        name = name if isinstance(name, str) else ""
        data = body.get("data")
        match body.get("status"):
            case "chunk":
                return Sound(name, _pcm(data))
            case "word_timestamp":
                return _word(name, data)
            case "complete":
                return Complete(name)
            case "error":
                return Failed(name, fault_of(body, key=self.key))
        # The other error shape has no status at all.
        failed = "error" in body or (isinstance(data, dict) and "error" in data)
        return Failed(name, fault_of(body, key=self.key)) if failed else None


def fault_of(body: Mapping[str, Any], *, key: str = "") -> ProviderFault:
    """Read an error of any shape; an echoed `key` is blanked.

    `message`, `error` (text, object or issues; in `data` as well) and `errors` (issues) are read.
    """
    data = body.get("data")
    error = body.get("error") or (data.get("error") if isinstance(data, dict) else None)
    inner: Mapping[str, Any] = error if isinstance(error, dict) else {}
    category = error if isinstance(error, str) else ""
    text = body.get("message") or inner.get("message") or category or "no message"
    retry_after = _seconds(body.get("retry_after", inner.get("retry_after")))
    # Lists of issues, codes and categories tell what a bare "Invalid input data" does not.
    code = body.get("code") or body.get("error_code") or inner.get("code") or (category if category != text else "")
    issues = body.get("errors") or (error if isinstance(error, list) else None)
    whole = redacted(f"{text} {code} {json.dumps(issues) if issues else ''}".strip(), key)
    return ProviderFault(_kind(whole, retry_after), whole[:300], retry_after=retry_after)


def _seconds(value: Any) -> float | None:
    """A wait as a number of seconds that can be slept; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_WAIT:
        return None
    return float(value)


def _kind(text: str, retry_after: float | None) -> FaultKind:
    if retry_after is not None:
        return FaultKind.RATE
    return next((kind for kind, words in _KINDS if re.search(words, text, re.IGNORECASE)), FaultKind.RETRY)


def _pcm(data: Any) -> bytes:
    audio = data.get("audio") if isinstance(data, dict) else None
    if not isinstance(audio, str):
        raise ProviderFault(FaultKind.RETRY, "a chunk without audio")
    try:
        return base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProviderFault(FaultKind.RETRY, "a chunk that is not base64") from error


def _word(name: str, data: Any) -> WordTime:
    try:
        word = WordTime(name, int(data["id"]), str(data["word"]), float(data["start"]), float(data["end"]))
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise ProviderFault(FaultKind.RETRY, "a word time without its parts") from error
    if not (math.isfinite(word.start) and math.isfinite(word.end)):
        raise ProviderFault(FaultKind.RETRY, "a word time that is no time")
    return word
