"""The shell around the queue: waiting, cancelling in the very tick of a grant, back-offs, and what is told about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestrator import events
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.events import Event
from orchestrator.ports import Ask
from orchestrator.slot.account import Account
from orchestrator.slot.outlook import Outlook
from orchestrator.slot.place import LocalPlace
from orchestrator.slot.queue import SlotQueue
from orchestrator.slot.scheduler import Scheduler


def ask(call: str = "a", *, need_in: float = 0.0, first: bool = True, since_ready: float = 0.0) -> Ask:
    """Return a wish for the slot."""
    return Ask(call=call, reply=1, first=first, need_in=need_in, since_ready=since_ready)


def too_many(seconds: float) -> ProviderFault:
    """Return a refusal that asks to be left alone for so long."""
    return ProviderFault(FaultKind.RATE, "too many a minute", retry_after=seconds)


@asynccontextmanager
async def scheduling(
    slots: int = 1, *, began: float = 0.0, outlook: Outlook | None = None, account: Account | None = None
) -> AsyncIterator[tuple[Scheduler, list[Event]]]:
    """Yield a running scheduler and what it tells; at the end no slot may be taken and nobody may be left waiting."""
    told: list[Event] = []
    queue = SlotQueue(slots=slots, bound=2.0)
    now = lambda: trio.current_time() - began  # noqa: E731
    scheduler = Scheduler(queue, emit=told.append, now=now, outlook=outlook, account=account)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scheduler.run)
        yield scheduler, told
        assert (queue.granted, queue.waiting) == (0, 0)
        async with scheduler.join(ask("next")):  # no slot is lost
            assert queue.granted == 1
        nursery.cancel_scope.cancel()


def names(told: list[Event]) -> list[str]:
    """Return the events' names, without those of the last check."""
    return [type(event).__name__ for event in told if getattr(event, "call", "") != "next"]


async def test_a_place_waits_and_the_slot_goes_round(autojump_clock: MockClock) -> None:
    """Each waits until the one before is done; what is told has the times of the run's clock."""
    async with scheduling(began=-100.0) as (scheduler, told):
        async with trio.open_nursery() as nursery:
            for number, call in enumerate("abc"):
                nursery.start_soon(_hold, scheduler, ask(call, need_in=number, since_ready=0.25), 2.0)
                await wait_all_tasks_blocked()
        start = told[0].at
        assert start >= 100.0
        grants = [event for event in told if isinstance(event, events.SlotGranted)]
        assert [
            (grant.call, round(grant.at - start, 6), round(grant.waited, 6), round(grant.wait or 0, 6))
            for grant in grants
        ] == [
            ("a", 0.0, 0.0, 0.25),
            ("b", 2.0, 2.0, 2.25),
            ("c", 4.0, 4.0, 4.25),
        ]
        frees = [event for event in told if isinstance(event, events.SlotFreed)]
        assert [(free.call, round(free.held, 6), free.cause) for free in frees] == [
            (call, 2.0, "done") for call in "abc"
        ]
        joins = [event for event in told if isinstance(event, events.TicketJoined)]
        assert [round(join.need_by - start, 6) for join in joins] == [0, 1, 2]
        assert len(told) == 9


async def _hold(scheduler: Scheduler, wish: Ask, seconds: float) -> None:
    async with scheduler.join(wish) as grant:
        await trio.sleep(seconds)
        grant.free("done")


async def test_later_pieces_have_no_wait(autojump_clock: MockClock) -> None:
    """`wait` is told for first pieces only."""
    async with scheduling() as (scheduler, told):
        async with scheduler.join(ask(first=False)):
            pass
        (grant,) = [event for event in told if isinstance(event, events.SlotGranted)]
        assert (grant.first, grant.wait, grant.waited) == (False, None, 0.0)


async def test_a_slot_that_was_not_used_comes_back_at_the_end_of_the_block(autojump_clock: MockClock) -> None:
    """Once, with its cause, also when the block raises."""
    async with scheduling() as (scheduler, told):
        with pytest.raises(ValueError, match="within"):
            async with scheduler.join(ask()):
                raise ValueError("within")
        assert names(told) == ["TicketJoined", "SlotGranted", "SlotFreed"]
        assert isinstance(told[2], events.SlotFreed)
        assert told[2].cause == "unused"


async def test_leaving_the_queue_is_told_with_the_time_waited(autojump_clock: MockClock) -> None:
    """A place that is given up before its grant tells TicketLeft, once, and no grant follows."""
    async with scheduling() as (scheduler, told):
        async with scheduler.join(ask("holder")):
            with trio.move_on_after(3):
                async with scheduler.join(ask("left")):
                    pytest.fail("granted while another holds the only slot")
        (left,) = [event for event in told if isinstance(event, events.TicketLeft)]
        assert (left.call, left.first, round(left.waited, 6)) == ("left", True, 3.0)


Blow = Callable[[LocalPlace, trio.CancelScope], None]


def _free_then_cancel(holder: LocalPlace, scope: trio.CancelScope) -> None:
    holder.free("complete")
    scope.cancel()


def _cancel_then_free(holder: LocalPlace, scope: trio.CancelScope) -> None:
    scope.cancel()
    holder.free("complete")


@pytest.mark.parametrize("blow", [_free_then_cancel, _cancel_then_free])
async def test_a_cancel_in_the_tick_of_the_grant_loses_no_slot(autojump_clock: MockClock, blow: Blow) -> None:
    """Either order: the waiter may come out granted or cancelled, the slot comes back once."""
    async with scheduling() as (scheduler, told):
        scope = trio.CancelScope()

        async def wait() -> None:
            with scope:
                async with scheduler.join(ask("waiter")):
                    await trio.sleep(1)

        async with scheduler.join(ask("holder")) as holder, trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await wait_all_tasks_blocked()
            blow(holder, scope)
        assert scope.cancelled_caught
        assert names(told).count("SlotGranted") == names(told).count("SlotFreed") == 2
        assert names(told).count("TicketLeft") == 0


async def test_a_cancel_at_a_free_slots_first_checkpoint_loses_no_slot(autojump_clock: MockClock) -> None:
    """Joining may grant at once; entering is still a checkpoint, and a cancel there gives the slot back."""
    async with scheduling() as (scheduler, told):
        with trio.move_on_at(float("-inf")) as scope:
            async with scheduler.join(ask()):
                pytest.fail("entered although cancelled")
        assert scope.cancelled_caught
        assert names(told) == ["TicketJoined", "SlotGranted", "SlotFreed"]


async def test_occupying_passes_the_duty_to_return_the_slot(autojump_clock: MockClock) -> None:
    """After `occupy` neither the end of the block nor a cancel frees it; the new owner does, once."""
    async with scheduling() as (scheduler, told):
        with trio.CancelScope() as scope:
            async with scheduler.join(ask()) as grant:
                grant.occupy()
                scope.cancel()
                await trio.sleep(1)
        assert scheduler.queue.granted == 1
        for _ in range(3):
            grant.free("complete")
        assert names(told) == ["TicketJoined", "SlotGranted", "SlotFreed"]


async def test_holding_and_resuming(autojump_clock: MockClock) -> None:
    """A held place is passed over and gets the slot at once when it is resumed."""
    async with scheduling() as (scheduler, told):
        async with scheduler.join(ask("holder")) as holder:
            held, other = scheduler.join(ask("held")), scheduler.join(ask("other", need_in=50))
            held.hold()
            holder.free("complete")
            async with other:
                assert not held.granted.is_set()
            held.revise(5)
            assert not held.granted.is_set()
            held.resume(1)
            async with held:
                assert held.ticket.need_by == pytest.approx(trio.current_time() + 1)
        assert names(told).count("SlotGranted") == 3


async def test_revising_changes_who_is_next(autojump_clock: MockClock) -> None:
    """The place that is needed sooner now goes first."""
    async with scheduling() as (scheduler, told):
        async with scheduler.join(ask("holder")) as holder:
            early, late = scheduler.join(ask("early", need_in=1)), scheduler.join(ask("late", need_in=2))
            late.revise(0.5)
            holder.free("complete")
            async with late:
                assert not early.granted.is_set()
            async with early:
                pass
        assert names(told).count("SlotGranted") == 3


async def test_replies_begin_and_calls_end_in_the_queues_books(autojump_clock: MockClock) -> None:
    """`begin_reply` and `close` reach the queue."""
    async with scheduling() as (scheduler, _):
        await _hold(scheduler, ask("a"), 3.0)
        assert scheduler.queue.account_of("a") == pytest.approx(3.0)
        await _hold(scheduler, ask("a"), 3.0)
        scheduler.begin_reply("b", weight=2.0)
        assert scheduler.queue.account_of("b") == pytest.approx(3.0)
        scheduler.close("a")
        assert scheduler.queue.account_of("a") == 0.0
