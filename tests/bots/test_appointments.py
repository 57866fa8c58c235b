"""The desk asks for what it lacks, books what was agreed, corrects itself, rebooks, and lives with interruptions."""

from __future__ import annotations

import pytest

from bots.appointments import AppointmentDesk
from simulations.demo.scripts import SCRIPTS, Keys, Script
from tests.bots.driving import Driven


async def _asked_for_the_name() -> Driven:
    desk = Driven(AppointmentDesk())
    await desk.hears("Thursday, please.")
    await desk.hears("Half past four.")
    return desk


async def _booked() -> Driven:
    desk = await _asked_for_the_name()
    await desk.hears("My name is Priya Raman.")
    await desk.hears("Yes, please.")
    return desk


async def test_it_asks_for_day_time_name_and_a_yes_in_turn() -> None:
    """And says what it has understood each time."""
    desk = Driven(AppointmentDesk(practice="the Mill Lane garage"))
    assert "the Mill Lane garage" in await desk.opens()
    assert "On which day" in await desk.hears("I need an appointment.")
    assert "ten thirty, or quarter past two, or half past four" in await desk.hears("On Thursday.")
    assert "Half past four on Thursday" in await desk.hears("I would take half past four.")
    assert "Thank you, Priya Raman. So that is Thursday at half past four" in await desk.hears("Priya Raman.")
    assert "in the book: Thursday, half past four, for Priya Raman" in await desk.hears("Yes.")


async def test_it_does_not_ask_for_what_it_was_told_already() -> None:
    """Several facts may come in one turn."""
    desk = Driven(AppointmentDesk())
    answer = await desk.hears("Hello, my name is Tom Becker, could I come on Friday at eight o'clock?")
    assert "for Tom Becker" in answer
    assert answer.endswith("Shall I book it?")


@pytest.mark.parametrize(("words", "time"), [("The first one.", "ten thirty"), ("the last, please", "half past four")])
async def test_a_time_can_be_chosen_by_its_place(words: str, time: str) -> None:
    """As people do who have just heard a list."""
    desk = Driven(AppointmentDesk())
    await desk.hears("Thursday.")
    assert (await desk.hears(words)).startswith(f"{time.capitalize()} on Thursday")


async def test_the_booking_itself_cannot_be_interrupted() -> None:
    """All that it says before may be."""
    desk = await _asked_for_the_name()
    await desk.hears("Priya Raman.")
    assert all(said.interruptible for said in desk.last)
    await desk.hears("Yes.")
    assert [said.interruptible for said in desk.last] == [False, True]


async def test_the_offer_has_a_brief_variant_with_the_same_times() -> None:
    """For a crowded line."""
    desk = Driven(AppointmentDesk())
    await desk.hears("Friday.")
    brief = desk.last[-1].brief
    assert brief is not None
    assert "ight o'clock, or twelve forty-five" in brief
    assert len(brief) < len(desk.last[-1].text) / 2


async def test_a_wrong_name_is_put_right() -> None:
    """The day and the time stay."""
    desk = await _asked_for_the_name()
    await desk.hears("My name is Pria Rahman.")
    answer = await desk.hears("No, the name is Priya Raman.")
    assert answer.startswith("I beg your pardon, Priya Raman. So that is Thursday at half past four, for Priya Raman")


async def test_a_no_to_the_summary_starts_over_but_keeps_the_name() -> None:
    """The caller does not have to introduce itself twice."""
    desk = await _asked_for_the_name()
    await desk.hears("My name is Priya Raman.")
    assert "On which day" in await desk.hears("No, that is wrong.")
    await desk.hears("Tuesday.")
    assert "for Priya Raman" in await desk.hears("The first one.")


async def test_a_booking_can_be_moved() -> None:
    """It is crossed out, another day is offered, and it takes another yes."""
    desk = await _booked()
    answer = await desk.hears("Could we make it Tuesday instead?")
    assert "crossed that out" in answer
    assert "nine fifteen" in answer
    assert answer.count("Tuesday") == 1
    assert "Shall I book it?" in await desk.hears("The last one.")
    assert "in the book: Tuesday, four o'clock, for Priya Raman" in await desk.hears("Yes.")


async def test_who_cuts_in_is_told_once_more() -> None:
    """And what was said while cutting in is nobody's name, although a name had been asked for."""
    desk = Driven(AppointmentDesk())
    await desk.hears("Thursday.")
    await desk.hears("The last one.", cut_after="Half past")
    assert await desk.hears("Say again.") == "Once more. May I have your name for the book, please?"


@pytest.mark.parametrize("words", ["Thank you, goodbye.", "No, thank you.", "No."])
async def test_a_goodbye_ends_the_call(words: str) -> None:
    """With the appointment once more."""
    desk = await _booked()
    assert "Thursday at half past four" in await desk.hears(words)
    assert desk.talk.hung_up


@pytest.mark.parametrize("script", SCRIPTS["appointments"])
@pytest.mark.parametrize("interrupted", [None, 0, 1, 2, 3])
async def test_every_simulated_caller_ends_with_a_booking_in_its_name(script: Script, interrupted: int | None) -> None:
    """Also when it interrupts any one of the answers with any of its interjections."""
    for interjection in script.interjections:
        desk = Driven(AppointmentDesk())
        lines = script.spoken_by("Priya Raman").lines
        for number, line in enumerate(lines):
            assert not isinstance(line, Keys)
            answer = await desk.hears(line, cut_after=" " if number == interrupted else None)
            if number == interrupted and number < len(lines) - 1:
                answer = await desk.hears(interjection)
        assert "for Priya Raman" in answer
        assert "in the book" in answer
