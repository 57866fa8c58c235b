"""`talkingstick lipsync ...`: which options are whose command's; each command is a module of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import trio

from orchestrator.commands_lipsync import (
    BatchOptions,
    CancelOptions,
    CostOptions,
    JobListOptions,
    RetryOptions,
    StoreOptions,
    SubmitOptions,
    WaitOptions,
)
from orchestrator.lipsync.command.batch import batch
from orchestrator.lipsync.command.cost import cost
from orchestrator.lipsync.command.list import cancel, list_jobs
from orchestrator.lipsync.command.submit import retry, submit, wait


async def run(*, options: StoreOptions, ids: Sequence[str] = (), file: Path | None = None) -> int:
    """Do what the command says; return 0, 1 if something failed, or 130 after Ctrl-C.

    Raises SettingsError, LipsyncStoreError, LipsyncJobError, and AvatarFault where the service is asked directly.
    """
    await trio.lowlevel.checkpoint()
    match options:
        case SubmitOptions():
            return await submit(options)
        case WaitOptions():
            return await wait(options, ids)
        case RetryOptions():
            return await retry(options, ids)
        case CostOptions():
            return await cost(options)
        case BatchOptions() if file is not None:
            return await batch(options, file)
        case CancelOptions():
            return cancel(options, ids)
        case JobListOptions():
            return list_jobs(options)
    raise TypeError(f"no command takes {type(options).__name__}")
