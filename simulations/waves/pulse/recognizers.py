"""Decides which recogniser the command's options ask for; how each understands is script.py's and ears.py's."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import SettingsError
from simulations.waves.pulse.ears import Whisper
from simulations.waves.pulse.hearing import Recognizer
from simulations.waves.pulse.script import USUAL_LINES, Script, read_lines

__all__ = ["Recognizer", "recognizer_for"]


def recognizer_for(*, transcript: Path | None, ears: bool, model: Path | None) -> Recognizer:
    """Return the recogniser that the options `--transcript`, `--ears` and `--ears-model` ask for; without any, the
    usual script.

    Raises SettingsError for a file that cannot be used, for options that exclude each other, and where the extra
    `ears` is not installed.
    """
    if transcript is not None and (ears or model is not None):
        raise SettingsError("transcripts come from a file (--transcript) or from the sound (--ears), not from both")
    if ears or model is not None:
        return Whisper.load(model)
    return Script(USUAL_LINES if transcript is None else read_lines(transcript))
