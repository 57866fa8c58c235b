"""The frames that the Waves WebSocket sends, as JSON; pure. What is sent when is schedule.py's."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import field, frozen

from simulations.waves.checks import Issue
from simulations.waves.schedule import Word

Names = Mapping[str, str]
"""The ids on a frame, by the fields that they stand in."""

_LONGEST_ID = 128
"""Characters (published): more of them are not sent back."""


@frozen(kw_only=True)
class Problem:
    """What an error frame tells: a text, and a code where there is room for one. The codes are ours: none is known."""

    message: str
    code: str


WRONG_REQUEST = Problem(message="Invalid input data", code="INVALID_INPUT")
"""The text is VideoSDK's; the issues stand beside it."""


@frozen(kw_only=True)
class Ids:
    """The names on every frame of one synthesis; `external_*` are the client's own, None where it gave none."""

    session: str
    request: str
    external_session: str | None
    external_request: str | None
    older: bool = False
    """Of the first generation: without a session, and with more words at the end."""
    names: Names = field(init=False, repr=False, eq=False)
    """All of them, as they stand on each frame."""

    @names.default
    def _names(self) -> Names:
        own = {"request_id": self.request} if self.older else {"session_id": self.session, "request_id": self.request}
        return {**own, **external_names(self.external_session, self.external_request)}

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
        return self._frame("complete", message="All chunks sent", done=True) if self.older else self._frame("complete")

    def _frame(self, status: str, **more: Any) -> str:
        return json.dumps({**self.names, "status": status, **more})


def external_names(session: object, request: object) -> Names:
    """Return the client's ids as a frame carries them: those that it gave."""
    given = {"external_session_id": session, "external_request_id": request}
    return {name: value for name, value in given.items() if isinstance(value, str)}


def names_in(message: str | bytes) -> Names:
    """Return the ids of a request that cannot be served, as far as it can be read: clients look for them."""
    try:
        body = json.loads(message) if isinstance(message, str) else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return {}
    names = external_names(body.get("session_id"), body.get("request_id"))
    return {name: value for name, value in names.items() if len(value) <= _LONGEST_ID}


def error_frame(
    problem: Problem,
    *,
    names: Names | None = None,
    issues: Sequence[Issue] | None = None,
    shape: Literal["flat", "nested"] = "flat",
) -> str:
    """Return an error frame, with the ids that it is about and the issues of a request that is wrong.

    Of its two shapes the flat one has its message on top, where most clients look, the nested one inside of `error`.
    """
    flat = error_body(problem.message)
    body = flat if shape == "flat" else {"status": "error", "error": {"message": problem.message, "code": problem.code}}
    return json.dumps({**(names or {}), **body, **({} if issues is None else {"errors": list(issues)})})


def error_body(message: str) -> dict[str, Any]:
    """Return what an error frame says."""
    return {"status": "error", "message": message}
