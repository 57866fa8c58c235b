"""The commands of the command line that have commands of their own: `cache` and `lipsync`; and how any is started.

Their options are in commands_cache.py and commands_lipsync.py.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from orchestrator.commands_cache import ClearOptions, ListOptions, WarmOptions
from orchestrator.commands_lipsync import (
    BatchOptions,
    CancelOptions,
    CostOptions,
    JobListOptions,
    RetryOptions,
    SubmitOptions,
    WaitOptions,
)
from orchestrator.commands_lipsync_simulate import LipsyncSimulateOptions

LIST_DEFAULTS = ListOptions()
CLEAR_DEFAULTS = ClearOptions()
JOB_LIST_DEFAULTS = JobListOptions()
CANCEL_DEFAULTS = CancelOptions()
COST_DEFAULTS = CostOptions()
RETRY_DEFAULTS = RetryOptions()
WAIT_DEFAULTS = WaitOptions()
BATCH_DEFAULTS = BatchOptions()
SIMULATE_DEFAULTS = LipsyncSimulateOptions()
Id = Annotated[str, Parameter(show_default=False)]
"""Of a job, or its beginning where no other id begins so."""


async def run_by_name(module: str, **options: Any) -> int:
    """Import a command's module, run it, and return its exit status."""
    status: int = await importlib.import_module(module).run(**options)
    return status


cache = App(
    name="cache",
    help="Show, fill or empty the phrase cache: greetings and fillers that are spoken once and kept.\n\n"
    "Example: talkingstick cache list --config talkingstick.toml",
)


@cache.command(name="list")
async def cache_list(*, options: ListOptions = LIST_DEFAULTS) -> int:
    """Show what is in the phrase cache, the last used first.

    Example: talkingstick cache list --json
    """
    return await run_by_name("orchestrator.cache_command", options=options)


@cache.command(name="warm")
async def cache_warm(*, options: WarmOptions) -> int:
    """Make all phrases of a configuration now, over its account, so that the first calls have them.

    What is there already is left as it is. Exits 1 if a phrase could not be made.

    Example: talkingstick cache warm --config talkingstick.toml --voice avery --rate 8000
    """
    return await run_by_name("orchestrator.cache_command", options=options)


@cache.command(name="clear")
async def cache_clear(*, options: ClearOptions = CLEAR_DEFAULTS) -> int:
    """Remove phrases from the cache; they are made anew when they are wanted.

    Example: talkingstick cache clear --older-than 7
    """
    return await run_by_name("orchestrator.cache_command", options=options)


_LIPSYNC = "orchestrator.lipsync.command.run"
lipsync = App(
    name="lipsync",
    help="Have videos made that speak a sound: jobs wait in a durable queue, and go as the account's plan allows.\n\n"
    "A job survives the program. Who runs a command without --wait needs somebody who works on the queue: "
    "`talkingstick serve` with [lipsync] on, or `talkingstick lipsync wait`.\n\n"
    "Example: talkingstick lipsync submit --video face.mp4 --audio hello.wav --wait --out hello.mp4",
)


@lipsync.command
async def submit(*, options: SubmitOptions) -> int:
    """Ask for one video: prints the job's id, and with --wait at last the video's URL.

    The job is in the queue for good as soon as its id is printed. Then the queue is worked on until the service has
    taken the job (20 s at most), or with --wait until it has ended.

    Example: talkingstick lipsync submit --video https://example.com/face.mp4 --audio hello.wav

    Example: talkingstick lipsync submit --video face.mp4 --audio hello.wav --wait --out videos/
    """
    return await run_by_name(_LIPSYNC, options=options)


@lipsync.command
async def wait(*ids: Id, options: WaitOptions = WAIT_DEFAULTS) -> int:
    """Work on the queue, or watch who does, until jobs have ended; prints a line a job.

    Jobs that are named may have ended before: so their videos are downloaded later. Exits 1 if one ended without a
    video.

    Example: talkingstick lipsync wait

    Example: talkingstick lipsync wait 5f3a 91cc --out videos

    Parameters
    ----------
    ids
        Jobs, by the beginning of their ids; by default all in the queue.
    """
    return await run_by_name(_LIPSYNC, options=options, ids=ids)


@lipsync.command(name="list")
async def list_jobs(*, options: JobListOptions = JOB_LIST_DEFAULTS) -> int:
    """Show the jobs, the newest first; --json has the URLs of their videos, too.

    Example: talkingstick lipsync list --state waiting --state failed
    """
    return await run_by_name(_LIPSYNC, options=options)


@lipsync.command
async def cancel(job: Id, /, *more: Id, options: CancelOptions = CANCEL_DEFAULTS) -> int:
    """End jobs that still wait. What is with the service can't be stopped: it has no such request.

    Example: talkingstick lipsync cancel 5f3a

    Parameters
    ----------
    job
        A job, by the beginning of its id.
    more
        More of them.
    """
    return await run_by_name(_LIPSYNC, options=options, ids=(job, *more))


@lipsync.command
async def retry(*ids: Id, options: RetryOptions = RETRY_DEFAULTS) -> int:
    """Put jobs into the queue again that ended without a video, with a new Idempotency-Key.

    Example: talkingstick lipsync retry 5f3a

    Example: talkingstick lipsync retry --failed --wait

    Parameters
    ----------
    ids
        Jobs, by the beginning of their ids.
    """
    return await run_by_name(_LIPSYNC, options=options, ids=ids)


@lipsync.command
async def cost(*, options: CostOptions = COST_DEFAULTS) -> int:
    """Ask the service what a video would cost. Nothing is made or uploaded.

    Example: talkingstick lipsync cost --seconds 30 --model sync-3

    Example: talkingstick lipsync cost --video https://example.com/face.mp4 --audio https://example.com/hello.wav
    """
    return await run_by_name(_LIPSYNC, options=options)


@lipsync.command
async def batch(file: Path, /, *, options: BatchOptions = BATCH_DEFAULTS) -> int:
    """Ask for many videos: a JSON object a line. Prints a JSON object a line with what became of each, in that order.

    A line is {"video": "face.mp4", "audio": "hello.wav"}, perhaps with request_id, model, sync_mode, or text and
    voice_id instead of audio; or as the service has it: {"request_id": "a", "endpoint": "/v2/generate", "payload":
    {...}}. Files are seen from where FILE lies. If a line is wrong nothing is accepted. Where the plan has batches, 20
    to 500 lines of one command go as one batch, which may take a day: those that name no file here, and have no
    deadline within a day. Exits 1 if a line came to no video.

    The lines are new jobs each time: who begins a file and does not see it through goes on with `talkingstick lipsync
    wait`, not with `batch` again.

    Example: talkingstick lipsync batch videos.jsonl --dry-run

    Example: talkingstick lipsync batch videos.jsonl --wait --out videos

    Parameters
    ----------
    file
        The file of lines.
    """
    return await run_by_name(_LIPSYNC, options=options, file=file)


@lipsync.command(name="simulate")
def simulate(*, options: LipsyncSimulateOptions = SIMULATE_DEFAULTS) -> int:
    """Run the queue in virtual time against a simulated service that fails, and kill it again and again.

    Exits 1 if a rule was broken (a job lost, never ended or ended twice; a video made twice or for nobody; a limit of
    the plan passed, or a needless refusal; an end that was not told to lipsync.notify_url; from 200 jobs on, batches
    apart, more than 1.1 times the ideal time), if the program failed, or if a file of --out could not be written. In
    the first two cases, and in no other, the command that runs that seed again is printed on standard error.

    Example: talkingstick lipsync simulate --jobs 500 --kills 20 --seeds 8
    """
    # Not on Trio as the others: a simulated world brings its own.
    status: int = importlib.import_module("simulations.lipsync.command").run(options=options)
    return status
