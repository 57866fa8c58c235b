"""What a link can be doing, and what its keeper tells and asks whoever has all of them; decides nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from orchestrator.errors import ProviderFault

if TYPE_CHECKING:
    from orchestrator.speech.keeper import Keeper


class LinkState(Enum):
    """What a link is doing; only an idle one is lent."""

    DIALLING = "dialling"
    IDLE = "idle"
    LENT = "lent"
    ASKED = "asked"
    DRAINING = "draining"
    TRAILING = "trailing"
    """Its slot is free by quiet; its `complete` is still to come, and will show whether it can be used again."""
    CLOSING = "closing"
    CLOSED = "closed"

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self not in (LinkState.DIALLING, LinkState.CLOSED)


TO_COME = (LinkState.IDLE, LinkState.DIALLING)
"""States of links that can be lent now or soon; where links are reused, those in use will be, too."""
IN_USE = (LinkState.LENT, LinkState.ASKED, LinkState.DRAINING)
OF_USE = (LinkState.IDLE, *IN_USE, LinkState.TRAILING)
"""States of links that are open and not about to be closed."""


class AfterQuiet(Enum):
    """What becomes of a link whose slot is free by quiet, before its `complete`."""

    AGAIN = "again"
    WAIT = "wait"
    DROP = "drop"


class KeeperHost(Protocol):
    """Who has all links: told what happens to one, and asked what follows from the others."""

    @property
    def settle_seconds(self) -> float:
        """Seconds for which the provider still counts a request after its link is gone."""

    def replacement_time(self) -> float:
        """When a link that is idle from now on is to be replaced, apart from all others."""

    def link_opened(self, keeper: Keeper, after: float) -> None:
        """The link is open, `after` seconds of dialling; link_changed follows."""

    def link_changed(self, keeper: Keeper) -> None:
        """The link is in another state."""

    def link_closed(self, keeper: Keeper) -> None:
        """A link that was open is gone, its close complete; link_changed follows."""

    def link_failed(self, error: Exception, *, began: float) -> None:
        """A link, dialled since `began`, could not be opened or kept. Any `error` but a ProviderFault is a bug."""

    def link_used_up(self) -> bool:
        """Whether a link is to be closed after its `complete`, as far as is known."""

    def link_quiet(self) -> AfterQuiet:
        """What is to become of a link whose slot is free by quiet."""

    def link_closed_after_complete(self) -> None:
        """The provider closed a link right after a `complete`."""

    def link_cut(self) -> None:
        """A link ended otherwise, and not by us."""

    def request_refused(self, fault: ProviderFault, *, call: str) -> None:
        """The provider refused the request of a call; told before the slot is free again."""

    def request_answered(self) -> None:
        """A request brought its first sound, or its end."""

    def request_failed(self, fault: ProviderFault) -> None:
        """A request fell silent, or was cut off before any sound."""

    def complete_trailed(self, seconds: float) -> None:
        """A `complete` came so long after the last sound, or not even then."""

    def start_watch(self, watch: Callable[[], Awaitable[None]]) -> None:
        """Run a keeper's task as long as there are links."""
