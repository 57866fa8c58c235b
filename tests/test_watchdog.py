"""The watchdog: a task that keeps the loop is named at once and told of when it ends; the loop's lag is measured."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable

import pytest
import trio

from orchestrator import events
from orchestrator.context import current_bot, current_call
from orchestrator.logs import configure
from orchestrator.watchdog import LAG_INTERVAL, watch

BLOCKED_AFTER = 0.03


def hog_the_loop(until: Callable[[], bool]) -> float:
    """Keep the loop until something is true (5 s at most), as a blocking bot would; return for how long."""
    began = time.perf_counter()
    while not until() and time.perf_counter() - began < 5:
        time.sleep(0.001)
    return time.perf_counter() - began


@pytest.mark.realtime
async def test_a_task_that_blocks_is_named_while_it_blocks_and_told_of_when_it_ends() -> None:
    """The log has call, bot and stack before the step is over; the event comes after it, with its length."""
    stream, seen = io.StringIO(), list[events.Event]()
    log = configure(level="info", stream=stream)
    took = 0.0

    async def bot() -> None:
        nonlocal took
        current_call.set("call-7")
        current_bot.set("bots.slow:Slow")
        took = hog_the_loop(lambda: stream.getvalue().endswith("\n"))
        assert blocked(seen) == []

    async with watch(seen.append, log=log, blocked_after=BLOCKED_AFTER, now=lambda: 42.0):
        await trio.lowlevel.checkpoint()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bot, name="the bot's task")

    line = json.loads(stream.getvalue().splitlines()[0])
    assert (line["event"], line["level"]) == ("TaskBlocks", "warning")
    assert (line["call"], line["bot"], line["task"]) == ("call-7", "bots.slow:Slow", "the bot's task")
    assert "hog_the_loop" in line["stack"]
    (event,) = blocked(seen)
    assert (event.at, event.call, event.bot, event.task) == (42.0, "call-7", "bots.slow:Slow", "the bot's task")
    assert event.stack == line["stack"]
    assert BLOCKED_AFTER <= line["seconds"] <= event.seconds + 0.001
    assert took <= event.seconds < took + 1.0


def blocked(seen: list[events.Event]) -> list[events.TaskBlocked]:
    """Return the events about blocked tasks."""
    return [event for event in seen if isinstance(event, events.TaskBlocked)]


@pytest.mark.realtime
async def test_tasks_that_give_the_loop_back_are_not_named_and_lag_is_measured() -> None:
    """Many short steps are no long one."""
    stream, seen = io.StringIO(), list[events.Event]()
    async with watch(seen.append, log=configure(level="info", stream=stream), blocked_after=1.0, now=trio.current_time):
        with trio.move_on_after(3.5 * LAG_INTERVAL):
            while True:
                hog_the_loop(lambda: True)
                await trio.sleep(0.002)
    assert stream.getvalue() == ""
    lags = [event.seconds for event in seen if isinstance(event, events.LoopLag)]
    assert len(lags) == len(seen) >= 1
    assert all(0 <= lag < 1.0 for lag in lags)


@pytest.mark.realtime
async def test_a_blocked_loop_shows_as_lag() -> None:
    """A sleep that ends while somebody blocks ends late by what is left of the block."""
    seen = list[events.Event]()
    log = configure(level="error", stream=io.StringIO())
    async with watch(seen.append, log=log, blocked_after=10.0, now=trio.current_time):
        await trio.sleep(LAG_INTERVAL / 2)
        time.sleep(LAG_INTERVAL * 2)  # noqa: ASYNC251  # blocking is what this test is about
        await trio.sleep(LAG_INTERVAL / 2)
    assert max(event.seconds for event in seen if isinstance(event, events.LoopLag)) >= LAG_INTERVAL


async def test_nothing_is_left_behind() -> None:
    """Neither the thread nor the instrument, also when the body fails; and the failure comes through."""
    threads = set(threading.enumerate())
    seen = list[events.Event]()
    log = configure(level="info", stream=io.StringIO())

    async def fail_inside() -> None:
        async with watch(seen.append, log=log, blocked_after=BLOCKED_AFTER, now=trio.current_time):
            assert set(threading.enumerate()) > threads
            raise KeyError("the body's own")

    with pytest.raises(ExceptionGroup) as caught:
        await fail_inside()
    assert caught.group_contains(KeyError)
    assert set(threading.enumerate()) == threads
