"""The scheduler with an outlook: when pieces are needed, how long they may be, whose word is awaited before a grant."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs
import pytest
import trio
from trio.testing import MockClock

from orchestrator import events
from orchestrator.events import Event
from orchestrator.slot.outlook import Outlook
from orchestrator.slot.pace import Pace
from orchestrator.slot.place import LocalPlace
from orchestrator.slot.queue import Ticket
from orchestrator.slot.scheduler import Scheduler
from tests.slot.test_scheduler import ask, scheduling, too_many


def outlook(slots: int = 1) -> Outlook:
    """Return one that knows a fast provider."""
    return Outlook(pace=Pace(0.1, 0.1, 1 / 15, 9), slots=slots, patience=0.2)


def granted(*places: LocalPlace) -> list[bool]:
    """Return which of the places have the slot, or had it."""
    return [place.granted.is_set() for place in places]


def need_bys(told: list[Event]) -> list[float]:
    """Return the need-bys that were told, in seconds from the joins."""
    return [event.need_by - event.at for event in told if isinstance(event, events.TicketJoined)]


def tidy(*places: LocalPlace) -> None:
    """Bring back or leave what is left."""
    for place in places:
        place.free("unused")
        place._scheduler.leave(place)


async def test_a_first_piece_is_needed_when_patience_ends_a_later_one_before_silence(autojump_clock: MockClock) -> None:
    """Patience runs from ready on; the provider's first audio takes its time."""
    known = outlook()
    async with scheduling(outlook=known) as (scheduler, told):
        places = [
            scheduler.join(ask("a", since_ready=0.3, need_in=9.0)),
            scheduler.join(ask("b", first=False, need_in=2.0)),
        ]
        assert need_bys(told) == pytest.approx([known.patience_now() - 0.3, 2.0 - known.pace.ttfb])
        tidy(*places)


async def test_a_grant_says_how_long_it_may_hold_the_slot(autojump_clock: MockClock) -> None:
    """No limit alone; as the others need it that wait, that will go on, or whose callers have fallen silent."""
    known = outlook()
    async with scheduling(outlook=known) as (scheduler, _):
        async with scheduler.join(ask("a")) as grant:
            assert grant.room == float("inf")
            waiting = scheduler.join(ask("b"))
        async with waiting as grant:
            assert grant.room == float("inf")
            places = [scheduler.join(ask("c")), scheduler.join(ask("d", first=False, need_in=3.0))]
        rooms = [places[0].room]
        scheduler.expect("b", need_in=1.0)
        tidy(places[0])
        rooms.append(places[1].room)
        tidy(places[1])
        scheduler.expect("e")
        async with scheduler.join(ask("c")) as grant:
            rooms.append(grant.room)
        assert rooms == pytest.approx([2.9, 0.6, 0.9])


async def test_free_slots_make_room(autojump_clock: MockClock) -> None:
    """Who asks next has a slot of its own."""
    async with scheduling(slots=2, outlook=outlook(2)) as (scheduler, _):
        scheduler.expect("later", need_in=1.0)
        async with scheduler.join(ask("a")) as one, scheduler.join(ask("b")) as other:
            assert one.room == float("inf")
            assert other.room == pytest.approx(0.9)


async def test_ten_thousand_who_wait_cost_no_more_than_a_few(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    """Of all that queue up only the most urgent are looked at for a grant."""
    async with scheduling(outlook=outlook()) as (scheduler, _):
        places = [scheduler.join(ask(f"call {number}", need_in=9.0, first=False)) for number in range(10_000)]
        in_order, looked_at = scheduler.queue.in_order, list[Ticket]()

        def counted(most: int) -> Iterator[Ticket]:
            for ticket in in_order(most):
                looked_at.append(ticket)
                yield ticket

        monkeypatch.setattr(scheduler.queue, "in_order", counted)
        tidy(places[0])
        assert granted(*places[:3]) == [True, True, False]
        assert 0 < len(looked_at) <= 64
        monkeypatch.undo()
        for place in reversed(places):
            tidy(place)


async def test_what_is_told_of_the_account_is_what_chose_it(autojump_clock: MockClock) -> None:
    """Without what the piece is expected to cost."""
    async with scheduling(outlook=outlook()) as (scheduler, told):
        for _ in range(2):
            async with scheduler.join(attrs.evolve(ask("a"), expected=5.0)):
                await trio.sleep(2.0)
        accounts = [event.account for event in told if isinstance(event, events.SlotGranted)]
        assert accounts == pytest.approx([0.0, 2.0])


async def test_who_closes_is_forgotten(autojump_clock: MockClock) -> None:
    """A call that is over makes no piece shorter, and its use of the slots alone is known."""
    known = outlook()
    async with scheduling(outlook=known) as (scheduler, _):
        scheduler.expect("a", need_in=0.5)
        scheduler.expect("b")
        for call in "ab":
            scheduler.close(call)
        assert not known._calls
        async with scheduler.join(ask("c")) as grant:
            assert grant.room == float("inf")
            await trio.sleep(30)
        assert scheduler.leisure() == known.leisure(scheduler.now()) == 0
        await trio.sleep(60)
        assert scheduler.leisure() == known.leisure(scheduler.now()) > 0


Say = Callable[[Scheduler], object]


async def both(scheduler: Scheduler) -> tuple[LocalPlace, LocalPlace]:
    """Return a piece of `talker` that is complete, more to come, and the place of another call that waits."""
    done = scheduler.join(ask("talker"))
    waiting = scheduler.join(ask("other", first=False, need_in=4.0))
    scheduler.expect("talker", need_in=0.4)
    done.free("complete")
    return done, waiting


async def test_who_has_just_been_served_says_first_what_it_needs_next(autojump_clock: MockClock) -> None:
    """It needs the slot sooner than the one who waits: that one would else have been granted in the same tick."""
    async with scheduling(outlook=outlook()) as (scheduler, _):
        _, waiting = await both(scheduler)
        assert granted(waiting) == [False]
        more = scheduler.join(ask("talker", first=False, need_in=0.4))
        assert granted(more, waiting) == [True, False]
        tidy(more, waiting)


@pytest.mark.parametrize(
    "word",
    [
        lambda scheduler: scheduler.expect("talker", need_in=0.4),  # not yet
        lambda scheduler: scheduler.expect("talker"),
        lambda scheduler: scheduler.unexpect("talker"),  # it was cut, or has no more text
        lambda scheduler: scheduler.close("talker"),
    ],
)
async def test_any_word_of_it_ends_the_wait(word: Say, autojump_clock: MockClock) -> None:
    """In that moment the slot is granted to who waits."""
    async with scheduling(outlook=outlook()) as (scheduler, _):
        _, waiting = await both(scheduler)
        word(scheduler)
        assert granted(waiting) == [True]
        tidy(waiting)


async def test_another_calls_word_is_not_the_one_awaited(autojump_clock: MockClock) -> None:
    """Nor does it end the wait if one more queues up, leaves, or is expected."""
    async with scheduling(outlook=outlook()) as (scheduler, _):
        _, waiting = await both(scheduler)
        third = scheduler.join(ask("third"))
        scheduler.leave(third)
        scheduler.expect("third")
        scheduler.unexpect("third")
        assert granted(waiting) == [False]
        await trio.sleep(0.04)
        fourth = scheduler.join(ask("fourth"))
        assert granted(waiting, fourth) == [False, False]
        await trio.sleep(0.02)  # it was not awaited for ever
        fifth = scheduler.join(ask("fifth", need_in=9.0))
        assert granted(waiting, fourth, fifth) == [False, True, False]
        tidy(waiting, fifth, fourth)


@pytest.mark.parametrize("cause", ["unused", "settled", "refused", "failed"])
async def test_only_a_complete_piece_is_followed_by_a_word(cause: str, autojump_clock: MockClock) -> None:
    """A call whose piece came to nothing takes its time."""
    async with scheduling(outlook=outlook()) as (scheduler, _):
        done = scheduler.join(ask("talker"))
        waiting = scheduler.join(ask("other"))
        scheduler.expect("talker", need_in=0.4)
        done.free(cause)
        assert granted(waiting) == [True]
        tidy(waiting)


async def test_nobody_is_awaited_who_has_no_more_to_ask(autojump_clock: MockClock) -> None:
    """Its last piece is complete; or its caller has fallen silent, and its bot thinks."""
    says: list[Say] = [lambda scheduler: scheduler.unexpect("talker"), lambda scheduler: scheduler.expect("talker")]
    for say in says:
        async with scheduling(outlook=outlook()) as (scheduler, _):
            done, waiting = scheduler.join(ask("talker")), scheduler.join(ask("other"))
            say(scheduler)
            done.free("complete")
            assert granted(waiting) == [True]
            tidy(waiting)


async def test_nobody_is_awaited_who_has_left_its_piece(autojump_clock: MockClock) -> None:
    """A cut reply's piece is drained while the next reply is in the middle of its own: nobody there says a word."""
    async with scheduling(slots=2, outlook=outlook(2)) as (scheduler, _):
        with trio.CancelScope() as scope:
            async with scheduler.join(ask("talker")) as cut:
                cut.occupy()
                scope.cancel()
                await trio.sleep(1)
        going_on = scheduler.join(ask("talker"))
        waiting = scheduler.join(ask("other"))
        scheduler.expect("talker", need_in=0.4)
        cut.free("complete")
        assert granted(going_on, waiting) == [True, True]
        tidy(going_on, waiting)


async def test_with_several_slots_none_is_granted_before_the_word(autojump_clock: MockClock) -> None:
    """What comes back meanwhile waits as well, for that moment; then all slots are granted, by need."""
    async with scheduling(slots=2, outlook=outlook(2)) as (scheduler, _):
        done, other = scheduler.join(ask("talker")), scheduler.join(ask("one"))
        waiting = [scheduler.join(ask(call, first=False, need_in=4.0)) for call in ("two", "three")]
        scheduler.expect("talker", need_in=0.4)
        scheduler.expect("one", need_in=0.5)
        done.free("complete")
        other.free("complete")
        more = scheduler.join(ask("talker", first=False, need_in=0.4))
        assert granted(more, *waiting) == [False, False, False]
        scheduler.unexpect("one")
        assert granted(more, *waiting) == [True, True, False]
        tidy(more, *reversed(waiting))


async def test_the_word_does_not_end_a_back_off(autojump_clock: MockClock) -> None:
    """Nor does a back-off's end pass over it for longer than the word may take."""
    async with scheduling(outlook=outlook()) as (scheduler, _):
        done = scheduler.join(ask("talker"))
        waiting = scheduler.join(ask("other"))
        scheduler.expect("talker", need_in=0.4)
        start = trio.current_time()
        scheduler.refused(too_many(1.0), draw=0.0)
        done.free("complete")
        scheduler.unexpect("talker")
        assert granted(waiting) == [False]
        with trio.fail_after(5):
            async with waiting:
                assert trio.current_time() - start == pytest.approx(1.0)


async def test_without_an_outlook_all_is_as_it_is_told(autojump_clock: MockClock) -> None:
    """Need-by is the caller's, there is room without end, nobody is awaited, and there is no leisure."""
    async with scheduling() as (scheduler, told):
        _, waiting = await both(scheduler)
        assert granted(waiting) == [True]
        assert waiting.room == float("inf")
        assert need_bys(told) == pytest.approx([0.0, 4.0])
        assert scheduler.leisure() == 0
        scheduler.unexpect("talker")
        tidy(waiting)


async def test_in_a_crowd_it_is_need_by_alone_and_all_of_a_replys_silence_counts(autojump_clock: MockClock) -> None:
    """Late first pieces give way to later ones that were needed before; what waited before goes before its need; pieces
    may be long. It begins when first pieces are late on the average, and is told."""
    known = outlook()
    async with scheduling(outlook=known) as (scheduler, _):

        def order() -> tuple[list[bool], list[LocalPlace]]:
            holder = scheduler.join(ask("holder", first=False))
            places = [scheduler.join(ask("new", since_ready=2.0)), scheduler.join(ask("talker", first=False))]
            holder.free("unused")
            return granted(*places), places

        assert not scheduler.crowded
        now, places = order()
        assert now == [True, False]  # it has waited for two seconds, the other needs it now
        tidy(*places)
        for _ in range(60):
            tidy(scheduler.join(ask("others", since_ready=2.0)))
        assert scheduler.crowded
        tidy(scheduler.join(ask("talker", since_ready=4.0)))
        now, places = order()
        assert now == [False, True]  # its reply has waited for more than three seconds already
        assert places[1].room >= 1.0
        tidy(*reversed(places))
