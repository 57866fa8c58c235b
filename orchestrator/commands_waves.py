"""What `talkingstick waves-server` takes: options with units, ranges and defaults, group by group; cli.py reads them
from the command line, simulations/waves/command.py makes a provider of them.

A choice between sources that disagree says in its help which evidence its default follows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
from cyclopts import Group, Parameter
from cyclopts.validators import Number

from orchestrator.commands import (
    Delay,
    Flag,
    Milliseconds,
    Port,
    Profile,
    Seed,
    Slots,
    Voice,
    YesNo,
    number,
    whole,
)

Repeated = Parameter(negative="", consume_multiple=False, show_default=False)
Links = Annotated[int | None, Parameter(converter=whole, validator=Number(gte=1, lte=5000))]
Rate = Annotated[int | None, Parameter(converter=whole, validator=Number(gte=1, lte=1_000_000))]
Unevenness = Annotated[float, Parameter(converter=number, validator=Number(gte=0, lte=10))]
Factor = Annotated[float, Parameter(converter=number, validator=Number(gte=1, lte=1000))]
Wait = Annotated[float, Parameter(converter=number, validator=Number(gt=0, lte=86_400))]
Time = Annotated[float, Parameter(converter=number, validator=Number(gte=0, lte=86_400))]
RetryAfter = Annotated[float | None, Parameter(converter=number, validator=Number(gte=0, lte=86_400))]


@Parameter(name="*", group=Group("Limits", sort_key=1))
@attrs.frozen(kw_only=True)
class LimitOptions:
    """What the accounts may do."""

    slots: Slots = 1
    """Requests at a time, of all models and kinds of link together. Published: 1 on the base plan."""
    links: Links = None
    """WebSockets at a time; by default 5 a slot (published)."""
    requests_per_minute: Rate = None
    """Requests let in within any 60 seconds; by default any number: for speech no limit is published."""
    api_key: Annotated[str | None, Parameter(show_default=False)] = attrs.field(default=None, repr=False)
    """The key that is accepted; by default every key is, and none."""
    account: Annotated[tuple[str, ...], Repeated] = attrs.field(default=(), repr=False)
    """NAME=KEY or NAME=KEY:slots=1,links=5,rpm=60: an account of its own; what is left out is as --slots, --links and
    --requests-per-minute say. Only these keys, and --api-key, are accepted then. May be repeated."""
    idle_timeout: Wait = 60.0
    """Seconds without a message after which a WebSocket is closed, unless it asked for others with ?timeout=N
    (published; older pages say 20)."""
    send_within: Wait = 10.0
    """Seconds that a client may take to take a message; then it is dropped (not published)."""


@Parameter(name="*", group=Group("Speed", sort_key=2))
@attrs.frozen(kw_only=True)
class SpeedOptions:
    """How fast the provider is."""

    profile: Profile = "fast"
    """Both speeds, where --ttfb and --rtf don't say: fast 0.1/0.1, mid 0.15/0.2, slow 0.2/0.3 (what is published)."""
    ttfb: Delay = None
    """Seconds to the first byte of a request."""
    rtf: Delay = None
    """Seconds of work per second of sound."""
    ttfb_cv: Unevenness = 0.0
    """How uneven the seconds to the first byte are: coefficient of variation, 0: not at all. The mean stays."""
    rtf_cv: Unevenness = 0.0
    """How uneven the seconds of work are from request to request, likewise."""
    jitter: Literal["lognormal", "uniform", "exponential"] = "lognormal"
    """The distribution of both; an exponential one always has the coefficient 1, a uniform one at most 0.58."""
    cold: Time = 0.0
    """Seconds more to the first byte of the first request, and of the first after a restart (not published)."""
    slow_at: Time = 0.0
    """When a slow time begins, in seconds from the start."""
    slow_for: Time = 0.0
    """How many seconds the slow time lasts; 0: there is none."""
    slow_factor: Factor = 3.0
    """How many times longer everything takes for requests that begin in the slow time."""
    chunk_ms: Milliseconds = 20
    """Length of a chunk of sound, in milliseconds (20 was measured of the live provider)."""


@Parameter(name="*", group=Group("Choices where sources disagree", sort_key=3))
@attrs.frozen(kw_only=True)
class ChoiceOptions:
    """What nobody knows for certain."""

    close_after_complete: YesNo = "yes"
    """Whether a WebSocket is closed after the `complete` of a request without a context. The specification and a third
    party's measurement say so; one guide and two plugins keep it."""
    clamp_backoff: YesNo = "no"
    """Whether `complete` comes 4 s late whatever `complete_backoff_ms` asks for. One plugin says so; that 0 is obeyed
    was measured."""
    backoff_holds_slot: YesNo = "no"
    """Whether the slot is held until `complete`, not only until the last sound. Not published; one plugin asks again
    while the back-off runs, and is served."""
    idle_context_holds_slot: YesNo = "yes"
    """Whether an open context holds a slot while it has nothing to say. Published: one context is one unit."""
    context_idle: Wait = 30.0
    """Seconds without a message after which a context is over. Published without a figure."""
    settle: Time = 0.05
    """Seconds that a request still counts after its connection is gone; 0: its slot is free at once. Not published."""
    links_refusal: Literal["429", "1008", "1013"] = "429"
    """What one WebSocket too many gets: HTTP 429, or a close with this code. Not published; the provider's recognition
    closes with 1008, its speech to speech with 1013."""
    error_shape: Literal["flat", "nested"] = "flat"
    """Of error frames: `message` beside `status`, as clients read it, or inside `error` (one published schema)."""
    retry_after: RetryAfter = None
    """Seconds in the header Retry-After of each 429; by default there is none: clients are told to respect it "if
    present"."""
    retired: str = "lightning-v2,lightning-large"
    """Models that are answered with 410 on their own paths, separated by commas, or "none". Published: these two."""
    unknown_voices: YesNo = "no"
    """Whether voices that are in no pool speak, too, such as espeak's "en-gb+f2". The provider itself answers 400 (seen
    live)."""


@Parameter(name="*", group=Group("Faults", sort_key=4))
@attrs.frozen(kw_only=True)
class FaultOptions:
    """What goes wrong."""

    fault: Annotated[tuple[str, ...], Repeated] = ()
    """NAME or NAME:KEY=VALUE,... such as stall:seconds=3,every=300; KEY is `at` (seconds from the start), `count`,
    `every` (mean seconds between two) or a figure of that fault. GET /faults lists all. May be repeated."""
    script: Path | None = None
    """A TOML file of faults with their times: [[fault]] with name, at, and so on."""


@Parameter(name="*", group=Group("Recognition", sort_key=5))
@attrs.frozen(kw_only=True)
class RecognitionOptions:
    """What the recogniser (Pulse) hears."""

    transcript: Path | None = None
    """A file of what callers say: Pulse answers with these lines in turn, whatever the sound; without it, and without
    --ears, with a few lines of its own."""
    ears: Flag = False
    """Pulse really listens (needs the extra `ears`)."""
    model: Annotated[Path | None, Parameter(name="--ears-model")] = None
    """The directory of the model for --ears; by default the small English one of the extra."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ServerOptions:
    """Options of `talkingstick waves-server`."""

    port: Port
    """The port on loopback; 0 takes a free one."""
    host: Literal["127.0.0.1", "localhost"] = "127.0.0.1"
    """The address on loopback, or both of localhost's (IPv6, too, where there is any): no other machine is served."""
    voice: Voice | None = None
    """What it speaks with: espeak (needs the extra `demo`) or a plain tone; by default espeak where it is installed."""
    seed: Seed = 0
    """What ids, unevenness and faults are drawn from: the same seed, the same draws."""
    limits: LimitOptions = attrs.Factory(LimitOptions)
    speed: SpeedOptions = attrs.Factory(SpeedOptions)
    choices: ChoiceOptions = attrs.Factory(ChoiceOptions)
    faults: FaultOptions = attrs.Factory(FaultOptions)
    recognition: RecognitionOptions = attrs.Factory(RecognitionOptions)


def answers(group: Any) -> dict[str, Any]:
    """Return the options of one group by their names, those that were not given (None) left out."""
    given = attrs.asdict(group, recurse=False)
    return {name: value for name, value in given.items() if value is not None}
