"""Decides what a caller hears while a reply must wait: on which rung of the ladder it stands; pure, told the time.

Playing what a rung sounds like is climb.py's, where its phrases come from phrases.py's.
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from orchestrator.ports import Standing
from orchestrator.settings import LadderSettings

NOISE_SECONDS = 0.2
"""How much comfort noise is given at a time: the reply waits for the end of what was given."""
_LOOK = 0.25
"""Seconds after which a wait is looked at again: predictions change as others ask and are refused."""
_SOON = 0.3
"""Seconds of sound left at which the local voice goes on without a pause."""
_HAIR = 1e-6


class Rung(Enum):
    """The steps, lowest first. The cache and a bot's `brief` variants are chosen where the text comes in."""

    QUIET = "quiet"
    FILLER = "filler"
    NOISE = "noise"
    WORD = "word"
    LOCAL_VOICE = "local_voice"
    APOLOGY = "apology"


@frozen(kw_only=True)
class Waiting:
    """A reply that waits for the slot or the provider; times in seconds.

    `silent` is how long the caller has heard no word (since `ready`, or since words last ended), `ahead` how much there
    is left to hear; `waited` how long nothing of the reply itself was heard, `wait` the predicted time until it is.
    `filler` and `word` are the lengths of those that could be said now, None where none is. `speakable` says that the
    local voice can speak the text.
    """

    silent: float
    wait: float
    waited: float = 0.0
    ahead: float = 0.0
    filler: float | None = None
    word: float | None = None
    since_word: float = float("inf")
    speakable: bool = False
    standing: Standing = Standing.UP


@frozen
class Step:
    """What to do now, and in how many seconds to look again."""

    rung: Rung
    look_in: float


def next_step(settings: LadderSettings, now: Waiting) -> Step:
    """Return the step that the predicted wait asks for."""
    rungs = settings.rungs
    lost = now.standing in (Standing.OUT, Standing.FINAL)
    local = now.speakable and "local_voice" in rungs
    if local and lost and now.ahead <= _SOON:
        return Step(Rung.LOCAL_VOICE, _LOOK)
    if now.ahead > _HAIR:
        return Step(Rung.QUIET, min(_LOOK, max(now.ahead - _SOON, _HAIR)) if local and lost else now.ahead)
    silence = now.silent + now.wait
    if local and silence >= settings.local_after and now.silent >= settings.filler_after:
        return Step(Rung.LOCAL_VOICE, _LOOK)
    fits = now.filler is not None and now.silent >= settings.filler_after - _HAIR and now.wait >= now.filler
    if "filler" in rungs and fits:
        return Step(Rung.FILLER, now.filler or _LOOK)
    # Who refuses for good will not have changed its mind in so short a time.
    patience = settings.filler_after if now.standing is Standing.FINAL else settings.apology_after
    if "apology" in rungs and not local and max(now.silent, now.waited) >= patience - _HAIR:
        return Step(Rung.APOLOGY, float("inf"))
    if "noise" in rungs and now.silent >= settings.noise_after - _HAIR:
        says = now.word is not None and now.since_word >= settings.word_every and now.wait >= now.word
        return Step(Rung.WORD, now.word or _LOOK) if says else Step(Rung.NOISE, NOISE_SECONDS)
    return Step(Rung.QUIET, _until_next(settings, now))


def _until_next(settings: LadderSettings, now: Waiting) -> float:
    """Seconds until a threshold is passed if nothing else changes, or until it is time to look again."""
    thresholds = (settings.filler_after, settings.noise_after, settings.apology_after)
    ahead = [threshold - now.silent for threshold in thresholds if threshold > now.silent + _HAIR]
    return min([_LOOK, *ahead])


def wants_brief(settings: LadderSettings, wait: float) -> bool:
    """Whether bots' `brief` variants are to be used when a new reply would wait for `wait` seconds."""
    return settings.on and "brief" in settings.rungs and wait >= settings.brief_after
