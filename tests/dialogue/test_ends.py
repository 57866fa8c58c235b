"""Claims about ends from outside: cancelled at any moment, a call leaves complete books and takes nothing with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator import Talk, Turn, events
from orchestrator.adapters.telephony.loopback import Phone
from tests.dialogue.calls import Desk, hear_out, open_desk, say, saying
from tests.dialogue.talkers import Hooked, Noted
from tests.dialogue.voices import MarkedVoice


class Chatty(Hooked):
    """Thinks, then talks for a while."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """Take time between the sentences."""
        for number in range(4):
            await trio.sleep(0.3)
            yield f"This is sentence number {number}, and it goes on for a bit. "


async def talkative(phone: Phone) -> None:
    """A caller who interrupts every other time."""
    await hear_out(phone)
    while True:
        await say(phone, "go on")
        await hear_out(phone)
        await say(phone, "go on")
        await phone.wait_bot_speaks()
        await trio.sleep(1.3)


def assert_complete(desk: Desk, calls: int) -> None:
    """Every reply and every call that began has ended, with its sums right."""
    started, ended = desk.of(events.ReplyStarted), desk.of(events.ReplyEnded)
    assert {(reply.call, reply.reply) for reply in started} == {(reply.call, reply.reply) for reply in ended}
    assert len(started) == len(ended)
    assert all(reply.heard + reply.cut + reply.unspoken == reply.characters for reply in ended)
    assert all(reply.words_heard + reply.words_cut + reply.words_unspoken == reply.words for reply in ended)
    assert all(reply.unspoken == 0 for reply in ended)
    assert len(desk.of(events.CallStarted)) == len(desk.of(events.CallEnded)) == calls
    assert not desk.of(events.CallFailed)
    assert not desk.of(events.BotFailed)


@settings(max_examples=25)
@given(st.floats(0.001, 30))
def test_a_run_can_end_at_any_moment(after: float) -> None:
    """Three calls over one slot, all cancelled: each wrote down what was heard, and each bot was told."""

    async def main() -> None:
        voice, log = MarkedVoice(), list[Any]()
        async with open_desk(dial=voice.dial) as desk:
            with trio.move_on_after(after):
                async with trio.open_nursery() as nursery:
                    for name in ("a", "b", "c"):
                        nursery.start_soon(partial(desk.call, name, Chatty, talkative, options={"log": log}))
            assert_complete(desk, calls=len(desk.of(events.CallStarted)))
            assert log.count("on_hang_up") == len(desk.of(events.CallEnded))
            assert {event.reason for event in desk.of(events.CallEnded)} <= {"run"}
            for name, call in desk.calls.items():
                heard = [word for reply in call.replies for word in reply.heard.split()]
                assert len(heard) == sum(reply.words_heard for reply in desk.of(events.ReplyEnded, name))
        assert voice.in_flight == 0  # nothing is left of the links

    trio.run(main, clock=MockClock(autojump_threshold=0))


@settings(max_examples=30)
@given(st.floats(0, 12))
def test_a_call_can_end_at_any_moment_and_takes_nothing_with_it(after: float) -> None:
    """Neither the slot nor a task: the calls that remain talk on."""

    async def main() -> None:
        voice = MarkedVoice()
        async with open_desk(dial=voice.dial) as desk:
            idle = trio.lowlevel.current_statistics().tasks_living
            with trio.move_on_after(after):
                await desk.call("a", Chatty, talkative)
            await desk.call("b", Noted, saying("one", "two"))
            assert desk.calls["b"].lines == [">one", "Very well.", ">two", "Very well."]
            await trio.sleep(5)
            assert_complete(desk, calls=2)
            assert len(desk.of(events.SlotGranted)) == len(desk.of(events.SlotFreed))
            assert len(desk.of(events.TicketJoined)) == len(desk.of(events.SlotGranted)) + len(
                desk.of(events.TicketLeft)
            )
            assert voice.most_in_flight <= 1
            # A keeper is three tasks with its writer; two links are kept, and phrases have a task more by then.
            assert trio.lowlevel.current_statistics().tasks_living <= idle + 9

    trio.run(main, clock=MockClock(autojump_threshold=0))
