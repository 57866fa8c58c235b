"""What must hold in every run, whatever its scenario: a sink that reads the events and says what was broken.

The rules are in rules/; which of them apply to a scenario is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.events import Event
from simulations.rules.breaches import Breaches, Rule
from simulations.rules.calls import CallRule
from simulations.rules.ladder import LadderRule
from simulations.rules.links import BooksRule, LinkRule
from simulations.rules.slots import FairnessRule, SlotRule
from simulations.rules.sound import SoundRule
from simulations.scenario import Scenario
from simulations.world_events import WorldClosed
from simulations.world_parts import server_options


class Invariants:
    """A pure sink for one run of `scenario`: `add` every event in order, then `finish` once.

    It keeps what is open (calls, replies, tickets, grants, links) and a little of each call: it may follow any run.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._breaches = Breaches()
        self._rules = _rules_for(scenario, self._breaches)
        self._handlers: dict[type[Event], list[Callable[[Any], None]]] = {}
        for rule in self._rules:
            for kind, handler in rule.handlers().items():
                self._handlers.setdefault(kind, []).append(handler)
        self._closed = False

    def add(self, event: Event) -> None:
        """Take in the next event; never raises, so that it may stand behind `Emit`."""
        if self._closed:
            self._breaches.tell("something happened after the end", f"{type(event).__name__} at {event.at:.3f} s")
        for handle in self._handlers.get(type(event), ()):
            handle(event)
        if type(event) is WorldClosed:
            self._closed = True

    def finish(self) -> list[str]:
        """Return what was broken, a plain line each, the first few of a kind; empty if all held. Call it once."""
        for rule in self._rules:
            rule.finish()
        return self._breaches.lines()


def _rules_for(scenario: Scenario, breaches: Breaches) -> list[Rule]:
    server, provider = server_options(scenario), scenario.settings.provider
    queued = scenario.policy != "retry"
    # A request counts on after its link is gone, or after its last sound: who waits less is refused, and learns.
    patient = provider.settle >= server.settle + 2 * server.transport and not server.backoff_holds_slot
    rules: list[Rule] = [
        SlotRule(breaches, slots=server.slots, queued=queued),
        CallRule(breaches),
        LadderRule(breaches, ladder=scenario.settings.ladder),
        _sound_rule(scenario, breaches),
        LinkRule(breaches, links=server.links),
        BooksRule(breaches, never_refused=queued and patient and not scenario.faults),
    ]
    if scenario.policy == "deadline":
        rules.append(
            FairnessRule(
                breaches,
                slots=server.slots,
                bound=scenario.settings.slot.bound,
                least_weight=min((group.weight for group in scenario.groups), default=1.0),
            )
        )
    return rules


def _sound_rule(scenario: Scenario, breaches: Breaches) -> SoundRule:
    remote = {group.name: group.leg_latency for group in scenario.groups if group.leg == "remote"}
    own = {group.name for group in scenario.groups if group.bot is not None}
    return SoundRule(breaches, latencies=remote, caching=own)
