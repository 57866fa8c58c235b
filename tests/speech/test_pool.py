"""How many links are open and who gets one: dialling, reuse learned, replacement while idle, and the ways it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestrator import events
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, Connection, Failed
from tests.simulations.waves.peer import ask, dialled, frames_until, provider
from tests.speech.fake_links import FakeLink, FakeProvider, complete
from tests.speech.wire import account, connected, request

RETRY = ProviderFault(FaultKind.RETRY, "not now")


async def test_one_link_more_than_slots_is_kept_open(autojump_clock: MockClock) -> None:
    """And no more, as long as nobody asks."""
    fake = FakeProvider()
    async with account(fake.dial, slots=3, links=15) as opened:
        await opened.pool.wait_ready()
        await trio.sleep(10)
        assert len(fake.open) == 4
    assert fake.open == []


async def test_links_are_replaced_while_idle_before_the_provider_closes_them(autojump_clock: MockClock) -> None:
    """Over ten minutes the provider, which closes after 60 s, never has to; a piece is served without a dial."""
    server = provider(idle_timeout=60.0)
    async with connected(server) as opened:
        await opened.pool.wait_ready()
        for _ in range(10):
            await trio.sleep(60)
            began = trio.current_time()
            assert (await opened.speak("ab"))[-1] == Complete("a")
            assert trio.current_time() - began == pytest.approx(0.11)
        assert {closed.reason for closed in opened.of(events.LinkClosed)} == {"idle"}
        assert opened.of(events.LinkFailed) == []
        assert (server.snapshot()["errors"], server.snapshot()["max_open"] <= 5) == (0, True)


@pytest.mark.parametrize("closes", [True, False])
async def test_whether_links_can_be_used_again_is_learned(autojump_clock: MockClock, closes: bool) -> None:
    """Without a fault for anybody; where they can, no link is opened any more."""
    server = provider(close_after_complete=closes)
    async with connected(server) as opened:
        for number in range(6):
            frames = await opened.speak("ab", name=f"piece-{number}")
            assert frames[-1] == Complete(f"piece-{number}")
            await trio.sleep(0.7 if number == 0 else 0)
        assert [learned.reusable for learned in opened.of(events.LinkReuseLearned)] == [not closes]
        assert server.snapshot()["opened"] == (8 if closes else pytest.approx(3, abs=1))
    assert server.snapshot()["max_open"] <= 5


async def test_links_that_are_never_reused_serve_one_piece_each(autojump_clock: MockClock) -> None:
    """By setting, whatever the provider would allow; nothing is learned."""
    server = provider(close_after_complete=False)
    async with connected(server, link_reuse="never") as opened:
        for _ in range(6):
            await opened.speak("ab")
        assert opened.of(events.LinkReuseLearned) == []
        assert {closed.reason for closed in opened.of(events.LinkClosed)} == {"used once"}
        assert server.snapshot()["max_open"] <= 4


async def test_reused_links_that_close_before_any_frame_are_a_lesson(autojump_clock: MockClock) -> None:
    """The borrower gets a fault worth retrying; after two in a row each link serves one request."""
    fake = FakeProvider()
    async with account(fake.dial, links=2) as opened:
        for name, ends in (("first", "whole"), ("second", "cut"), ("third", "whole"), ("fourth", "cut")):
            await trio.sleep(0.6 if name in ("first", "second") else 0.4)
            async with opened.borrowed(name) as (lease, grant), lease.ask(request("Hi.", name=name), grant) as frames:
                await wait_all_tasks_blocked()
                link = fake.asked
                if ends == "whole":
                    link.say(complete(name))
                else:
                    link.hang_up()
                last = [frame async for frame in frames][-1]
            if ends == "cut":
                assert isinstance(last, Failed)
                assert last.fault.kind is FaultKind.RETRY
        assert [learned.reusable for learned in opened.of(events.LinkReuseLearned)] == [True, False]
        await trio.sleep(0.2)
        assert [freed.cause for freed in opened.of(events.SlotFreed)] == ["complete", "settled"] * 2


async def test_one_chance_drop_after_a_complete_teaches_nothing(autojump_clock: MockClock) -> None:
    """On a provider that keeps its links, however often it happens, as long as links outlive their rest in between."""
    fake = FakeProvider()
    async with account(fake.dial, links=2) as opened:
        for number in range(12):
            name = f"piece-{number}"
            async with opened.borrowed(name) as (lease, grant), lease.ask(request("Hi.", name=name), grant) as frames:
                await wait_all_tasks_blocked()
                link = fake.asked
                link.say(complete(name))
                assert [frame async for frame in frames] == [Complete(name)]
            if number % 3 == 2:
                link.hang_up()
            await trio.sleep(0.6)
        assert [learned.reusable for learned in opened.of(events.LinkReuseLearned)] == [True]
        assert len(fake.links) == 5


async def test_a_link_is_lent_in_the_moment_that_it_has_rested(autojump_clock: MockClock) -> None:
    """Also where (now + 0.5) - 0.5 is rounded to less than now: there is no other moment in which it is looked at."""
    fake = FakeProvider()
    async with account(fake.dial, links=2) as opened:
        async with opened.borrowed() as (lease, grant), lease.ask(request("Hi."), grant) as frames:
            await trio.sleep(0.1)
            assert trio.current_time() + 0.5 - 0.5 < trio.current_time()
            fake.asked.say(complete("a"))
            assert [frame async for frame in frames] == [Complete("a")]
        async with opened.borrowed():
            assert trio.current_time() == pytest.approx(0.6)


async def test_a_link_that_is_due_for_replacement_is_not_lent(autojump_clock: MockClock) -> None:
    """Whoever asks in the tick in which its idle time ends gets a fresh one."""
    fake = FakeProvider()
    async with account(fake.dial, links=2, link_idle=10.0) as opened:
        await opened.pool.wait_ready()
        await trio.sleep_until(fake.links[0].opened_at + 10.0)
        async with opened.borrowed() as (lease, grant), lease.ask(request("Hi."), grant) as frames:
            await wait_all_tasks_blocked()
            fake.asked.say(complete("a"))
            assert [frame async for frame in frames] == [Complete("a")]


async def test_a_cut_does_not_keep_the_next_waiting_for_a_dial(autojump_clock: MockClock) -> None:
    """On the wire: after a drop the next borrower is asked for as soon as the slot is free, on a spare."""
    server = provider(rtf=0.5)
    async with connected(server) as opened:
        await opened.speak("ab")
        await trio.sleep(1)
        async with opened.borrowed() as (lease, grant):
            lease.ask(request("x" * 100), grant).close()
            await trio.sleep(0.5)
        began = trio.current_time()
        assert (await opened.speak("ab", name="next"))[-1] == Complete("next")
        assert trio.current_time() - began == pytest.approx(0.1 + 0.15, abs=0.01)
        books = server.snapshot()
        assert (books["abandoned"], books["max_in_flight"], books["refused_concurrency"]) == (1, 1, 0)


async def test_a_stranger_on_the_account_is_waited_for(autojump_clock: MockClock) -> None:
    """Another program holds the slot: the refusal makes everybody back off, and a later try is served."""
    server = provider(rtf=0.5)
    async with connected(server) as opened, dialled(server) as stranger, trio.open_nursery() as nursery:
        await stranger.send(ask("x" * 40))
        nursery.start_soon(frames_until, stranger)
        await trio.sleep(0.1)
        tries = 1
        with trio.fail_after(10):
            while isinstance((await opened.speak("ab"))[-1], Failed):
                tries += 1
        assert 2 <= tries <= 6
        assert len(opened.of(events.ProviderRefused)) == tries - 1
        assert server.snapshot()["max_in_flight"] == 1


async def test_a_wrong_key_is_told_at_once(autojump_clock: MockClock) -> None:
    """The first dial's final fault comes out of wait_ready and of every lease, within no time."""
    server = provider(api_key="right")
    async with connected(server) as opened:
        with trio.fail_after(1):
            with pytest.raises(ProviderFault, match="401") as caught:
                await opened.pool.wait_ready()
            assert caught.value.kind is FaultKind.FINAL
            with pytest.raises(ProviderFault, match="401"):
                async with opened.borrowed():
                    pytest.fail("lent without a link")
        assert opened.scheduler.queue.granted == 0
        assert opened.of(events.LinkFailed)[0].kind == "final"
    assert "sk_test" not in str(opened.told)


async def test_an_outage_of_hours_ends_no_call(autojump_clock: MockClock) -> None:
    """After thousands of failures the dials still go on, at most 5 s apart, and the first success is lent."""
    fake = FakeProvider(faults=[RETRY] * 2000)
    async with account(fake.dial, links=2) as opened:
        await trio.sleep(2000 * 5)
        assert fake.faults == []
        async with opened.borrowed():
            assert len(fake.open) == 1


async def test_a_provider_that_closes_what_it_opens_is_not_dialled_without_end(autojump_clock: MockClock) -> None:
    """A link closed unasked as soon as it is open counts as failed: its place waits."""
    fake = FakeProvider()

    @asynccontextmanager
    async def dial(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        async with fake.dial(address, headers) as connection:
            fake.links[-1].hang_up()
            yield connection

    async with account(dial, links=2) as opened:
        await trio.sleep(10)
        assert 10 <= len(fake.dialled_at) <= 51
        assert len(opened.of(events.LinkFailed)) == len(fake.dialled_at)


async def test_a_bug_while_dialling_is_a_failed_link(autojump_clock: MockClock) -> None:
    """It is told with its traceback, borrowers get a fault worth retrying, and the next dial may do."""
    fake, bugs = FakeProvider(), [ZeroDivisionError("no")] * 8

    @asynccontextmanager
    async def dial(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        if bugs:
            raise bugs.pop()
        async with fake.dial(address, headers) as connection:
            yield connection

    async with account(dial, links=2) as opened:
        with pytest.raises(ProviderFault, match="a bug: ZeroDivisionError") as caught:
            await opened.pool.wait_ready()
        assert caught.value.kind is FaultKind.RETRY
        await trio.sleep(40)
        failed = opened.of(events.LinkFailed)
        assert {failure.kind for failure in failed} == {"bug"}
        assert "ZeroDivisionError" in failed[0].traceback
        assert (len(failed), len(fake.open)) == (8, 1)


async def test_each_task_raises_a_fault_of_its_own(autojump_clock: MockClock) -> None:
    """One exception raised in many tasks would keep all their tracebacks."""
    fake = FakeProvider(faults=[ProviderFault(FaultKind.FINAL, "wrong key", retry_after=99.0)])
    async with account(fake.dial, links=2) as opened:
        raised = []
        for _ in range(3):
            with pytest.raises(ProviderFault, match="wrong key") as caught:
                await opened.pool.wait_ready()
            raised.append(caught.value)
            with pytest.raises(ProviderFault, match="wrong key") as caught:
                async with opened.pool.lease():
                    pytest.fail("lent without a link")
            raised.append(caught.value)
        assert len({id(fault) for fault in raised}) == 6
        assert {(fault.kind, fault.retry_after) for fault in raised} == {(FaultKind.FINAL, 99.0)}


async def test_a_provider_that_says_how_long_to_wait_is_obeyed(autojump_clock: MockClock) -> None:
    """`retry_after` of a refused dial is the least that its place waits."""
    fake = FakeProvider(faults=[ProviderFault(FaultKind.LINKS, "too many", retry_after=30.0)])
    async with account(fake.dial, links=2):
        await trio.sleep(29)
        assert len(fake.dialled_at) == 1
        await trio.sleep(2)
        assert len(fake.dialled_at) == 2


async def test_a_borrower_gives_up_when_no_link_comes(autojump_clock: MockClock) -> None:
    """It holds the slot, so it waits 6 s at most; then it tells why, and the slot is free."""

    @asynccontextmanager
    async def dial(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        await trio.sleep(60)
        yield FakeLink(0.0)

    async with account(dial) as opened:
        with pytest.raises(ProviderFault, match="no link") as caught:
            async with opened.borrowed():
                pytest.fail("lent without a link")
        assert caught.value.kind is FaultKind.LINKS
        assert trio.current_time() == pytest.approx(6)
        assert opened.scheduler.queue.granted == 0


async def test_leaving_the_pool_closes_every_link_and_frees_every_slot(autojump_clock: MockClock) -> None:
    """Also in the middle of a piece whose frames pour in unread; it takes seconds at most, and nothing stays open."""
    server = provider(rtf=0.0, chunk_ms=1.0, ttfb=0.0)
    async with connected(server) as opened:
        async with opened.borrowed() as (lease, grant):
            lease.ask(request("x" * 240), grant)
            await trio.lowlevel.checkpoint()
        left = trio.current_time()
    assert trio.current_time() - left <= 4
    assert opened.scheduler.queue.granted == 0
    assert len(opened.of(events.LinkClosed)) == len(opened.of(events.LinkOpened))
