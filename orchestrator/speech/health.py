"""Decides how the provider stands, from what its requests and dials came to; pure: who is told, and when it is asked
again, is the witness's and redial.py's.
"""

from __future__ import annotations

from attrs import define

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Standing

_SILENT_ENOUGH = 2
"""Requests in a row without sound, on any links, after which the provider is taken to be gone."""


@define
class Health:
    """How the provider stands, and for which `fault` it is not up. Each method returns whether the standing changed."""

    standing: Standing = Standing.UP
    fault: ProviderFault | None = None
    _silent: int = 0

    def answered(self) -> bool:
        """A request brought sound, or an answer that is none of the provider's health: what was wrong has passed.

        While it refuses for good this is an answer to a request of before, and says nothing.
        """
        if self.standing is Standing.FINAL:
            return False
        self._silent = 0
        return self._enter(Standing.UP, None)

    def failed(self, fault: ProviderFault) -> bool:
        """A request fell silent, or was cut off before any sound."""
        if self.standing in (Standing.OUT, Standing.FINAL):
            return False
        self._silent += 1
        return self._enter(Standing.OUT if self._silent >= _SILENT_ENOUGH else Standing.DOUBTFUL, fault)

    def refused_for_good(self, fault: ProviderFault) -> bool:
        """It will not serve this account until a person acts."""
        return self._enter(Standing.FINAL, fault)

    def dial_failed(self, fault: ProviderFault, *, any_open: bool) -> bool:
        """A link could not be opened, while others were open or not."""
        if fault.kind is FaultKind.FINAL:
            return self.refused_for_good(fault)
        return False if any_open else self._enter(Standing.OUT, fault)

    def opened(self) -> bool:
        """A link was opened: one request may find out what that is worth, and one more without sound is enough."""
        if self.standing not in (Standing.OUT, Standing.FINAL):
            return False
        self._silent = _SILENT_ENOUGH - 1
        return self._enter(Standing.DOUBTFUL, self.fault)

    def _enter(self, standing: Standing, fault: ProviderFault | None) -> bool:
        changed = standing is not self.standing
        self.standing, self.fault = standing, fault
        return changed
