"""What the legs of carriers are told by the settings; how they use it is theirs."""

from __future__ import annotations

from attrs import Factory, frozen

from orchestrator.settings.serve import HearingSettings, ServeSettings


@frozen(kw_only=True)
class LegOptions:
    """Times in seconds, as in the settings of `[serve]`. `rate` is what the leg is to have in samples a second: 0 is
    the carrier's own, which needs no resampling."""

    lead: float = 1.5
    carrier_latency: float = 0.08
    handshake_within: float = 5.0
    digits_within: float = 2.0
    hearing: HearingSettings = Factory(HearingSettings)
    rate: int = 0

    @classmethod
    def of(cls, serve: ServeSettings) -> LegOptions:
        """Return what `[serve]` says of legs."""
        return cls(
            lead=serve.lead,
            carrier_latency=serve.carrier_latency,
            handshake_within=serve.handshake_within,
            digits_within=serve.digits_within,
            hearing=serve.hearing,
        )
