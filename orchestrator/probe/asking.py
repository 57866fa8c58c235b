"""Requests that only a probe sends, in the provider's format: with a back-off, or in a context left open; pure."""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen

from orchestrator.ports import Message, SpeechRequest, VoiceCodec, VoiceFrame


@frozen
class Question(SpeechRequest):
    """A request for which `complete` is to come `backoff` seconds late, or whose text goes into the context `context`,
    which stays open."""

    backoff: float = 0.0
    context: str = ""


@frozen
class ProbeCodec:
    """The codec of calls, Waves', with the fields that they never send: implements ports.VoiceCodec."""

    codec: VoiceCodec

    def address(self) -> str:
        """As the codec's."""
        return self.codec.address()

    def headers(self) -> dict[str, str]:
        """As the codec's."""
        return self.codec.headers()

    def encode(self, request: SpeechRequest) -> Message:
        """Return the codec's message, with what makes it a Question."""
        message = self.codec.encode(request)
        if not isinstance(request, Question) or not (request.backoff or request.context):
            return message
        body: dict[str, Any] = json.loads(message)
        if request.backoff:
            body["complete_backoff_ms"] = round(1000 * request.backoff)
        if request.context:
            body |= {"context_id": request.context, "continue": True, "max_buffer_delay_ms": 100}
        return json.dumps(body)

    def decode(self, message: Message) -> VoiceFrame | None:
        """As the codec does."""
        return self.codec.decode(message)
