"""The settings of turns and bots, and of which calls are taken."""

from __future__ import annotations

from typing import Any

from attrs import Factory, field, frozen

from orchestrator.settings.checks import between, by_language
from orchestrator.settings.speech import Texts


@frozen(kw_only=True)
class DialogueSettings:
    """Turns, and how long a bot may take: `[dialogue]`."""

    first_text_within: float = field(default=8.0, validator=between(0.1, 300))
    """Seconds until a bot's first text."""
    text_within: float = field(default=10.0, validator=between(0.1, 300))
    """Seconds between two texts of a reply."""
    silence_after: float = field(default=0.0, validator=between(0, 3600))
    """Seconds without a word from either side after which `on_silence` is asked; 0: never."""
    apology: str = "I am sorry, something went wrong on my side. Could you say that again?"
    """What the caller hears when the bot fails."""
    failures: int = field(default=3, validator=between(1, 100))
    """Failures of the bot in a row after which the call is ended."""


@frozen(kw_only=True)
class BotSettings:
    """Which bot answers: `[bot]`."""

    use: str = "echo"
    """`package.module:Class`, or a name from the entry-point group `talkingstick.bots`."""
    options: dict[str, Any] = Factory(dict)
    """Keyword arguments for its constructor."""
    weight: float = field(default=1.0, validator=between(0.01, 100))
    """Its calls' share of the slot when calls compete, beside others' 1.0."""


@frozen(kw_only=True)
class AdmissionSettings:
    """Which calls are taken, and how calls end when the program does: `[admission]`."""

    on: bool = True
    """Take no more calls than fit; off: take all."""
    calls: int = field(default=0, validator=between(0, 10_000))
    """How many fit; 0: as the capacity table says for the provider's learned speed and the calls' talk share."""
    level: float = field(default=0.5, validator=between(0.05, 60))
    """The p95 wait of first pieces, in seconds, above which fewer calls are taken."""
    queue: int = field(default=0, validator=between(0, 1000))
    """How many calls may wait for a place; 0: who finds none is refused at once."""
    queue_within: float = field(default=30.0, validator=between(1, 3600))
    """Seconds that a call waits for a place, at most."""
    drain_within: float = field(default=30.0, validator=between(0, 3600))
    """Seconds that running calls have to end by themselves when the program is told to stop (SIGTERM)."""
    refusals: Texts = field(
        default=Factory(
            lambda: {
                "en": ("All our lines are busy. Please call again in a few minutes.",),
                "hi": ("हमारी सभी लाइनें व्यस्त हैं। कृपया कुछ मिनट बाद फिर फ़ोन कीजिए।",),
            }
        ),
        validator=by_language,
    )
    """What a caller hears for whom there is no place."""
    goodbyes: Texts = field(
        default=Factory(
            lambda: {
                "en": ("I am sorry, I have to end this call now. Please call again. Goodbye.",),
                "hi": ("माफ़ कीजिए, मुझे यह कॉल अब समाप्त करनी होगी। कृपया फिर फ़ोन कीजिए। नमस्ते।",),
            }
        ),
        validator=by_language,
    )
    """What a caller hears whose call had not ended in that time."""
