"""The whole program in virtual time with one of the policies, at a simulated provider; what came back is checked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio

from orchestrator import events
from orchestrator.app import Surroundings, open_orchestrator, run_clock
from orchestrator.events import Event
from orchestrator.lanes import InlineLane
from orchestrator.settings import AdmissionSettings, LadderSettings, ProviderSettings, Settings
from simulations.plain_voice import plain_voice
from simulations.policies import policy_named, settings_for
from simulations.scenario import PolicyName
from simulations.waves.direct import DirectCodec, direct_dial
from simulations.waves.memory_dial import memory_dial
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.dialogue.calls import Caller, Desk, saying
from tests.dialogue.talkers import Noted

SENTENCE = "It is near the window, and it has a view of the lake. "
TEXT = "We have a table, a small one, at seven. " + SENTENCE * 4
TICKETS = (events.TicketJoined, events.TicketLeft, events.SlotGranted, events.SlotFreed)


@asynccontextmanager
async def sharing(
    name: PolicyName, *, seed: str = "1", wire: bool = True, **options: Any
) -> AsyncIterator[tuple[Desk, WavesServer]]:
    """Run the program with a policy at a simulated provider; at the end every ticket and every socket came back."""
    server = WavesServer(WavesOptions(chunk_ms=None, **options), plain_voice())
    account = ProviderSettings(slots=server.options.slots, links=server.options.links)
    told: list[Event] = []
    now = run_clock()
    async with trio.open_nursery() as serving:
        surroundings = Surroundings(
            emit=told.append,
            now=now,
            codec=None if wire else DirectCodec(),
            dial=memory_dial(server, serving) if wire else direct_dial(server),
            lane=InlineLane(),
            policy=policy_named(name, rng=random.Random(seed)),
        )
        quiet, all_taken = LadderSettings(on=False), AdmissionSettings(on=False)
        using = settings_for(name, Settings(provider=account, ladder=quiet, admission=all_taken))
        with trio.fail_after(1800):
            async with open_orchestrator(using, surroundings) as orchestrator:
                yield Desk(orchestrator, now, told), server
                await trio.sleep(3)  # what was cut is dropped, and settles
        await trio.sleep(1)
        check_given_back(told, server)
        serving.cancel_scope.cancel()


def check_given_back(told: list[Event], server: WavesServer) -> None:
    """Check that each ticket was left, or granted and freed, once, and what the provider's books say."""
    books = server.snapshot()
    assert books["in_flight"] == books["sockets"] == books["refused_links"] == books["errors"] == 0
    assert books["max_in_flight"] <= server.options.slots
    assert books["max_open"] < server.options.links
    tickets = {kind: Counter(event.ticket for event in told if isinstance(event, kind)) for kind in TICKETS}
    assert tickets[events.SlotGranted] == tickets[events.SlotFreed]
    assert tickets[events.SlotGranted] + tickets[events.TicketLeft] == tickets[events.TicketJoined]
    assert set(tickets[events.TicketJoined].values()) <= {1}


async def call_all(desk: Desk, callers: dict[str, Caller], *, answer: str = TEXT) -> None:
    """Run calls that begin at once."""
    async with trio.open_nursery() as nursery:
        for name, caller in callers.items():
            nursery.start_soon(partial(desk.call, name, Noted, caller, options={"answer": answer}))


def hearing(turns: int = 1, *, quiet: float = 30.0) -> Caller:
    """A caller who hears each answer out, however long the gaps in it are."""
    return saying(*["hello"] * turns, quiet=quiet)
