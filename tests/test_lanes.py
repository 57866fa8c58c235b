"""Claims about lanes: bounded, abandoned on cancel in the product; without a thread in virtual time."""

from __future__ import annotations

import threading

import pytest
import trio

from orchestrator.lanes import InlineLane, ThreadLane


async def test_the_inline_lane_meets_no_thread() -> None:
    """The work runs here and its error is raised here."""
    assert await InlineLane().run(threading.current_thread) is threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        await InlineLane().run(divmod, 1, 0)


@pytest.mark.realtime
async def test_a_thread_lane_is_bounded_and_can_be_left() -> None:
    """A second piece of work waits for the first, even when nobody waits for that any more."""
    lane, leave, order = ThreadLane(1), threading.Event(), list[str]()

    def block() -> None:
        leave.wait(10)
        order.append("first")

    with trio.move_on_after(0.05) as left:
        await lane.run(block)
    assert left.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lane.run, order.append, "second")
        await trio.sleep(0.05)
        assert order == []
        leave.set()
    assert order == ["first", "second"]
    assert await lane.run(threading.current_thread) is not threading.current_thread()
