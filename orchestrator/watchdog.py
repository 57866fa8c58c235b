"""Watches the loop: names the task that keeps it for too long, at once and when it ends, and measures how late it is.

It changes nothing and stops nobody. A bot that never gives the loop back can't be stopped from outside: but it is
named, with its call and its stack.
"""

from __future__ import annotations

import sys
import threading  # the loop itself can't say that it is stuck: only a second thread sees a step that does not end
import time  # how long a step really takes is wall-clock time by definition; trio's clock can't be read from the thread
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypedDict

import trio
from structlog.typing import FilteringBoundLogger
from trio.lowlevel import Task

from orchestrator.context import current_bot, current_call
from orchestrator.events import LoopLag, TaskBlocked
from orchestrator.ports import Emit

LAG_INTERVAL = 0.1
"""Seconds between two measurements of the loop's lateness."""

STACK_FRAMES = 20
"""Innermost frames of a stack that are told."""

UNSEEN = "not seen: native code kept the interpreter, too"


@asynccontextmanager
async def watch(
    emit: Emit, *, log: FilteringBoundLogger, blocked_after: float, now: Callable[[], float]
) -> AsyncIterator[None]:
    """Watch the running loop inside this context.

    A step of a task longer than `blocked_after` seconds is logged while it lasts (TaskBlocks, with the stack) and
    emitted as TaskBlocked when it ends; every 0.1 s a LoopLag is emitted. `now` is the run's clock, for the events'
    `at`. Not for virtual time: it has a thread.
    """
    steps = _Steps(emit=emit, now=now, blocked_after=blocked_after)
    lookout = _Lookout(steps=steps, log=log)
    trio.lowlevel.add_instrument(steps)
    lookout.start()
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_measure_lag, emit, now)
            yield
            nursery.cancel_scope.cancel()
    finally:
        lookout.stop()
        trio.lowlevel.remove_instrument(steps)


async def _measure_lag(emit: Emit, now: Callable[[], float]) -> None:
    while True:
        due = trio.current_time() + LAG_INTERVAL
        await trio.sleep_until(due)
        emit(LoopLag(at=now(), seconds=trio.current_time() - due))


class _Who(TypedDict):
    task: str
    call: str | None
    bot: str | None


Step = tuple[Task, float]
"""A task that has the loop, and since when (time.perf_counter); told apart by identity."""


class _Steps(trio.abc.Instrument):
    """Notes who has the loop since when. Trio calls it around every step of every task, so it does next to nothing."""

    def __init__(self, *, emit: Emit, now: Callable[[], float], blocked_after: float) -> None:
        self.blocked_after = blocked_after
        self.running: Step | None = None
        self.named: tuple[Step | None, str] = (None, "")
        self._emit = emit
        self._now = now

    def before_task_step(self, task: Task) -> None:
        self.running = (task, time.perf_counter())

    def after_task_step(self, task: Task) -> None:
        step, self.running = self.running, None
        if step is not None:  # None in the very step that added this instrument
            seconds = time.perf_counter() - step[1]
            if seconds >= self.blocked_after:
                self._report(step, seconds)

    def _report(self, step: Step, seconds: float) -> None:
        named, stack = self.named
        who = _who(step[0])
        self._emit(TaskBlocked(at=self._now(), seconds=seconds, stack=stack if named is step else UNSEEN, **who))


class _Lookout:
    """The thread that looks at the loop from outside. It reads `steps` without a lock: each look is one reference."""

    def __init__(self, *, steps: _Steps, log: FilteringBoundLogger) -> None:
        self._steps = steps
        self._log = log
        self._loop_thread = threading.get_ident()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_out, name="talkingstick-lookout", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()  # it waits for nothing but `_over`, so this takes no longer than writing a line

    def _look_out(self) -> None:
        pause = self._steps.blocked_after
        while not self._over.wait(pause):
            pause = self._steps.blocked_after
            step = self._steps.running
            if step is not None and step is not self._steps.named[0]:
                age = time.perf_counter() - step[1]
                if age >= self._steps.blocked_after:
                    self._name(step, age)
                else:
                    pause -= age  # look again at the moment at which this step would be too long

    def _name(self, step: Step, seconds: float) -> None:
        stack = "".join(traceback.format_stack(sys._current_frames()[self._loop_thread], limit=STACK_FRAMES))
        if self._steps.running is not step:
            return  # it ended while we looked: the stack may be another's
        self._steps.named = (step, stack)
        with suppress(OSError, ValueError):  # the log is gone: the event still tells
            self._log.warning("TaskBlocks", seconds=round(seconds, 3), stack=stack, **_who(step[0]))


def _who(task: Task) -> _Who:
    return {"task": task.name, "call": task.context.get(current_call), "bot": task.context.get(current_bot)}
