"""Draws of the workload: the distributions of DESIGN.md section 7, the same for the same seed, caller and turn."""

from __future__ import annotations

from itertools import islice, pairwise
from statistics import mean, stdev

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.workload import Plans, Traits, TurnPlan, at_talk_share, talk_share

TURNS = 6000
CHARACTERS_PER_SECOND = 15


def drawn(traits: Traits, *, turns: int = TURNS, strange: bool = False) -> list[TurnPlan]:
    """Return that many turns of one caller."""
    plans = Plans(traits, seed=1, group="g", strange=strange)
    return [plans.turn("1.1", number) for number in range(1, turns + 1)]


REFERENCE = drawn(Traits())
TEXTS = [[clause.text for clause in plan.clauses()] for plan in REFERENCE]


def spoken(text: str) -> float:
    """Return how long the ideal voice speaks `text`, the space behind it included."""
    return len(text) / CHARACTERS_PER_SECOND


# --- the reference workload ---


@pytest.mark.parametrize(
    ("name", "expected", "cv"), [("speaks", 3.0, 0.6), ("thinking", 0.9, 0.4), ("reacts", 0.6, 0.5)]
)
def test_times_of_the_reference_workload(name: str, expected: float, cv: float) -> None:
    """Mean and coefficient of variation are those of section 7, within what 6,000 draws allow."""
    values = [getattr(plan, name) for plan in REFERENCE]
    assert mean(values) == pytest.approx(expected, rel=0.03)
    assert stdev(values) / mean(values) == pytest.approx(cv, rel=0.08)


def test_sentences_of_the_reference_workload() -> None:
    """A geometric number with mean 2.2 and at most 8, each 2.8 (0.5) s of speech."""
    replies = [[s for s in "".join(texts).split(". ") if s] for texts in TEXTS]
    counts = [len(sentences) for sentences in replies]
    assert max(counts) == 8
    assert counts.count(1) / TURNS == pytest.approx(1 / 2.2, abs=0.02)
    assert counts.count(2) / TURNS == pytest.approx((1 - 1 / 2.2) / 2.2, abs=0.02)
    lengths = [spoken(f"{sentence}. ") for sentences in replies for sentence in sentences]
    assert mean(lengths) == pytest.approx(2.8, rel=0.02)
    assert stdev(lengths) / mean(lengths) == pytest.approx(0.5, rel=0.08)


def test_clauses_of_the_reference_workload() -> None:
    """A sentence has as many clauses as 1.3 s fit in it best; up to one character lost in rounding."""
    for texts in TEXTS[:500]:
        for sentence in [part for part in "".join(texts).split(". ") if part]:
            length = spoken(f"{sentence}. ")
            possible = {max(1, round((length + slip) / 1.3)) for slip in (-0.067, 0.0, 0.067)}
            assert sentence.count(",") + 1 in possible


def test_a_reply_is_as_long_as_its_plan_says_and_streams_at_eight_times_that() -> None:
    """Clauses concatenate to the reply's seconds, and each comes when its last character has streamed."""
    for plan in REFERENCE[:500]:
        length = 0
        for clause in plan.clauses():
            length += len(clause.text)
            assert clause.at == pytest.approx(length / CHARACTERS_PER_SECOND / 8)
        assert plan.seconds == pytest.approx(length / CHARACTERS_PER_SECOND)


@given(st.integers(1, 10_000), st.floats(2.0, 6.0), st.floats(0.0, 0.4))
def test_rounding_never_adds_up(turn: int, sentence: float, cv: float) -> None:
    """However many sentences there are, a reply is as long as was drawn, to within a character."""
    traits = Traits(sentence=sentence, sentence_cv=cv)
    fine = attrs.evolve(traits, characters_per_second=15e6)  # the same draws, hardly rounded
    spoken, exact = (Plans(t, seed=1).turn("1.1", turn).seconds for t in (traits, fine))
    assert spoken == pytest.approx(exact, abs=1 / CHARACTERS_PER_SECOND)


# --- what does not depend on what ---


def test_the_same_draws_for_ever() -> None:
    """What is said follows from seed, group, caller and turn in every process: a change here changes every result."""
    plan = Plans(Traits(), seed=1).turn("1.1", 1)
    assert (round(plan.speaks, 6), round(plan.thinking, 6), round(plan.reacts, 6)) == (1.983837, 1.08214, 0.292677)
    assert "".join(clause.text for clause in plan.clauses()) == "Epad asisip onufeze bibi. "


def test_seed_group_caller_and_turn_each_matter() -> None:
    """Another of any of the four is another turn; the same are the same."""
    one = Plans(Traits(), seed=1, group="a")
    assert one.turn("1.1", 1) == Plans(Traits(), seed=1, group="a").turn("1.1", 1)
    others = [
        one.turn("1.1", 2),
        one.turn("1.2", 1),
        Plans(Traits(), seed=2, group="a").turn("1.1", 1),
        Plans(Traits(), seed=1, group="b").turn("1.1", 1),
    ]
    assert len({plan.speaks for plan in [one.turn("1.1", 1), *others]}) == 5


@pytest.mark.parametrize(
    "changed", [Traits(speaks=9.0), Traits(barge_in=1.0), Traits(hang_up=0.5), Traits(silent=0.5), Traits(minutes=1.0)]
)
def test_a_trait_changes_what_it_is_about_only(changed: Traits) -> None:
    """The bot says the same, and the caller is as quick, whatever else a scenario changes."""
    for plan, other in zip(REFERENCE[:50], drawn(changed, turns=50), strict=True):
        assert [*plan.clauses()] == [*other.clauses()]
        assert (plan.thinking, plan.reacts) == (other.thinking, other.reacts)


# --- chances ---


def test_interrupts_as_often_as_asked_and_evenly() -> None:
    """A fifth of the replies is cut into, at a moment drawn evenly over the reply's own length."""
    cut = [plan for plan in drawn(Traits(barge_in=0.2)) if plan.interrupt_after is not None]
    assert len(cut) / TURNS == pytest.approx(0.2, abs=0.02)
    tenths = [0] * 10
    for plan in cut:
        assert plan.interrupt_after is not None
        tenths[int(10 * plan.interrupt_after / plan.seconds)] += 1
    assert all(count == pytest.approx(len(cut) / 10, rel=0.4) for count in tenths)


def test_a_strange_bots_replies_are_cut_into_over_the_mean_length() -> None:
    """Nobody knows how long a reply of the user's own bot is: moments lie evenly over a reference reply's mean."""
    moments = [plan.interrupt_after or 0.0 for plan in drawn(Traits(barge_in=1.0), strange=True)]
    assert max(moments) < Traits().mean_reply
    assert mean(moments) == pytest.approx(Traits().mean_reply / 2, rel=0.05)


def test_hang_ups_and_silence_as_often_as_asked() -> None:
    """Who hangs up in the middle of a reply does not interrupt it as well."""
    plans = drawn(Traits(barge_in=1.0, hang_up=0.1, silent=0.3))
    assert mean(plan.hangs_up_after is not None for plan in plans) == pytest.approx(0.1, abs=0.015)
    assert mean(plan.silent for plan in plans) == pytest.approx(0.3, abs=0.02)
    assert all((plan.interrupt_after is None) == (plan.hangs_up_after is not None) for plan in plans)
    assert all(0 <= plan.hangs_up_after < plan.seconds for plan in plans if plan.hangs_up_after is not None)


def test_calls_last_as_long_as_asked() -> None:
    """Minutes with mean and coefficient of variation; without them a call has no end."""
    assert Plans(Traits(), seed=1).call_seconds("1.1") == float("inf")
    plans = Plans(Traits(minutes=3.0), seed=1)
    lengths = [plans.call_seconds(f"{line}.1") for line in range(3000)]
    assert mean(lengths) == pytest.approx(180, rel=0.03)
    assert stdev(lengths) / mean(lengths) == pytest.approx(0.5, rel=0.08)


# --- other replies ---


def test_an_endless_reply_goes_on() -> None:
    """Its text streams for ever, from the same words each time it is asked for."""
    plan = drawn(Traits(endless=True, barge_in=1.0), turns=1)[0]
    clauses = [*islice(plan.clauses(), 5000)]
    assert plan.seconds == float("inf")
    assert clauses == [*islice(plan.clauses(), 5000)]
    assert all(a.at < b.at for a, b in pairwise(clauses))
    assert mean(len(c.text) for c in clauses) == pytest.approx(15 * 1.3, rel=0.1)
    assert plan.interrupt_after is not None
    assert plan.interrupt_after < Traits().mean_reply


# --- talk share ---


def model_share(traits: Traits, *, rest: float) -> float:
    """Return the bot's part of a cycle in which `rest` seconds are neither's."""
    heard = traits.mean_reply * (1 - traits.barge_in / 2)
    caller = traits.speaks / (1 - traits.silent) + traits.reacts * (1 - traits.barge_in)
    return heard / (heard + caller + traits.thinking + rest)


REST = Traits().mean_reply / 0.57 - Traits().mean_reply - 4.5
"""What is left in a cycle of the default traits when the bot's share of it is 0.57."""


def test_the_default_traits_have_a_talk_share_of_57_percent() -> None:
    """So that nothing changes where 0.57 is asked for; the rest of the cycle is a tenth of a second of waiting."""
    assert at_talk_share(Traits(), 0.57) == Traits()
    assert talk_share(Traits()) == pytest.approx(0.57)
    assert 0 < REST < 0.3


@given(
    st.floats(0.05, 0.9),
    st.builds(
        Traits,
        thinking=st.floats(0.0, 2.0),
        reacts=st.floats(0.0, 2.0),
        sentences=st.floats(1.0, 5.0),
        barge_in=st.floats(0.0, 1.0),
        silent=st.floats(0.0, 0.9),
    ),
)
def test_any_talk_share_is_reached_or_refused(share: float, traits: Traits) -> None:
    """Only how long callers speak changes; refused is what even callers of few words leave no room for."""
    if model_share(attrs.evolve(traits, speaks=1e-9), rest=REST) <= share:
        with pytest.raises(ValueError, match="must be less than"):
            at_talk_share(traits, share)
    else:
        found = at_talk_share(traits, share)
        assert talk_share(found) == pytest.approx(share)
        assert model_share(found, rest=REST) == pytest.approx(share)
        assert attrs.evolve(found, speaks=traits.speaks) == traits


@pytest.mark.parametrize(
    ("traits", "share", "words"),
    [
        (Traits(), 0.0, "between 0 and 1"),
        (Traits(), 1.0, "between 0 and 1"),
        (Traits(), 0.85, "must be less than 0.79"),
        (Traits(endless=True), 0.5, "endless"),
        (Traits(together=5.0), 0.5, "at once"),
    ],
)
def test_a_talk_share_that_cannot_be_is_refused_in_words(traits: Traits, share: float, words: str) -> None:
    """The message says what is in the way."""
    with pytest.raises(ValueError, match=words):
        at_talk_share(traits, share)
