"""What this machine gives a run besides the provider: its own voice and the phrases on its disk, and how they end."""

from __future__ import annotations

import gc
import logging
import os
import sys

import trio

from orchestrator.adapters.voices.local import MachineVoice, installed_voice
from orchestrator.lanes import ThreadLane
from orchestrator.settings import CacheSettings, Settings
from orchestrator.speech.phrase_files import PhraseFiles, cache_directory

_log = logging.getLogger(__name__)

_LOADED_WITHIN = 3.0
_UNLOADED_WITHIN = 20.0
"""Seconds that its loading may take on a busy machine: an interpreter that ends before aborts."""
_VOICE_WITHIN = 0.5
"""Seconds that a sentence of the voice of this machine, or its loading, may go on after the end of the run."""


def spare_the_collector() -> None:
    """Keep full garbage collections short and rare: to be called when everything is loaded and before there are calls.

    They stop all calls for 60 to 180 ms each where thousands of connections have come and gone, or where 50 calls have
    transcripts (measured on one 2 GHz core). What is loaded lives as long as the program, and is not looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)


def local_voice(settings: Settings) -> MachineVoice | None:
    """Return the voice that speaks where the provider can't; None where the ladder has none. Raises SettingsError."""
    ladder = settings.ladder
    return installed_voice(ladder.local, ThreadLane(1)) if ladder.on and "local_voice" in ladder.rungs else None


def phrase_files(settings: CacheSettings) -> PhraseFiles | None:
    """Return where phrases are kept of a real provider; None where none are."""
    return PhraseFiles(settings, directory=cache_directory(settings)) if settings.on else None


async def prepare(voice: MachineVoice) -> None:
    """Load the voice of this machine before there are calls that would stutter meanwhile; if it can't, it is told."""
    try:
        with trio.move_on_after(_LOADED_WITHIN):
            await voice.prepare()
    except Exception as error:  # a broken library raises anything, and calls are answered without this voice, too
        _log.warning("the voice of this machine can't be loaded: %s", error)


async def wait_quiet(voice: MachineVoice) -> None:
    """Wait until the voice has done what it was given up at, but not for ever: for a run that ends by an error."""
    with trio.move_on_after(_UNLOADED_WITHIN, shield=True):
        await voice.lane.run(int)  # it runs one thing at a time


async def end(voice: MachineVoice, status: int) -> None:
    """Let the voice of this machine finish what it was given up at; if that takes too long, end the process from here.

    An interpreter that shuts down while a thread of it runs native code aborts.
    """
    with trio.move_on_after(_VOICE_WITHIN):
        await voice.lane.run(int)  # it runs one thing at a time
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
