"""What happens by itself: in time, for as long as it lasts, and never again once it was cleared or ended."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import MockClock
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from simulations.waves.accounts import Plan
from simulations.waves.books import Refusal
from simulations.waves.faults.engine import run, striking
from simulations.waves.faults.fault import Fault
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import TEN, ask, dialled, frames_until, next_frame, pcm_of, provider


async def spoken(server: WavesServer, text: str = TEN) -> int:
    """Have a text spoken on a link of its own; return how many bytes of sound came."""
    async with dialled(server) as socket:
        await socket.send(ask(text))
        return len(pcm_of(await frames_until(socket)))


async def test_without_faults_there_is_nothing_that_strikes(autojump_clock: MockClock) -> None:
    """No task, and nobody listens to the books."""
    server = provider()
    books = server.books
    before = (trio.lowlevel.current_statistics().tasks_living, books.refuses, books.freed)
    async with striking(server.provider, []):
        assert (trio.lowlevel.current_statistics().tasks_living, books.refuses, books.freed) == before


async def test_an_engine_without_orders_does_nothing(autojump_clock: MockClock) -> None:
    """Not even at some time: virtual time stands still."""
    server = provider()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, server.provider)
        await trio.testing.wait_all_tasks_blocked()
        assert await spoken(server) == 8000
        nursery.cancel_scope.cancel()
    assert trio.current_time() == pytest.approx(0.1 + 0.1 * 0.5)
    assert server.provider.faults.snapshot() == {}


async def test_refused_are_the_next_requests_of_any_account(autojump_clock: MockClock) -> None:
    """Also where the account came after the order was given; the books count them."""
    server = provider()
    async with striking(server.provider, [Fault(name="refuse", count=2)]):
        await trio.testing.wait_all_tasks_blocked()
        async with dialled(server) as socket:
            for _ in range(2):
                await socket.send(ask(TEN))
                assert (await next_frame(socket))["status"] == "error"
            await socket.send(ask(TEN))
            await frames_until(socket)
        added = server.provider.accounts.add("sk_new", Plan())
        server.provider.faults.order(Fault(name="refuse"))
        assert added.books.take_slot(trio.current_time()) is Refusal.CONCURRENCY
    assert (server.books.refused_concurrency, server.books.requests) == (2, 1)
    assert isinstance(added.books.take_slot(trio.current_time()), int)


async def test_another_user_holds_the_slot_at_its_time(autojump_clock: MockClock) -> None:
    """Ordered while it runs, too."""
    server = provider()
    async with striking(server.provider, [Fault(name="other_user", at=5.0, seconds=2.0)]):
        await trio.sleep(5.5)
        assert server.books.in_flight(trio.current_time()) == 1
        assert server.books.take_slot(trio.current_time()) is Refusal.CONCURRENCY
        await trio.sleep(2.0)
        assert server.books.in_flight(trio.current_time()) == 0
        server.provider.faults.order(Fault(name="other_user", seconds=9.0))
        await trio.sleep(1.0)
        assert server.books.in_flight(trio.current_time()) == 1
    assert server.books.in_flight(trio.current_time()) == 0
    assert list(server.books.uses) == [(5.0, 7.0), (7.5, 8.5)]
    assert list(server.provider.faults.struck) == [(5.0, "other_user"), (7.5, "other_user")]


async def test_another_user_holds_the_slot_for_a_share_of_the_time(autojump_clock: MockClock) -> None:
    """In holds of one length, with chance between them."""
    server = provider()
    async with striking(server.provider, [Fault(name="other_user", seconds=2.0, share=0.3)]):
        await trio.sleep(20_000.0)
    uses = list(server.books.uses)
    assert sum(end - start for start, end in uses) == pytest.approx(0.3 * 20_000, rel=0.05)
    assert {round(end - start, 6) for start, end in uses[:-1]} == {2.0}
    assert uses[0][0] == 0.0
    assert len(server.provider.faults.struck) == min(len(uses), 1000)


async def test_holds_may_be_of_random_length(autojump_clock: MockClock) -> None:
    """Exponential with the mean that was ordered, for the same share of the time; another order, other lengths."""
    lengths = []
    for orders in (1, 2):
        server = provider()
        fault = Fault(name="other_user", seconds=2.0, share=0.3, random=True)
        async with striking(server.provider, [Fault(name="other_user", at=1e6)] * (orders - 1) + [fault]):
            await trio.sleep(40_000.0)
        lengths.append([end - start for start, end in server.books.uses][:-1])
    for held in lengths:
        assert sum(held) == pytest.approx(0.3 * 40_000, rel=0.06)
        assert sum(held) / len(held) == pytest.approx(2.0, rel=0.06)
        assert sum(each > 2.0 for each in held) / len(held) == pytest.approx(math.exp(-1), abs=0.03)
        assert sum(each > 6.0 for each in held) / len(held) == pytest.approx(math.exp(-3), abs=0.015)
    assert lengths[0][0] != lengths[1][0]


async def test_a_single_hold_may_be_of_random_length_too(autojump_clock: MockClock) -> None:
    """Each strike draws its own."""
    server = provider()
    async with striking(server.provider, [Fault(name="other_user", seconds=2.0, random=True, every=60.0, count=0)]):
        await trio.sleep(3600.0)
    held = [end - start for start, end in server.books.uses]
    assert len(held) > 20
    assert len({round(each, 6) for each in held}) == len(held)


async def test_no_key_is_good_for_a_while_or_for_good(autojump_clock: MockClock) -> None:
    """A socket that is open goes on; nobody is let in."""
    server = provider()
    faults = [Fault(name="unauthorized", at=3600.0, seconds=60.0), Fault(name="unauthorized", at=9000.0)]
    async with striking(server.provider, faults):
        async with dialled(server, path="/waves/v1/tts/live?timeout=9999") as socket:
            await trio.sleep(3601.0)
            with pytest.RaisesGroup(pytest.RaisesExc(InvalidStatus, match="401")):
                await spoken(server)
            await socket.send(ask(TEN))
            await frames_until(socket)
        assert server.books.refused_auth == 1
        await trio.sleep(60.0)
        assert await spoken(server)
        await trio.sleep(50_000.0)
        assert server.provider.faults.gates.locked
    assert not server.provider.faults.gates.locked


async def test_a_restart_cuts_all_and_leaves_it_cold(autojump_clock: MockClock) -> None:
    """Who is in the middle loses the rest and gives its slot back after it has settled; then the first byte is slow."""
    server = provider(cold=1.0, settle=0.05)
    assert await spoken(server)
    began = trio.current_time()
    async with striking(server.provider, [Fault(name="restart", at=0.12, seconds=5.0)]):
        async with dialled(server) as socket:
            await socket.send(ask(TEN))
            with pytest.raises(ConnectionClosed):
                await frames_until(socket)
            assert trio.current_time() == pytest.approx(began + 0.12)
        await trio.sleep(1.0)
        assert server.books.in_flight(trio.current_time()) == server.books.sockets == 0
        with pytest.RaisesGroup(pytest.RaisesExc((InvalidMessage, ConnectionClosed))):  # before any answer
            await spoken(server)
        await trio.sleep(4.0)
        began = trio.current_time()
        assert await spoken(server)
        assert trio.current_time() == pytest.approx(began + 1.0 + 0.1 + 0.05)
    assert (server.books.abandoned, server.books.completed) == (1, 2)


async def test_a_provider_that_is_gone_answers_nobody_and_is_back(autojump_clock: MockClock) -> None:
    """What it was asked is served in vain; who was connected is not any more when it is back."""
    server = provider()
    async with striking(server.provider, [Fault(name="gone", at=0.11, seconds=30.0)]):
        async with dialled(server) as socket:
            await socket.send(ask(TEN))
            came = [await next_frame(socket)]
            with trio.move_on_after(20.0) as waiting:
                while True:
                    came.append(await next_frame(socket))
            assert waiting.cancelled_caught
            assert all(frame["status"] == "chunk" for frame in came)
            with trio.move_on_after(5.0) as waiting:
                await spoken(server)
            assert waiting.cancelled_caught
            with pytest.raises(ConnectionClosed):
                await next_frame(socket)
            assert trio.current_time() == pytest.approx(30.11)
        assert await spoken(server)
    assert server.books.sockets == 0


async def test_what_lasts_ends_when_faults_are_cleared(autojump_clock: MockClock) -> None:
    """And what was ordered does not happen; later orders do."""
    server = provider()
    faults = server.provider.faults
    lasting = [Fault(name=name, seconds=1000.0) for name in ("stop_reading", "unauthorized", "other_user")]
    async with striking(server.provider, [*lasting, Fault(name="gone", at=5.0, seconds=1000.0)]):
        await trio.sleep(1.0)
        assert (faults.gates.shut, faults.gates.locked) == (True, True)
        assert server.books.in_flight(trio.current_time()) == 1
        faults.clear()
        await trio.sleep(9.0)
        assert (faults.gates.shut, faults.gates.locked) == (False, False)
        assert server.books.in_flight(trio.current_time()) == 0
        assert await spoken(server)
        faults.order(Fault(name="stop_reading", seconds=1.0))
        await trio.sleep(0.5)
        assert faults.gates.shut
        await trio.sleep(1.0)
        assert not faults.gates.shut
    assert faults.snapshot() == {"other_user": 1, "stop_reading": 2, "unauthorized": 1}


async def test_faults_of_a_kind_may_overlap(autojump_clock: MockClock) -> None:
    """Reading begins when the last has ended."""
    server = provider()
    lasting = [Fault(name="stop_reading", at=at, seconds=3.0) for at in (0.0, 2.0, 4.0)]
    async with striking(server.provider, lasting):
        await trio.sleep(6.9)
        assert server.provider.faults.gates.shut
        await trio.sleep(0.2)
        assert not server.provider.faults.gates.shut


async def test_after_its_end_nothing_of_an_order_is_left(autojump_clock: MockClock) -> None:
    """Neither faults of requests nor what listens to the books."""
    server = provider()
    async with striking(server.provider, [Fault(name="error", count=9), Fault(name="refuse", count=9)]):
        await trio.testing.wait_all_tasks_blocked()
    assert server.provider.faults.armed() == []
    assert await spoken(server)
