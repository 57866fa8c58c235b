"""Probes of the simulated provider, in virtual time: the real WebSocket protocol over memory streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import trio
from attrs import Factory, frozen
from trio.testing import MockClock

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.errors import ProviderFault
from orchestrator.probe.command import report_on
from orchestrator.probe.findings import Findings
from orchestrator.probe.plan import Budget
from orchestrator.probe.wording import Report
from orchestrator.settings import ProviderSettings
from simulations.plain_voice import plain_voice
from simulations.waves.faults.engine import striking
from simulations.waves.faults.fault import Fault
from simulations.waves.memory_dial import memory_dial
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer

KEY = "sk_test_0123456789"


@frozen(kw_only=True)
class Probed:
    """What a probe found, what the provider's books say of it, and what was told meanwhile."""

    report: Report
    books: dict[str, int | float]
    told: list[str] = Factory(list)

    @property
    def findings(self) -> Findings:
        """What was found."""
        return self.report.findings


def probed(
    *, faults: Sequence[Fault] = (), most_slots: int = 4, settings: ProviderSettings | None = None, **options: Any
) -> Probed:
    """Probe a provider with these options; nothing of it may be left, and no promise broken."""
    told: list[str] = []
    codec = WavesCodec(settings or ProviderSettings(), KEY)

    async def main() -> Probed | ProviderFault:
        server, found = WavesServer(WavesOptions(**options), plain_voice()), None
        async with trio.open_nursery() as serving:
            async with striking(server.provider, faults):
                try:
                    report = await report_on(
                        memory_dial(server, serving), codec, most_slots=most_slots, tell=told.append
                    )
                    found = Probed(report=report, books=server.snapshot(), told=told)
                except ProviderFault as fault:
                    failure = fault
            await trio.sleep(2)  # the provider notices, too
            assert server.snapshot()["sockets"] == 0
            serving.cancel_scope.cancel()
        return found or failure

    found = trio.run(main, clock=MockClock(autojump_threshold=0))
    if isinstance(found, ProviderFault):
        raise found
    within_its_promises(found, most_slots)
    return found


def within_its_promises(found: Probed, most_slots: int) -> None:
    """Fail where more was asked than was said, or for longer; the provider's books and the probe's agree."""
    seen, books, budget = found.report.seen, found.books, Budget.of(most_slots)
    assert len(seen.asked) <= budget.requests
    assert seen.characters <= budget.characters
    assert seen.seconds <= 60
    assert books["max_in_flight"] <= most_slots + 2  # those that were cut settle while another one is asked
    assert books["max_open"] <= max(budget.links, most_slots + 2)
    assert books["characters_asked"] <= seen.characters
    assert KEY not in found.report.as_toml() + found.report.as_json() + "".join(found.told)
