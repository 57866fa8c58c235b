"""What `talkingstick sync-server` takes: options with units, ranges and defaults, group by group; cli.py reads them
from the command line, simulations/sync/command.py makes a service of them.

A choice between sources that disagree says in its help which evidence its default follows.
"""

from __future__ import annotations

from typing import Annotated, Literal

import attrs
from cyclopts import Group, Parameter
from cyclopts.validators import Number

from orchestrator.commands import Port, Seed, YesNo, number, whole
from orchestrator.commands_waves import FaultOptions, Rate, Repeated, RetryAfter, Unevenness, Wait
from orchestrator.settings.lipsync import Plan

Generations = Annotated[int | None, Parameter(converter=whole, validator=Number(gte=1, lte=1000))]
Batches = Annotated[int | None, Parameter(converter=whole, validator=Number(gte=0, lte=1000))]
AtATime = Annotated[int, Parameter(converter=whole, validator=Number(gte=1, lte=1000))]
Retries = Annotated[int, Parameter(converter=whole, validator=Number(gte=0, lte=20))]
Megabytes = Annotated[float, Parameter(converter=number, validator=Number(gt=0, lte=5000))]
MegabytesOrNone = Annotated[float | None, Parameter(converter=number, validator=Number(gt=0, lte=5000))]
Speed = Annotated[float, Parameter(converter=number, validator=Number(gt=0, lte=1_000_000))]
Hours = Annotated[float, Parameter(converter=number, validator=Number(gt=0, lte=1000))]


@Parameter(name="*", group=Group("Limits", sort_key=1))
@attrs.frozen(kw_only=True)
class SyncLimitOptions:
    """What the accounts may do."""

    plan: Plan = "creator"
    """The plan: how many generations at a time (1, 1, 3, 6, 15, 15), how long a video (20 s to 30 min), and whether
    there are batches (scale and enterprise)."""
    generations: Generations = None
    """Generations at a time, PENDING or PROCESSING; by default by the plan (published)."""
    batches: Batches = None
    """Batches at a time; by default 2 with a plan that has them, else none. That there is a cap is published, not its
    size."""
    creates_per_minute: Rate = 60
    """Requests a minute that begin a generation (published); the newest page has no such limit: 1000000."""
    others_per_minute: Rate = 600
    """All other requests a minute (published)."""
    uploads_per_minute: Rate = None
    """Uploads that are announced, a minute; by default any number. The newest page says 120."""
    window: Literal["sliding", "fixed"] = "sliding"
    """How a minute is counted: any 60 s, or by the minutes from the start. "The limit resets every minute"."""
    api_key: Annotated[str | None, Parameter(show_default=False)] = attrs.field(default=None, repr=False)
    """The key that is accepted; by default every key is, but not none."""
    webhook_secret: Annotated[str | None, Parameter(show_default=False)] = attrs.field(default=None, repr=False)
    """Signs the webhooks, whsec_...; by default drawn from the seed, and told at the start."""
    account: Annotated[tuple[str, ...], Repeated] = attrs.field(default=(), repr=False)
    """NAME=KEY or NAME=KEY:plan=scale,generations=4,batches=1,creates=60,others=600,longest=60,secret=whsec_...: an
    account of its own; what is left out is by its plan, or as the options above say. Only these keys, and --api-key,
    are accepted then. May be repeated."""
    file_mb: Megabytes = 20.0
    """Largest file of a form, in megabytes: beyond it 413. Older pages say 20 MB, the newest 5 GiB."""
    plan_file_mb: MegabytesOrNone = None
    """Largest file that the plan takes: beyond it 422; by default there is none. That there is one is published."""


@Parameter(name="*", group=Group("Speed", sort_key=2))
@attrs.frozen(kw_only=True)
class SyncSpeedOptions:
    """How long it all takes."""

    speed: Speed = 1.0
    """How many times sooner everything is over: generations (lipsync-2 takes 120 s, -pro 210, 1.9.0-beta 45, react-1
    90, sync-3 750: the middle of what is published for a video of 30 s), batches, and the waits between webhooks."""
    unevenness: Unevenness = 0.25
    """How uneven that is: coefficient of variation of a lognormal; 0: not at all."""
    media_seconds: Wait = 10.0
    """How long a video or sound is, in seconds, where neither a WAV that was uploaded nor an address with ?seconds=N
    says so: nothing is fetched."""
    batch_at_a_time: AtATime = 15
    """Generations of one batch that are made at the same time (not published)."""


@Parameter(name="*", group=Group("Choices where sources disagree", sort_key=3))
@attrs.frozen(kw_only=True)
class SyncChoiceOptions:
    """What nobody knows for certain."""

    create_status: Literal["200", "201"] = "201"
    """Of a generation that was begun. Other pages document 201 for what is created."""
    idempotency: YesNo = "yes"
    """Whether an Idempotency-Key is honoured (published for new accounts); otherwise it is ignored."""
    replay_status: Literal["200", "201"] = "201"
    """Of the answer to the same key and body (not published)."""
    conflict_status: Literal["400", "409", "422"] = "409"
    """Of the same key with another body (not published)."""
    idempotency_hours: Hours = 24.0
    """How long a key is known, in hours (not published)."""
    retry_after: RetryAfter = None
    """Seconds in the header Retry-After of each 429; by default there is none: nothing is published."""
    webhook_unit: Literal["s", "ms"] = "s"
    """Of the time in a webhook's signature (not published)."""
    webhook_retries: Retries = 6
    """How often a webhook is sent again that was not answered with 2xx (not published)."""
    webhook_wait: Wait = 5.0
    """Seconds until the first of these; each further wait is twice as long (not published)."""
    webhook_of_rejected: YesNo = "yes"
    """Whether the end of a REJECTED generation is told; published are COMPLETED and FAILED."""
    batch_in_list: YesNo = "no"
    """Whether the generations of batches are in the list of generations, too (not published)."""
    batch_check: Literal["file", "lines"] = "file"
    """What a wrong payload in a line does: the whole file is refused, or the line fails (not published)."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class SyncServerOptions:
    """Options of `talkingstick sync-server`."""

    port: Port
    """The port on loopback; 0 takes a free one."""
    host: Literal["127.0.0.1", "localhost"] = "127.0.0.1"
    """The address on loopback, or both of localhost's (IPv6, too, where there is any): no other machine is served."""
    seed: Seed = 0
    """What ids, durations and faults are drawn from: the same seed, the same draws."""
    limits: SyncLimitOptions = attrs.Factory(SyncLimitOptions)
    speed: SyncSpeedOptions = attrs.Factory(SyncSpeedOptions)
    choices: SyncChoiceOptions = attrs.Factory(SyncChoiceOptions)
    faults: FaultOptions = attrs.Factory(FaultOptions)
