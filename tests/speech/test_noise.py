"""Claims about comfort noise: soft, even, the same each time, and nothing that counts as sound."""

from __future__ import annotations

import pytest

from orchestrator.audio import SILENCE_DBFS, level_dbfs, samples_in, sounding
from orchestrator.speech.noise import LEVEL_DBFS, comfort_noise


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100])
def test_it_is_heard_and_no_more(rate: int) -> None:
    """As loud as it says, and silence to whoever looks for speech."""
    pcm = comfort_noise(0.2, rate)
    assert samples_in(pcm) == round(0.2 * rate)
    assert level_dbfs(pcm) == pytest.approx(LEVEL_DBFS, abs=0.5)
    assert not sounding(pcm, rate).any()
    assert LEVEL_DBFS < SILENCE_DBFS
    assert pcm == comfort_noise(0.2, rate)
