"""Claims about which rung a waiting reply stands on: the lowest that the predicted wait asks for."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ports import Standing
from orchestrator.settings import RUNGS, LadderSettings
from orchestrator.speech.ladder import Rung, Step, Waiting, next_step, wants_brief

SETTINGS = LadderSettings()
LOST = (Standing.OUT, Standing.FINAL)

seconds = st.floats(0.0, 60.0)
lengths = st.none() | st.floats(0.1, 5.0)
waits = st.builds(
    Waiting,
    silent=seconds,
    wait=seconds | st.just(float("inf")),
    ahead=st.just(0.0) | seconds,
    filler=lengths,
    word=lengths,
    since_word=seconds,
    speakable=st.booleans(),
    standing=st.sampled_from(Standing),
)
rungs = st.lists(st.sampled_from(RUNGS), unique=True).map(tuple)


def rung(**waiting: Any) -> Rung:
    """The rung of a reply that has been silent for a second and would be for another, but for what is given."""
    return next_step(SETTINGS, Waiting(**{"silent": 1.0, "wait": 1.0, **waiting})).rung


@given(waits, rungs)
def test_no_rung_is_taken_that_the_settings_lack(waiting: Waiting, chosen: tuple[str, ...]) -> None:
    """Whatever the wait; and there is always a time to look again, never at once without having done anything."""
    step = next_step(attrs.evolve(SETTINGS, rungs=chosen), waiting)
    needs = {Rung.FILLER: "filler", Rung.NOISE: "noise", Rung.WORD: "noise"}
    needs |= {Rung.LOCAL_VOICE: "local_voice", Rung.APOLOGY: "apology"}
    assert step.rung is Rung.QUIET or needs[step.rung] in chosen
    assert step.look_in > 0


@given(waits)
def test_nothing_but_the_local_voice_comes_over_what_sounds(waiting: Waiting) -> None:
    """And that only where the provider is lost and the sound is nearly over."""
    step = next_step(SETTINGS, waiting)
    if waiting.ahead > 1e-6:
        lost = waiting.standing in LOST and waiting.ahead <= 0.3
        assert step.rung is Rung.QUIET or (step.rung is Rung.LOCAL_VOICE and lost)


@given(waits)
def test_a_filler_is_never_longer_than_the_wait(waiting: Waiting) -> None:
    """It would keep the reply itself waiting."""
    step = next_step(SETTINGS, waiting)
    if step.rung is Rung.FILLER:
        assert waiting.filler is not None
        assert waiting.wait >= waiting.filler
        assert waiting.silent >= SETTINGS.filler_after - 1e-6
    if step.rung is Rung.WORD:
        assert waiting.word is not None
        assert waiting.wait >= waiting.word


@given(waits)
def test_a_lost_provider_means_the_local_voice_where_there_is_one(waiting: Waiting) -> None:
    """At once: nobody waits for what can't come. Nobody is sent away who can be spoken to."""
    step = next_step(SETTINGS, waiting)
    if waiting.speakable and waiting.standing in LOST and waiting.ahead <= 0.3:
        assert step.rung is Rung.LOCAL_VOICE
    assert not (waiting.speakable and step.rung is Rung.APOLOGY)
    assert waiting.speakable or step.rung is not Rung.LOCAL_VOICE


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        ({"silent": 0.1, "filler": 1.0, "wait": 1.5}, Rung.QUIET),
        ({"silent": 0.3, "filler": 1.0, "wait": 1.5}, Rung.FILLER),
        ({"silent": 0.3, "filler": 1.0, "wait": 0.9}, Rung.QUIET),
        ({"silent": 2.0, "filler": 1.0, "wait": 0.9}, Rung.NOISE),
        ({"silent": 2.0, "wait": 0.5, "word": 1.0}, Rung.NOISE),
        ({"silent": 2.0, "wait": 5.0, "word": 1.0}, Rung.WORD),
        ({"silent": 2.0, "wait": 5.0, "word": 1.0, "since_word": 4.0}, Rung.NOISE),
        ({"silent": 0.3, "wait": 2.0, "speakable": True}, Rung.QUIET),
        ({"silent": 0.3, "wait": 2.8, "speakable": True}, Rung.LOCAL_VOICE),
        ({"silent": 0.1, "wait": 9.0, "speakable": True}, Rung.QUIET),
        ({"silent": 12.0, "wait": 9.0, "speakable": True}, Rung.LOCAL_VOICE),
        ({"silent": 12.0, "wait": 0.1}, Rung.APOLOGY),
    ],
)
def test_the_steps_of_the_default_settings(waiting: dict[str, Any], expected: Rung) -> None:
    """From quiet to the apology, as the wait grows."""
    assert rung(**waiting) is expected


def test_it_looks_again_when_the_next_threshold_is_passed() -> None:
    """Not later than a quarter of a second from now, for predictions change."""
    assert next_step(SETTINGS, Waiting(silent=0.1, wait=5.0)).look_in == pytest.approx(0.2)
    assert next_step(SETTINGS, Waiting(silent=0.5, wait=5.0)) == Step(Rung.QUIET, 0.25)
    assert next_step(SETTINGS, Waiting(silent=0.0, wait=5.0, ahead=3.0)) == Step(Rung.QUIET, 3.0)


@pytest.mark.parametrize(
    ("settings", "wait", "expected"),
    [
        (LadderSettings(), 0.79, False),
        (LadderSettings(), 0.8, True),
        (LadderSettings(on=False), 5.0, False),
        (LadderSettings(rungs=("filler",)), 5.0, False),
    ],
)
def test_brief_variants_are_for_a_crowd(settings: LadderSettings, wait: float, expected: bool) -> None:
    """From the wait in the settings on, if the rung is there and the ladder is on."""
    assert wants_brief(settings, wait) is expected
