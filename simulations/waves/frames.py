"""The frames that the Waves WebSocket sends, as JSON; pure. What is sent when is schedule.py's."""

from __future__ import annotations

import base64
import json
from typing import Any

from attrs import frozen

from simulations.waves.asks import Issue
from simulations.waves.schedule import Word


@frozen(kw_only=True)
class Ids:
    """The names on every frame of one synthesis; `external_*` are the client's own, None where it gave none."""

    session: str
    request: str
    external_session: str | None
    external_request: str | None

    def chunk(self, pcm: bytes) -> str:
        """Return the frame that carries a chunk of sound."""
        audio = base64.b64encode(pcm).decode("ascii")
        # Put in afterwards: JSON would look for what to escape, which base64 never has, for longer than all else takes.
        return self._frame("chunk", data={"audio": ""}).removesuffix('"}}') + audio + '"}}'

    def word(self, word: Word) -> str:
        """Return the frame that says when a word sounds."""
        said = {"id": word.number, "word": word.text, "start": word.start, "end": word.end}
        return self._frame("word_timestamp", data=said)

    def complete(self) -> str:
        """Return the frame that ends a synthesis."""
        return self._frame("complete")

    def _frame(self, status: str, **more: Any) -> str:
        names = {"session_id": self.session, "request_id": self.request}
        if self.external_session is not None:
            names["external_session_id"] = self.external_session
        if self.external_request is not None:
            names["external_request_id"] = self.external_request
        return json.dumps({**names, "status": status, **more})


def error_frame(message: str, issues: list[Issue] | None = None) -> str:
    """Return an error frame, with the issues of a request that is wrong."""
    return json.dumps(error_body(message) if issues is None else {**error_body(message), "errors": issues})


def error_body(message: str) -> dict[str, Any]:
    """Return what an error frame says."""
    return {"status": "error", "message": message}
