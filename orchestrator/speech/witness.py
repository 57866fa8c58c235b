"""Takes in what the keepers see of the provider, tells it as events, and has what follows from it decided.

How many links there are and who borrows one is the pool's; what each sight means is health's, reuse's and redial's.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable

import trio

from orchestrator import events
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Emit, Now, Slots
from orchestrator.speech.health import Health
from orchestrator.speech.keeper import Keeper, Provider
from orchestrator.speech.redial import Redial
from orchestrator.speech.reuse import Reuse


class Witness:
    """What is known of the provider beside its answers. `draw` gives a number in [0, 1) for the jitter of back-offs.

    `changed` is called when the provider stands otherwise.
    """

    changed: Callable[[], None]

    def __init__(self, provider: Provider, *, slots: Slots, emit: Emit, now: Now, draw: Callable[[], float]) -> None:
        settings = provider.settings
        self.health = Health()
        self.reuse = Reuse(False if settings.link_reuse == "never" else None)
        self.redial = Redial(settings.ask_again)
        self.fault: ProviderFault | None = None
        """Of the last dial, if it failed."""
        self.opened = 0
        self.first_news = trio.Event()
        self._freeing = provider.known.freeing
        self._slots = slots
        self._emit = emit
        self._now = now
        self._draw = draw
        self._standing_changed = trio.Event()

    @property
    def settle_seconds(self) -> float:
        """Seconds for which the provider still counts a request after its link is gone."""
        return self._slots.settle

    async def wait_standing_changed(self) -> None:
        """Wait until the provider stands otherwise."""
        await self._standing_changed.wait()

    def dial_begins(self) -> float:
        """A dial begins: return how many seconds it gets."""
        draw = self._draw() if self.redial.is_careful else 0.0  # a run without faults draws nothing
        return self.redial.began(trio.current_time(), standing=self.health.standing, draw=draw)

    # --- links ---

    def link_opened(self, keeper: Keeper, after: float) -> None:
        """A link is open."""
        self.opened += 1
        self.fault = None
        self.redial.opened(trio.current_time())
        self._emit(events.LinkOpened(at=self._now(), link=keeper.number, after=after))
        self.first_news.set()
        self._tell_standing(self.health.opened())

    def link_closed(self, keeper: Keeper) -> None:
        """An open link is gone."""
        self._emit(events.LinkClosed(at=self._now(), link=keeper.number, reason=keeper.reason))

    def dial_failed(self, error: Exception, *, began: float, any_open: bool) -> None:
        """A link could not be opened or kept, while others are open or not."""
        fault = _fault_of(error)
        kind, trace = (fault.kind.value, "") if fault is error else ("bug", "".join(traceback.format_exception(error)))
        self._emit(events.LinkFailed(at=self._now(), kind=kind, error=fault.message, traceback=trace))
        self.fault = fault
        self.first_news.set()
        changed = self.health.dial_failed(fault, any_open=any_open)
        now, draw = trio.current_time(), self._draw()
        self.redial.failed(fault, began=began, now=now, standing=self.health.standing, draw=draw)
        self._tell_standing(changed)

    def link_survived(self) -> None:
        """A link outlived its `complete`."""
        self._tell_reuse(self.reuse.survived())

    def link_closed_after_complete(self) -> None:
        """The provider closed a link right after a `complete`."""
        self._tell_reuse(self.reuse.closed(trio.current_time()))

    def link_cut(self) -> None:
        """A link ended otherwise, and not by us."""
        self.reuse.cut(trio.current_time())
        self.redial.lost()

    # --- requests ---

    def request_refused(self, fault: ProviderFault, *, call: str) -> None:
        """The provider refused a call's request: nobody asks before the back-off, with full jitter, is over."""
        self._emit(events.ProviderRefused(at=self._now(), kind=fault.kind.value, error=fault.message, call=call))
        if fault.kind is FaultKind.CONCURRENCY:
            self._freeing.refused(trio.current_time())
        if fault.kind in (FaultKind.CONCURRENCY, FaultKind.RATE):
            self._slots.refused(fault, draw=self._draw())
        if fault.kind is FaultKind.FINAL:
            changed = self.health.refused_for_good(fault)
            self.redial.refused_for_good(trio.current_time())
            self._tell_standing(changed)
        else:
            self._tell_standing(self.health.answered())

    def request_answered(self) -> None:
        """A request brought its first sound, or its end."""
        self._tell_standing(self.health.answered())

    def request_failed(self, fault: ProviderFault) -> None:
        """A request fell silent, or was cut off before any sound."""
        self._tell_standing(self.health.failed(fault))

    def complete_trailed(self, seconds: float) -> None:
        """A `complete` came so long after the last sound, or not even then."""
        if self._freeing.trailed(seconds):
            self._emit(events.SlotFreedByChanged(at=self._now(), by=self._freeing.by, trailed=seconds))

    # --- what is told when it changes ---

    def _tell_standing(self, changed: bool) -> None:
        if changed:
            health = self.health
            error = "" if health.fault is None else health.fault.message
            self._emit(events.StandingChanged(at=self._now(), standing=health.standing.value, error=error))
            self._standing_changed.set()
            self._standing_changed = trio.Event()
            self.changed()

    def _tell_reuse(self, news: bool) -> None:
        if news and self.reuse.known is not None:
            self._emit(events.LinkReuseLearned(at=self._now(), reusable=self.reuse.known))


def _fault_of(error: Exception) -> ProviderFault:
    if isinstance(error, ProviderFault):
        return error
    return ProviderFault(FaultKind.RETRY, f"a bug: {type(error).__name__}: {error}")
