"""What the frames of the simulated provider look like, as JSON."""

from __future__ import annotations

import json

import pytest

from simulations.waves.frames import Ids, Problem, error_frame, names_in
from simulations.waves.schedule import Word
from tests.simulations.waves.peer import pcm_of


@pytest.mark.parametrize(
    ("session", "request_id", "named"),
    [
        (None, None, {}),
        ("s", "r", {"external_session_id": "s", "external_request_id": "r"}),
    ],
)
def test_every_frame_of_a_synthesis_bears_its_names(
    session: str | None, request_id: str | None, named: dict[str, str]
) -> None:
    """The provider's own ids always, the client's where it gave any; sound in base64, words with their times."""
    ids = Ids(session="ws_1", request="task_1", external_session=session, external_request=request_id)
    names = {"session_id": "ws_1", "request_id": "task_1", **named}
    chunk, word, last = (
        json.loads(frame) for frame in (ids.chunk(b"\x01\x02"), ids.word(Word(3, "so,", 0.5, 0.75)), ids.complete())
    )
    assert pcm_of([chunk]) == b"\x01\x02"
    assert chunk == {**names, "status": "chunk", "data": chunk["data"]}
    told = {"id": 3, "word": "so,", "start": 0.5, "end": 0.75}
    assert word == {**names, "status": "word_timestamp", "data": told}
    assert last == {**names, "status": "complete"}


def test_frames_of_the_first_generation_have_no_session_and_a_longer_end() -> None:
    """As its documents had them."""
    ids = Ids(session="ws_1", request="task_1", external_session=None, external_request="r", older=True)
    names = {"request_id": "task_1", "external_request_id": "r"}
    assert json.loads(ids.complete()) == {**names, "status": "complete", "message": "All chunks sent", "done": True}
    assert json.loads(ids.chunk(b"\x01\x02")) == {**names, "status": "chunk", "data": {"audio": "AQI="}}


PROBLEM = Problem(message="No.", code="NO")


def test_an_error_frame_names_issues_only_where_there_are_any() -> None:
    """Always a message; `errors` for wrong requests, ids where somebody looks for them."""
    assert json.loads(error_frame(PROBLEM)) == {"status": "error", "message": "No."}
    issue = {"code": "custom", "path": ["text"], "message": "Required"}
    names = {"external_request_id": "r"}
    assert json.loads(error_frame(PROBLEM, names=names, issues=[issue])) == {
        "external_request_id": "r",
        "status": "error",
        "message": "No.",
        "errors": [issue],
    }


def test_the_other_shape_of_an_error_has_its_message_inside() -> None:
    """With a code beside it."""
    assert json.loads(error_frame(PROBLEM, shape="nested")) == {
        "status": "error",
        "error": {"message": "No.", "code": "NO"},
    }


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ('{"session_id": "s", "request_id": "r"}', {"external_session_id": "s", "external_request_id": "r"}),
        ('{"request_id": 5, "session_id": null}', {}),
        (json.dumps({"request_id": "x" * 129}), {}),
        ("[]", {}),
        ("{", {}),
        ("[" * 100_000, {}),
        (b'{"request_id": "r"}', {}),
    ],
)
def test_the_ids_of_a_wrong_request_are_read_as_far_as_they_can_be(message: str | bytes, names: dict[str, str]) -> None:
    """Whatever is wrong with it."""
    assert names_in(message) == names
