"""The service's own books of one account: what came, what was refused, begun and told. Limits are minutes.py's."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Literal

from attrs import Factory, define, field, frozen

from simulations.sync.minutes import Minute
from simulations.sync.options import SyncOptions

RequestKind = Literal["create", "other", "upload"]
_KEPT = 20_000
"""Of the generations that were begun, the latest."""


@frozen(kw_only=True)
class Begun:
    """One generation that a client began: `digest` is of model, input, options and segments, `at` a time of the
    service's clock."""

    id: str
    at: float
    model: str
    digest: str
    key: str = ""
    """Its Idempotency-Key, "" where there was none."""
    webhook_url: str = ""


@define
class Books:
    """The books of one account."""

    minutes: dict[RequestKind, Minute]
    most_live: int = field(default=0, init=False)
    """PENDING and PROCESSING at a time, those of others too, those of batches not."""
    most_batches: int = field(default=0, init=False)
    refused: Counter[str] = Factory(Counter)
    """By kind: rate, concurrency, batch_concurrency, key (whoever's it is), plan, invalid, too_large, conflict."""
    begun: deque[Begun] = field(factory=lambda: deque(maxlen=_KEPT), init=False, repr=False)
    generations: int = field(default=0, init=False)
    """Begun by clients, alone."""
    batches: int = field(default=0, init=False)
    batch_generations: int = field(default=0, init=False)
    others: int = field(default=0, init=False)
    """Begun by other users of the account."""
    replays: int = field(default=0, init=False)
    """Answered with a generation that the same Idempotency-Key had begun."""
    webhooks_due: int = field(default=0, init=False)
    """Ends that were to be told."""
    webhooks_sent: int = field(default=0, init=False)
    """Deliveries, repeated ones too."""
    webhooks_acknowledged: int = field(default=0, init=False)
    """Ends that somebody took with 2xx."""
    webhooks_given_up: int = field(default=0, init=False)
    webhooks_lost: int = field(default=0, init=False)
    """By a fault."""

    @classmethod
    def of(cls, options: SyncOptions, *, limits: tuple[int | None, int | None], started: float) -> Books:
        """Return empty books; `limits` are creates and other requests a minute."""
        most: dict[RequestKind, int | None] = {
            "create": limits[0],
            "other": limits[1],
            "upload": options.uploads_per_minute,
        }
        return cls({kind: Minute(most=each, window=options.window, started=started) for kind, each in most.items()})

    def note_begun(self, begun: Begun) -> None:
        """Note a generation that a client began."""
        self.begun.append(begun)
        self.generations += 1

    @property
    def most_creates(self) -> int:
        """The most requests to create in any 60 s, refused ones too."""
        return self.minutes["create"].most_asked

    @property
    def most_others(self) -> int:
        """The most other requests in any 60 s, refused ones too."""
        return self.minutes["other"].most_asked

    def snapshot(self) -> dict[str, Any]:
        """Return the books as one JSON object, without what was begun."""
        creates, others = self.minutes["create"], self.minutes["other"]
        return {
            "creates": creates.asked,
            "most_creates": creates.most_asked,
            "most_creates_let_in": creates.most_let_in,
            "other_requests": others.asked,
            "most_others": others.most_asked,
            "most_others_let_in": others.most_let_in,
            "most_live": self.most_live,
            "most_batches": self.most_batches,
            "refused": dict(sorted(self.refused.items())),
            "generations": self.generations,
            "batches": self.batches,
            "batch_generations": self.batch_generations,
            "others": self.others,
            "replays": self.replays,
            "webhooks": {
                "due": self.webhooks_due,
                "sent": self.webhooks_sent,
                "acknowledged": self.webhooks_acknowledged,
                "given_up": self.webhooks_given_up,
                "lost": self.webhooks_lost,
            },
        }
