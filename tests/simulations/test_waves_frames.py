"""Frames in the order of their audio: for any sound and chunk length, nothing lost and nothing early."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ports import Spoken
from simulations.waves_frames import Ids, Part, error_frame, frames_of
from simulations.waves_requests import read_ask
from tests.simulations.waves_peer import ask, pcm_of

IDS = Ids(session="ws_1", request="task_1", external_session=None, external_request=None)
ASK = read_ask(ask("x", word_timestamps=True), per_model=False)


@given(
    samples=st.integers(0, 3000),
    chunk_seconds=st.floats(0.001, 1.0),
    ends=st.lists(st.floats(0, 0.4), max_size=6).map(sorted),
    begins=st.floats(0, 5),
)
def test_all_sound_and_every_word_in_audio_order(
    samples: int, chunk_seconds: float, ends: list[float], begins: float
) -> None:
    """The chunks are the sound; a word comes right behind the chunk in which it ends, or behind the last one."""
    words = tuple((number, 1, 0.0, end) for number, end in enumerate(ends))
    part = Part("abcdef", Spoken(bytes(2 * samples), 8000, words), begins, 3)
    made = list(frames_of(part, ask=ASK, ids=IDS, chunk_seconds=chunk_seconds))
    frames = [json.loads(one.frame) for one in made]
    assert len(pcm_of(frames)) == 2 * samples
    assert [one.at for one in made] == sorted(one.at for one in made)
    assert sum(one.seconds for one in made) == pytest.approx(samples / 8000)
    told = [frame["data"] for frame in frames if frame["status"] == "word_timestamp"]
    assert [word["id"] for word in told] == ([n + 3 for n in range(len(ends))] if samples else [])
    for one, frame in zip(made, frames, strict=True):
        if frame["status"] == "word_timestamp":
            assert one.at >= min(frame["data"]["end"], part.ends) - 0.001


def test_an_error_frame_names_issues_only_where_there_are_any() -> None:
    """Always a message; `errors` for wrong requests."""
    assert json.loads(error_frame("No.")) == {"status": "error", "message": "No."}
    issue = {"code": "custom", "path": ["text"], "message": "Required"}
    assert json.loads(error_frame("No.", [issue]))["errors"] == [issue]
