"""A speech account for tests: the real scheduler and pool, joined over memory streams to the simulated provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import trio
from attrs import Factory, frozen

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.events import Event
from orchestrator.ports import Ask, Dial, Grant, Slots, SpeechRequest, VoiceCodec, VoiceFrame
from orchestrator.settings import ProviderSettings
from orchestrator.slot.account import Account as SharedAccount
from orchestrator.slot.pace import Pace
from orchestrator.slot.queue import SlotQueue
from orchestrator.slot.scheduler import Scheduler
from orchestrator.speech.keeper import Provider
from orchestrator.speech.lending import Lease
from orchestrator.speech.pool import Pool
from simulations.waves.memory_dial import memory_dial
from simulations.waves.server import WavesServer

E = TypeVar("E", bound=Event)


@frozen(kw_only=True)
class Account:
    """One account and what is told of it."""

    pool: Pool
    scheduler: Scheduler
    pace: Pace
    told: list[Event] = Factory(list)

    def of(self, kind: type[E]) -> list[E]:
        """Return what was told of one kind."""
        return [event for event in self.told if isinstance(event, kind)]

    @asynccontextmanager
    async def borrowed(self, call: str = "a") -> AsyncIterator[tuple[Lease, Grant]]:
        """Yield a link with the slot to use it."""
        ask = Ask(call=call, reply=1, first=True, need_in=0.0)
        async with self.scheduler.join(ask) as grant, self.pool.lease() as lease:
            yield lease, grant

    async def speak(self, text: str, *, name: str = "a") -> list[VoiceFrame]:
        """Ask for one piece and return all its frames."""
        async with self.borrowed(name) as (lease, grant), lease.ask(request(text, name=name), grant) as frames:
            return [frame async for frame in frames]


def request(text: str, *, name: str = "a") -> SpeechRequest:
    """Return a request for `text` in a voice that tells when its words sound."""
    return SpeechRequest(id=name, text=text, rate=8000, voice="avery", language="en")


def in_virtual_time(scenario: Callable[[], Any], *, within: float = 600.0) -> None:
    """Run an async scenario under a mock clock that jumps ahead; fails if it takes longer than that."""

    async def bounded() -> None:
        with trio.fail_after(within):
            await scenario()

    trio.run(bounded, clock=trio.testing.MockClock(autojump_threshold=0.0))


@asynccontextmanager
async def account(provider_dial: Dial, *, codec: VoiceCodec | None = None, **settings: Any) -> AsyncIterator[Account]:
    """Run an account whose links are opened by `provider_dial`, Waves' without a `codec`; leaving closes them."""
    chosen = ProviderSettings(**settings)
    told: list[Event] = []
    pace = Pace()
    queue = SlotQueue(slots=chosen.slots, bound=2.0)
    scheduler = Scheduler(queue, emit=told.append, now=trio.current_time, account=SharedAccount.of(chosen))
    slots: Slots = scheduler
    codec = codec or WavesCodec(chosen, "sk_test")
    provider = Provider(dial=provider_dial, codec=codec, settings=chosen, pace=pace)
    pool = Pool(provider, slots=slots, emit=told.append, now=trio.current_time)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scheduler.run)
        nursery.start_soon(pool.run)
        yield Account(pool=pool, scheduler=scheduler, pace=pace, told=told)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def connected(server: WavesServer, **settings: Any) -> AsyncIterator[Account]:
    """Run an account at a simulated provider, with its real WebSockets over memory streams."""
    async with trio.open_nursery() as serving:
        async with account(memory_dial(server, serving), **settings) as opened:
            yield opened
        await trio.sleep(1)  # the provider notices, too
        assert server.snapshot()["sockets"] == 0
        serving.cancel_scope.cancel()
