"""The slot: how it is asked for, waited for, and given back."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from attrs import frozen

from orchestrator.errors import ProviderFault


@frozen(kw_only=True)
class Ask:
    """A wish for the slot: `need_in` and `since_ready` are seconds from and until now, `expected` seconds of slot."""

    call: str
    reply: int
    first: bool
    need_in: float
    since_ready: float = 0.0
    expected: float = 0.0


class Grant(Protocol):
    """The slot in somebody's hands. Whoever holds it returns it exactly once; returning it twice is harmless.

    `room` is for how many seconds a piece may hold it, as the other calls need it next.
    """

    number: int
    ask: Ask
    room: float

    def occupy(self) -> None:
        """The request is on its way: from here on the keeper, not the borrower, returns the slot."""

    def free(self, cause: str) -> None:
        """Return the slot; `cause` is "complete", "unused", "settled", "refused" or "failed"."""


class Place(Protocol):
    """A place in the queue: `async with place as grant` waits for the slot, and gives back what was not used of it."""

    def revise(self, need_in: float) -> None:
        """Change when the slot is needed, in seconds from now."""

    def wait_ahead(self) -> float:
        """Predict in how many seconds it is granted; 0 once it is."""

    def hold(self) -> None:
        """Keep the place without being granted the slot."""

    def resume(self, need_in: float) -> None:
        """End a hold."""

    async def __aenter__(self) -> Grant: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Slots(Protocol):
    """Who hands out the account's slots: this process, or one shared between machines later."""

    def begin_reply(self, call: str, *, weight: float) -> None:
        """Start a reply's accounting."""

    def expect(self, call: str, *, need_in: float | None = None) -> None:
        """The call will ask: by `need_in` seconds from now, or some time after its caller fell silent just now."""

    def unexpect(self, call: str) -> None:
        """The call will ask for nothing in the near future: all is asked for, or its caller speaks on."""

    def leisure(self) -> float:
        """For how many seconds a first piece should wait for the rest of its sentence; above 0 all is calm."""

    def wait_ahead(self) -> float:
        """Predict for how many seconds a first piece would wait that is asked for now."""

    def idle_for(self) -> float:
        """For how many seconds nobody will need a slot, as far as is known: 0 while a caller speaks or a bot thinks."""

    @property
    def settle(self) -> float:
        """Seconds for which the provider still counts a request after its link is gone, as far as is known."""

    @property
    def crowded(self) -> bool:
        """Whether there is more to say than time to say it: first pieces are late on the average."""

    def join(self, ask: Ask) -> Place:
        """Queue up."""

    def refused(self, fault: ProviderFault, *, draw: float) -> None:
        """The account itself refused: nobody asks before its back-off is over; `draw` in [0, 1) is the jitter.

        Told before the slot of the refused request is freed.
        """

    def allow(self, slots: int) -> None:
        """So many requests at a time are allowed from now on."""

    def close(self, call: str) -> None:
        """Forget a call that is over."""
