"""The echo says back what it heard, remarks on it in turns, and knows at which word it was stopped."""

from __future__ import annotations

from bots.echo import Echo
from tests.bots.driving import Driven


async def test_it_greets_by_its_name() -> None:
    """The name is its one option."""
    assert "this is Narcissa" in await Driven(Echo(name="Narcissa")).opens()


async def test_it_says_back_what_it_heard_with_another_remark_each_turn() -> None:
    """Three remarks in turn, each about the caller's own words."""
    echo = Driven(Echo())
    replies = [await echo.hears("The number is 4711.") for _ in range(4)]
    assert all(reply.startswith("You said: The number is 4711. ") for reply in replies)
    assert "4 words in 2.0 seconds, and the longest of them was number" in replies[0]
    assert "begins with 4711 and ends with The" in replies[1]
    assert "turn number 3" in replies[2]
    assert replies[3] == replies[0]


async def test_a_sentence_that_lacks_its_end_gets_one() -> None:
    """Recognizers do not always punctuate; the remark must not run into the caller's words."""
    assert (await Driven(Echo()).hears("yes")).startswith("You said: yes. That makes one word")


async def test_a_turn_without_words_is_asked_for_again() -> None:
    """An empty turn is no turn: it is not counted."""
    echo = Driven(Echo())
    assert "could not make out a word" in await echo.hears(" ... ")
    assert "That makes" in await echo.hears("Hello.")


async def test_it_knows_the_last_word_that_got_through() -> None:
    """Only after an interruption, and only once."""
    echo = Driven(Echo())
    await echo.hears("I would like some tea.", cut_after="I would")
    assert (await echo.hears("Stop.")).startswith("You stopped me at the word would, ")
    assert (await echo.hears("Good.")).startswith("You said: Good.")
