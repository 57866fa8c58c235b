"""How the simulated Waves provider is set up: limits, speed and the choices where its documents disagree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

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
    """Options of one provider; times in seconds unless their name says otherwise. `slots`, `links` and
    `requests_per_minute` are of the account that `api_key` belongs to, or everybody."""

    slots: int = field(default=1, validator=validators.ge(1))
    links: int = field(validator=validators.ge(1))
    """Sockets at a time; without it 5 a slot."""
    ttfb: float = field(default=0.1, validator=_not_negative)
    rtf: float = field(default=0.1, validator=_not_negative)
    """Processing time by audio time: 0.1 makes ten seconds of sound in one."""
    ttfb_cv: float = field(default=0.0, validator=_not_negative)
    """How uneven the time to first byte is: coefficient of variation of a lognormal with the mean `ttfb`."""
    rtf_cv: float = field(default=0.0, validator=_not_negative)
    """How uneven the real-time factor is from request to request."""
    jitter: Literal["lognormal", "uniform", "exponential"] = "lognormal"
    """The distribution of what `ttfb_cv` and `rtf_cv` make uneven; of an exponential one the cv is always 1, of a
    uniform one at most 0.58. The mean stays."""
    cold: float = field(default=0.0, validator=_not_negative)
    """Added to the time to first byte of the first request, and of the first after a restart (nothing is published)."""
    slow_at: float = field(default=0.0, validator=_not_negative)
    """When a slow time begins, in seconds from the provider's start."""
    slow_for: float = field(default=0.0, validator=_not_negative)
    """How long the slow time lasts; 0: there is none."""
    slow_factor: float = field(default=3.0, validator=validators.ge(1.0))
    """How much longer everything takes for requests that begin in the slow time."""
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
    clamp_backoff: bool = False
    """Delay `complete` by 4 s whatever `complete_backoff_ms` asks for. VideoSDK's plugin claims so, but never sends the
    0 that it speaks of; a third party measured that 0 is obeyed."""
    backoff_holds_slot: bool = False
    """Hold the slot until `complete` is sent, not only until the last sound is made. Nothing is published; VideoSDK's
    plugin asks again while the back-off of 4 s runs, and is served."""
    idle_context_holds_slot: bool = True
    """An open context holds a slot while it has nothing to say: one context is one unit of concurrency (published)."""
    context_idle: float = field(default=30.0, validator=validators.gt(0.0))
    """A context without a message for so long is over: that it ends is published, not after how long."""
    links_refusal: Literal["429", "1008", "1013"] = "429"
    """What one socket too many gets: HTTP 429 before the upgrade, or a close with this code after it. Unknown for
    speech; its neighbours close with 1008 (recognition) and 1013 (speech to speech)."""
    error_shape: Literal["flat", "nested"] = "flat"
    """Of error frames: `message` beside `status` (what clients read), or inside `error` (one published schema)."""
    requests_per_minute: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
    """In any 60 seconds; without it as many as one likes: for speech none is published."""
    retry_after: float | None = field(default=None, validator=validators.optional(_not_negative))
    """Sent as `Retry-After` with each 429, in whole seconds, rounded up; without it there is no such header: whether
    the provider sends one is not known."""
    retired: tuple[str, ...] = ("lightning-v2", "lightning-large")
    """Models that are answered with 410 on their own paths (published)."""
    unknown_voices: bool = False
    """Speak with a voice that is in no pool, too, such as one of espeak's names. The provider itself answers 400
    `Invalid Voice ID` (seen live)."""
    settle: float = field(default=0.05, validator=_not_negative)
    """How long a request still counts after its socket is gone."""
    idle_timeout: float = field(default=60.0, validator=validators.gt(0.0))
    """Without a message from the client, unless it asks for another with `?timeout=`."""
    send_within: float = field(default=10.0, validator=validators.gt(0.0))
    """A client that takes longer to take a frame is dropped."""
    seed: int = 0
    """For the ids of sessions and requests, and for what `ttfb_cv` and `rtf_cv` draw."""

    @links.default
    def _links(self) -> int:
        return LINKS_PER_SLOT * self.slots

    @classmethod
    def of_profile(cls, profile: str, **others: object) -> WavesOptions:
        """Return the options of a speed profile. Raises KeyError for an unknown one."""
        ttfb, rtf = PROFILES[profile]
        return cls(ttfb=ttfb, rtf=rtf, **others)  # type: ignore[arg-type]  # the constructor checks them
