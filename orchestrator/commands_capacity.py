"""What `talkingstick capacity` takes: options with units, ranges and defaults; cli.py reads them from the line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter
from cyclopts.validators import Number

from orchestrator.commands import Delay, Flag, Policy, Profile, Seed, Slots, number

Several = Parameter(negative="", consume_multiple=False, show_default=False)
Share = Annotated[float, Parameter(converter=number, validator=Number(gt=0, lt=1))]
Wait = Annotated[float, Parameter(converter=number, validator=Number(gte=0, lte=60))]
Gaps = Annotated[float, Parameter(converter=number, validator=Number(gte=0, lte=100))]
Hours = Annotated[float, Parameter(converter=number, validator=Number(gte=0.25, lte=1000))]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class CapacityOptions:
    """Options of `talkingstick capacity`. Without any it makes the table that ships with the program."""

    profile: Annotated[tuple[Profile, ...], Several] = ()
    """Only these speeds of the provider, by name: fast, mid, slow. May be repeated."""
    ttfb: Delay = None
    """Your own provider: seconds to the first byte of a request."""
    rtf: Delay = None
    """Your own provider: seconds of work per second of sound."""
    talk_share: Annotated[tuple[Share, ...], Several] = ()
    """The bot's speech as a part of the whole cycle, 0 to 1; by default 0.3, 0.45 and 0.57. May be repeated."""
    slots: Annotated[tuple[Slots, ...], Several] = ()
    """Requests at a time; by default 1 and 2. May be repeated."""
    p95_wait: Wait = 0.5
    """The service level: seconds that 95 of 100 waits are not to exceed."""
    gaps: Gaps = 1.0
    """The service level: gaps over 100 ms in 100 turns, at most."""
    policy: Policy = "deadline"
    """Who gets the slot: deadline (ours), fifo, turn, retry; `retry` is told beside it in any case."""
    lifelike: Flag = False
    """With an uneven voice, silence around pieces, an uneven time to first byte and transport."""
    hours: Hours = 2.0
    """Hours of virtual time, 0.25 at least, after which a run that is not clear counts as it stands (less with more
    than ten calls)."""
    seed: Seed = 1
    """What everything is drawn from: the same seed, the same table."""
    json: Flag = False
    """Print the table as one JSON object."""
    out: Path | None = None
    """Also write the table with its curves as a page (HTML; needs the extra `demo`)."""
    cache: Path | None = None
    """Where cells are kept as they are done, so that the same command goes on after a break; by default beside --out,
    else talkingstick-capacity.jsonl."""
