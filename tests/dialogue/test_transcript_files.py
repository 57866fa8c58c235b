"""Claims about transcripts as files: whole or not there, JSON that says all, Markdown that shows text as text."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestrator.dialogue.transcript import Ending, SoundedWord, Transcript
from orchestrator.dialogue.transcript_files import CallHeader, transcript_json, transcript_markdown, write_transcript

HEADER = CallHeader(call="c1", bot="echo", started="2026-11-21T18:00:00Z", seconds=12.34567, recording="c1.wav")


def talk(caller: str = "hello", bot: str = "one two three") -> Transcript:
    """A call in which the last words were cut and not spoken."""
    transcript = Transcript()
    transcript.add_turn(caller, start=0.12345, end=1.0)
    words = [SoundedWord(0, 3, 2.0, 2.5), SoundedWord(4, 7, None, None)]
    transcript.add_reply(1, bot, ending=Ending(heard=4, given_up=8), sounded=words, voice="avery")
    return transcript


def test_the_json_says_all() -> None:
    """Times in milliseconds of the call, each word with its state."""
    assert transcript_json(HEADER, talk()) == {
        "schema": 1,
        "call": "c1",
        "bot": "echo",
        "started": "2026-11-21T18:00:00Z",
        "seconds": 12.346,
        "recording": "c1.wav",
        "turns": [
            {"who": "caller", "start": 0.123, "end": 1.0, "text": "hello"},
            {
                "who": "bot",
                "reply": 1,
                "start": 2.0,
                "end": 2.5,
                "heard": "one ",
                "cut": "two ",
                "unspoken": "three",
                "voice": "avery",
                "words": [
                    {"word": "one", "state": "heard", "start": 2.0, "end": 2.5},
                    {"word": "two", "state": "cut", "start": None, "end": None},
                    {"word": "three", "state": "unspoken", "start": None, "end": None},
                ],
            },
        ],
    }


def test_the_markdown_strikes_out_what_was_cut_and_names_what_was_not_spoken() -> None:
    """One paragraph an entry."""
    page = transcript_markdown(HEADER, talk())
    assert "echo, 2026-11-21T18:00:00Z, 12.3 s" in page
    assert "Recording: c1.wav" in page
    assert "**Caller** (0.1 s): hello\n" in page
    assert "**Bot** (2.0 s): one ~~two~~ [not spoken: three]\n" in page


def test_what_another_voice_spoke_is_named() -> None:
    """In JSON at each of its words, in Markdown once a run of them, and where the reply's own voice is back."""
    text = "Well then - I am here *now* for you"
    places = [(0, 4), (5, 9), (12, 13), (14, 16), (17, 21), (22, 27), (28, 31)]
    times = [(0.5 * number, 0.5 * number + 0.4) for number in range(len(places))]
    voices = ["", "espeak-ng", "espeak-ng", "espeak-ng", "", "", "espeak-ng"]
    spans = [SoundedWord(*place, *time, voice) for place, time, voice in zip(places, times, voices, strict=True)]
    transcript = Transcript()
    transcript.add_reply(1, text, ending=Ending(heard=30, given_up=31), sounded=spans, voice="avery")
    (turn,) = transcript_json(HEADER, transcript)["turns"]
    assert turn["heard"] + turn["cut"] + turn["unspoken"] == text
    assert turn["voice"] == "avery"
    named = [word["word"] for word in turn["words"] if word.get("voice") == "espeak-ng"]
    assert named == ["then", "I", "am", "for"]
    assert all("voice" not in word for word in turn["words"] if word["word"] not in named)
    page = transcript_markdown(HEADER, transcript)
    assert "): Well (espeak-ng) then - I am (avery) here \\*now\\* (espeak-ng) fo ~~r~~ [not spoken: you]\n" in page


def test_what_a_caller_says_is_no_markup() -> None:
    """Marks of Markdown and HTML are escaped, and a line end makes no heading."""
    page = transcript_markdown(HEADER, talk(caller="*a* _b_ `c` [d](e) <i> ~f~ | \\ \n# g"))
    assert "\\*a\\* \\_b\\_ \\`c\\` \\[d\\](e) \\<i\\> \\~f\\~ \\| \\\\ \\# g\n" in page


def test_both_files_are_written_whole_whatever_the_text(tmp_path: Path) -> None:
    """Lone surrogates and other scripts, too; nothing else is left in the folder."""
    write_transcript(tmp_path, "c1", header=HEADER, transcript=talk(caller="नमस्ते \ud800", bot="a\udfff b c d e"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c1.json", "c1.md"]
    body = json.loads((tmp_path / "c1.json").read_text("utf-8"))
    assert body["turns"][0]["text"] == "नमस्ते ?"
    assert body["turns"][1]["heard"] == "a? b"
    assert "नमस्ते ?" in (tmp_path / "c1.md").read_text("utf-8")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files take their place in one step, when they are complete."""
    write_transcript(tmp_path, "c1", header=HEADER, transcript=talk())
    before = (tmp_path / "c1.json").read_text("utf-8")

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_transcript(tmp_path, "c1", header=HEADER, transcript=talk(caller="other"))
    assert (tmp_path / "c1.json").read_text("utf-8") == before
