"""What `talkingstick lipsync` takes: options with units, ranges and defaults; cli_groups.py reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import attrs
from cyclopts import Group, Parameter
from cyclopts.validators import Number

from orchestrator.commands import Flag, number, whole
from orchestrator.settings.lipsync import Plan

_WHICH = Parameter(group=Group("Which queue and account", sort_key=1))
SyncMode = Literal["bounce", "loop", "cut_off", "silence", "remap"]
State = Literal["waiting", "sending", "submitted", "completed", "failed", "rejected", "cancelled"]
Ids = Annotated[tuple[str, ...], Parameter(negative="", show_default=False)]
States = Annotated[tuple[State, ...], Parameter(negative="", consume_multiple=False, show_default=False)]
Priority = Annotated[int, Parameter(converter=whole, validator=Number(gte=-1000, lte=1000))]
Limit = Annotated[int, Parameter(converter=whole, validator=Number(gte=1, lte=100_000))]
Length = Annotated[float | None, Parameter(converter=number, validator=Number(gt=0, lte=36_000))]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class StoreOptions:
    """Which queue is meant, and how the answer is printed."""

    config: Annotated[Path | None, _WHICH] = None
    """The configuration (TOML): its [lipsync]. Without it the defaults."""
    store: Annotated[str | None, _WHICH] = None
    """The file that keeps the queue, whatever the configuration says; by default lipsync.db in
    $XDG_STATE_HOME/talkingstick, else in ~/.local/state/talkingstick."""
    json: Flag = False
    """Print one JSON object."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class AccountOptions(StoreOptions):
    """Which account is asked. Its key is in SYNC_API_KEY, or where the configuration says."""

    address: Annotated[str | None, _WHICH] = None
    """Of the service, such as https://api.sync.so; goes before what the configuration says."""
    plan: Annotated[Plan | None, _WHICH] = None
    """The account's plan: how many generations at a time, and whether it may send batches. By default as configured,
    else free (one)."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class JobOptions(AccountOptions):
    """How new jobs go, and what is done until they have ended."""

    model: str | None = None
    """The model that makes the video; by default as configured, else lipsync-2."""
    priority: Priority = 0
    """Higher goes first, -1000 to 1000."""
    deadline: str | None = None
    """When the video must be there: in so many seconds, or a time such as 2026-12-01T18:00:00Z (without a zone: local).
    What can't be ready by then is not begun."""
    owner: str = ""
    """Who asks: jobs of different owners take turns."""
    wait: Flag = False
    """Work on the queue until there is a video, or it is known that there will be none."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class SubmitOptions(JobOptions):
    """Options of `talkingstick lipsync submit`."""

    video: str
    """The video, or for sync-3 a picture: a URL, or a file here, which is uploaded."""
    audio: str | None = None
    """What is to be said: a URL, or a file here, which is uploaded."""
    text: str | None = None
    """What is to be said in a voice of ElevenLabs, instead of --audio."""
    voice_id: str | None = None
    """That voice."""
    sync_mode: SyncMode | None = None
    """What is done where video and sound differ in length; by default as the service does it."""
    out: str | None = None
    """Download the video: to this file, which is not to exist yet, or into this directory (one that exists, or a name
    with a / at its end)."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class BatchOptions(JobOptions):
    """Options of `talkingstick lipsync batch`."""

    dry_run: Flag = False
    """Check the file and accept nothing: by the service where the plan has batches, else here."""
    out: Path | None = None
    """Download the videos into this directory, each named by its request_id. No file is overwritten: where there is
    one of that name the job's id comes behind it."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class WaitOptions(AccountOptions):
    """Options of `talkingstick lipsync wait`."""

    all: Flag = False
    """All jobs that are kept, also those that ended earlier."""
    out: Path | None = None
    """Download the videos into this directory, each named by its request_id or job; of a single job also to a file: a
    name with an ending, such as hello.mp4. No file is overwritten."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class RetryOptions(AccountOptions):
    """Options of `talkingstick lipsync retry`."""

    failed: Flag = False
    """All jobs that failed or were rejected."""
    wait: Flag = False
    """Work on the queue until they have ended."""
    out: Path | None = None
    """Download the videos into this directory, each named by its request_id or job. No file is overwritten."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class JobListOptions(StoreOptions):
    """Options of `talkingstick lipsync list`."""

    state: States = ()
    """Only jobs in this state. May be repeated."""
    owner: str | None = None
    """Only jobs of this owner."""
    limit: Limit = 50
    """So many at most."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class CancelOptions(StoreOptions):
    """Options of `talkingstick lipsync cancel`."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class CostOptions(AccountOptions):
    """Options of `talkingstick lipsync cost`."""

    video: str | None = None
    """The video: a URL, or a file here; with --audio."""
    audio: str | None = None
    """What is to be said: a URL, or a WAV file here, whose length counts."""
    seconds: Length = None
    """How long the video would be, instead of --video and --audio."""
    model: str | None = None
    """The model; by default as configured, else lipsync-2."""
