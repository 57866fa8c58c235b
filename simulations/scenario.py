"""What is simulated: the calls, what their callers are like, the provider, and the program's own settings. Values only.

Reading scenarios from files is scenario_file.py's, running one world.py's.
"""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import Factory, field, frozen, validators

from orchestrator.settings import AdmissionSettings, LadderSettings, Settings
from simulations.waves.faults.fault import Fault
from simulations.waves.options import WavesOptions
from simulations.workload import Traits

PolicyName = Literal["deadline", "fifo", "turn", "retry"]
Arrivals = Literal["at once", "spread", "regular", "poisson"]
LegKind = Literal["local", "remote"]


def simulated_settings() -> Settings:
    """Return the program's settings in a scenario that says nothing of them: no ladder, and every call is taken."""
    return Settings(ladder=LadderSettings(on=False), admission=AdmissionSettings(on=False))


@frozen(kw_only=True)
class Group:
    """Calls of one kind. `name` is None where the scenario names no groups."""

    name: str | None = None
    calls: int = field(default=4, validator=validators.ge(0))
    """Lines, each with one call at a time; with "regular" and "poisson" arrivals: streams of calls."""
    arrivals: Arrivals = "spread"
    """"spread": the calls of the run start evenly over its first 10 s; "at once": at second 0; "regular" and "poisson":
    `per_hour` on each line, whether the earlier ones are over or not."""
    per_hour: float | None = field(default=None, validator=validators.optional(validators.gt(0.0)))
    """Calls that arrive on each line; without it as many as keep one call going on the average (60 / `minutes`)."""
    bot: str | None = None
    """MODULE:CLASS, or an installed name; without it the simulated bot that `traits` describe."""
    weight: float = field(default=1.0, validator=[validators.ge(0.01), validators.le(100)])
    """The calls' share of the slot when calls compete."""
    leg: LegKind = "local"
    """Paced by our own clock, or "remote": the sound lies at the carrier's, up to 1.5 s of it, and marks come back."""
    leg_latency: float = field(default=0.05, validator=[validators.ge(0.0), validators.le(2.0)])
    """Seconds that sound, marks and a clear are under way on a remote leg, each way."""
    traits: Traits = Factory(Traits)


@frozen(kw_only=True)
class Scenario:
    """One thing to simulate; `hours` of virtual time."""

    name: str
    about: str = ""
    hours: float = field(default=1.0, validator=validators.gt(0.0))
    profile: str | None = "fast"
    """What the provider's speed is called in reports; None where ttfb and rtf are no profile's."""
    groups: tuple[Group, ...] = (Group(),)
    server: WavesOptions = Factory(lambda: WavesOptions(chunk_ms=None))
    """The simulated provider, its speed and limits included."""
    settings: Settings = Factory(simulated_settings)
    """The program's own; provider.slots and provider.links are kept equal to the server's."""
    lifelike: bool = False
    """Add what life adds: an uneven voice, silence around pieces, an uneven ttfb, transport."""
    wire: bool = True
    """Over the real WebSocket protocol; else straight into the simulated provider."""
    policy: PolicyName = "deadline"
    brief: float = field(default=0.0, validator=[validators.ge(0.0), validators.lt(1.0)])
    """How long the simulated bot's `brief` variants are, as a part of what they stand for; 0: it has none."""
    load: float = field(default=0.0, validator=validators.ge(0.0))
    """Calls that arrive (at random), as a part of what the capacity table says the provider can bear; 0: as the groups
    say."""
    faults: tuple[Fault, ...] = ()
    """What goes wrong at the provider; only over the wire."""

    @property
    def calls(self) -> int:
        """How many calls (or streams of calls) in all."""
        return sum(group.calls for group in self.groups)

    def with_calls(self, calls: int) -> Scenario:
        """Return the scenario with so many calls in all: the first group takes the change. Raises ValueError if the
        other groups have more than that."""
        others = sum(group.calls for group in self.groups[1:])
        if calls < others:
            raise ValueError(f"{calls} calls: the groups but the first have {others}")
        first = attrs.evolve(self.groups[0], calls=calls - others)
        return attrs.evolve(self, groups=(first, *self.groups[1:]))
