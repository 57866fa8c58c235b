"""What the frames of the simulated provider look like, as JSON."""

from __future__ import annotations

import json

import pytest

from simulations.waves.frames import Ids, error_frame
from simulations.waves.schedule import Word
from tests.simulations.waves.peer import pcm_of


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"external_session": None, "external_request": None}, {}),
        ({"external_session": "s", "external_request": "r"}, {"external_session_id": "s", "external_request_id": "r"}),
    ],
)
def test_every_frame_of_a_synthesis_bears_its_names(given: dict[str, str | None], named: dict[str, str]) -> None:
    """The provider's own ids always, the client's where it gave any; sound in base64, words with their times."""
    ids = Ids(session="ws_1", request="task_1", **given)
    names = {"session_id": "ws_1", "request_id": "task_1", **named}
    chunk, word, last = (
        json.loads(frame) for frame in (ids.chunk(b"\x01\x02"), ids.word(Word(3, "so,", 0.5, 0.75)), ids.complete())
    )
    assert pcm_of([chunk]) == b"\x01\x02"
    assert chunk == {**names, "status": "chunk", "data": chunk["data"]}
    told = {"id": 3, "word": "so,", "start": 0.5, "end": 0.75}
    assert word == {**names, "status": "word_timestamp", "data": told}
    assert last == {**names, "status": "complete"}


def test_an_error_frame_names_issues_only_where_there_are_any() -> None:
    """Always a message; `errors` for wrong requests."""
    assert json.loads(error_frame("No.")) == {"status": "error", "message": "No."}
    issue = {"code": "custom", "path": ["text"], "message": "Required"}
    assert json.loads(error_frame("No.", [issue]))["errors"] == [issue]
