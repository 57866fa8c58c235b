"""Lines of a batch file become requests as they were meant; each mistake is told with its line, and stops no other."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.avatars.sync_shapes import request_fields
from orchestrator.commands_lipsync import SyncMode
from orchestrator.lipsync.batch_file import SYNC_MODES, WrongRequestError, is_picture, read_batch, short_request

VIDEO, AUDIO = {"type": "video", "url": "https://a.example/v.mp4"}, {"type": "audio", "url": "https://a.example/a.mp3"}
SHORT = {"video": "face.mp4", "audio": "hello.wav"}


def line(name: Any = "a", **payload: Any) -> str:
    """Return a line in the vendor's shape."""
    body = {"model": "lipsync-2", "input": [VIDEO, AUDIO]} | payload
    return json.dumps({"request_id": name, "endpoint": "/v2/generate", "payload": body})


def problems(text: str) -> list[str]:
    """Return what is wrong with a file."""
    return [str(problem) for problem in read_batch(text, model="lipsync-2")[1]]


def test_the_vendors_lines_and_short_ones_stand_side_by_side() -> None:
    """Short ones get the model that is given, and a name by their line; empty lines count, and say nothing."""
    text = f"{line('a', model='sync-3', options={'temperature': 1})}\n\n{json.dumps(SHORT)}\r\n"
    (first, second), wrong = read_batch(text, model="lipsync-2-pro")
    assert wrong == []
    assert (first.line, first.request_id, first.request.model) == (1, "a", "sync-3")
    assert (first.request.input, first.request.options) == ((VIDEO, AUDIO), {"temperature": 1})
    assert (second.line, second.request_id, second.request.model) == (3, "line-3", "lipsync-2-pro")
    assert [item["url"] for item in second.request.input] == ["face.mp4", "hello.wav"]


@given(
    st.fixed_dictionaries(
        {"model": st.sampled_from(["sync-3", "react-1"])},
        optional={
            "options": st.dictionaries(st.text(min_size=1), st.integers() | st.text(), min_size=1),
            "segments": st.lists(st.dictionaries(st.text(min_size=1), st.integers(), min_size=1), min_size=1),
            "webhookUrl": st.text(min_size=1),
            "outputFileName": st.text(min_size=1),
        },
    )
)
def test_a_payload_is_sent_as_it_was_written(payload: dict[str, Any]) -> None:
    """Whatever its texts hold: line separators of Unicode, too, which end no line of JSON."""
    payload["input"] = [VIDEO, AUDIO]
    text = json.dumps({"request_id": "a", "payload": payload}, ensure_ascii=False)
    (entry,), wrong = read_batch(text, model="lipsync-2")
    assert (request_fields(entry.request), wrong) == (payload, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1: it is no JSON (Expecting property name enclosed in double quotes at column 2)"),
        ("[" * 100_000, "line 1: it is nested too deeply"),
        ("[]", "line 1: expected a JSON object"),
        ("", 'no line asks for a video; expected lines such as {"video": "...", "audio": "..."}'),
        ('{"video": "a.mp4"}', "line 1: expected audio, or text with voice_id"),
        ('{"video": "a.mp4", "text": "hello"}', "line 1: text and voice_id go together"),
        ('{"audio": "a.mp3"}', "line 1: video is missing"),
        ('{"video": 1, "audio": "a.mp3"}', "line 1: video: expected a string"),
        ('{"request_id": "a", "payload": 1}', "line 1: payload: expected a JSON object"),
        ('{"payload": {}}', "line 1: request_id is missing"),
        (line(["a"]), "line 1: request_id: expected a string"),
        (line(dubParams={}), "line 1: payload.dubParams is not known; expected model, input, options, segments, "),
        (line(options=[]), "line 1: payload.options: expected a JSON object"),
        (line(segments={"a": 1}), "line 1: payload.segments: expected a list of JSON objects"),
        (line(input="a"), "line 1: payload.input: expected a list of JSON objects"),
        (line(input=[VIDEO]), "line 1: input: expected an audio or a text"),
        (line(input=[VIDEO, VIDEO, AUDIO]), "line 1: input: expected exactly one video or image"),
        (line(input=[VIDEO, AUDIO, {"type": "tune"}]), 'line 1: input: type "tune": expected one of video, image, '),
        (line(input=[VIDEO, {"type": "audio"}]), "line 1: input: audio: expected either url or assetId"),
        (line(input=[VIDEO, {"type": "audio", "url": ""}]), "line 1: input: audio: expected a string that is not"),
        (line(input=[VIDEO, {"type": "audio", "url": "https://"}]), 'line 1: input: "https://" is no URL'),
        (line(input=[VIDEO, {"type": "text"}]), "line 1: input: a text needs its provider"),
        (line(input=[{"type": "video", "url": "https://a.example/a.mp3?x"}, AUDIO]), 'line 1: input: video: "https://'),
        (
            line(input=[VIDEO, {"type": "audio", "url": "v.MP4"}]),
            'line 1: input: audio: "v.MP4" is a video by its name',
        ),
        (json.dumps(SHORT | {"video": "a.wav"}), 'line 1: video: "a.wav" is a sound by its name'),
        (json.dumps(SHORT | {"audio": "face.png"}), 'line 1: audio: "face.png" is a picture by its name'),
        (json.dumps(SHORT | {"sync_mode": "lop"}), 'line 1: sync_mode "lop": expected one of bounce, loop, cut_off, '),
        (line().replace("/v2/generate", "/v1"), 'line 1: endpoint "/v1": expected /v2/generate'),
        (f"{line('a')}\n{line('b')}\n{line('a')}", 'line 3: request_id "a" is that of line 1'),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, words: str) -> None:
    """Once."""
    (told,) = problems(text)
    assert told.startswith(words)


def test_all_mistakes_are_told_at_once() -> None:
    """The right lines between them are read."""
    entries, wrong = read_batch(f"{{\n{line('a')}\n[]\n{line('a')}", model="lipsync-2")
    assert [entry.line for entry in entries] == [2]
    assert [problem.line for problem in wrong] == [1, 3, 4]


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner)).map(json.dumps))
def test_no_file_breaks_the_reader(text: str) -> None:
    """Whatever is in it."""
    read_batch(text, model="lipsync-2")


def test_a_request_in_words_of_the_command_line() -> None:
    """A picture is no video, a text goes in the vendor's shape, and what is not said is left out."""
    asked = {"video": "https://a.example/face.PNG?x=1", "text": "Hello", "voice_id": "v", "sync_mode": "loop"}
    request = short_request(asked, model="sync-3")
    assert request.input == (
        {"type": "image", "url": "https://a.example/face.PNG?x=1"},
        {"type": "text", "provider": {"name": "elevenlabs", "voiceId": "v", "script": "Hello"}},
    )
    assert (request.model, request.options) == ("sync-3", {"sync_mode": "loop"})
    assert short_request(SHORT, model="lipsync-2").options == {}
    with pytest.raises(WrongRequestError, match="not both"):
        short_request(SHORT | {"text": "hello"}, model="lipsync-2")


def test_the_sync_modes_are_those_of_the_command_line() -> None:
    """Lines and options are checked alike."""
    assert get_args(SyncMode) == SYNC_MODES


def test_what_a_picture_is() -> None:
    """By the end of its name."""
    assert [is_picture(name) for name in ("a.jpg", "a.webp", "a.mp4", "jpg")] == [True, True, False, False]
