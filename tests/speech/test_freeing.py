"""By what a slot is free: when quiet is tried, and what refusals teach."""

from __future__ import annotations

import pytest

from orchestrator.speech.freeing import Freeing


def test_quiet_is_tried_after_three_completes_in_a_row_that_trail() -> None:
    """By half a second; it is news once."""
    freeing = Freeing("complete", 0.25)
    assert [freeing.trailed(seconds) for seconds in (0.5, 3.0, 0.49, 4.0, 0.5)] == [False] * 5
    assert (freeing.by, freeing.trailed(0.5), freeing.by) == ("complete", True, "quiet")
    assert not freeing.trailed(9.0)


def test_refusals_soon_after_double_the_quiet_and_the_third_ends_the_trust() -> None:
    """Then the link is closed after the usual quiet instead; one or two may be somebody else's doing."""
    freeing = Freeing("quiet", 0.25)
    freeing.freed(10.0)
    freeing.refused(11.0)
    assert (freeing.quiet, freeing.trusts_quiet) == (0.5, True)
    freeing.refused(11.1)  # for the same freeing
    assert freeing.trusts_quiet
    freeing.freed(12.0)
    freeing.refused(12.1)
    assert (freeing.quiet, freeing.trusts_quiet) == (0.95, True)
    freeing.freed(14.0)
    freeing.refused(14.1)
    assert (freeing.quiet, freeing.trusts_quiet) == (0.25, False)


def test_a_later_refusal_is_somebody_elses() -> None:
    """After more than a second."""
    freeing = Freeing("quiet", 0.25)
    freeing.refused(0.0)
    freeing.freed(10.0)
    freeing.refused(11.001)
    assert (freeing.quiet, freeing.trusts_quiet) == (0.25, True)


def test_what_was_raised_comes_back() -> None:
    """With every freeing without a refusal a little, and never below the setting."""
    freeing = Freeing("quiet", 0.25)
    freeing.freed(0.0)
    freeing.refused(0.0)
    freeing.freed(10.0)
    assert freeing.quiet == pytest.approx(0.475)
    for piece in range(100):
        freeing.freed(20.0 + piece)
    assert freeing.quiet == 0.25
    freeing.refused(119.0)
    assert (freeing.quiet, freeing.trusts_quiet) == (0.5, True)
