"""The settings of video answers: the service's account, what its plan allows, and where the queue is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

from orchestrator.settings.checks import between, environment_name, one_word, public_address, secret_file, secret_name

Plan = Literal["free", "hobbyist", "creator", "growth", "scale", "enterprise"]
GENERATIONS: Mapping[Plan, int] = {
    "free": 1,
    "hobbyist": 1,
    "creator": 3,
    "growth": 6,
    "scale": 15,
    "enterprise": 15,
}
"""Generations at a time, as published; of an enterprise's the least that it can be."""
BATCH_PLANS: tuple[Plan, ...] = ("scale", "enterprise")
"""Plans that may send batches (published)."""


@frozen(kw_only=True)
class LipsyncSettings:
    """Video answers: `[lipsync]`."""

    on: bool = False
    """Whether `serve` works on the queue, and bots may answer with videos."""
    address: str = field(default="https://api.sync.so", validator=public_address)
    """Of the service."""
    key_env: str = field(default="SYNC_API_KEY", validator=environment_name)
    """The environment variable that holds the account's key."""
    key_file: str = field(default="", validator=secret_file)
    """A file that holds the key instead (first line)."""
    model: str = field(default="lipsync-2", validator=one_word)
    """Makes a video where nothing else is asked for."""
    plan: Plan = "free"
    """The account's plan: how many generations at a time, and whether it may send batches."""
    generations: int = field(default=0, validator=between(0, 1000))
    """Generations at a time, where it is not as the plan is published; 0: by the plan."""
    creates_per_minute: int = field(default=60, validator=between(1, 100_000))
    """Requests in any 60 seconds that begin a generation (published)."""
    requests_per_minute: int = field(default=600, validator=between(10, 100_000))
    """All other requests in any 60 seconds (published)."""
    request_within: float = field(default=30.0, validator=between(1, 600))
    """Seconds that a request may take, an upload's bytes apart."""
    batch: Literal["auto", "never"] = "auto"
    """Send 20 to 500 waiting jobs as one batch where the plan may: `auto`, or never."""
    store: str = ""
    """The file that keeps the queue (SQLite); empty: lipsync.db in $XDG_STATE_HOME/talkingstick."""
    webhook_secret_env: str = field(default="", validator=secret_name)
    """The environment variable with the secret that signs the service's webhooks (whsec_...); empty, and no
    `webhook_secret_file`: no webhooks, the service is polled."""
    webhook_secret_file: str = field(default="", validator=secret_file)
    """A file that holds it instead (first line)."""
    tolerance: float = field(default=300.0, validator=between(1, 3600))
    """Seconds that a webhook's time stamp may be off."""
    notify_url: str = field(default="", validator=public_address)
    """Where the end of each job is told (POST, JSON), until it is taken; empty: nowhere."""
    ask_again: float = field(default=30.0, validator=between(1, 3600))
    """Seconds between two tries while the service refuses for good (a key that is no longer good)."""

    @property
    def at_a_time(self) -> int:
        """How many generations the plan allows at a time."""
        return self.generations or GENERATIONS[self.plan]

    @property
    def may_batch(self) -> bool:
        """Whether jobs may go as a batch."""
        return self.batch == "auto" and self.plan in BATCH_PLANS
