"""Streams on which bytes are under way for a while: a delay line that loses, reorders and keeps nothing."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.ports import Complete
from orchestrator.settings import ProviderSettings
from simulations.waves.memory_dial import memory_dial
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from simulations.waves.transport import stream_pair
from tests.simulations.waves.peer import TEN, spelling_voice
from tests.speech.wire import request


async def arrivals(stream: trio.abc.Stream) -> list[tuple[float, bytes]]:
    """Return what arrives, and when, up to the end (b"")."""
    came: list[tuple[float, bytes]] = []
    while not came or came[-1][1]:
        data = bytes(await stream.receive_some())
        came.append((trio.current_time(), data))
    return came


async def test_what_is_sent_arrives_later_however_much_is_under_way(autojump_clock: MockClock) -> None:
    """Everything takes the same time, in order, both ways at once, the end too: nothing waits for what is before it."""
    for here, there in (stream_pair(0.5), stream_pair(0.5)[::-1]):
        began = trio.current_time()
        for letter in b"abc":
            await here.send_all(bytes([letter]))
            await trio.sleep(0.1)
        await here.aclose()
        came = await arrivals(there)
        assert [data for _, data in came] == [b"a", b"b", b"c", b""]
        assert [at - began for at, _ in came] == pytest.approx([0.5, 0.6, 0.7, 0.8])
        await there.aclose()


async def test_sent_to_one_who_has_left_is_lost(autojump_clock: MockClock) -> None:
    """Who writes notices by the end that comes back, not before; closing again is harmless."""
    here, there = stream_pair(0.2)
    await there.aclose()
    await here.send_all(b"to nobody")
    began = trio.current_time()
    assert [data for _, data in await arrivals(here)] == [b""]
    assert trio.current_time() - began == pytest.approx(0.2)
    await here.aclose()
    await here.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await here.send_all(b"more")


async def test_what_is_sent_at_once_is_one_stream_of_bytes(autojump_clock: MockClock) -> None:
    """However it was sent it comes together, or in parts where the reader asks for no more; without delay at once."""
    here, there = stream_pair(0.0)
    for part in (b"ab", b"", b"cde"):
        await here.send_all(part)
    await here.send_eof()
    assert [await there.receive_some(most) for most in (3, None, None, None)] == [b"abc", b"de", b"", b""]
    with pytest.raises(trio.ClosedResourceError):
        await here.send_all(b"more")
    await there.send_all(b"only one way is closed")
    assert await here.receive_some() == b"only one way is closed"
    assert trio.current_time() == 0.0


@pytest.mark.parametrize("under_way", [False, True])
async def test_closing_ends_the_wait_of_whoever_reads(autojump_clock: MockClock, under_way: bool) -> None:
    """At once, whether anything is under way or not."""
    here, there = stream_pair(0.5)
    if under_way:
        await there.send_all(b"too late")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read_closed, here)
        await trio.testing.wait_all_tasks_blocked()
        await here.aclose()
    assert trio.current_time() == 0.0


async def read_closed(stream: trio.abc.Stream) -> None:
    """Read, and be told that the stream was closed meanwhile."""
    with pytest.raises(trio.ClosedResourceError):
        await stream.receive_some()


async def test_a_reader_who_is_cancelled_loses_nothing(autojump_clock: MockClock) -> None:
    """What was under way then is there for the next."""
    here, there = stream_pair(0.5)
    await here.send_all(b"late")
    with trio.move_on_after(0.1) as patience:
        await there.receive_some()
    assert patience.cancelled_caught
    assert (await there.receive_some(), trio.current_time()) == (b"late", 0.5)


@pytest.mark.parametrize("transport", [0.0, 0.08])
async def test_the_real_protocol_runs_over_it(autojump_clock: MockClock, transport: float) -> None:
    """Opening takes two ways, a request and its last frame one each; afterwards nothing is left of the connection."""
    server = WavesServer(WavesOptions(ttfb=0.1, rtf=0.1, transport=transport), spelling_voice)
    codec = WavesCodec(ProviderSettings(), "sk_test")
    tasks = trio.lowlevel.current_statistics().tasks_living
    async with trio.open_nursery() as serving:
        dial = memory_dial(server, serving)
        async with dial(codec.address(), codec.headers()) as connection:
            assert trio.current_time() == pytest.approx(2 * transport)
            await connection.send(codec.encode(request(TEN)))
            while not isinstance(codec.decode(await connection.receive()), Complete):
                pass
            assert trio.current_time() == pytest.approx(4 * transport + 0.1 + 0.1 * 0.5)
        await trio.sleep(1)
        assert server.snapshot()["sockets"] == 0
        assert trio.lowlevel.current_statistics().tasks_living == tasks
