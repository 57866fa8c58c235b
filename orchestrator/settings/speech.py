"""The settings of the slot's queue, of pieces and their joins, of the ladder, and of the phrase cache."""

from __future__ import annotations

from typing import Literal

from attrs import Factory, field, frozen

from orchestrator.settings.checks import between, by_language, each_in

RUNGS = ("cache", "filler", "noise", "brief", "local_voice", "apology")
"""The steps of the ladder above waiting quietly, lowest first."""

Texts = dict[str, tuple[str, ...]]
"""Texts by language."""


@frozen(kw_only=True)
class SlotSettings:
    """Who is next: `[slot]`."""

    patience: float = field(default=0.2, validator=between(0, 10))
    """Seconds a first piece may wait before it is late."""
    bound: float = field(default=2.0, validator=between(0, 60))
    """Seconds of slot by which a waiting call may fall behind before it goes first."""


@frozen(kw_only=True)
class SpeechSettings:
    """Pieces and joins: `[speech]`."""

    look_ahead: float = field(default=6.0, validator=between(1, 60))
    """Seconds of a reply that are synthesised before they are heard, at most."""
    piece_characters: int = field(default=250, validator=between(40, 2000))
    """Characters of one request, at most (published advice: 250)."""
    least_characters: int = field(default=12, validator=between(1, 100))
    """Characters of a piece, at least; a whole sentence may be shorter."""
    characters_per_second: float = field(default=15.0, validator=between(1, 100))
    """Speaking rate until it is learned."""
    pause_before: float = field(default=0.02, validator=between(0, 1))
    """Silence that is left before a piece, in seconds."""
    pause_comma: float = field(default=0.12, validator=between(0, 2))
    """Silence that is left after a piece that ends inside a sentence, at most."""
    pause_sentence: float = field(default=0.3, validator=between(0, 2))
    """Silence that is left after a piece that ends a sentence, at most."""
    join: bool = True
    """Later pieces may hold several sentences."""
    split: bool = True
    """Pieces may end inside a sentence."""
    tries: int = field(default=4, validator=between(1, 20))
    """How often a piece is asked for before the reply is given up."""


@frozen(kw_only=True)
class LadderSettings:
    """What a caller hears while the reply must wait: `[ladder]`. Seconds are of predicted silence, from ready on."""

    on: bool = True
    """Climb at all; off: every reply waits quietly, and is given up after `speech.tries`."""
    rungs: tuple[str, ...] = field(default=RUNGS, validator=each_in(*RUNGS))
    """Which steps there are."""
    filler_after: float = field(default=0.3, validator=between(0, 60))
    """Seconds of silence before a filler begins; it is said only where the rest of the wait is as long as it is."""
    filler_longest: float = field(default=1.2, validator=between(0.1, 10))
    """Seconds that a filler may last, at most: longer ones are not used."""
    noise_after: float = field(default=2.0, validator=between(0, 60))
    """Seconds of silence after which comfort noise begins."""
    word_every: float = field(default=5.0, validator=between(1, 60))
    """Seconds between the words in the noise."""
    brief_after: float = field(default=0.8, validator=between(0, 60))
    """Seconds that a new reply would wait from which on bots' `brief` variants are used."""
    local_after: float = field(default=3.0, validator=between(0, 60))
    """Seconds of silence, those to come included, from which on the local voice takes over."""
    apology_after: float = field(default=12.0, validator=between(1, 600))
    """Seconds of silence after which we apologise and end the call: only without a local voice."""
    hand_over_to: str = ""
    """Where the call is transferred after the apology; empty: it is hung up."""
    local: Literal["auto", "espeak", "piper", "none"] = "auto"
    """The local voice: the best that is installed (piper for English, espeak-ng else), one of them, or none."""
    fillers: Texts = field(
        default=Factory(
            lambda: {
                "en": ("Just a moment.", "Let me see.", "Just one moment.", "One moment."),
                "hi": ("एक क्षण।", "ज़रा रुकिए।"),
            }
        ),
        validator=by_language,
    )
    """Of those that last no longer than the wait one of the longest is said, by turns."""
    words: Texts = field(
        default=Factory(lambda: {"en": ("Still with you.",), "hi": ("मैं यहीं हूँ।",)}), validator=by_language
    )
    """What is said in the noise now and then."""
    apologies: Texts = field(
        default=Factory(
            lambda: {
                "en": ("I am sorry, I cannot speak with you just now. Please call again in a little while.",),
                "hi": ("माफ़ कीजिए, मैं अभी बात नहीं कर सकती। कृपया थोड़ी देर बाद फिर फ़ोन कीजिए।",),
            }
        ),
        validator=by_language,
    )


@frozen(kw_only=True)
class CacheSettings:
    """The phrase cache on disk: `[cache]`."""

    on: bool = True
    directory: str = ""
    """Where it is kept; empty: `talkingstick` in the user's directory for caches (XDG_CACHE_HOME, or ~/.cache)."""
    megabytes: float = field(default=100.0, validator=between(0.1, 100_000))
    """Its size, at most: what was not used for longest goes first."""
    days: float = field(default=30.0, validator=between(0.01, 3650))
    """Days after which an entry is made anew."""
    phrases: tuple[str, ...] = ()
    """Texts to have ready besides those of the ladder and the bots' own."""
