"""A scenario's calls on the real orchestrator: when they arrive, that they are as asked for, and how they end."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import attrs
import pytest

from orchestrator.app import DEADLINE, Policy, RunningSlots
from orchestrator.errors import BotLoadError
from orchestrator.events import (
    BargedIn,
    BotFailed,
    CallEnded,
    CallerHungUp,
    CallerSpeechStarted,
    CallerTurnEnded,
    CallFailed,
    CallStarted,
    Event,
    FirstAudioPlayed,
    Outcome,
    ReplyEnded,
    ReplyStarted,
)
from orchestrator.ports import Emit, Now
from orchestrator.settings import Settings, SpeechSettings
from orchestrator.slot.pace import Pace
from orchestrator.slot.queue import SlotQueue
from orchestrator.slot.scheduler import Scheduler
from simulations.calls import BETWEEN_CALLS
from simulations.plain_voice import PHRASE
from simulations.scenario import Group, Scenario
from simulations.workload import Plans, Traits, at_talk_share
from simulations.world import run
from simulations.world_events import SoundPlayed
from tests.simulations.lab import lived, of

HOUR = 3600.0
EXACT = 1e-6


# --- the reference workload in a real run ---


def assert_sane(events: list[Event]) -> None:
    """No turn goes unanswered, no reply is lost, nothing fails, and callers hear their own call only."""
    assert not of(CallFailed, events)
    assert not of(BotFailed, events)
    calls = {event.call for event in of(CallStarted, events)}
    assert {event.call for event in of(CallEnded, events)} == calls
    for call in calls:
        turns = [event.turn for event in of(CallerTurnEnded, events, call=call)]
        started = [event.after_turn for event in of(ReplyStarted, events, call=call) if event.hook == "reply"]
        ended = of(ReplyEnded, events, call=call)
        assert started == turns or [*started, turns[-1]] == turns
        assert len(ended) == len(of(ReplyStarted, events, call=call))
        assert all(event.unspoken == 0 for event in ended)
        phrases = {PHRASE} if "bots." in of(CallStarted, events, call=call)[0].bot else set()  # they want some cached
        assert {event.of for event in of(SoundPlayed, events, call=call)} <= {call} | phrases


@pytest.mark.parametrize("seconds", [HOUR / 2, pytest.param(HOUR, marks=pytest.mark.sweep)])
def test_an_hour_of_the_reference_workload(seconds: float) -> None:
    """The bot speaks 57 % of the time, every turn is answered with the reply it planned, and all of it is heard."""
    events = lived(Group(calls=2), seconds=seconds)
    assert_sane(events)
    assert [event.at for event in of(CallStarted, events)] == pytest.approx([0, 5])
    spoken = sum(event.ended - event.began for event in of(SoundPlayed, events))
    assert spoken / (2 * seconds) == pytest.approx(0.57, abs=0.02)
    plans = Plans(Traits(), seed=1)
    for call in ("1", "2"):
        *replies, _ = of(ReplyEnded, events, call=call)
        assert len(replies) > 300 * seconds / HOUR
        for number, (reply, turn) in enumerate(zip(replies, of(CallerTurnEnded, events, call=call), strict=False), 1):
            plan = plans.turn(f"{call}.1", number)
            assert reply.outcome is Outcome.HEARD
            assert reply.characters == reply.heard == round(plan.seconds * 15)
            assert turn.spoke == pytest.approx(plan.speaks)


@pytest.mark.parametrize("share", [0.4, 0.7])
def test_the_talk_share_can_be_chosen(share: float) -> None:
    """How long callers speak is scaled so that the bot has its share."""
    events = lived(Group(calls=2, traits=at_talk_share(Traits(), share)), seconds=HOUR / 2)
    spoken = sum(event.ended - event.began for event in of(SoundPlayed, events))
    assert spoken / HOUR == pytest.approx(share, abs=0.03)


def test_what_is_said_does_not_depend_on_the_run() -> None:
    """With other calls beside it, and with other settings, a call's turns are the same."""
    narrow = Settings(speech=SpeechSettings(look_ahead=2.0))
    alone = lived(Group(calls=1), seconds=400)
    among = lived(Group(calls=4), seconds=400, settings=narrow)
    said = [
        [(event.characters, round(turn.spoke, 6)) for event, turn in zip(replies, turns, strict=False)]
        for replies, turns in (
            (of(ReplyEnded, events, call="1"), of(CallerTurnEnded, events, call="1")) for events in (alone, among)
        )
    ]
    common = min(len(said[0]), len(said[1])) - 1
    assert common > 25
    assert said[0][:common] == said[1][:common]


def test_two_runs_are_equal() -> None:
    """The same seed is the same story, another seed another."""
    group = Group(calls=3, traits=Traits(barge_in=0.3, hang_up=0.05, silent=0.1))
    scenario = Scenario(name="lively", groups=(group,), hours=300 / HOUR, wire=False)
    one, same, other = (of(ReplyEnded, run(scenario, seed)) for seed in (1, 1, 2))
    assert len(one) > 60
    assert one == same
    assert one != other


# --- what callers do to calls ---


@pytest.mark.sweep
def test_barge_ins_come_as_often_as_asked_and_evenly() -> None:
    """Callers cut in where they planned to and nowhere else: in a third of the replies, evenly over their length."""
    traits = Traits(barge_in=1 / 3)
    events = lived(Group(calls=2, traits=traits), seconds=HOUR)
    assert_sane(events)
    plans, places = Plans(traits, seed=1), []
    for call in ("1", "2"):
        speaks = [event.at for event in of(CallerSpeechStarted, events, call=call)]
        replies = zip(
            of(FirstAudioPlayed, events, call=call), of(ReplyEnded, events, call=call), speaks[1:], strict=False
        )
        for first, ended, again in replies:
            plan = plans.turn(f"{call}.1", first.reply)
            if plan.interrupt_after is None:
                assert again > ended.at
            else:
                assert again - first.at == pytest.approx(plan.interrupt_after, abs=EXACT)
                places.append(plan.interrupt_after / plan.seconds)
    sounded, barged = of(FirstAudioPlayed, events), of(BargedIn, events)
    assert len(places) / len(sounded) == pytest.approx(1 / 3, abs=0.04)
    fifths = Counter(int(5 * place) for place in places)
    assert all(fifths[fifth] == pytest.approx(len(places) / 5, rel=0.35) for fifth in range(5))
    assert 0.88 * len(places) < len(barged) <= len(places)  # in its last word there is nothing left to cut


def test_all_callers_stop_speaking_in_one_instant() -> None:
    """Every turn ends at a multiple of the time asked for, whatever the calls did before."""
    events = lived(Group(calls=4, traits=Traits(together=7.0)), seconds=600)
    assert_sane(events)
    ends = [event.at for event in of(CallerTurnEnded, events)]
    assert all(at == 7 * round(at / 7) for at in ends)
    assert max(Counter(ends).values()) == 4


def test_a_hang_up_ends_the_call_and_another_begins() -> None:
    """In the middle of a reply; two seconds later the next caller is on the line, with an id of its own."""
    traits = Traits(hang_up=0.2)
    events = lived(Group(calls=2, traits=traits), seconds=HOUR / 2)
    assert_sane(events)
    begun, over = of(CallStarted, events), of(CallEnded, events)
    assert [event.call for event in begun] == [str(number) for number in range(1, len(begun) + 1)]
    hung_up = [event for event in over if event.reason == "caller"]
    assert len(hung_up) == len(of(CallerHungUp, events)) == len(over) - 2
    assert [event.at for event in begun[2:]] == pytest.approx([event.at + BETWEEN_CALLS for event in hung_up])
    assert len(hung_up) / len(of(FirstAudioPlayed, events)) == pytest.approx(0.2, abs=0.06)
    last = [of(ReplyEnded, events, call=event.call)[-1] for event in hung_up]
    assert sum(event.outcome is Outcome.CUT for event in last) > 0.88 * len(last)  # the others in their last word
    plans = Plans(traits, seed=1)
    for line in ("1", "2"):
        *_, first = of(FirstAudioPlayed, events, call=line)
        moment = plans.turn(f"{line}.1", first.reply).hangs_up_after
        ended = next(event.at for event in over if event.call == line)
        assert ended - first.at == pytest.approx(moment, abs=EXACT)


def test_calls_of_some_minutes_end_after_a_reply() -> None:
    """No reply is cut by a caller who has simply talked enough, and a call lasts hardly longer than drawn."""
    traits = Traits(minutes=2.0)
    events = lived(Group(calls=2, traits=traits), seconds=HOUR / 2)
    assert_sane(events)
    finished = [event for event in of(CallEnded, events) if event.reason == "caller"]
    assert len(finished) > 15
    for event in finished:
        assert all(reply.outcome is Outcome.HEARD for reply in of(ReplyEnded, events, call=event.call))
    lengths = {event.call: event.seconds for event in finished}
    for line in ("1", "2"):
        planned = Plans(traits, seed=1).call_seconds(f"{line}.1")
        assert planned <= lengths[line] < planned + 40


def test_calls_that_come_by_the_clock_overlap() -> None:
    """Another call arrives on a line whether the one before is over or not, and none follows a finished one."""
    group = Group(name="in", calls=1, arrivals="regular", per_hour=60.0, traits=Traits(minutes=2.0))
    events = lived(group, seconds=1200)
    assert_sane(events)
    begun = [event.at for event in of(CallStarted, events)]
    assert [round(after - before, 6) for before, after in pairwise(begun)] == [60.0] * (len(begun) - 1)
    assert len(begun) == 20
    assert {event.group for event in of(CallStarted, events)} == {"in"}


def test_an_endless_reply_is_one_reply() -> None:
    """It is still on when the run ends, and was heard all the time."""
    events = lived(Group(calls=1, traits=Traits(endless=True)), seconds=600)
    assert [event.reply for event in of(ReplyStarted, events)] == [1]
    (reply,) = of(ReplyEnded, events)
    assert reply.heard > 15 * 580
    assert sum(event.ended - event.began for event in of(SoundPlayed, events)) > 580


# --- bots of the user's own ---


def test_a_bot_of_the_users_own() -> None:
    """The echo bot opens; callers say lines of the general scripts, interrupt and are answered."""
    events = lived(Group(calls=2, bot="bots.echo:Echo", traits=Traits(barge_in=0.3)), seconds=600)
    assert_sane(events)
    for call in ("1", "2"):
        hooks = [event.hook for event in of(ReplyStarted, events, call=call)]
        assert hooks[:2] == ["opening", "reply"]
        turns = [event.characters for event in of(CallerTurnEnded, events, call=call)]
        assert len(set(turns[:4])) == 4
        lines = next(length for length in range(1, 10) if turns[0] == turns[length])
        assert turns == [turns[number % lines] for number in range(len(turns))]
    assert of(BargedIn, events)
    assert {event.bot for event in of(CallStarted, events)} == {"bots.echo:Echo"}


def test_a_bot_that_hangs_up_frees_the_line_for_the_next_call() -> None:
    """The survey is over after its questions; two seconds later somebody else is asked."""
    events = lived(Group(calls=1, bot="bots.survey:Survey"), seconds=HOUR / 2)
    assert_sane(events)
    over = of(CallEnded, events)
    assert len(over) > 5
    assert {event.reason for event in over[:-1]} == {"bot"}
    begun = [event.at for event in of(CallStarted, events)]
    assert begun[1:] == pytest.approx([event.at + BETWEEN_CALLS for event in over[:-1]])


def test_a_bot_that_does_not_exist_is_refused_before_any_call() -> None:
    """The message is bot loading's own."""
    with pytest.raises(BaseExceptionGroup) as caught:
        lived(Group(bot="bots.echo:Nobody"), seconds=10)
    assert caught.group_contains(BotLoadError, match="Nobody")


# --- the frame ---


def test_weights_reach_the_slot() -> None:
    """A group's calls have the group's weight when they compete, not the settings'."""
    weights: dict[str, float] = {}

    class Spy(Scheduler):
        def begin_reply(self, call: str, *, weight: float) -> None:
            weights[call] = weight
            super().begin_reply(call, weight=weight)

    def slots(settings: Settings, pace: Pace, emit: Emit, now: Now) -> RunningSlots:
        queue = SlotQueue(slots=settings.provider.slots, bound=settings.slot.bound)
        return Spy(queue, emit=emit, now=now)

    policy: Policy = attrs.evolve(DEADLINE, slots=slots)
    lived(Group(name="a", calls=1, weight=2.5), Group(name="b", calls=1), seconds=60, policy=policy)
    assert weights == {"1": 2.5, "2": 1.0}


def test_the_end_of_the_run_ends_every_call() -> None:
    """Each is told as ended by the run, and what sounded until then as well."""
    events = lived(Group(calls=6, arrivals="at once", traits=Traits(endless=True)), seconds=120)
    assert [event.reason for event in of(CallEnded, events)] == ["run"] * 6
    assert {event.call: event.ended for event in of(SoundPlayed, events)} == {str(n): 120.0 for n in range(1, 7)}


def test_a_scenario_without_calls_is_quiet() -> None:
    """It lasts as long as any other."""
    assert of(CallStarted, lived(Group(calls=0), seconds=60)) == []
