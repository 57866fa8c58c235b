"""What the pool does when the provider is in doubt, out, or refuses for good, and how soon it finds it back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestrator import events
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Connection, Failed, Standing
from simulations.waves.faults.engine import striking
from simulations.waves.faults.fault import Fault
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import provider
from tests.speech.fake_links import FakeProvider, chunk, complete
from tests.speech.wire import Account, account, connected, request

RETRY = ProviderFault(FaultKind.RETRY, "not now")


def standings(opened: Account) -> list[tuple[float, str]]:
    """Return when the provider stood how, as it was told."""
    return [(round(told.at, 3), told.standing) for told in opened.of(events.StandingChanged)]


async def keep_speaking(opened: Account, *, until: float, every: float = 0.2) -> list[float]:
    """Speak a piece after the other; return when each was complete."""
    done, number = [], 0
    while trio.current_time() < until:
        number += 1
        try:
            frames = await opened.speak("ab", name=f"piece-{number}")
        except ProviderFault:
            frames = []
        if frames and isinstance(frames[-1], Complete):
            done.append(trio.current_time())
        await trio.sleep(every)
    return done


def check_books(server: WavesServer) -> None:
    """Check that the account's limits were kept at every moment, so that nothing was refused for them."""
    books = server.snapshot()
    assert (books["max_in_flight"], books["refused_links"]) == (1, 0)
    assert books["max_open"] <= books["links"]


@pytest.mark.parametrize("strikes_at", [20.0, 20.05, 20.15, 20.21, 20.3])
async def test_a_provider_that_is_gone_is_known_within_two_seconds_and_its_return_as_soon(
    autojump_clock: MockClock, strikes_at: float
) -> None:
    """At whatever moment of a piece it goes: then no borrower waits; its return is heard of without one."""
    server = provider(rtf=0.5)
    async with (
        connected(server) as opened,
        striking(server.provider, [Fault(name="gone", at=strikes_at, seconds=60.0)]),
    ):
        done = await keep_speaking(opened, until=90.0)
        out_at = next(at for at, standing in standings(opened) if standing == "out")
        back_at = next(at for at, standing in standings(opened) if standing == "doubtful" and at > out_at)
        assert out_at - strikes_at <= 2.0
        assert 0.0 <= back_at - (strikes_at + 60.0) <= 2.0
        assert not [at for at in done if strikes_at + 0.5 < at < strikes_at + 60.0]
        assert min(at for at in done if at > out_at) <= strikes_at + 60.0 + 2.5
        assert standings(opened)[-1][1] == "up"
        check_books(server)


async def test_a_restart_brings_all_links_back_one_after_the_other(autojump_clock: MockClock) -> None:
    """Dials are made at most a second apart, and never all at once; all links are back soon after the restart."""
    server = provider(slots=4, links=20, ttfb=0.1)
    async with connected(server, slots=4, links=20) as opened:
        with trio.fail_after(40):
            async with striking(server.provider, [Fault(name="restart", at=10.0, seconds=5.0)]):
                await trio.sleep(14.9)
                tries = [failed.at for failed in opened.of(events.LinkFailed)]
                assert all(later - earlier <= 1.1 for earlier, later in pairwise(tries))
                assert 5 <= len(tries) <= 15
                assert opened.pool.standing is Standing.OUT
                await trio.sleep(2.1)
                back = [link.at for link in opened.of(events.LinkOpened) if link.at > 15.0]
                assert len(back) == 5
                assert back[0] <= 16.1
                assert all(later > earlier for earlier, later in pairwise(back))
        assert server.snapshot()["max_open"] <= 19


async def test_a_restart_right_after_a_complete_says_nothing_of_reuse(autojump_clock: MockClock) -> None:
    """With several slots: links that were just complete end with one that was not."""
    fake = FakeProvider()
    async with account(fake.dial, slots=2, links=10) as opened:
        await opened.pool.wait_ready()
        for name in ("first", "second"):
            async with opened.borrowed(name) as (lease, grant), lease.ask(request("Hi.", name=name), grant) as frames:
                await wait_all_tasks_blocked()
                fake.links[-1 if name == "second" else 0].say(complete(name))
                for link in fake.open:
                    link.say(complete(name))
                assert [frame async for frame in frames] == [Complete(name)]
        for link in fake.open:
            link.hang_up()
        await trio.sleep(30)
        for name in ("third", "fourth"):
            async with opened.borrowed(name) as (lease, grant), lease.ask(request("Hi.", name=name), grant) as frames:
                await wait_all_tasks_blocked()
                fake.asked.say(complete(name))
                assert [frame async for frame in frames] == [Complete(name)]
            await trio.sleep(1)
        assert [learned.reusable for learned in opened.of(events.LinkReuseLearned)][-1:] == [True]


async def test_without_links_the_provider_is_out_and_nobody_waits(autojump_clock: MockClock) -> None:
    """A lease fails at once with what the dial met, those that waited are woken; an open link ends it."""
    fake = FakeProvider(faults=[RETRY] * 9)
    async with account(fake.dial, links=2) as opened:
        for _ in range(2):
            with pytest.raises(ProviderFault, match="not now"):
                async with opened.borrowed():
                    pytest.fail("lent without a link")
        assert trio.current_time() == 0.0
        assert (opened.pool.standing, str(opened.pool.fault)) == (Standing.OUT, "not now")
        await opened.pool.wait_standing_changed()
        assert opened.pool.standing is Standing.DOUBTFUL
        assert len(fake.dialled_at) == 10
        assert all(0.2 <= later - earlier <= 1.0 for earlier, later in pairwise(fake.dialled_at))
        async with opened.borrowed() as (lease, grant), lease.ask(request("Hi."), grant) as frames:
            await wait_all_tasks_blocked()
            fake.asked.say(chunk("a"), complete("a"))
            assert isinstance([frame async for frame in frames][-1], Complete)
        assert [standing for _, standing in standings(opened)] == ["out", "doubtful", "up"]
        assert opened.pool.fault is None


@pytest.mark.parametrize("sounds", [True, False])
async def test_in_doubt_one_request_at_a_time_finds_out(autojump_clock: MockClock, sounds: bool) -> None:
    """With several slots: the others hold theirs, and are lent a link, or told, when it is known."""
    fake = FakeProvider()
    ends: list[tuple[str, float]] = []

    async def borrow(opened: Account, name: str) -> None:
        try:
            async with opened.borrowed(name) as (lease, grant), lease.ask(request("Hi.", name=name), grant) as frames:
                ends.append((f"lent {name}", round(trio.current_time(), 3)))
                async for _ in frames:
                    pass
        except ProviderFault as fault:
            ends.append((f"{fault.message} {name}", round(trio.current_time(), 3)))

    async with account(fake.dial, slots=3, links=15, silent_for=2.0) as opened, trio.open_nursery() as nursery:
        await opened.pool.wait_ready()
        await opened.speak("Hi.")
        assert standings(opened) == [(2.0, "doubtful")]
        await trio.sleep_until(5.0)
        for link in fake.open:
            link.sent.clear()
        for name in "bcd":
            nursery.start_soon(borrow, opened, name)
            await wait_all_tasks_blocked()
        assert ends == [("lent b", 5.0)]
        if sounds:
            await trio.sleep(1)
            fake.asked.say(chunk("b"))
            await wait_all_tasks_blocked()
            assert sorted(ends[1:]) == [("lent c", 6.0), ("lent d", 6.0)]
            assert opened.pool.standing is Standing.UP
        else:
            await trio.sleep(2.5)
            assert sorted(ends[1:]) == [("nothing came for 2.0 s c", 7.0), ("nothing came for 2.0 s d", 7.0)]
        nursery.cancel_scope.cancel()


async def test_what_was_open_in_an_outage_is_not_used_again(autojump_clock: MockClock) -> None:
    """Two requests without sound: all links are given up, and a fresh one finds out."""
    fake = FakeProvider()
    async with account(fake.dial, silent_for=1.0) as opened:
        await opened.pool.wait_ready()
        for _ in range(2):
            assert isinstance((await opened.speak("Hi."))[-1], Failed)
        before = set(map(id, fake.links[:2]))
        await trio.sleep(1)
        assert before.isdisjoint(map(id, fake.open))
        assert [standing for _, standing in standings(opened)] == ["doubtful", "out", "doubtful"]


async def test_a_key_that_is_no_longer_good_is_asked_again_every_30_s_by_one_dial(autojump_clock: MockClock) -> None:
    """Nobody is lent a link meanwhile; a try that succeeds ends it."""
    fake = FakeProvider()
    async with account(fake.dial, slots=4, links=20) as opened:
        await opened.pool.wait_ready()
        async with opened.borrowed() as (lease, grant), lease.ask(request("Hi."), grant) as frames:
            await wait_all_tasks_blocked()
            before = len(fake.dialled_at)
            fake.faults += [ProviderFault(FaultKind.FINAL, "401")] * 3
            fake.asked.say('{"status": "error", "message": "Invalid API key"}')
            (failed,) = [frame async for frame in frames]
        assert isinstance(failed, Failed)
        assert (failed.fault.kind, opened.pool.standing) == (FaultKind.FINAL, Standing.FINAL)
        began = trio.current_time()
        with pytest.raises(ProviderFault, match="API key"):
            async with opened.borrowed():
                pytest.fail("lent to nobody")
        await trio.sleep(121)
        tries = [at - began for at in fake.dialled_at[before:]]
        assert tries[:4] == [pytest.approx(30.0 * number, abs=0.5) for number in (1, 2, 3, 4)]
        assert all(at >= 119 for at in tries[4:])
        assert [standing for _, standing in standings(opened)] == ["final", "doubtful"]
        assert len(fake.open) == 5


async def test_dials_that_fail_while_others_are_open_back_off(autojump_clock: MockClock) -> None:
    """Up to 5 s, one at a time; the provider is not out for it."""
    fake = FakeProvider()
    async with account(fake.dial, slots=2, links=10) as opened:
        await opened.pool.wait_ready()
        assert len(fake.open) == 3
        fake.faults += [ProviderFault(FaultKind.LINKS, "too many")] * 8
        fake.links[0].hang_up()
        fake.links[1].hang_up()
        await trio.sleep(40)
        pauses = [later - earlier for earlier, later in pairwise(fake.dialled_at[3:11])]
        assert pauses == sorted(pauses)
        assert 0.2 <= pauses[0] <= pauses[-1] == pytest.approx(3.75)
        assert (len(fake.open), standings(opened)) == (3, [])


async def test_a_dial_that_hangs_keeps_no_place_for_long(autojump_clock: MockClock) -> None:
    """While the provider is out: two at a time, given up after 1.5 s, every third after its own time-out."""
    under_way, most, ends = 0, 0, list[float]()

    @asynccontextmanager
    async def dial(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        nonlocal under_way, most
        under_way, began = under_way + 1, trio.current_time()
        most = max(most, under_way)
        try:
            await trio.sleep(4)
            raise RETRY
            yield
        finally:
            under_way -= 1
            ends.append(round(trio.current_time() - began, 3))

    async with account(dial) as opened:
        await trio.sleep(60)
        assert opened.pool.standing is Standing.OUT
        assert most == 2
        assert set(ends) == {1.5, 4.0}
        assert len(ends) >= 40
        assert "did not let us in within 1.5 s" in str([failed.error for failed in opened.of(events.LinkFailed)])


async def test_more_is_allowed_while_it_runs_and_less(autojump_clock: MockClock) -> None:
    """Links are dialled and closed for it: one more than slots, one place free; those in use end as they are."""
    fake = FakeProvider()
    async with account(fake.dial, slots=1, links=5) as opened:
        await opened.pool.wait_ready()
        await wait_all_tasks_blocked()
        assert len(fake.open) == 2
        opened.pool.allow(slots=4, links=20)
        await wait_all_tasks_blocked()
        assert len(fake.open) == 5
        async with opened.borrowed() as (lease, grant), lease.ask(request("Hi."), grant) as frames:
            await wait_all_tasks_blocked()
            opened.pool.allow(slots=1, links=3)
            await wait_all_tasks_blocked()
            assert len(fake.open) == 2
            fake.asked.say(chunk("a"), complete("a"))
            assert isinstance([frame async for frame in frames][-1], Complete)
        await trio.sleep(3)
        assert len(fake.open) == 2


async def test_idle_links_are_replaced_apart(autojump_clock: MockClock) -> None:
    """5 s at least, so that never more than one of them is missing."""
    fake = FakeProvider()
    async with account(fake.dial, slots=4, links=20, link_idle=45.0) as opened:
        await trio.sleep(200)
        closed = [link.at for link in opened.of(events.LinkClosed)]
        assert len(closed) >= 20
        assert all(later - earlier >= 4.99 for earlier, later in pairwise(closed))
        assert {link.reason for link in opened.of(events.LinkClosed)} == {"idle"}
        assert all(link.closed_at - link.opened_at <= 45.01 for link in fake.links if link.closed_at)


async def test_grants_at_the_start_dial_no_second_set_of_links(autojump_clock: MockClock) -> None:
    """Four pieces at once while it is unknown whether links come back: one spare for them, not four."""
    fake = FakeProvider()
    async with account(fake.dial, slots=4, links=20) as opened, trio.open_nursery() as nursery:
        await opened.pool.wait_ready()
        for name in "abcd":
            nursery.start_soon(opened.speak, f"Hi, {name}.")
        await wait_all_tasks_blocked()
        assert len(fake.links) == 6
        nursery.cancel_scope.cancel()
