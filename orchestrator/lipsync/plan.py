"""Decides what the queue does next: uploads, requests, looks at the service, ends of jobs that can't be; pure.

What is known of the account is account.py's, how many requests fit into a minute windows.py's. queue.py carries the
steps out, and tells what came of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from attrs import Factory, frozen

from orchestrator.lipsync.account import Account
from orchestrator.lipsync.job import Job
from orchestrator.lipsync.windows import Window


@frozen
class Upload:
    """Put the files of a job where the service reads them."""

    job: str


@frozen
class Submit:
    """Begin a create request."""

    job: str


@frozen
class SubmitBatch:
    """Send waiting jobs as one batch."""

    jobs: tuple[str, ...]


@frozen
class Look:
    """Ask for the list of what is PENDING or PROCESSING: which of ours have ended, and what others have begun."""


@frozen
class Fetch:
    """Ask for a generation that is not live any more, or of which we were told so, and end its job."""

    job: str


@frozen
class FetchBatch:
    """Ask for a batch, and for its results if it has ended."""

    batch: str


@frozen
class Resolve:
    """Find out whether a create request of a job was carried out whose answer is not known: look into the list for it,
    and if it is not there, let the job wait again with the same Idempotency-Key."""

    job: str


@frozen
class ResolveBatch:
    """The same for a batch; `key` is the Idempotency-Key that its jobs hold as `batch`."""

    key: str


@frozen
class Expire:
    """End a job that can't be ready by its deadline; `reason` is for people."""

    job: str
    reason: str


Step = Upload | Submit | SubmitBatch | Look | Fetch | FetchBatch | Resolve | ResolveBatch | Expire


@frozen(kw_only=True)
class View:
    """Everything that the decision goes by. Times are Unix seconds.

    `busy` names what a step is under way for: ids of jobs, Idempotency-Keys or ids of batches, "look". `gone` are
    submitted jobs that are known to have ended without their result being known yet. `webhooks`: whether the service
    tells us of ends.
    """

    jobs: Sequence[Job]
    account: Account
    creates: Window
    others: Window
    busy: Set[str] = frozenset()
    gone: Set[str] = frozenset()
    usual: Mapping[str, float] = Factory(dict)
    """Seconds that a model usually takes, learned or as published."""
    may_batch: bool = False


@frozen
class Decision:
    """What to begin now, all of it, and when to decide again if nothing happens before (None: never by itself)."""

    steps: tuple[Step, ...]
    wake_at: float | None = None


def decide(view: View, now: float) -> Decision:
    """Return what is to be begun at `now`: as much as the plan, the windows and the account's state let through."""
    raise NotImplementedError
