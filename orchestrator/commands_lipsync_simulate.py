"""What `talkingstick lipsync simulate` takes: options with units, ranges and defaults; cli_groups.py reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter
from cyclopts.validators import Number

from orchestrator.commands import Assignments, Flag, Many, Seed, YesNo, number, whole
from orchestrator.settings.lipsync import Plan

Jobs = Annotated[int, Parameter(converter=whole, validator=Number(gte=1, lte=10_000))]
Kills = Annotated[int, Parameter(converter=whole, validator=Number(gte=0, lte=1000))]
Speed = Annotated[float, Parameter(converter=number, validator=Number(gt=0, lte=1000))]
Creates = Annotated[int, Parameter(converter=whole, validator=Number(gte=1, lte=100_000))]
Requests = Annotated[int, Parameter(converter=whole, validator=Number(gte=10, lte=100_000))]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class LipsyncSimulateOptions:
    """Options of `talkingstick lipsync simulate`."""

    jobs: Jobs = 500
    """How many videos are wanted, 1 to 10000: half of them at the start, all others by half of the time."""
    kills: Kills = 20
    """How often the program is killed and started again, at drawn moments: in the middle of a write or of a request.
    Where only few jobs are left those that are still to come do not wait any longer."""
    plan: Plan = "creator"
    """The account's plan: how many generations at a time (1, 1, 3, 6, 15, 15), and whether there are batches."""
    seed: Seed = 1
    """What everything is drawn from: the same seed, the same story."""
    seeds: Many = None
    """Run so many seeds, --seed being the first, on all cores; adds mean and standard deviation."""
    fault: Assignments = ()
    """A fault of the simulated service instead of the usual ones, NAME or NAME:KEY=VALUE,... as of sync-server. May be
    repeated."""
    no_faults: Flag = False
    """Nothing goes wrong but the kills. By default everything does that can, at sensible rates."""
    idempotency: YesNo = "yes"
    """Whether the service honours Idempotency-Keys."""
    webhooks: Annotated[bool, Parameter(negative="--no-webhooks")] = True
    """Whether the service tells the program of ends, or is only polled."""
    speed: Speed = 1.0
    """How many times sooner generations are over than is published (lipsync-2: two minutes)."""
    creates_per_minute: Creates = 60
    """Requests a minute that begin a generation (published)."""
    requests_per_minute: Requests = 600
    """All other requests a minute (published)."""
    out: Path | None = None
    """The directory for events.jsonl and summary.json; with --seeds one inside it for each seed."""
    json: Flag = False
    """Print what it came to as one JSON object."""
