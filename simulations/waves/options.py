"""How the simulated Waves provider is set up: limits, speed and the choices where its documents disagree."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen, validators

PROFILES: Mapping[str, tuple[float, float]] = {"fast": (0.1, 0.1), "mid": (0.15, 0.2), "slow": (0.2, 0.3)}
"""Time to first byte in seconds and real-time factor of the reference workload; slow is what the vendor publishes."""

LINKS_PER_SLOT = 5
"""Sockets for each unit of concurrency (published)."""

_CHUNK_MS: float | None = 20.0
"""For real clients."""

_not_negative = validators.ge(0.0)


@frozen(kw_only=True)
class WavesOptions:
    """Options of one provider with one account; times in seconds unless their name says otherwise."""

    slots: int = field(default=1, validator=validators.ge(1))
    links: int = field(validator=validators.ge(1))
    """Sockets at a time; without it 5 a slot."""
    ttfb: float = field(default=0.1, validator=_not_negative)
    rtf: float = field(default=0.1, validator=_not_negative)
    """Processing time by audio time: 0.1 makes ten seconds of sound in one."""
    ttfb_cv: float = field(default=0.0, validator=_not_negative)
    """How uneven the time to first byte is: coefficient of variation of a lognormal with the mean `ttfb`."""
    chunk_ms: float | None = field(default=_CHUNK_MS, validator=validators.optional(validators.gt(0.0)))
    """Length of every chunk of sound; None: the first 100 ms, the others as long as all of the request sent before, at
    most 1 s, which costs a simulated world far fewer messages."""
    transport: float = field(default=0.0, validator=_not_negative)
    """How long a message is under way, each way. Of simulated links only: real ones take their own time."""
    api_key: str = field(default="", repr=False)
    """The one key that is accepted; empty: every key, and none."""
    close_after_complete: bool = True
    """Close the socket after a lone request's `complete`: the specification and a third party's measurement say so, one
    guide of the vendor says otherwise."""
    settle: float = field(default=0.05, validator=_not_negative)
    """How long a request still counts after its socket is gone."""
    idle_timeout: float = field(default=60.0, validator=validators.gt(0.0))
    """Without a message from the client, unless it asks for another with `?timeout=`."""
    send_within: float = field(default=10.0, validator=validators.gt(0.0))
    """A client that takes longer to take a frame is dropped."""
    seed: int = 0
    """For the ids of sessions and requests, and for what `ttfb_cv` draws."""

    @links.default
    def _links(self) -> int:
        return LINKS_PER_SLOT * self.slots

    @classmethod
    def of_profile(cls, profile: str, **others: object) -> WavesOptions:
        """Return the options of a speed profile. Raises KeyError for an unknown one."""
        ttfb, rtf = PROFILES[profile]
        return cls(ttfb=ttfb, rtf=rtf, **others)  # type: ignore[arg-type]  # the constructor checks them
