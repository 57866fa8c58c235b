"""Which options of the provider make sense."""

from __future__ import annotations

import pytest

from simulations.waves.options import PROFILES, WavesOptions


def test_profiles_are_those_of_the_reference_workload() -> None:
    """Each profile names its time to first byte and its real-time factor."""
    assert PROFILES == {"fast": (0.1, 0.1), "mid": (0.15, 0.2), "slow": (0.2, 0.3)}
    slow = WavesOptions.of_profile("slow", slots=2)
    assert (slow.ttfb, slow.rtf, slow.slots, slow.links) == (0.2, 0.3, 2, 10)


@pytest.mark.parametrize("wrong", [{"slots": 0}, {"ttfb": -1.0}, {"chunk_ms": 0.0}, {"idle_timeout": 0.0}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    """The constructor names the option."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WavesOptions(**wrong)  # type: ignore[arg-type]
