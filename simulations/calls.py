"""Starts a scenario's calls when they arrive, each on a line of its own with its caller and its bot, and ends them.

When they arrive is arrivals.py's, what a caller does in its call callers.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, cycle

import attrs
import trio
from attrs import define, field, frozen

from orchestrator.app import Orchestrator
from orchestrator.dialogue.bot import Bot
from orchestrator.dialogue.bot_loading import LoadedBot, load_bot
from orchestrator.ports import CallFacts, Emit, Now
from orchestrator.slot.capacity_file import load_capacity
from simulations.arrivals import Arrival, arrivals, under_load
from simulations.callers import Ears, SimulatedCaller
from simulations.demo.scripts import Line, scripts_for
from simulations.line import SimulatedLeg
from simulations.reference_bot import ReferenceBot, said
from simulations.scenario import Group, Scenario
from simulations.workload import Plans

BETWEEN_CALLS = 2.0
"""Seconds from a call's end to the next on its line."""
_NAME = "Robin Hall"
"""What callers call themselves to bots that are not ours."""


async def run_calls(scenario: Scenario, *, seed: int, talkers: Orchestrator, emit: Emit, now: Now, ears: Ears) -> None:
    """Have all groups' calls made until cancelled. Call ids are "1", "2", ... in the order in which calls begin.

    When they arrive counts from now. `ears` must hear every event of the run. Raises BotLoadError, and ValueError for
    arrivals that make no sense.
    """
    began, groups = now(), under_load(scenario, load_capacity()) if scenario.load else scenario.groups
    parties = [_party(group, scenario=scenario, seed=seed) for group in groups]
    calls = _Calls(talkers=talkers, emit=emit, now=now, ears=ears)
    async with trio.open_nursery() as nursery:
        for arrival in arrivals(groups, seed=seed):
            await trio.sleep(max(0.0, began + arrival.at - now()))
            nursery.start_soon(partial(calls.keep, arrival, parties[arrival.group], call=calls.next_id()))
        await trio.sleep_forever()


@frozen(kw_only=True)
class _Party:
    """What the calls of a group have in common. `script_of` gives what the caller of a line says."""

    group: Group
    bot: LoadedBot
    plans: Plans
    speaks_first: bool
    script_of: Callable[[Arrival], Callable[[int], Line]]


def _party(group: Group, *, scenario: Scenario, seed: int) -> _Party:
    plans = Plans(group.traits, seed=seed, group=group.name, strange=group.bot is not None)
    if group.bot is None:
        bot = LoadedBot("reference", ReferenceBot, {"plans": plans, "brief": scenario.brief})
        return _Party(group=group, bot=bot, plans=plans, speaks_first=False, script_of=lambda arrival: said)
    bot = load_bot(group.bot, scenario.settings.bot.options)
    speaks_first = getattr(bot.kind, "opening", Bot.opening) is not Bot.opening
    return _Party(group=group, bot=bot, plans=plans, speaks_first=speaks_first, script_of=_script_for(group.bot))


def _script_for(bot: str) -> Callable[[Arrival], Callable[[int], Line]]:
    def script_of(arrival: Arrival) -> Callable[[int], Line]:
        scripts = scripts_for(bot)
        lines = cycle(scripts[(arrival.line + arrival.nth) % len(scripts)].spoken_by(_NAME).lines)
        return lambda _turn: next(lines)

    return script_of


@define(kw_only=True)
class _Calls:
    """Makes calls."""

    talkers: Orchestrator
    emit: Emit
    now: Now
    ears: Ears
    _ids: Iterator[int] = field(factory=lambda: count(1), init=False)

    def next_id(self) -> str:
        """Return the id of the call that begins now."""
        return str(next(self._ids))

    async def keep(self, arrival: Arrival, party: _Party, *, call: str) -> None:
        """Make the call, and then those that follow it on its line."""
        await self._make(arrival, party, call=call)
        while arrival.line_stays:
            await trio.sleep(BETWEEN_CALLS)
            arrival = attrs.evolve(arrival, nth=arrival.nth + 1)
            await self._make(arrival, party, call=self.next_id())

    async def _make(self, arrival: Arrival, party: _Party, *, call: str) -> None:
        remote = party.group.leg == "remote"
        facts = CallFacts(call, caller=f"{arrival.line}.{arrival.nth}", leg="remote" if remote else "simulated")
        leg = SimulatedLeg(facts, now=self.now, emit=self.emit, link=party.group.leg_latency if remote else None)
        caller = SimulatedCaller(
            leg,
            plans=party.plans,
            says=party.script_of(arrival),
            listens_first=party.speaks_first,
            now=self.now,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(caller.run)
            try:
                with self.ears.listening(call, caller.hear):
                    await self.talkers.serve_leg(leg, party.bot, group=party.group.name, weight=party.group.weight)
            finally:
                leg.end()
            nursery.cancel_scope.cancel()
