"""The caller's side of a leg: what time ends costs a wake-up when it is due, and none with every frame."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from orchestrator.adapters.telephony.caller_side import CallerSide
from orchestrator.adapters.telephony.options import LegOptions
from orchestrator.ports import Digits, LegEvent, Media, SpeechStarted, UserTurn
from orchestrator.settings import ServeSettings

LOUD = b"\x00\x20\x00\xe0" * 80


class Steps(trio.abc.Instrument):
    """Counts the steps of the task that waits for what time ends."""

    count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += "CallerSide" in task.name


async def test_a_frame_wakes_nobody(autojump_clock: MockClock) -> None:
    """Whatever the run's clock says while Trio's says something else; the turn ends in its time all the same."""
    await trio.sleep(1000)
    began = trio.current_time()
    told: list[LegEvent] = []

    def now() -> float:
        return trio.current_time() - began

    async with trio.open_nursery() as nursery:
        options = LegOptions.of(ServeSettings())
        caller = CallerSide(options, rate=8000, now=now, tell=told.append, nursery=nursery)
        caller.key("5")
        trio.lowlevel.add_instrument(steps := Steps())
        for _ in range(100):
            caller.media(Media(LOUD))
            await trio.sleep(0.02)
        trio.lowlevel.remove_instrument(steps)
    assert steps.count <= 5
    assert [type(event) for event in told] == [SpeechStarted, Digits, UserTurn]
    assert isinstance(told[-1], UserTurn)
    assert 2.4 < told[-1].ended + 0.5 < 2.7
    assert now() < 2.8
