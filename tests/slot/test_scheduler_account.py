"""The scheduler and its account: back-offs, rates, a plan that changes, and predicted waits and idle time."""

from __future__ import annotations

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from orchestrator import events
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Ask
from orchestrator.settings import ProviderSettings
from orchestrator.slot.account import Account
from orchestrator.slot.outlook import Outlook
from orchestrator.slot.pace import Pace
from orchestrator.slot.place import LocalPlace
from tests.slot.test_scheduler import ask, names, scheduling, too_many


async def test_nobody_is_granted_before_a_back_off_ends(autojump_clock: MockClock) -> None:
    """A back-off stops grants, a longer one extends it, a shorter one does not cut it; then it goes on by itself."""
    async with scheduling(slots=2) as (scheduler, told):
        for seconds in (0.3, 0.7, 0.4):
            start = trio.current_time()
            scheduler.refused(too_many(seconds - 0.1), draw=0.0)
            await trio.sleep(0.05)
            scheduler.refused(too_many(seconds - 0.05), draw=0.0)
            scheduler.refused(too_many(0.01), draw=0.99)
            with trio.fail_after(5):
                async with scheduler.join(ask()) as grant:
                    assert seconds <= trio.current_time() - start < seconds + 1e-4
                    grant.occupy()
                    grant.free("complete")
                await trio.sleep(1)
        assert names(told).count("SlotGranted") == 3
        backed_off = [event for event in told if isinstance(event, events.BackedOff)]
        assert [round(event.seconds, 6) for event in backed_off[:3]] == [0.2, 0.25, 0.25]
        assert {(event.kind, event.in_a_row) for event in backed_off} == {("rate", 1)}


async def test_a_back_off_ends_on_any_clock(autojump_clock: MockClock) -> None:
    """The run's clock and Trio's differ, and sums round: waking up a hair before the end must not be the end of it."""
    autojump_clock.jump(256852.59)
    async with scheduling(began=255069.0257) as (scheduler, _):
        for number in range(50):
            seconds = 0.1 + number / 30
            start = scheduler.now()
            scheduler.refused(too_many(seconds), draw=0.0)
            with trio.fail_after(5):
                async with scheduler.join(ask()) as grant:
                    assert scheduler.now() >= start + seconds
                    grant.occupy()
                    grant.free("complete")


async def test_a_slot_freed_during_a_back_off_waits_for_its_end(autojump_clock: MockClock) -> None:
    """Freeing, joining and resuming grant nothing meanwhile; the back-off may also be extended while it runs."""
    async with scheduling() as (scheduler, _):
        start = trio.current_time()
        async with scheduler.join(ask("holder")) as holder:
            scheduler.refused(too_many(1), draw=0.0)
            place = scheduler.join(ask())
            holder.free("refused")
            await trio.sleep(0.9)
            assert scheduler.wait_ahead() == pytest.approx(place.wait_ahead(), abs=0.2) == pytest.approx(0.1, abs=0.2)
            scheduler.refused(too_many(1), draw=0.0)
            with trio.fail_after(5):
                async with place:
                    assert trio.current_time() - start == pytest.approx(1.9, abs=1e-4)
                    assert place.wait_ahead() == 0.0


async def test_other_faults_are_no_back_off(autojump_clock: MockClock) -> None:
    """Only the account's own refusals stop everybody."""
    async with scheduling() as (scheduler, told):
        for kind in (FaultKind.RETRY, FaultKind.LINKS, FaultKind.REQUEST, FaultKind.FINAL):
            scheduler.refused(ProviderFault(kind, "no", retry_after=9.0), draw=0.5)
        assert not told
        async with scheduler.join(ask()) as grant:
            assert grant.granted_at == trio.current_time()


async def test_no_minute_sees_more_requests_than_the_account_allows(autojump_clock: MockClock) -> None:
    """However many wait; who got the slot and did not ask is not counted, and the queue goes on by itself."""
    account = Account.of(ProviderSettings(requests_per_minute=5))
    asked: list[float] = []
    async with scheduling(slots=3, account=account) as (scheduler, _):

        async def use(number: int) -> None:
            async with scheduler.join(ask(f"call {number}")) as grant:
                if number % 4:
                    await trio.sleep(number % 3)
                    grant.occupy()
                    asked.append(trio.current_time())
                    grant.free("complete")

        with trio.fail_after(600):
            async with trio.open_nursery() as nursery:
                for number in range(21):
                    nursery.start_soon(use, number)
    assert len(asked) == 15
    assert all(later - earlier >= 60 for earlier, later in zip(asked, asked[5:], strict=False))
    assert asked[-1] < 130


async def test_a_second_slot_is_not_tried_before_the_first_could_be_refused(autojump_clock: MockClock) -> None:
    """After a refusal the slots are tried one after the other, until one is let in: then all are granted at once."""
    async with scheduling(slots=3) as (scheduler, _):
        async with scheduler.join(ask("refused")) as grant:
            grant.occupy()
            scheduler.refused(ProviderFault(FaultKind.CONCURRENCY, "taken"), draw=0.5)
            grant.free("refused")
        places = [scheduler.join(ask(call)) for call in "abc"]
        granted: dict[str, float] = {}

        async def use(place: LocalPlace) -> None:
            async with place as grant:
                granted[place.ask.call] = trio.current_time()
                grant.occupy()
                await trio.sleep(0.4 if place.ask.call == "a" else 2.0)
                grant.free("complete")

        async with trio.open_nursery() as nursery:
            for place in places:
                nursery.start_soon(use, place)
        assert granted["b"] - granted["a"] == pytest.approx(0.25, abs=1e-4)
        assert granted["c"] - granted["a"] == pytest.approx(0.4, abs=1e-4)


async def test_a_plan_may_change_while_calls_run(autojump_clock: MockClock) -> None:
    """More slots are granted at once; with fewer, what is in flight ends first."""
    async with scheduling() as (scheduler, _):
        places = [scheduler.join(ask(call)) for call in "abcd"]
        scheduler.allow(3)
        assert [place.granted.is_set() for place in places] == [True, True, True, False]
        scheduler.allow(1)
        for place in places[:2]:
            place.free("complete")
            assert not places[3].granted.is_set()
        places[2].free("complete")
        assert places[3].granted.is_set()
        places[3].free("complete")


async def test_a_wait_is_what_runs_and_what_goes_before(autojump_clock: MockClock) -> None:
    """The rest of the piece in flight, then the expected seconds of each that is needed sooner; less with two slots."""
    for slots, expected in ((1, [0.5, 1.5, 2.5]), (2, [0.0, 0.5, 1.0])):
        async with scheduling(slots=slots) as (scheduler, _):
            wish = Ask(call="a", reply=1, first=False, need_in=0.0, expected=1.0)
            async with scheduler.join(wish):
                await trio.sleep(0.5)
                found = [scheduler.wait_ahead()]
                places = []
                for call in "bc":
                    places.append(scheduler.join(evolve(wish, call=call, need_in=-1.0)))
                    found.append(scheduler.wait_ahead())
                assert found == pytest.approx(expected)
                for place in reversed(places):
                    place.free("unused")
                    scheduler.leave(place)


async def test_a_slot_idles_only_while_nobody_asks(autojump_clock: MockClock) -> None:
    """Before the first call for ever; not while somebody waits or holds it, nor in a back-off."""
    outlook = Outlook(pace=Pace(0.1, 0.1, 1 / 15, 9), slots=1, patience=0.2)
    async with scheduling(outlook=outlook) as (scheduler, _):
        assert scheduler.idle_for() == float("inf")
        async with scheduler.join(evolve(ask("a"), expected=0.3)) as grant:
            scheduler.expect("a", need_in=3.0)
            assert scheduler.idle_for() == 0
            grant.occupy()
            grant.free("complete")
        assert scheduler.idle_for() == pytest.approx(2.9)
        scheduler.refused(too_many(1), draw=0.0)
        assert scheduler.idle_for() == 0
        await trio.sleep(1.5)
        assert scheduler.idle_for() == pytest.approx(1.4)
        scheduler.close("a")
        assert scheduler.idle_for() == float("inf")
    async with scheduling() as (scheduler, _):
        assert scheduler.idle_for() == 0
