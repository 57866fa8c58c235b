"""What is shut for connections: their bytes, the door, and what is asked before one is let in."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints

from simulations.waves.faults.fault import Fault
from simulations.waves.faults.faults import Faults
from simulations.waves.faults.gates import GatedStream, admit, refusal_at_open
from simulations.waves.transport import stream_pair


@pytest.fixture
def faults() -> Faults:
    """The faults of a provider."""
    return Faults(now=trio.current_time, rng=random.Random(1))


async def admitted(faults: Faults) -> tuple[trio.abc.HalfCloseableStream, GatedStream]:
    """Return a client's end and the provider's end of a connection that was let in."""
    near, far = stream_pair(0.0)
    stream = await admit(faults, far)
    assert stream is not None
    return near, stream


# --- open gates ---


async def test_open_gates_change_nothing(faults: Faults, autojump_clock: MockClock) -> None:
    """Bytes and ends pass both ways."""
    near, far = await admitted(faults)
    await near.send_all(b"hello")
    assert await far.receive_some(3) == b"hel"
    assert await far.receive_some() == b"lo"
    await far.wait_send_all_might_not_block()
    await far.send_all(b"bye")
    await far.send_eof()
    assert [await near.receive_some(), await near.receive_some()] == [b"bye", b""]
    await near.aclose()
    assert await far.receive_some() == b""
    await far.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await far.receive_some()
    with pytest.raises(trio.ClosedResourceError):
        await far.send_all(b"more")


async def test_a_stream_that_cannot_be_half_closed_is_not(faults: Faults, autojump_clock: MockClock) -> None:
    """As with the stream itself, there is no end but the whole one."""

    class OneWay(trio.abc.Stream):
        """A stream that takes everything."""

        send_all = wait_send_all_might_not_block = receive_some = aclose = trio.lowlevel.checkpoint  # type: ignore[assignment]

    stream = GatedStream(OneWay(), faults.gates)
    await stream.send_eof()


# --- nothing is read ---


async def test_nothing_is_read_while_reading_is_stopped(faults: Faults, autojump_clock: MockClock) -> None:
    """Neither what comes meanwhile nor what somebody waited for already; sending goes on; nothing is lost."""
    near, far = await admitted(faults)
    came: list[tuple[float, bytes]] = []

    async def read() -> None:
        while data := bytes(await far.receive_some()):
            came.append((trio.current_time(), data))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        with faults.gates.stop_reading(), faults.gates.stop_reading():
            await near.send_all(b"one")
            await trio.sleep(2.0)
            await near.send_all(b"two")
            await far.send_all(b"still")
            assert await near.receive_some() == b"still"
            await trio.sleep(1.0)
            assert came == []
        await trio.sleep(1.0)
        assert [at for at, _ in came] == [3.0] * len(came)
        assert b"".join(data for _, data in came) == b"onetwo"
        await near.aclose()


async def test_a_reader_that_gives_up_loses_no_bytes(faults: Faults, autojump_clock: MockClock) -> None:
    """What had come is for the next one, in parts if it asks for less."""
    near, far = await admitted(faults)
    with trio.move_on_after(1.0):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(far.receive_some)
            await trio.testing.wait_all_tasks_blocked()
            with faults.gates.stop_reading():
                await near.send_all(b"hello")
                await trio.sleep(2.0)
    assert not faults.gates.shut
    assert [await far.receive_some(2), await far.receive_some(9)] == [b"he", b"llo"]


# --- a restart ---


async def test_a_restart_cuts_every_connection_and_every_new_one(faults: Faults, autojump_clock: MockClock) -> None:
    """Whoever reads or sends there is told that it is broken; clients see the end; afterwards the door is open."""
    near, far = await admitted(faults)
    idle, _ = await admitted(faults)
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(trio.BrokenResourceError):
                await far.receive_some()

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        async with faults.gates.restart():
            assert [await near.receive_some(), await idle.receive_some()] == [b"", b""]
            assert await admit(faults, stream_pair(0.0)[1]) is None
            with pytest.raises(trio.BrokenResourceError):
                await far.send_all(b"more")
            with pytest.raises(trio.BrokenResourceError):
                await far.receive_some()
            await far.send_eof()
            await far.aclose()
    await admitted(faults)


async def test_a_restart_wakes_whoever_waits_at_a_socket(faults: Faults) -> None:
    """One that reads and one that has no room to send: a peer that does neither holds up nothing."""
    near, far = trio.socket.socketpair()
    stream = await admit(faults, trio.SocketStream(far))
    assert stream is not None

    async def fail(work: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(trio.BrokenResourceError):
            await work()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail, stream.receive_some)
        nursery.start_soon(fail, partial(stream.send_all, b"x" * 10_000_000))
        await trio.testing.wait_all_tasks_blocked()
        async with faults.gates.restart():
            await trio.lowlevel.checkpoint()
    near.close()


# --- gone ---


async def test_while_it_is_gone_nothing_is_read_sent_or_ended(faults: Faults, autojump_clock: MockClock) -> None:
    """What it sends is lost, also the end; afterwards what was open is cut."""
    near, far = await admitted(faults)
    other, _ = await admitted(faults)
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(trio.BrokenResourceError):
                await far.receive_some()

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        async with faults.gates.be_gone():
            await near.send_all(b"anybody?")
            with assert_checkpoints():
                await far.send_all(b"here!")
            await far.send_eof()
            with trio.move_on_after(5.0) as waiting:
                await near.receive_some()
            assert waiting.cancelled_caught
            await far.aclose()
            with trio.move_on_after(5.0) as waiting:
                await near.receive_some()
            assert waiting.cancelled_caught
        assert [await near.receive_some(), await other.receive_some()] == [b"", b""]
    await admitted(faults)


async def test_whoever_comes_while_it_is_gone_waits_and_is_cut(faults: Faults, autojump_clock: MockClock) -> None:
    """It never was let in."""
    times: list[float] = []

    async def come() -> None:
        assert await admit(faults, stream_pair(0.0)[1]) is None
        times.append(trio.current_time())

    async with trio.open_nursery() as nursery, faults.gates.be_gone():
        nursery.start_soon(come)
        await trio.sleep(5.0)
        assert times == []
    assert times == [5.0]


async def test_a_cancel_leaves_nothing_open_and_nothing_shut(faults: Faults, autojump_clock: MockClock) -> None:
    """Whoever ends the engine in the middle has all connections cut that were lost."""
    ends = [await admitted(faults) for _ in range(3)]
    with trio.move_on_after(1.0):
        async with faults.gates.be_gone():
            await trio.sleep_forever()
    assert [await near.receive_some() for near, _ in ends] == [b""] * 3
    gates = faults.gates
    assert [gates.shut, gates.gone, gates.restarting, gates.locked] == [False] * 4


# --- at the opening ---


async def test_without_faults_everybody_passes_at_once(faults: Faults, autojump_clock: MockClock) -> None:
    """Requests and upgrades alike."""
    assert [await refusal_at_open(faults, upgrade=upgrade) for upgrade in (False, True)] == [None, None]
    assert trio.current_time() == 0.0


async def test_a_500_is_for_the_next_request_or_upgrade(faults: Faults, autojump_clock: MockClock) -> None:
    """Once, as ordered."""
    for upgrade in (False, True):
        faults.order(Fault(name="error_500"))
        assert await refusal_at_open(faults, upgrade=upgrade) == 500
        assert await refusal_at_open(faults, upgrade=upgrade) is None
    assert faults.snapshot() == {"error_500": 2}


async def test_a_slow_handshake_is_for_the_next_upgrade(faults: Faults, autojump_clock: MockClock) -> None:
    """A plain request has none."""
    faults.order(Fault(name="slow_handshake", seconds=5.0))
    assert await refusal_at_open(faults, upgrade=False) is None
    assert trio.current_time() == 0.0
    assert await refusal_at_open(faults, upgrade=True) is None
    assert trio.current_time() == 5.0


async def test_while_no_key_is_good_everybody_is_refused(faults: Faults, autojump_clock: MockClock) -> None:
    """And nothing else is struck by it."""
    faults.order(Fault(name="error_500"))
    with faults.gates.lock():
        assert [await refusal_at_open(faults, upgrade=upgrade) for upgrade in (False, True)] == [401, 401]
    assert await refusal_at_open(faults, upgrade=True) == 500
