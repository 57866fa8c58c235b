"""How calls on a leg whose sound lies at the carrier begin badly, and end: told once, in time, whoever ends them."""

from __future__ import annotations

import attrs
import pytest
import trio
from trio.testing import MockClock

from orchestrator.adapters.telephony.remote_buffer import open_remote_leg
from orchestrator.adapters.telephony.wire import WireLimits
from orchestrator.errors import CarrierFault, LegClosed
from orchestrator.ports import CallFacts, Digits, HungUp
from tests.adapters.carrier_world import OPTIONS, FarEnd, ToyCodec, carrier, pcm
from tests.adapters.remote_world import World, call


@pytest.mark.parametrize("end", ["bye", "close", "vanish", "nonsense"])
async def test_the_end_from_the_other_side_is_told_once(end: str, autojump_clock: MockClock) -> None:
    """Whatever it is; writes raise from then on, and the rest is harmless."""
    async with carrier() as (socket, peer, stream), trio.open_nursery() as nursery:
        await peer.send_message("call 7")
        async with open_remote_leg(socket, ToyCodec(), options=OPTIONS, now=trio.current_time) as leg:
            world = World(leg, peer, FarEnd(peer))
            nursery.start_soon(world.note)
            if end == "close":
                nursery.start_soon(peer.aclose)
            elif end == "vanish":
                await stream.send_stream.aclose()
            else:
                await peer.send_message("bye done" if end == "bye" else "what?")
            with pytest.raises(LegClosed):
                await world.talk(100)
            await world.ended.wait()
            assert [type(event) for event in world.events] == [HungUp]
            leg.mark("late")
            leg.clear()
            await leg.hang_up()
            await leg.transfer("+1")
        nursery.cancel_scope.cancel()


async def test_a_call_that_does_not_begin_is_given_up(autojump_clock: MockClock) -> None:
    """After the time of the settings, or at once if the wire says nonsense or ends."""
    for said, error, after in [(None, LegClosed, 5.0), ("what?", CarrierFault, 0.0), ("bye busy", LegClosed, 0.0)]:
        async with carrier() as (socket, peer, _):
            if said:
                await peer.send_message(said)
            began = trio.current_time()
            with pytest.raises(error):
                async with open_remote_leg(socket, ToyCodec(), options=OPTIONS, now=trio.current_time):
                    pass
            assert trio.current_time() - began == pytest.approx(after, abs=0.01)


class Rest:
    """A carrier's REST API that takes `seconds` for an answer, or refuses."""

    def __init__(self, *, seconds: float = 0.1, refuses: bool = False) -> None:
        self.asked: list[str] = []
        self._seconds = seconds
        self._refuses = refuses

    async def _answer(self, what: str) -> None:
        self.asked.append(what)
        await trio.sleep(self._seconds)
        if self._refuses:
            raise CarrierFault("no")

    async def hang_up(self, facts: CallFacts) -> None:
        await self._answer(f"hang up {facts.id}")

    async def transfer(self, facts: CallFacts, to: str) -> None:
        await self._answer(f"{facts.id} to {to}")

    async def dial(self, to: str, *, caller: str, answer_url: str, parameters: object) -> str:
        raise NotImplementedError


@pytest.mark.parametrize("rest", [Rest(), Rest(refuses=True), Rest(seconds=100)], ids=["well", "refused", "silent"])
async def test_the_bot_leaves_by_rest_where_the_wire_cannot(rest: Rest, autojump_clock: MockClock) -> None:
    """The connection is closed behind it, whatever became of that, within seven seconds."""
    for deed, asked in [("hang_up", "hang up 7"), ("transfer", "7 to +1")]:
        async with call(control=rest) as world:
            began = trio.current_time()
            await (world.leg.hang_up() if deed == "hang_up" else world.leg.transfer("+1"))
            assert rest.asked[-1] == asked
            assert world.ended.is_set()
            assert world.events == []
            assert trio.current_time() - began <= 7


async def test_the_carrier_is_asked_by_its_own_name_of_the_call(autojump_clock: MockClock) -> None:
    """Whatever the call was named here, so that two calls never share a name."""
    rest = Rest()
    async with call(control=rest) as world:
        world.leg.facts = attrs.evolve(world.leg.facts, id="7.2")
        await world.leg.hang_up()
        assert rest.asked == ["hang up 7"]


async def test_the_bot_leaves_by_the_wire_where_it_can(autojump_clock: MockClock) -> None:
    """Then REST is not asked, and the message is the last before the close."""
    for deed, said in [("hang_up", "hangup"), ("transfer", "to +1")]:
        rest = Rest()
        async with call(ToyCodec(hangs_up=True, transfers=True), control=rest) as world:
            await (world.leg.hang_up() if deed == "hang_up" else world.leg.transfer("+1"))
            assert world.far.got[-1][1] == said
            assert rest.asked == []


async def test_where_nobody_can_transfer_the_bot_just_leaves(autojump_clock: MockClock) -> None:
    """The carrier goes on with what stands behind the stream."""
    async with call() as world:
        await world.leg.transfer("+1")
        assert world.ended.is_set()


async def test_a_flood_of_keys_ends_the_call(autojump_clock: MockClock) -> None:
    """Where nobody follows: nothing piles up without a bound."""
    async with carrier() as (socket, peer, _):
        await peer.send_message("call 7")
        async with open_remote_leg(socket, ToyCodec(), options=OPTIONS, now=trio.current_time) as leg:
            await peer.send_message("key " + "1#" * 2000)
            await trio.sleep(0.1)
            assert leg.over.is_set()
            assert len([event async for event in leg.events()]) <= 1024


async def test_a_carrier_that_stops_reading_is_dropped(autojump_clock: MockClock) -> None:
    """Neither a cut nor leaving waits for it."""
    async with carrier(limits=WireLimits(ping_every=100)) as (socket, peer, _):
        await peer.send_message("call 7")
        async with open_remote_leg(socket, ToyCodec(), options=OPTIONS, now=trio.current_time) as leg:
            blocked = trio.Event()

            async def deaf(data: object) -> None:
                blocked.set()
                await trio.sleep_forever()

            socket._stream.send_all = deaf  # type: ignore[method-assign]
            await leg.write(pcm(0.2))
            await blocked.wait()
            with trio.move_on_after(0.1) as scope:
                await leg.write(pcm(0.2))
            assert scope.cancelled_caught
            leg.clear()
            assert trio.current_time() <= 0.11
            with pytest.raises(LegClosed):
                await leg.write(pcm(0.2))
            assert 5 <= trio.current_time() <= 5.1


async def test_more_than_anybody_can_follow_ends_the_call_as_a_hang_up(autojump_clock: MockClock) -> None:
    """A peer that floods a conversation with keys: what came last is the end, nothing sounds on, nobody waits."""
    async with carrier() as (socket, peer, _):
        await peer.send_message("call 7")
        async with open_remote_leg(socket, ToyCodec(), options=OPTIONS, now=trio.current_time) as leg:
            await peer.send_message("key " + "#" * 2000)
            await trio.sleep(0.1)
            assert leg.over.is_set()
            with pytest.raises(LegClosed):
                await leg.write(pcm(0.2))
            told = [event async for event in leg.events()]
            assert len(told) > 1000
            assert [type(event) for event in told if not isinstance(event, Digits)] == [HungUp]
            assert isinstance(told[-1], HungUp)
