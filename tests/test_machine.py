"""What this machine gives a run: a voice of it that breaks while it loads is told, and hurts nothing."""

from __future__ import annotations

import logging

import pytest
import trio
from trio.testing import MockClock

from orchestrator.adapters.voices.local import MachineVoice, Voice
from orchestrator.errors import FaultKind, ProviderFault, SettingsError
from orchestrator.lanes import InlineLane
from orchestrator.machine import prepare
from orchestrator.ports import Spoken


class Broken:
    """A voice that raises what it was given."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def speak(self, text: str, *, voice: str, rate: int, speed: float = 1.0) -> Spoken:
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        ProviderFault(FaultKind.REQUEST, "no model"),
        SettingsError("the extra is half installed"),
        OSError("libsamplerate.so: cannot open"),
        MemoryError("no room"),
    ],
)
async def test_a_voice_that_cannot_be_loaded_ends_nothing(
    error: Exception, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """One line of the log, whatever a library raises."""
    voice = MachineVoice((Voice("broken", Broken(error), {"en": "en"}),), InlineLane())
    with caplog.at_level(logging.WARNING):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(prepare, voice)
    (told,) = caplog.messages
    assert "can't be loaded" in told
    assert str(error) in told
