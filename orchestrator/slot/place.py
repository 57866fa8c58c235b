"""One place in this process's queue, and the grant that it becomes; who is granted is queue.py's, when scheduler.py's.

Grant and cancel can fall into one tick of the scheduler: leaving covers a waiting and a granted ticket alike, and does
nothing the second time.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

import trio

from orchestrator.ports import Ask
from orchestrator.slot.queue import Ticket, TicketState

if TYPE_CHECKING:
    from orchestrator.slot.scheduler import Scheduler


class LocalPlace:
    """A Place and its Grant: `async with` waits for the slot, and returns it unless it was occupied."""

    def __init__(self, scheduler: Scheduler, *, ask: Ask, ticket: Ticket, behind: float = 0.0) -> None:
        self.number = ticket.number
        self.ask = ask
        self.ticket = ticket
        self.behind = behind
        """Seconds by which the ticket's need-by lies before the real one, for what its reply has waited already."""
        self.joined_at = scheduler.now()
        self.granted_at = 0.0
        self.occupied_at: float | None = None
        self.room = float("inf")
        self.granted = trio.Event()
        self.deserted = False
        """Whether the borrower has gone while the keeper still holds the slot: nobody says what comes next."""
        self._scheduler = scheduler

    async def __aenter__(self) -> LocalPlace:
        try:
            await self.granted.wait()
            await trio.lowlevel.checkpoint_if_cancelled()  # granted and cut in one tick: ask for nothing
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    @property
    def lasts(self) -> float:
        """For how many seconds it is likely to hold the slot."""
        return min(self.ask.expected, self.room)

    def revise(self, need_in: float) -> None:
        """Change when the slot is needed, in seconds from now."""
        self._scheduler.queue.revise(self.ticket, need_by=self._scheduler.now() + need_in - self.behind)

    def wait_ahead(self) -> float:
        """Predict in how many seconds it is granted; 0 once it is."""
        return 0.0 if self.granted.is_set() else self._scheduler.wait_ahead(self.ticket)

    def hold(self) -> None:
        """Keep the place without being granted the slot."""
        self._scheduler.queue.hold(self.ticket)

    def resume(self, need_in: float) -> None:
        """End a hold."""
        self._scheduler.queue.resume(self.ticket, need_by=self._scheduler.now() + need_in - self.behind)
        self._scheduler.settle_queue()

    def occupy(self) -> None:
        """Pass the duty to return the slot from the borrower to the keeper of the link."""
        if self.occupied_at is None:
            self.occupied_at = self._scheduler.now()
            self._scheduler.account.asked(self.occupied_at)

    def free(self, cause: str) -> None:
        """Return the slot; harmless when it is back already."""
        self._scheduler.free(self, cause)

    def _leave(self) -> None:
        if self.ticket.state is TicketState.GRANTED and self.occupied_at is None:
            self.free("unused")
        else:
            self.deserted = True
            self._scheduler.leave(self)
