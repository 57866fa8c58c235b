"""Scenarios of the load: the one that ships, and what is said of mistakes."""

from __future__ import annotations

import wave
from pathlib import Path
from random import Random

import pytest

from orchestrator.errors import SettingsError
from simulations.carriers.carrier import Call
from simulations.carriers.exotel import FakeExotel
from simulations.carriers.playback import sounding_spans
from simulations.load.scenario import DEFAULT, load_scenario
from simulations.load.sounds import render

LINE = FakeExotel(Call(call="c" * 32, stream="5" * 32))
"""Its payloads are plain PCM."""


def written(folder: Path, text: str) -> Path:
    """Return the path of a file with this text."""
    path = folder / "scenario.toml"
    path.write_text(text)
    return path


def test_the_shipped_scenario_is_whole() -> None:
    """It can be read and has every kind of turn that needs no file and does not hang up."""
    kinds = {turn.kind for turn in load_scenario(DEFAULT).turns}
    assert kinds == {"listen", "say", "text", "pause", "press"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "turns: is missing"),
        ("[[turns]]\n", "turns[0]: expected exactly one of say,"),
        ("[[turns]]\npause = 0\n", "none of them 0, empty or false"),
        ("[[turns]]\nsay = 1\npress = '1'\n", "turns[0]: expected exactly one of"),
        ("[[turns]]\nsay = 100\n", "must lie between 0 and 60"),
        ("[[turns]]\npress = '1x'\n", "expected keys of a telephone"),
        (
            "[[turns]]\nlisten = true\ninterrupt_after = 1\n",
            "turns[0].interrupt_after: a turn of listen can't interrupt",
        ),
        ("[[turns]]\nhang_up = true\n", "a call can't begin with its end"),
        ("[[turns]]\nspeak = 1\n", "unknown key"),
        ("voice = 'piper'\n[[turns]]\nsay = 1\n", 'expected "tone" or "espeak"'),
    ],
)
def test_mistakes_name_the_key_and_what_would_be_right(tmp_path: Path, text: str, told: str) -> None:
    """One line each, with the file."""
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as error:
        load_scenario(path)
    assert told in str(error.value)
    assert str(path) in str(error.value)


async def test_what_is_said_begins_and_ends_with_sound_and_lasts_as_long_as_asked(tmp_path: Path) -> None:
    """No silence at either end: response and barge-in are measured from them."""
    scenario = load_scenario(written(tmp_path, "[[turns]]\nsay = 2.5\n[[turns]]\ntext = 'Hello there.'\n"))
    sounds = await render(scenario, LINE, path=tmp_path / "scenario.toml", rng=Random("1"))
    for turn, seconds in ((0, 2.5), (1, 0.8)):
        said = b"".join(each for each in sounds.of(turn, variant=0) if isinstance(each, bytes))
        spans = sounding_spans(said, 8000)
        assert spans[0][0] == 0
        assert len(said) / 16_000 - spans[-1][1] < 0.02
        assert len(said) / 16_000 == pytest.approx(seconds, abs=0.2)


async def test_recordings_are_found_beside_the_scenario_and_must_have_one_channel(tmp_path: Path) -> None:
    """A WAV file of the line's rate is taken as it is; two channels and missing files are told."""
    scenario = load_scenario(written(tmp_path, "[[turns]]\nwav = 'a.wav'\n"))
    with pytest.raises(SettingsError, match=r"scenario\.toml: turns\[0\]\.wav: .*a\.wav: No such file"):
        await render(scenario, LINE, path=tmp_path / "scenario.toml", rng=Random("1"))
    for channels in (2, 1):
        with wave.open(str(tmp_path / "a.wav"), "wb") as file:
            file.setparams((channels, 2, 8000, 0, "NONE", ""))
            file.writeframes((5000).to_bytes(2, "little") * 8000 * channels)
        if channels == 2:
            with pytest.raises(SettingsError, match=r"turns\[0\]\.wav: .*a\.wav: .*2 channels; expected"):
                await render(scenario, LINE, path=tmp_path / "scenario.toml", rng=Random("1"))
    assert len((await render(scenario, LINE, path=tmp_path / "scenario.toml", rng=Random("1"))).of(0, variant=3)) == 50
