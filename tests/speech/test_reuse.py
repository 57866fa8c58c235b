"""Whether the provider keeps links after a `complete`: learned, and not from a restart."""

from __future__ import annotations

import pytest

from orchestrator.speech.reuse import Reuse


def test_the_first_lesson_is_believed() -> None:
    """And is news once."""
    for known in (True, False):
        reuse = Reuse(None)
        assert reuse.survived() if known else reuse.closed(0.0)
        assert reuse.known is known
        assert not (reuse.survived() if known else reuse.closed(1.0))


def test_where_links_were_kept_a_single_close_may_be_chance() -> None:
    """Two in a row are not, unless a link survived in between."""
    reuse = Reuse(True)
    assert not reuse.closed(0.0)
    assert not reuse.survived()
    assert not reuse.closed(10.0)
    assert reuse.closed(20.0)
    assert reuse.known is False


@pytest.mark.parametrize("before", [None, True])
@pytest.mark.parametrize("order", ["cut first", "cut last"])
def test_a_restart_teaches_nothing(before: bool | None, order: str) -> None:
    """Links that had just been complete end with others that had not: whichever is seen first."""
    reuse = Reuse(before)
    reuse.closed(0.0)
    reuse.survived()
    reuse.known = before
    if order == "cut first":
        reuse.cut(10.0)
    reuse.closed(10.05)
    reuse.closed(10.05)
    if order == "cut last":
        reuse.cut(10.1)
    assert reuse.known is before
    assert reuse.closed(20.0) is (before is None)


def test_links_that_close_together_are_one_lesson() -> None:
    """Several slots may be complete at the time of a chance drop."""
    reuse = Reuse(True)
    assert not reuse.closed(10.0)
    assert not reuse.closed(10.1)
    assert reuse.known is True
    assert reuse.closed(10.3)
