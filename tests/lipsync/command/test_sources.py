"""Files that are named become `file:` URLs of what can be sent; anything else is told by its name, and why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.lipsync.batch_file import WrongRequestError, short_request
from orchestrator.lipsync.command.sources import located, path_at, seconds_of
from orchestrator.lipsync.singles import file_of


def test_files_are_seen_from_where_they_are_named(tmp_path: Path) -> None:
    """Whatever their names hold; URLs stay as they are."""
    odd = tmp_path / "a b#ü%41?.mp4"
    odd.write_bytes(b"video")
    request = located(short_request({"video": odd.name, "audio": "https://a.example/a.mp3"}, model="m"), tmp_path)
    assert request.files == (odd.as_uri(),)
    assert file_of(request.files[0]) == odd
    assert request.input[1]["url"] == "https://a.example/a.mp3"
    assert path_at(odd.as_uri(), Path("/")) == odd


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("none.mp4", "can't be read \\(No such file or directory\\)"),
        ("folder.mp4", "is a directory"),
        (".", "is a directory"),
        ("empty.mp4", "is empty"),
        ("notes.txt", "no video, sound or picture by its name"),
        ("ftp://a.example/a.mp4", "expected https://..., or a file"),
        ("a\0.mp4", "is no name of a file"),
        ("~nobody-of-that-name/a.mp4", "is no name of a file"),
    ],
)
def test_what_cant_be_sent_is_told(place: str, words: str, tmp_path: Path) -> None:
    """Before anything is accepted."""
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "notes.txt").write_text("notes")
    with pytest.raises(WrongRequestError, match=words):
        path_at(place, tmp_path)


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    """It would hold whoever opens it."""
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(WrongRequestError, match="is no file"):
        path_at("a.mp4", tmp_path)


def test_only_a_wav_tells_its_length(tmp_path: Path) -> None:
    """Of others the caller must say it."""
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(WrongRequestError, match="give --seconds"):
        seconds_of(tmp_path / "a.wav")
