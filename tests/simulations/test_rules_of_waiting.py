"""The rules of what a caller hears while a reply waits, and over a link: each is broken once."""

from __future__ import annotations

import attrs
import pytest

from orchestrator import events as e
from orchestrator.events import Event
from orchestrator.settings import LadderSettings
from simulations.invariants import Invariants
from simulations.scenario import Group, Scenario, simulated_settings
from simulations.world_events import SoundPlayed
from tests.simulations.moments import asked, began, freed, granted, joined
from tests.simulations.tampering import (
    Tamper,
    also,
    cleared,
    closed,
    ended,
    ended_reply,
    instead,
    opened,
    piece,
    piece_ended,
    sound,
    story,
    without,
    world,
)

LADDER = attrs.evolve(simulated_settings(), ladder=LadderSettings(rungs=("cache", "filler", "noise", "local_voice")))
CLIMBING = Scenario(name="test", settings=LADDER)
REMOTE = Scenario(name="test", groups=(Group(leg="remote", leg_latency=0.1),))


def broken(events: list[Event], scenario: Scenario = CLIMBING) -> list[str]:
    """Return what the invariants say of these events."""
    invariants = Invariants(scenario)
    for event in events:
        invariants.add(event)
    return invariants.finish()


def rung(at: float, name: str, *, reply: int = 1, call: str = "1") -> e.RungTaken:
    """The reply steps onto a rung."""
    return e.RungTaken(at=at, call=call, reply=reply, rung=name)


def words(at: float, seconds: float, *, name: str = "filler", reply: int = 1) -> e.RungWords:
    """Words of a rung begin to sound."""
    return e.RungWords(at=at, call="1", reply=reply, rung=name, seconds=seconds)


def spoke(at: float, *, reply: int = 1) -> e.LocalVoiceSpoke:
    """The local voice speaks a part of the reply."""
    return e.LocalVoiceSpoke(at=at, call="1", reply=reply, name="simulated", start=0, characters=10, seconds=1.0)


def waiting() -> list[Event]:
    """A call whose first reply waits: noise, a filler, noise and a word in it, the local voice, then its own sound.

    The second reply comes from the cache.
    """
    return [
        opened(0.1),
        began(1.0),
        asked(2.0),
        joined(2.1),
        rung(2.5, "filler"),
        words(2.5, 1.0),
        sound(2.5, 3.5, of="phrase"),
        rung(4.0, "noise"),
        words(5.0, 0.5, name="noise"),
        sound(4.0, 5.0, of=""),
        sound(5.0, 5.5, of="phrase"),
        rung(6.0, "local_voice"),
        spoke(6.0),
        sound(5.5, 6.0, of=""),
        sound(6.0, 7.0, of="local"),
        granted(7.0),
        piece(7.0),
        sound(7.0, 7.1, of=""),
        sound(7.1, 9.0),
        freed(7.6, held=0.6),
        piece_ended(7.6),
        ended_reply(9.0),
        asked(10.0, reply=2),
        rung(10.5, "cache", reply=2),
        ended_reply(12.0, reply=2),
        sound(10.5, 12.0, of="phrase"),
        ended(20.0),
        closed(20.0),
        e.RunEnded(at=20.0, reason="finished"),
        world(requests=1),
    ]


def test_a_story_that_keeps_all_rules() -> None:
    """Noise may be one run with the reply's own sound that follows; a cut ends words, others may begin."""
    assert broken(waiting()) == []
    one_run = [event for event in waiting() if not (isinstance(event, SoundPlayed) and event.began in (7.0, 7.1))]
    one_run[17:17] = [sound(6.99, 9.0)]
    assert broken(one_run) == []
    one_run = [event for event in waiting() if not (isinstance(event, SoundPlayed) and event.began in (5.5, 6.0))]
    one_run[13:13] = [sound(5.5, 7.0, of="local")]
    assert broken(one_run) == []
    others = [words(8.5, 2.0), words(10.2, 0.5, reply=2)]
    assert len(broken(also(*others)(waiting()))) == 1
    assert broken(also(*others, cleared(9.0))(waiting())) == []


def test_a_bot_of_the_users_own_may_have_asked_for_a_phrase_itself() -> None:
    """What it wants cached, and is not; the simulated bot wants nothing cached."""
    events = instead(SoundPlayed, 1, of="phrase")(story())
    assert broken(events, Scenario(name="test", groups=(Group(bot="bots.echo:Echo"),))) == []
    assert broken(events) == ["sound that no event told of: a phrase in call 1 from 7.300 to 9.000 s"]


LATE = "a phrase in call 1 from 12.500 to 12.700 s"
LOCAL = "the local voice in call 1 from 6.000 to 7.000 s"
WAITING: list[tuple[Tamper, str]] = [
    (also(rung(3.6, "filler")), "more than one filler in a reply: in reply 1 of call 1 at 3.600 s"),
    (
        also(words(3.4, 1.0, name="noise")),
        "words of a rung overlap: in reply 1 of call 1 at 3.400 s, others last until 3.500 s",
    ),
    (also(rung(3.6, "apology")), "a rung that the settings do not have: apology, in reply 1 of call 1 at 3.600 s"),
    (also(rung(9.5, "noise")), "a rung outside a reply: noise, in reply 1 of call 1 at 9.500 s"),
    (also(spoke(11.0)), "a rung outside a reply: local_voice, in reply 1 of call 1 at 11.000 s"),
    (without(e.RungTaken), "sound that no event told of: a phrase in call 1 from 2.500 to 3.500 s"),
    (without(e.RungTaken, 1), "sound of another call: in call 1 from 4.000 to 5.000 s, made for nobody"),
    (without(e.RungTaken, 3), "sound that no event told of: a phrase in call 1 from 10.500 to 12.000 s"),
    (without(e.LocalVoiceSpoke), f"sound that no event told of: {LOCAL}"),
    (instead(e.LocalVoiceSpoke, at=7.1), f"sound that no event told of: {LOCAL}"),
    (instead(SoundPlayed, 0, began=2.4), "sound that no event told of: a phrase in call 1 from 2.400 to 3.500 s"),
    (also(sound(12.5, 12.7, of="phrase")), f"sound that no event told of: {LATE}"),
    (also(sound(11.0, 11.5)), "sound that nobody asked for: in call 1 from 11.000 to 11.500 s"),
    (also(sound(11.0, 11.5, of="")), "sound of another call: in call 1 from 11.000 to 11.500 s, made for nobody"),
]  # fmt: skip


@pytest.mark.parametrize(("tamper", "line"), WAITING, ids=lambda value: value if isinstance(value, str) else "")
def test_a_broken_rule_is_told(tamper: Tamper, line: str) -> None:
    """With the reply or the sound, and the time."""
    told = broken(tamper(waiting()))
    assert line in told
    assert len(told) <= 5


def test_without_a_ladder_there_are_no_rungs_but_the_cache() -> None:
    """A scenario that does not switch it on has none."""
    told = broken(waiting(), Scenario(name="test"))
    assert [line.partition(",")[0] for line in told] == [
        "a rung that the settings do not have: filler",
        "a rung that the settings do not have: filler",
        "a rung that the settings do not have: noise",
        "a rung that the settings do not have: 3 more",
    ]


# --- over a link ---


def test_over_a_link_sound_goes_on_until_the_clear_arrives() -> None:
    """And over the end of the call, as long as word of that is under way; no longer."""
    longer = instead(SoundPlayed, ended=5.1)(story())
    assert broken(longer, REMOTE) == []
    assert broken(longer) == ["sound after a cut: in call 1 from 2.500 to 5.100 s, cleared at 5.000 s"]
    told = broken(instead(SoundPlayed, ended=5.11)(story()), REMOTE)
    assert told == ["sound after a cut: in call 1 from 2.500 to 5.110 s, cleared at 5.000 s"]
    over = story()
    over[-4:-4] = [asked(12.0, reply=3), piece(12.0, reply=3), ended_reply(20.0, reply=3)]
    over[-1] = world(requests=3)
    assert broken([*over[:-3], sound(19.0, 20.1), *over[-3:]], REMOTE) == []
    assert broken([*over[:-3], sound(19.0, 20.2), *over[-3:]], REMOTE) == [
        "sound outside a call: in call 1 from 19.000 to 20.200 s"
    ]


def test_over_a_link_the_next_reply_may_be_asked_for_before_the_last_has_sounded() -> None:
    """What is told late is judged by what held when it was sent."""
    events = [event for event in story() if not isinstance(event, SoundPlayed)]
    asks = [event for event in events if event.at == 7.0]
    at = events.index(asks[0])
    soon = [attrs.evolve(event, at=5.02) for event in asks]
    events[at : at + len(asks)] = [*soon, sound(2.5, 5.1), sound(5.12, 9.0)]
    assert broken(events, REMOTE) == []
    events[at + len(asks)] = sound(2.5, 5.15)
    assert broken(events, REMOTE) == ["sound after a cut: in call 1 from 2.500 to 5.150 s, cleared at 5.000 s"]
