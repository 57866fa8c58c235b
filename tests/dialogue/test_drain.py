"""Claims about the end of the program: nobody new is taken, calls may end by themselves, the rest is told goodbye."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator import Talk, Turn, events
from orchestrator.audio import seconds_of
from orchestrator.dialogue.transcript import WordState
from tests.dialogue.calls import RATE, Desk, open_desk
from tests.dialogue.places import SECONDS, OwnVoice, few_places, lasting, patient
from tests.dialogue.talkers import Noted

LONG = "This sentence is one of many, and there is no end to them in sight. " * 20


async def begin(nursery: trio.Nursery, desk: Desk, *names: str, seconds: float, answer: str = LONG) -> None:
    """Have such calls begin; their bots answer at length."""
    for name in names:
        nursery.start_soon(partial(desk.call, name, Noted, lasting(seconds), options={"answer": answer}))
        await trio.sleep(0.01)


async def test_calls_that_end_in_time_are_left_alone(autojump_clock: MockClock) -> None:
    """The bot is not interrupted, and it is over when the last call is."""
    async with open_desk(few_places(5, drain_within=30)) as desk, trio.open_nursery() as nursery:
        await begin(nursery, desk, "a", "b", seconds=20, answer="Very well.")
        await trio.sleep(5)
        began = desk.now()
        await desk.orchestrator.drain()
        assert desk.now() == pytest.approx(20.01)
        assert desk.of(events.DrainStarted) == [events.DrainStarted(at=began, calls=2, within=30)]
    assert {call.reason for call in desk.calls.values()} == {"caller"}
    assert desk.of(events.LegCleared) == []


async def test_calls_that_go_on_are_told_goodbye(autojump_clock: MockClock) -> None:
    """What sounds is cut, the rest counts as cut, the goodbye is heard to its end, and then the call is over."""
    voice = OwnVoice()
    async with open_desk(few_places(5, drain_within=8), local=voice) as desk, trio.open_nursery() as nursery:
        await begin(nursery, desk, "a", "b", seconds=600)
        await trio.sleep(4)
        await desk.orchestrator.drain()
        assert desk.now() == pytest.approx(12.02 + SECONDS, abs=0.1)
        assert voice.said == ["Goodbye.", "Goodbye."]
    for call in desk.calls.values():
        assert call.reason == "drained"
        (reply,) = call.replies
        assert reply.count(WordState.HEARD) > 10
        assert reply.cut
        assert not reply.unspoken
        ends_at = [at for at, _ in call.tape.bot][-1]
        assert ends_at == pytest.approx(desk.now(), abs=0.1)
        assert seconds_of(call.tape.sound, RATE) > SECONDS + 2
    assert len(desk.of(events.ReplyStarted)) == len(desk.of(events.ReplyEnded)) == 2
    assert not desk.of(events.CallFailed)


async def test_new_calls_hear_that_there_is_no_place(autojump_clock: MockClock) -> None:
    """Though there would be places; those that wait for one are told, too."""
    voice = OwnVoice()
    async with open_desk(few_places(1, queue=1), local=voice) as desk, trio.open_nursery() as nursery:
        await begin(nursery, desk, "a", "b", seconds=20, answer="Very well.")
        nursery.start_soon(desk.orchestrator.drain)
        await trio.sleep(0.01)
        assert (await desk.call("c", Noted, patient)).reason == "refused"
        assert [(event.call, event.reason) for event in desk.of(events.CallRefused)] == [
            ("b", "draining"),
            ("c", "draining"),
        ]
        assert "Busy." in voice.said
    assert desk.calls["b"].reason == "refused"


async def test_new_calls_are_refused_with_admission_off_too(autojump_clock: MockClock) -> None:
    """The end of the program is no question of places."""
    async with open_desk(few_places(0, on=False)) as desk:
        await desk.orchestrator.drain()
        assert (await desk.call("a", Noted, patient)).reason == "refused"


async def test_with_no_time_goodbye_is_said_at_once(autojump_clock: MockClock) -> None:
    """`within` goes before the setting."""
    async with open_desk(few_places(5), local=OwnVoice()) as desk, trio.open_nursery() as nursery:
        await begin(nursery, desk, "a", seconds=600)
        await trio.sleep(3)
        await desk.orchestrator.drain(within=0)
        assert desk.now() == pytest.approx(3.01 + SECONDS, abs=0.1)


async def test_without_any_voice_calls_just_end(autojump_clock: MockClock) -> None:
    """Nothing waits for words that nobody can say."""
    async with open_desk(few_places(5)) as desk, trio.open_nursery() as nursery:
        await begin(nursery, desk, "a", seconds=600)
        await trio.sleep(3)
        await desk.orchestrator.drain(within=1)
        assert desk.now() == pytest.approx(4.01, abs=0.1)
    assert desk.calls["a"].reason == "drained"


class Lasting(Noted):
    """Never ends by itself: it thinks for ever, and takes its time when it is told of the end."""

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """Say nothing."""
        await trio.sleep_forever()
        yield ""

    async def on_hang_up(self) -> None:
        """Dawdle."""
        self.log.append("told")
        await trio.sleep_forever()


async def test_a_bot_that_hangs_holds_nothing_up(autojump_clock: MockClock) -> None:
    """It is told, has its moment, and is ended."""
    log: list[object] = []
    async with open_desk(few_places(5), local=OwnVoice()) as desk, trio.open_nursery() as nursery:
        nursery.start_soon(partial(desk.call, "a", Lasting, lasting(600), options={"log": log}))
        await trio.sleep(3)
        await desk.orchestrator.drain(within=1)
        assert desk.now() < 4 + SECONDS + 0.5
    assert log == ["told"]


@settings(max_examples=25)
@given(st.floats(0, 12), st.floats(0, 12))
def test_a_drain_may_come_at_any_moment(after: float, within: float) -> None:
    """Every call and every reply ends, with its sums right; then nobody is there."""

    async def main() -> None:
        async with open_desk(few_places(2, queue=1), local=OwnVoice()) as desk, trio.open_nursery() as nursery:
            await begin(nursery, desk, "a", "b", "c", "d", seconds=9)
            await trio.sleep(after)
            await desk.orchestrator.drain(within)
            assert len(desk.of(events.CallEnded)) == 4
            replies = desk.of(events.ReplyEnded)
            assert len(replies) == len(desk.of(events.ReplyStarted))
            assert all(reply.heard + reply.cut == reply.characters for reply in replies)
        assert not desk.of(events.CallFailed)
        assert {call.reason for call in desk.calls.values()} <= {"caller", "refused", "drained"}

    trio.run(main, clock=MockClock(autojump_threshold=0))
