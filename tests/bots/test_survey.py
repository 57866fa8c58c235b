"""The survey asks each question until it got through, reacts to the answers, thanks and hangs up."""

from __future__ import annotations

import pytest

from bots.survey import QUESTIONS, Survey
from simulations.demo.scripts import SCRIPTS, Keys, Script
from tests.bots.driving import Driven

FIRST, SECOND, THIRD, FOURTH = QUESTIONS


async def test_it_asks_one_question_after_the_other_then_thanks_and_hangs_up() -> None:
    """The question always stands at the end: the caller answers what it heard last."""
    survey = Driven(Survey(library="the Town Library"))
    assert (await survey.opens()).endswith(FIRST)
    assert (await survey.hears("Eight.")).endswith(SECOND)
    assert (await survey.hears("The station.")).endswith(THIRD)
    assert (await survey.hears("More chairs.")).endswith(FOURTH)
    assert not survey.talk.hung_up
    assert "Thank you very much from all of us at the Town Library" in await survey.hears("Yes.")
    assert survey.talk.hung_up


async def test_a_question_that_was_cut_before_it_was_heard_is_asked_again() -> None:
    """And what the caller said meanwhile is not its answer."""
    bot = Survey()
    survey = Driven(bot)
    await survey.opens()
    await survey.hears("Eight.", cut_after="I am glad")
    assert await survey.hears("Hello, are you there?") == f"I am sorry, here it is once more. {SECOND}"
    assert list(bot.answers) == [FIRST]


async def test_a_question_that_was_heard_for_the_most_part_was_heard() -> None:
    """An eager caller's answer counts."""
    bot = Survey()
    survey = Driven(bot)
    await survey.opens()
    await survey.hears("Eight.", cut_after="Which of the three")
    assert (await survey.hears("Mill Lane!")).endswith(THIRD)
    assert bot.answers == {FIRST: "Eight.", SECOND: "Mill Lane!"}


async def test_a_question_is_repeated_on_request_and_into_a_silence() -> None:
    """As often as it takes."""
    survey = Driven(Survey())
    await survey.opens()
    assert (await survey.hears("Could you say that again?")).endswith(FIRST)
    assert (await survey.hears("")).endswith(FIRST)
    assert (await survey.hears_nothing()).endswith(FIRST)


@pytest.mark.parametrize(
    ("answer", "reaction"),
    [
        ("I would give it a nine", "Nine out of ten, I am glad"),
        ("10", "10 out of ten, I am glad"),
        ("Two. It took me half an hour.", "Only two? I am sorry"),
        ("0", "Only 0? I am sorry"),
        ("Like finding a needle.", "That is one way to put it."),
    ],
)
async def test_it_reacts_to_the_number(answer: str, reaction: str) -> None:
    """High, low, or none at all."""
    survey = Driven(Survey())
    await survey.opens()
    assert (await survey.hears(answer)).startswith(reaction)


async def test_keys_count_like_words() -> None:
    """Hash and star around them are ignored."""
    survey = Driven(Survey())
    await survey.opens()
    assert (await survey.hears_keys("9#")).startswith("9 out of ten")


async def test_who_has_no_time_is_let_go() -> None:
    """No further question is asked, and nothing is noted."""
    bot = Survey()
    survey = Driven(bot)
    await survey.opens()
    assert "goodbye" in await survey.hears("Sorry, I have no time.")
    assert survey.talk.hung_up
    assert bot.answers == {}
    assert await survey.hears_nothing() == ""


async def test_a_farewell_that_was_cut_is_said_again() -> None:
    """The call must end all the same."""
    survey = Driven(Survey())
    await survey.hears("I am not interested.", cut_after="Thank")
    survey.talk.hung_up = False
    assert "goodbye" in await survey.hears("What?")
    assert survey.talk.hung_up


@pytest.mark.parametrize("script", SCRIPTS["survey"])
@pytest.mark.parametrize("interrupted", [None, 0, 1, 2])
async def test_every_simulated_caller_answers_all_questions(script: Script, interrupted: int | None) -> None:
    """Also when it interrupts any one of the reactions."""
    for interjection in script.interjections:
        survey = Driven(Survey())
        await survey.opens()
        for number, line in enumerate(script.lines):
            if isinstance(line, Keys):
                await survey.hears_keys(line.digits)
                continue
            await survey.hears(line, cut_after=" " if number == interrupted else None)
            if number == interrupted:
                await survey.hears(interjection)
        assert survey.talk.hung_up
