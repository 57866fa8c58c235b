"""What is known of how a provider's answers come, for all links together; each part decides its own."""

from __future__ import annotations

from typing import Self

from attrs import frozen

from orchestrator.settings import ProviderSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.endings import Endings
from orchestrator.speech.freeing import Freeing
from orchestrator.speech.silence import Silence


@frozen(kw_only=True)
class Known:
    """What is known of a provider's answers, and learned from each."""

    pace: Pace
    silence: Silence
    endings: Endings
    freeing: Freeing

    @classmethod
    def of(cls, settings: ProviderSettings, pace: Pace) -> Self:
        """Return what is known before the first request."""
        return cls(
            pace=pace,
            silence=Silence(settings.silent_for, pace),
            endings=Endings(pace),
            freeing=Freeing(settings.slot_freed_by, settings.quiet),
        )
