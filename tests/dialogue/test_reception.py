"""Claims about the door: who finds no place is told so or waits, and whoever goes leaves its place behind."""

from __future__ import annotations

from functools import partial

import pytest
import trio
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator import events
from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.audio import seconds_of
from orchestrator.settings import AdmissionSettings
from tests.dialogue.calls import RATE, Desk, open_desk, saying
from tests.dialogue.places import SECONDS, OwnVoice, few_places, lasting, patient
from tests.dialogue.talkers import Failing, Noted
from tests.dialogue.voices import MarkedVoice


async def start(nursery: trio.Nursery, desk: Desk, *names: str, seconds: float = 20.0) -> None:
    """Have such calls begin, one after the other."""
    for name in names:
        nursery.start_soon(desk.call, name, Noted, lasting(seconds))
        await trio.sleep(0.1)


# --- refused ---


async def test_a_call_too_many_hears_why_and_is_ended(autojump_clock: MockClock) -> None:
    """In the voice of this machine while the phrase is not there; the call that has the place does not notice."""
    voice = OwnVoice()
    async with open_desk(few_places(1), local=voice) as desk, trio.open_nursery() as nursery:
        await start(nursery, desk, "a")
        refused = await desk.call("b", Noted, patient)
        assert refused.reason == "refused"
        assert voice.said == ["Busy."]
        assert seconds_of(refused.tape.sound, RATE) == pytest.approx(SECONDS, abs=0.03)
        assert desk.of(events.CallRefused) == [
            events.CallRefused(at=desk.at(events.CallStarted, "b"), call="b", reason="full", calls=1, places=1)
        ]
    assert desk.calls["a"].reason == "caller"
    assert desk.calls["a"].lines == [">hello", "Very well."]
    assert not desk.of(events.CallFailed)


async def test_the_phrase_goes_before_the_voice_of_this_machine(autojump_clock: MockClock) -> None:
    """In the calls' own voice, made while nobody needed the slot."""
    voice = OwnVoice()
    async with open_desk(few_places(1), local=voice) as desk, trio.open_nursery() as nursery:
        desk.orchestrator.want_phrases(rate=RATE)
        assert await desk.orchestrator.wait_phrases(within=10)
        await start(nursery, desk, "a")
        refused = await desk.call("b", Noted, patient)
        assert refused.tape.sound
    assert voice.said == []


async def test_without_any_voice_the_call_is_just_ended(autojump_clock: MockClock) -> None:
    """At once, and the sentence is made for the next one."""
    async with open_desk(few_places(1)) as desk, trio.open_nursery() as nursery:
        await start(nursery, desk, "a", seconds=60)
        first = await desk.call("b", Noted, patient)
        assert first.record is not None
        assert (first.reason, first.record.seconds, first.tape.sound) == ("refused", 0.0, b"")
        assert await desk.orchestrator.wait_phrases(within=50)
        assert (await desk.call("c", Noted, patient)).tape.sound


async def test_who_hangs_up_on_the_sentence_was_refused_all_the_same(autojump_clock: MockClock) -> None:
    """And is gone at that moment."""
    async with open_desk(few_places(1), local=OwnVoice()) as desk, trio.open_nursery() as nursery:
        await start(nursery, desk, "a")
        refused = await desk.call("b", Noted, lasting(0.7))
        assert refused.reason == "refused"
        assert desk.at(events.CallEnded, "b") == desk.at(events.CallerHungUp, "b")


@given(st.integers(1, 4), st.integers(1, 9))
@settings(max_examples=20)
def test_calls_that_come_at_once_get_the_places_that_there_are(places: int, calls: int) -> None:
    """Each is taken or refused before any of them waits for anything."""

    async def main() -> None:
        async with open_desk(few_places(places)) as desk, trio.open_nursery() as nursery:
            for name in range(calls):
                nursery.start_soon(desk.call, str(name), Noted, lasting(5))
            await trio.sleep(0.1)
            assert len(desk.of(events.CallRefused)) == max(0, calls - places)

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def test_all_are_taken_with_admission_off(autojump_clock: MockClock) -> None:
    """And nothing is told of places."""
    async with open_desk(few_places(1, on=False)) as desk, trio.open_nursery() as nursery:
        await start(nursery, desk, *"abcdefgh")
    assert desk.of(events.CallRefused) == []
    assert desk.of(events.PlacesChanged) == []


async def test_a_call_that_fails_leaves_its_place(autojump_clock: MockClock) -> None:
    """Its bot can't be made."""
    async with open_desk(few_places(1)) as desk:
        await desk.call("a", Noted, patient, options={"nonsense": 1})
        assert desk.of(events.CallFailed)
        assert (await desk.call("b", Noted, saying("hello"))).reason == "caller"


@settings(max_examples=20)
@given(st.floats(0.001, 30))
def test_calls_that_are_cancelled_leave_their_places(after: float) -> None:
    """With a place, waiting for one, or being refused: afterwards a place is free, and every call has ended."""

    async def main() -> None:
        async with open_desk(few_places(1, queue=1), local=OwnVoice()) as desk:
            with trio.move_on_after(after):
                async with trio.open_nursery() as nursery:
                    for name in "abc":
                        nursery.start_soon(desk.call, name, Failing, saying("hello", "wait"))
            assert len(desk.of(events.CallStarted)) == len(desk.of(events.CallEnded)) == 3
            assert (await desk.call("d", Noted, saying("hello"))).lines == [">hello", "Very well."]

    trio.run(main, clock=MockClock(autojump_threshold=0))


# --- waiting for a place ---


async def test_a_call_may_wait_for_a_place(autojump_clock: MockClock) -> None:
    """It is asked to wait, kept company, and then answered as if nothing had been."""
    voice = OwnVoice()
    async with open_desk(few_places(1, queue=1), local=voice) as desk, trio.open_nursery() as nursery:
        await start(nursery, desk, "a", seconds=12)
        nursery.start_soon(desk.call, "b", Noted, patient)
        await trio.sleep(11)
        assert [event.waiting for event in desk.of(events.CallQueued)] == [1]
        assert voice.said == ["One moment.", "Still here."]  # from then on the phrase is there
        assert not desk.of(events.CallRefused)
        await trio.sleep(2)
        assert desk.of(events.CallStateChanged, "b")[-1].state is events.CallState.LISTENING
        desk.calls["b"].leg.end()
    assert desk.calls["b"].reason == "caller"


async def test_places_are_given_in_the_order_of_the_queue(autojump_clock: MockClock) -> None:
    """First come, first served; who comes later does not overtake, and beyond the queue calls are refused."""
    async with open_desk(few_places(1, queue=2)) as desk, trio.open_nursery() as nursery:
        for name in "abcd":
            await start(nursery, desk, name, seconds=10 if name == "a" else 25)
        await trio.sleep(15)
        listening = [event for event in desk.of(events.CallStateChanged) if event.state is events.CallState.LISTENING]
        assert {event.call for event in listening} == {"a", "b"}
        assert [(event.call, event.reason) for event in desk.of(events.CallRefused)] == [("d", "full")]
    assert {name: call.reason for name, call in desk.calls.items()} == {
        "a": "caller",
        "b": "caller",
        "c": "caller",
        "d": "refused",
    }


async def test_nobody_waits_for_longer_than_is_set(autojump_clock: MockClock) -> None:
    """Then it is refused like any other."""
    voice = OwnVoice()
    async with open_desk(few_places(1, queue=1, queue_within=5), local=voice) as desk, trio.open_nursery() as nursery:
        await start(nursery, desk, "a")
        waited = await desk.call("b", Noted, patient)
        (refused,) = desk.of(events.CallRefused)
        assert (waited.reason, refused.reason) == ("refused", "waited")
        assert refused.at - desk.at(events.CallStarted, "b") == pytest.approx(5)
        assert voice.said[-1] == "Busy."


async def test_who_hangs_up_while_waiting_leaves_the_queue(autojump_clock: MockClock) -> None:
    """It was not refused, and the next one moves up."""
    async with (
        open_desk(few_places(1, queue=2, queue_within=90), local=OwnVoice()) as desk,
        trio.open_nursery() as nursery,
    ):
        await start(nursery, desk, "a", seconds=20)
        assert (await desk.call("b", Noted, lasting(3))).reason == "caller"
        assert desk.of(events.CallerHungUp, "b")
        await start(nursery, desk, "c", "d", seconds=40)
    assert desk.of(events.CallRefused) == []
    assert desk.calls["c"].reason == "caller"


async def test_what_the_caller_said_while_waiting_is_not_answered(autojump_clock: MockClock) -> None:
    """The bot begins when the conversation does."""

    async def impatient(phone: Phone) -> None:
        await saying("hello")(phone)

    async with open_desk(few_places(1, queue=1)) as desk, trio.open_nursery() as nursery:
        await start(nursery, desk, "a", seconds=10)
        nursery.start_soon(desk.call, "b", Noted, impatient)
        await trio.sleep(20)
        assert desk.calls["b"].replies == []
        desk.calls["b"].leg.end()


# --- other settings while it runs ---


async def test_more_places_are_given_to_those_that_wait(autojump_clock: MockClock) -> None:
    """At once, without a restart: what changed is told, and what needs one."""
    few = few_places(1, queue=3)
    async with open_desk(few) as desk, trio.open_nursery() as nursery:
        await start(nursery, desk, "a", "b", "c")
        wanted = evolve(
            few,
            admission=evolve(few.admission, calls=2),
            slot=evolve(few.slot, patience=0.5),
        )
        held = desk.orchestrator.reload(wanted)
        assert held == evolve(few, admission=evolve(few.admission, calls=2))
        (told,) = desk.of(events.SettingsReloaded)
        assert (told.changed, told.need_restart) == ("admission.calls", "slot.patience")
        assert desk.of(events.PlacesChanged)[-1].places == 2
        await trio.sleep(0.1)
        listening = [event for event in desk.of(events.CallStateChanged) if event.state is events.CallState.LISTENING]
        assert {event.call for event in listening} == {"a", "b"}


async def test_admission_can_be_switched_off_while_calls_wait(autojump_clock: MockClock) -> None:
    """All that wait are answered."""
    few = few_places(1, queue=3)
    async with open_desk(few) as desk, trio.open_nursery() as nursery:
        await start(nursery, desk, "a", "b", "c")
        desk.orchestrator.reload(evolve(few, admission=AdmissionSettings(on=False)))
        await trio.sleep(0.1)
        states = {event.call: event.state for event in desk.of(events.CallStateChanged)}
        assert states["b"] is states["c"] is events.CallState.LISTENING


async def test_another_weight_holds_for_the_replies_to_come(autojump_clock: MockClock) -> None:
    """Of calls that go on, too: two of them talk without end, and less is charged to their accounts."""
    few = few_places(2)

    async def charged(desk: Desk) -> float:
        first = len(desk.of(events.SlotGranted))
        await trio.sleep(100)
        accounts = [event.account for event in desk.of(events.SlotGranted)[first:]]
        return accounts[-1] - accounts[0]

    async with open_desk(few, MarkedVoice().dial) as desk, trio.open_nursery() as nursery:
        for name in "ab":
            nursery.start_soon(desk.call, name, Noted, saying(*["hello"] * 100))
        await trio.sleep(20)
        before = await charged(desk)
        desk.orchestrator.reload(evolve(few, bot=evolve(few.bot, weight=2.0)))
        await trio.sleep(10)
        assert await charged(desk) < 0.7 * before
        for call in desk.calls.values():
            call.leg.end()


async def test_slots_and_links_hold_at_once(autojump_clock: MockClock) -> None:
    """A plan upgrade: more links are opened, and more calls fit."""
    few = few_places(0)
    async with open_desk(few) as desk:
        await desk.orchestrator.wait_ready()
        await trio.sleep(1)
        opened = len(desk.of(events.LinkOpened))
        provider = evolve(few.provider, slots=3, links=15)
        desk.orchestrator.reload(evolve(few, provider=provider))
        await trio.sleep(1)
        assert len(desk.of(events.LinkOpened)) == opened + 2
        assert [event.places for event in desk.of(events.PlacesChanged)] == [12]
        call = partial(desk.call, "a", Noted, saying("hello"))
        assert (await call()).lines == [">hello", "Very well."]
