"""Says whether calls can be answered now, and if not, why; what is done about it is for others."""

from __future__ import annotations

import trio
from attrs import define, field

from orchestrator import events
from orchestrator.app import Orchestrator
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.port.guests import Guests
from orchestrator.ports import Emit, Now

_LOOK_EVERY = 0.5
"""Seconds between two looks: nobody who asks waits for one."""
_TRY_EVERY = 1.0


@define(kw_only=True)
class Readiness:
    """What stands between a caller and an answer. Without `talkers` no bot speaks, and no provider is needed."""

    guests: Guests
    talkers: Orchestrator | None
    emit: Emit
    now: Now
    draining: bool = field(default=False, init=False)
    _reached: bool = field(default=False, init=False)

    @property
    def reason(self) -> str:
        """Why no call can be answered now; "" where it can."""
        if self.draining:
            return "draining: no more calls are taken"
        if self.guests.full:
            return "full: as many connections are open as may be"
        if self.talkers is None:
            return ""
        if (fault := self.talkers.fault) is not None:
            final = fault.kind is FaultKind.FINAL
            return f"the provider refuses for good: {fault}" if final else f"no link to the provider: {fault}"
        if not self._reached:
            return "the provider was not reached yet"
        return "full: there is no place for another call" if self.talkers.full else ""

    async def reach_provider(self) -> None:
        """Wait until the provider was reached once. Raises ProviderFault where it refuses for good from the start."""
        while self.talkers is not None and not self._reached:
            try:
                await self.talkers.wait_ready()
            except ProviderFault as fault:
                if fault.kind is FaultKind.FINAL:
                    raise
                await trio.sleep(_TRY_EVERY)
            else:
                self._reached = True

    async def tell(self) -> None:
        """Tell each change as an event, until cancelled."""
        told: str | None = None
        while True:
            if (reason := self.reason) != told:
                told = reason
                self.emit(events.ReadinessChanged(at=self.now(), ready=not reason, reason=reason))
            await trio.sleep(_LOOK_EVERY)
