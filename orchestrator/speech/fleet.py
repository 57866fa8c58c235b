"""All links of the account: how many there are, when one is dialled or replaced, and which may be lent.

Who borrows one is the pool's, each link's life its keeper's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from orchestrator.errors import ProviderFault
from orchestrator.ports import Emit, Now, Slots, Standing
from orchestrator.speech.keeper import Keeper, Provider
from orchestrator.speech.links import IN_USE, OF_USE, AfterQuiet, LinkState
from orchestrator.speech.quota import Quota, apart_from
from orchestrator.speech.witness import Witness

_REST = 0.5
"""Seconds a link rests after a `complete` while it is unknown whether the provider closes it then."""
_USELESS = (Standing.OUT, Standing.FINAL)
"""While the provider stands so, no link that is open is to be relied on."""


class Fleet(Witness):
    """The account's links: one more than slots kept open and warm, one place of the limit left free.

    With links that serve a single request, the next is dialled when a lease begins. `changed` is called after every
    change of a link or of the provider's standing: it is to lend what can be lent, and to call `settle`.
    """

    def __init__(self, provider: Provider, *, slots: Slots, emit: Emit, now: Now, draw: Callable[[], float]) -> None:
        super().__init__(provider, slots=slots, emit=emit, now=now, draw=draw)
        self.changed: Callable[[], None] = self.settle
        self._provider = provider
        self._quota = Quota(slots=provider.settings.slots, links=provider.settings.links)
        self._keepers: list[Keeper] = []
        self._dialled = 0
        self._opened_at = float("-inf")
        self._wakes_at = float("-inf")
        self._nursery: trio.Nursery | None = None

    async def run(self) -> None:
        """Keep the links; runs until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                self.changed()
                await trio.sleep_forever()
            finally:
                self._nursery = None  # from here on no closed link is replaced

    @property
    def any_open(self) -> bool:
        """Whether any link is open that is not about to be closed."""
        return any(keeper.state in OF_USE for keeper in self._keepers)

    @property
    def any_in_use(self) -> bool:
        """Whether a request is out, or about to be."""
        return any(keeper.state in IN_USE for keeper in self._keepers)

    def allow(self, *, slots: int, links: int) -> None:
        """So many requests and sockets are allowed from now on; what is too many is closed as it becomes idle."""
        self._quota = Quota(slots=slots, links=links)
        self.changed()

    def lendable(self) -> Keeper | None:
        """Return a link that can be used now."""
        known = self.reuse.known
        keeper = next((each for each in self._keepers if each.lendable and (known or _has_rested(each))), None)
        if keeper is not None and keeper.answers.completed and _has_rested(keeper):
            self.link_survived()
        return keeper

    # --- what keepers tell and ask ---

    def link_opened(self, keeper: Keeper, after: float) -> None:
        """A link is open, `after` seconds of dialling; link_changed follows."""
        self._opened_at = trio.current_time()
        super().link_opened(keeper, after)

    def link_changed(self, keeper: Keeper) -> None:
        """A link is in another state."""
        answers = keeper.answers
        if keeper.state is LinkState.CLOSED:
            self._keepers.remove(keeper)
        elif keeper.state is LinkState.IDLE and answers.completed:
            if answers.completed > 1:
                self.link_survived()
            if self.reuse.known is None:
                self._settle_at(answers.completed_at + _REST)
        self.changed()

    def link_failed(self, error: Exception, *, began: float) -> None:
        """A link could not be opened or kept; one that was dialled before another was opened tells nothing of now."""
        self.dial_failed(error, began=began, any_open=self.any_open or began < self._opened_at)

    def request_refused(self, fault: ProviderFault, *, call: str) -> None:
        """The provider refused the request of a call: what may hold the slot unseen is closed."""
        super().request_refused(fault, call=call)
        for keeper in self._keepers:
            if keeper.answers.owed and keeper.state in (LinkState.IDLE, LinkState.TRAILING):
                keeper.drop("its request may count on")

    def link_used_up(self) -> bool:
        """Whether a link is to be closed after its `complete`."""
        return self.reuse.known is False

    def link_quiet(self) -> AfterQuiet:
        """What becomes of a link that is quiet: where nothing is known of reuse, one waits for its `complete`."""
        if self.reuse.known is not None:
            return AfterQuiet.AGAIN if self.reuse.known else AfterQuiet.DROP
        states = self._states()
        waits = LinkState.TRAILING in states
        return AfterQuiet.DROP if waits or self._quota.room(states) < 1 else AfterQuiet.WAIT

    def replacement_time(self) -> float:
        """When a link that is idle from now on is to be replaced: apart from all others, in half its time at least."""
        others = [keeper.replaced_at for keeper in self._keepers]
        return apart_from(others, now=trio.current_time(), idle=self._provider.settings.link_idle)

    def start_watch(self, watch: Callable[[], Awaitable[None]]) -> None:
        """Run a keeper's task as long as there are links."""
        if self._nursery is not None:
            self._nursery.start_soon(watch)

    # --- how many there are ---

    def settle(self) -> None:
        """Close what is of no use, then dial what is missing."""
        for keeper in self._to_drop():
            keeper.drop("too many links" if self.health.standing not in _USELESS else "the provider is out")
        while self._nursery is not None and self._missing() > 0:
            if (due := self.redial.next_at) > trio.current_time():
                self._settle_at(due)
                return
            self._dialled += 1
            keeper = Keeper(self, self._provider, number=self._dialled, within=self.dial_begins())
            self._keepers.append(keeper)
            self._nursery.start_soon(keeper.run)
        if LinkState.DIALLING not in self._states():
            self.redial.settled()

    def _to_drop(self) -> list[Keeper]:
        idle = [keeper for keeper in self._keepers if keeper.lendable]
        if self.health.standing in _USELESS:
            return idle
        leaving = sum(keeper.is_leaving for keeper in self._keepers)
        return idle[: max(0, -self._quota.room(self._states()) - leaving)]

    def _missing(self) -> float:
        """How many links are to be dialled now."""
        states, standing = self._states(), self.health.standing
        missing = self._quota.missing(states, reused=self.reuse.known, standing=standing)
        return min(missing, self.redial.at_a_time(standing) - states.count(LinkState.DIALLING))

    def _states(self) -> list[LinkState]:
        return [keeper.state for keeper in self._keepers]

    def _settle_at(self, time: float) -> None:
        if self._nursery is not None and time != self._wakes_at:
            self._wakes_at = time
            self._nursery.start_soon(partial(self._wait_and_settle, time))

    async def _wait_and_settle(self, time: float) -> None:
        await trio.sleep_until(time)
        self.changed()


def _has_rested(keeper: Keeper) -> bool:
    # The same sum as the wake-up's: a difference could be rounded to a moment before it.
    return keeper.answers.completed_at + _REST <= trio.current_time()
