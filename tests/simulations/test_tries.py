"""Claims about calls that do not coordinate: each backs off after its own refusals, within its bounds, and leaves
nothing behind."""

from __future__ import annotations

import random

import pytest
import trio
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator import events
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.events import Event
from orchestrator.ports import Ask
from simulations.tries import Tries
from tests.speech.wire import in_virtual_time


class Longest(random.Random):
    """Draws the upper bound, always."""

    def random(self) -> float:
        """Draw it."""
        return 1.0


def tries(told: list[Event] | None = None, *, rng: random.Random | None = None) -> Tries:
    """Return the slots, which tell `told` what happens; without an `rng` every back-off is as long as it can be."""
    told = [] if told is None else told
    return Tries(bound=2.0, rng=rng or Longest(), emit=told.append, now=trio.current_time)


def ask(call: str = "a", *, first: bool = True) -> Ask:
    """Return a wish for the slot."""
    return Ask(call=call, reply=1, first=first, need_in=0.2, since_ready=0.25)


async def end(slots: Tries, cause: str, *, call: str = "a", seconds: float = 0.0) -> float:
    """Try once, to end so; return how long the grant took."""
    began = trio.current_time()
    async with slots.join(ask(call)) as grant:
        waited = trio.current_time() - began
        grant.occupy()
        await trio.sleep(seconds)
        grant.free(cause)
    return waited


def names(told: list[Event]) -> list[str]:
    """Return the events' names."""
    return [type(event).__name__ for event in told]


async def test_back_offs_double_from_half_a_second_to_eight(autojump_clock: MockClock) -> None:
    """And stay there, however often the call is refused."""
    slots = tries()
    waits = [await end(slots, "refused") for _ in range(8)]
    assert waits == pytest.approx([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0])
    for _ in range(1500):
        await end(slots, "refused")
    assert await end(slots, "complete") == pytest.approx(8.0)


async def test_a_back_off_is_drawn_evenly_below_its_bound(autojump_clock: MockClock) -> None:
    """Full jitter: from nothing at all to the bound."""
    slots = tries(rng=random.Random("a seed"))
    waits = []
    for _ in range(1000):
        await end(slots, "refused")
        waits.append(await end(slots, "complete"))
    assert 0.0 <= min(waits) < 0.01
    assert 0.49 < max(waits) <= 0.5
    assert sum(waits) / len(waits) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(("cause", "then"), [("complete", 0.5), ("settled", 0.5), ("failed", 4.0)])
async def test_being_let_in_ends_the_row_of_refusals(cause: str, then: float, autojump_clock: MockClock) -> None:
    """A request that was served, or cut while it was, is followed by none; a failed one is a refusal, too."""
    slots = tries()
    for _ in range(2):
        await end(slots, "refused")
    await end(slots, cause)
    await end(slots, "refused")
    assert await end(slots, "complete") == pytest.approx(then)


async def test_every_call_heeds_only_its_own_refusals(autojump_clock: MockClock) -> None:
    """Any number try at a time; neither another's refusal nor the pool's back-off keeps a call waiting."""
    slots = tries()
    assert await end(slots, "refused", call="a") == 0.0
    slots.refused(ProviderFault(FaultKind.RATE, "too many", retry_after=5.0), draw=0.9)
    slots.expect("c")
    async with slots.join(ask("b")) as one, slots.join(ask("c")) as other:
        assert one.number != other.number
        assert slots.queue.granted == 2
        assert one.room == other.room == float("inf")
        assert slots.leisure() == 0.0
    assert await end(slots, "complete", call="a") == pytest.approx(0.5)


async def test_what_is_told_is_what_the_scheduler_tells(autojump_clock: MockClock) -> None:
    """Joined, granted with the time waited, freed once; `held` begins with the request, not while a link is wanted."""
    told: list[Event] = []
    slots = tries(told)
    slots.begin_reply("a", weight=2.0)
    await end(slots, "refused", seconds=1.0)
    async with slots.join(ask()) as grant:
        await trio.sleep(3.0)
        grant.occupy()
        await trio.sleep(2.0)
        grant.free("complete")
        grant.free("complete")
    joined, granted, freed = told[3:]
    assert names(told) == ["TicketJoined", "SlotGranted", "SlotFreed"] * 2
    assert isinstance(joined, events.TicketJoined)
    assert isinstance(granted, events.SlotGranted)
    assert isinstance(freed, events.SlotFreed)
    assert joined.need_by == pytest.approx(joined.at + 0.2)
    assert (granted.waited, granted.wait, granted.account) == pytest.approx((0.5, 0.75, 0.5))
    assert freed.held == pytest.approx(2.0)
    assert (freed.cause, freed.ticket) == ("complete", granted.ticket)
    assert slots.queue.account_of("a") == pytest.approx(1.5)  # three seconds, of weight two


async def test_a_cut_while_backing_off_leaves_and_the_back_off_runs_on(autojump_clock: MockClock) -> None:
    """It is counted from the refusal: who asks again later has waited already."""
    told: list[Event] = []
    slots = tries(told)
    for _ in range(4):
        await end(slots, "refused")
    with trio.move_on_after(1.0):
        async with slots.join(ask()):
            pytest.fail("granted before the back-off was over")
    left = told[-1]
    assert isinstance(left, events.TicketLeft)
    assert left.waited == pytest.approx(1.0)
    slots.begin_reply("a", weight=1.0)
    await trio.sleep(2.5)
    assert await end(slots, "complete") == pytest.approx(0.5)


async def test_a_try_that_asks_for_nothing_is_given_back(autojump_clock: MockClock) -> None:
    """Unused it changes nothing; where no link could be had it counts as a refusal."""
    told: list[Event] = []
    slots = tries(told)
    async with slots.join(ask()):
        pass
    assert await end(slots, "refused") == 0.0
    with pytest.raises(ProviderFault):
        async with slots.join(ask()):
            raise ProviderFault(FaultKind.LINKS, "no link")
    assert [event.cause for event in told if isinstance(event, events.SlotFreed)] == ["unused", "refused", "failed"]
    assert await end(slots, "complete") == pytest.approx(1.0)


async def test_a_held_place_is_not_granted(autojump_clock: MockClock) -> None:
    """Its back-off runs on meanwhile; after the grant a hold is without effect."""
    slots = tries()
    await end(slots, "refused")
    place = slots.join(ask())
    place.hold()
    place.revise(0.0)
    granted = trio.Event()

    async def enter() -> None:
        async with place:
            granted.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(enter)
        await trio.sleep(2.0)
        assert not granted.is_set()
        place.resume(0.0)
        place.hold()
        await trio.sleep(1.0)
        assert not granted.is_set()
        place.resume(0.0)
        with trio.fail_after(0.001):
            await granted.wait()
    place.hold()
    place.resume(0.0)
    assert (slots.queue.granted, slots.queue.waiting) == (0, 0)


async def test_a_call_that_is_over_is_forgotten(autojump_clock: MockClock) -> None:
    """With its refusals; a try that comes back later harms nobody."""
    slots = tries()
    async with slots.join(ask()) as late:
        late.occupy()
    await end(slots, "refused")
    slots.close("a")
    late.free("refused")
    assert slots.queue.granted == 0
    assert await end(slots, "complete") == 0.0


@frozen
class Attempt:
    """One try: whether its request goes out, how it then ends, after how long, and after how long it is cut."""

    asks: bool
    cause: str
    seconds: float
    cut_after: float


moments = st.sampled_from((0.0, 0.1, 0.5, 1.0)) | st.floats(0, 9)
attempts = st.builds(Attempt, st.booleans(), st.sampled_from(("complete", "refused", "failed")), moments, moments)


async def make(slots: Tries, attempt: Attempt, *, call: str) -> None:
    """Make one try; of one that was cut its keeper tells later."""
    with trio.move_on_after(attempt.cut_after):
        async with slots.join(ask(call)) as grant:
            if attempt.asks:
                grant.occupy()
            try:
                await trio.sleep(attempt.seconds)
            finally:
                if attempt.asks:
                    grant.free(attempt.cause)


@given(st.lists(st.lists(attempts, max_size=5), min_size=1, max_size=4), st.integers(0, 9))
def test_cuts_at_any_moment_leave_nothing(crowd: list[list[Attempt]], seed: int) -> None:
    """Every ticket is granted and freed once, or left once; no back-off is longer than the longest."""

    async def scenario() -> None:
        told: list[Event] = []
        slots = tries(told, rng=random.Random(f"{seed}"))

        async def run(call: str, own: list[Attempt]) -> None:
            for attempt in own:
                await make(slots, attempt, call=call)

        async with trio.open_nursery() as nursery:
            for number, own in enumerate(crowd):
                nursery.start_soon(run, str(number), own)
        assert (slots.queue.granted, slots.queue.waiting) == (0, 0)
        granted = [event for event in told if isinstance(event, events.SlotGranted)]
        assert all(grant.waited <= 8.0 + 1e-9 for grant in granted)
        freed = [event.ticket for event in told if isinstance(event, events.SlotFreed)]
        left = [event.ticket for event in told if isinstance(event, events.TicketLeft)]
        joined = [event.ticket for event in told if isinstance(event, events.TicketJoined)]
        assert sorted(freed) == sorted(grant.ticket for grant in granted)
        assert sorted(freed + left) == joined

    in_virtual_time(scenario)
