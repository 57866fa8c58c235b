"""The recogniser that reads from a script, and which recogniser the command's options mean."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from orchestrator.errors import SettingsError
from simulations.waves.pulse.recognizers import recognizer_for
from simulations.waves.pulse.script import DELAY_SECONDS, USUAL_LINES, Script
from tests.simulations.waves.pulse.peer import RATE, speech


async def test_words_fill_the_sound_in_order(autojump_clock: MockClock) -> None:
    """Each word begins after the one before and takes its part of the letters; the answer takes its time."""
    hearing = Script(["a bb cccc"]).begin()
    began = trio.current_time()
    words = await hearing.transcribe(speech(0.9), RATE, language="en")
    assert trio.current_time() - began == pytest.approx(DELAY_SECONDS)
    assert [(word.text, round(word.start, 3), round(word.end, 3)) for word in words] == [
        ("a", 0.0, 0.1),
        ("bb", 0.2, 0.4),
        ("cccc", 0.5, 0.9),
    ]


async def test_a_guess_takes_no_line(autojump_clock: MockClock) -> None:
    """It grows with the sound from the first word to the whole line, which is still to come."""
    hearing = Script(["one two", "three"]).begin()
    grown = [await hearing.guess(speech(seconds), RATE, language="en") for seconds in (0.01, 0.3, 0.6)]
    assert [[word.text for word in words] for words in grown] == [["one"], ["one"], ["one", "two"]]
    assert [word.text for word in await hearing.transcribe(speech(1.0), RATE, language="en")] == ["one", "two"]


def test_a_file_has_a_line_for_each_utterance(tmp_path: Path) -> None:
    """Blank lines are left out; without a file there are usual lines."""
    path = tmp_path / "calls.txt"
    path.write_text("  Hello. \n\n नमस्ते\n", "utf-8")
    assert recognizer_for(transcript=path, ears=False, model=None) == Script(("Hello.", "नमस्ते"))
    assert recognizer_for(transcript=None, ears=False, model=None) == Script(USUAL_LINES)


@pytest.mark.parametrize("content", [None, b"", b" \n\n", b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty, or no text."""
    path = tmp_path / "calls.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"--transcript .*calls\.txt"):
        recognizer_for(transcript=path, ears=False, model=None)


def test_a_script_and_ears_exclude_each_other(tmp_path: Path) -> None:
    """One of them says what was said."""
    with pytest.raises(SettingsError, match="not from both"):
        recognizer_for(transcript=tmp_path / "calls.txt", ears=True, model=None)
