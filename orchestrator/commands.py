"""What the commands take: options with units, ranges and defaults; cli.py reads them from the command line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
from cyclopts import Parameter, Token
from cyclopts.validators import Number

Profile = Literal["fast", "mid", "slow"]
Voice = Literal["espeak", "tone"]
YesNo = Literal["yes", "no"]
Policy = Literal["deadline", "fifo", "turn", "retry"]


def whole(_type: Any, tokens: Sequence[Token]) -> int:
    """Parse a whole number strictly: 4.5 calls are none."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f'"{tokens[0].value}" is no whole number') from None


def number(_type: Any, tokens: Sequence[Token]) -> float:
    """Parse a finite number: no range says anything of "nan"."""
    try:
        value = float(tokens[0].value)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f'expected a number, not "{tokens[0].value}"')
    return value


Flag = Annotated[bool, Parameter(negative="", show_default=False)]
Calls = Annotated[int, Parameter(converter=whole, validator=Number(gte=1, lte=50))]
Seconds = Annotated[float, Parameter(converter=number, validator=Number(gt=0, lte=3600))]
Seed = Annotated[int, Parameter(converter=whole)]
Slots = Annotated[int, Parameter(converter=whole, validator=Number(gte=1, lte=1000))]
Port = Annotated[int, Parameter(converter=whole, validator=Number(gte=0, lte=65535))]
Milliseconds = Annotated[int, Parameter(converter=whole, validator=Number(gte=1, lte=1000))]
Hours = Annotated[float | None, Parameter(converter=number, validator=Number(gt=0, lte=1000))]
Many = Annotated[int | None, Parameter(converter=whole, validator=Number(gte=1, lte=1000))]
Share = Annotated[float | None, Parameter(converter=number, validator=Number(gt=0, lt=1))]
Assignments = Annotated[tuple[str, ...], Parameter(negative="", show_default=False)]
Delay = Annotated[float | None, Parameter(converter=number, validator=Number(gte=0, lte=60))]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class DemoOptions:
    """Options of `talkingstick demo`."""

    calls: Calls = 4
    """How many calls at a time, 1 to 50."""
    seconds: Seconds = 60.0
    """How long, in seconds, up to 3600."""
    seed: Seed = 1
    """What the callers' scripts are drawn from: the same seed, the same callers."""
    bot: str | None = None
    """The bot that answers, as MODULE:CLASS or an installed name; by default those that ship take turns."""
    out: Path = Path("talkingstick-demo")
    """The directory for what is written."""
    profile: Profile = "fast"
    """How fast the simulated provider is: seconds to the first byte / seconds of work per second of sound;
    fast 0.1/0.1, mid 0.15/0.2, slow 0.2/0.3."""
    voice: Voice | None = None
    """What it speaks with: espeak (needs the extra `demo`) or a plain tone; by default espeak where it is installed."""
    close_after_complete: YesNo = "yes"
    """Whether the simulated provider closes a WebSocket after each piece."""
    config: Path | None = None
    """Talk to the provider of this configuration (TOML) instead of the simulated one."""
    json: Flag = False
    """Print the summary as one JSON object."""
    no_table: Flag = False
    """Print plain lines instead of the live table."""

    def keywords(self) -> dict[str, Any]:
        """Return what `simulations.demo.command.run` is called with: `table` for `no_table`, a bool for yes or no."""
        keywords = attrs.asdict(self, recurse=False)
        return keywords | {
            "close_after_complete": self.close_after_complete == "yes",
            "table": not keywords.pop("no_table"),
        }


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class SimulateOptions:
    """Options of `talkingstick simulate`; None is what the scenario says."""

    calls: Many = None
    """How many calls at a time, up to 1000: the first group of the scenario takes the change."""
    hours: Hours = None
    """How long, in hours of virtual time, up to 1000."""
    seed: Seed = 1
    """What everything is drawn from: the same seed, the same story."""
    seeds: Many = None
    """Run so many seeds, --seed being the first, on all cores; adds mean and standard deviation."""
    profile: Profile | None = None
    """How fast the simulated provider is: seconds to the first byte / seconds of work per second of sound;
    fast 0.1/0.1, mid 0.15/0.2, slow 0.2/0.3."""
    ttfb: Delay = None
    """Seconds to the first byte of a request, whatever the profile."""
    rtf: Delay = None
    """Seconds of work per second of sound, whatever the profile."""
    slots: Many = None
    """Requests at a time; WebSockets are five times as many unless they are set."""
    talk_share: Share = None
    """The bot's speech as a part of the whole cycle, between 0 and 1 (0.57 in the reference workload)."""
    policy: Policy | None = None
    """Who gets the slot: deadline (ours), or to compare: fifo (a plain lock, sentence by sentence), turn (a plain lock,
    the whole reply at once), retry (no coordination: try, and back off when refused)."""
    wire: Annotated[bool | None, Parameter(negative="--no-wire")] = None
    """Over the real WebSocket protocol, or straight into the simulated provider (faster)."""
    lifelike: Annotated[bool | None, Parameter(negative="--ideal")] = None
    """With an uneven voice, silence around pieces, an uneven time to first byte and transport; or without."""
    bot: str | None = None
    """The bot that answers, as MODULE:CLASS or an installed name; by default the one that the scenario describes."""
    fault: Assignments = ()
    """A fault of the simulated provider, NAME or NAME:KEY=VALUE,... such as stall:seconds=3,every=300. May be repeated.
    What each does, and its keys, is in simulations/scenarios/README.md; without at, count or every it strikes at once
    and then about once a minute."""
    provider: Assignments = ()
    """KEY=VALUE of the simulated provider, such as settle=0.2; short for --set server.KEY=VALUE. May be repeated."""
    set: Assignments = ()
    """KEY=VALUE of any key of a scenario, such as callers.barge_in=0.3 or slot.patience=0.4. May be repeated."""
    out: Path | None = None
    """The directory for events.jsonl and summary.json; with --seeds one inside it for each seed."""
    json: Flag = False
    """Print the summary as one JSON object."""
    list: Flag = False
    """Say which scenarios ship, and what each is about."""
