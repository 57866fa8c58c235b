"""The settings of the speech provider, and of what its account allows."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from orchestrator.settings.checks import address_of_host, between, environment_name, file_name, language, one_word


@frozen(kw_only=True)
class ProviderSettings:
    """The speech provider and what the account allows: `[provider]`."""

    address: str = field(default="wss://api.smallest.ai", validator=address_of_host)
    """Scheme and host, without a path (`api` chooses that)."""
    api: Literal["unified", "per_model"] = "unified"
    """The current endpoint for all models, or the older one with the model in its path."""
    key_env: str = field(default="WAVES_API_KEY", validator=environment_name)
    """The environment variable that holds the account's key."""
    key_file: str = field(default="", validator=file_name)
    """A file that holds the key instead (first line)."""
    model: str = field(default="lightning_v3.1", validator=one_word)
    voice: str = field(default="avery", validator=one_word)
    language: str = field(default="en", validator=language)
    """One of the provider's languages, or "auto"."""
    speed: float = field(default=1.0, validator=between(0.5, 2.0))
    slots: int = field(default=1, validator=between(1, 1000))
    """Requests at a time, of the whole account."""
    links: int = field(default=5, validator=between(2, 5000))
    """WebSockets at a time, of the whole account (published: 5 a slot)."""
    link_reuse: Literal["auto", "never"] = "auto"
    """Use a socket again after its `complete`: find out, or never."""
    link_idle: float = field(default=45.0, validator=between(1, 3600))
    """Seconds after which an idle link is replaced (the provider closes at 60)."""
    connect_within: float = field(default=4.0, validator=between(0.1, 60))
    """Seconds a WebSocket may take to open."""
    requests_per_minute: int = field(default=0, validator=between(0, 1_000_000))
    """Requests in any 60 seconds that the account allows; 0: no such limit is known."""
    settle: float = field(default=0.1, validator=between(0.001, 10))
    """Seconds the provider still counts a request after its link is gone."""
    backoff: float = field(default=0.5, validator=between(0.001, 10))
    """Seconds to wait after a first refusal, at most (the jitter is full); doubled with each further one in a row."""
    backoff_most: float = field(default=2.0, validator=between(0.01, 60))
    """Seconds to which that grows, at most, as long as nothing is known of how long others hold the slot."""
    overdue: float = field(default=2.0, validator=between(0.1, 60))
    """Seconds past the predicted end after which a request without a terminal frame is given up with its link."""
    silent_for: float = field(default=4.0, validator=between(0.1, 60))
    """Seconds without sound after which a request has failed, at most: less once the provider's speed is known."""
    slot_freed_by: Literal["complete", "quiet"] = "complete"
    """When a slot is free again: at the provider's `complete`, or when the sound has come and it is `quiet`. Tried by
    itself where `complete` trails the sound."""
    quiet: float = field(default=0.25, validator=between(0.01, 10))
    """Seconds of quiet after the predicted sound that free the slot with `slot_freed_by = "quiet"`."""
    ask_again: float = field(default=30.0, validator=between(0.1, 3600))
    """Seconds between two tries while the provider refuses for good (a key that is no longer good): calls have the
    local voice meanwhile."""
    dictionaries: tuple[str, ...] = ()
    """Ids of pronunciation dictionaries, sent with every request."""
    word_timestamps: bool = True
    """Ask when each word sounds: the heard position is exact where the voice can tell."""
