"""The reference bot: it says what its caller's turn planned, when the plan says so, whatever happened before."""

from __future__ import annotations

from typing import Any, cast

import pytest
import trio
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator import Say, Talk, Turn
from orchestrator.dialogue.bot_loading import check_bot
from orchestrator.events import CallerTurnEnded, ReplyEnded, ReplyReady, ReplyStarted
from orchestrator.ports import CallFacts
from simulations.reference_bot import ReferenceBot, said, shortened
from simulations.scenario import Group
from simulations.workload import Plans, Traits
from tests.simulations.lab import lived, of


@frozen
class SeenCall:
    """All that the bot looks at."""

    call: CallFacts


def talk(caller: str) -> Talk:
    """Return a bot's handle on a call of that caller."""
    return cast(Talk, SeenCall(CallFacts("7", caller=caller)))


async def spoken(plans: Plans, turn: int, *, brief: float = 0.0) -> list[tuple[float, Any]]:
    """Return what the bot yields in answer to a turn, and when."""
    began = trio.current_time()
    reply = ReferenceBot(plans, brief).reply(Turn(said(turn), 1.0), talk("3.2"))
    return [(trio.current_time() - began, text) async for text in reply]


async def test_it_thinks_and_then_streams_what_the_turn_planned(autojump_clock: MockClock) -> None:
    """Each clause in its moment, counted from the end of the thinking."""
    plans = Plans(Traits(), seed=1)
    for number in (1, 2, 17, 2):
        plan = plans.turn("3.2", number)
        yielded = await spoken(plans, number)
        assert [text for _, text in yielded] == [clause.text for clause in plan.clauses()]
        assert [at for at, _ in yielded] == pytest.approx([plan.thinking + clause.at for clause in plan.clauses()])


async def test_hindi_is_said_as_hindi(autojump_clock: MockClock) -> None:
    """The voice is told the language."""
    first = (await spoken(Plans(Traits(language="hi"), seed=1), 1))[0][1]
    assert isinstance(first, Say)
    assert first.language == "hi"


# --- brief variants ---


@given(st.sampled_from(["en", "hi"]), st.integers(1, 500), st.floats(0.01, 0.99))
def test_a_brief_variant_is_the_head_of_the_clause_with_its_own_mark(language: str, turn: int, part: float) -> None:
    """Whole words, one at least, as near to the length asked for as they can be; sentences still end."""
    for clause in Plans(Traits(language=language), seed=1).turn("1.1", turn).clauses():
        brief = shortened(clause.text, part)
        words, kept = clause.text[:-2].split(" "), brief[:-2].split(" ")
        assert kept == words[: len(kept)]
        assert kept[0]
        assert brief[-2:] == clause.text[-2:]
        longer = abs(len(" ".join(words[: len(kept) + 1])) + 2 - part * len(clause.text))
        assert len(kept) == len(words) or abs(len(brief) - part * len(clause.text)) <= longer


@pytest.mark.parametrize(("part", "found"), [(0.3, 0.35), (0.5, 0.48), (0.7, 0.69)])
def test_brief_variants_are_about_as_long_as_asked(part: float, found: float) -> None:
    """Over all clauses: the words decide, and there is one at least."""
    plans = Plans(Traits(), seed=1)
    clauses = [clause.text for turn in range(1, 400) for clause in plans.turn("1.1", turn).clauses()]
    ratio = sum(len(shortened(text, part)) for text in clauses) / sum(map(len, clauses))
    assert ratio == pytest.approx(found, abs=0.01)


def test_a_clause_of_one_word_stays_as_it_is() -> None:
    """A variant is never empty."""
    assert shortened("Lobu, ", 0.1) == "Lobu, "
    assert shortened("Ta. ", 0.5) == "Ta. "


@pytest.mark.parametrize("language", ["en", "hi"])
async def test_the_bot_yields_both_variants(language: str, autojump_clock: MockClock) -> None:
    """When it would yield the clause alone, which it still says in full."""
    plans = Plans(Traits(language=language), seed=1)
    plain, brief = await spoken(plans, 3), await spoken(plans, 3, brief=0.5)
    assert [at for at, _ in brief] == pytest.approx([at for at, _ in plain])
    for (_, said_plainly), (_, both) in zip(plain, brief, strict=True):
        text = said_plainly if isinstance(said_plainly, str) else said_plainly.text
        assert both == Say(text, brief=shortened(text, 0.5), language=None if language == "en" else language)


def test_it_is_a_bot() -> None:
    """Its hooks have the shape that bots must have."""
    check_bot(ReferenceBot, name="reference")


def test_ready_comes_when_the_first_clause_has_streamed() -> None:
    """In a real call: the end of the turn plus thinking plus the first clause that may stand alone (12 characters)."""
    events = lived(Group(calls=1), seconds=600)
    plans = Plans(Traits(), seed=1)
    ready = {event.reply: event.at for event in of(ReplyReady, events)}
    ended = {event.turn: event.at for event in of(CallerTurnEnded, events)}
    assert len(ready) > 40
    for reply, at in ready.items():
        plan = plans.turn("1.1", reply)
        first = next(clause for clause in plan.clauses() if len(clause.text) > 12 or clause.text.endswith(". "))
        assert at - ended[reply] == pytest.approx(plan.thinking + first.at, abs=1e-6)


def test_the_number_of_the_turn_survives_everything() -> None:
    """With silent turns, barge-ins and cut replies each reply is still the one planned for the turn it answers."""
    traits = Traits(barge_in=0.5, silent=0.3)
    plans = Plans(traits, seed=1)
    events = lived(Group(calls=1, traits=traits), seconds=1200)
    spoke = {event.turn: event.spoke for event in of(CallerTurnEnded, events)}
    after = {event.reply: event.after_turn for event in of(ReplyStarted, events)}
    numbers = iter(range(1, 10_000))  # of the plan's turns: those that the caller spoke have its length
    planned = {
        turn: next(n for n in numbers if plans.turn("1.1", n).speaks == pytest.approx(length, abs=1e-6))
        for turn, length in spoke.items()
    }
    heard_out = [event for event in of(ReplyEnded, events) if not event.cut]
    assert len(heard_out) > 20
    assert any(turn != number for turn, number in planned.items())
    for event in heard_out:
        turn = after[event.reply]
        assert turn is not None
        assert event.characters == round(plans.turn("1.1", planned[turn]).seconds * 15)
