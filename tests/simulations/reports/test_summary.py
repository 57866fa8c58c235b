"""The summary is the object of the design's section 6, each figure as reckoned by hand."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import events as e
from orchestrator.events import Event
from simulations.reports.summary import RunFacts, Summary, summarise
from tests.simulations.moments import (
    asked,
    began,
    first_audio,
    first_word,
    freed,
    gapped,
    granted,
    join,
    joined,
    local_voice,
    over,
    piece,
    piece_over,
    ready,
    rung,
    turn_over,
)
from tests.simulations.stories import tell

FACTS = RunFacts(calls=2, seconds=10.0, seed=7, profile="fast", slots=1, links=5)
BOOKS = {
    "slots": 1, "links": 5, "in_flight": 0, "max_in_flight": 1, "sockets": 2, "max_open": 4, "opened": 4,
    "refused_concurrency": 0, "refused_rate": 1, "refused_links": 2, "refused_auth": 0, "errors": 3, "requests": 9,
}  # fmt: skip
SPREAD = ["p50", "p95", "p99", "max", "count"]


def summary_of(*events: Event, run: RunFacts = FACTS) -> dict[str, Any]:
    """Return the summary of these events with the books above."""
    return summarise(events, run=run, books=BOOKS)


def test_it_has_exactly_the_keys_of_section_6_in_their_order() -> None:
    """Top level and nested, and no groups where no call has one."""
    found = summary_of()
    assert list(found) == [
        "schema", "calls", "seconds", "seed", "policy", "profile", "turns", "pieces",
        "breaks_inside_sentences_per_100", "wait_s", "first_audio_s", "response_s", "dead_air_s", "gaps", "slot",
        "links", "provider", "words", "rungs", "local_voice_share", "barge_ins", "holds_resumed", "calls_refused",
        "calls_failed", "fairness", "loop_lag_s", "legs",
    ]  # fmt: skip
    nested = {key: list(value) for key, value in found.items() if isinstance(value, dict)}
    assert nested == {
        "wait_s": [*SPREAD, "censored"],
        "first_audio_s": SPREAD,
        "response_s": SPREAD,
        "dead_air_s": SPREAD,
        "gaps": ["over_100ms", "per_100_turns", "p95_s", "causes"],
        "slot": ["limit", "utilisation", "max_in_flight", "seconds_per_call"],
        "links": ["limit", "opened", "max_open", "dropped"],
        "provider": ["refused_concurrency", "refused_rate", "refused_links", "errors"],
        "words": ["reply", "heard", "cut", "unspoken"],
        "rungs": ["cache", "filler", "noise", "brief", "local_voice", "apology"],
        "fairness": ["jain", "largest_lag_s"],
        "loop_lag_s": SPREAD,
        "legs": ["late_frames", "dropped_frames"],
    }
    assert list(found["gaps"]["causes"]) == ["slot", "provider", "text"]


def test_a_small_run_by_hand() -> None:
    """Two calls, two replies, three pieces; every figure follows from the events below."""
    found = summary_of(
        began(0.0), began(0.0, call="2"),
        turn_over(1.0), asked(1.0), ready(2.0), joined(2.0), granted(2.0, wait=0.0), piece(2.0, breaks=True),
        first_audio(2.1), first_word(2.1), freed(3.0, held=1.0),
        turn_over(2.0, call="2"), asked(2.0, call="2"), ready(2.5, call="2"), joined(2.5, call="2", ticket=2),
        granted(3.0, call="2", ticket=2, wait=0.5, account=1.0), piece(3.0, call="2"),
        first_audio(3.1, call="2"), first_word(3.1, call="2"), freed(5.0, held=2.0, call="2", ticket=2),
        joined(4.0, ticket=3, first=False), granted(5.0, ticket=3, first=False), piece(5.0),
        join(4.8, 0.3), gapped(4.8, 0.3), freed(6.0, held=1.0, ticket=3),
        over(8.0, heard=7, cut=3), e.BargedIn(at=8.0, call="1", reply=1), over(8.0, heard=4, call="2"),
        e.RunEnded(at=10.0, reason="finished"),
    )  # fmt: skip
    assert (found["turns"], found["pieces"], found["barge_ins"]) == (2, 3, 1)
    assert found["breaks_inside_sentences_per_100"] == pytest.approx(33.333333)
    assert found["wait_s"] == {"p50": 0.0, "p95": 0.5, "p99": 0.5, "max": 0.5, "count": 2, "censored": 0}
    assert found["first_audio_s"] == {"p50": 0.1, "p95": 0.6, "p99": 0.6, "max": 0.6, "count": 2}
    assert found["response_s"] == {"p50": 1.1, "p95": 1.1, "p99": 1.1, "max": 1.1, "count": 2}
    assert found["dead_air_s"] == {"p50": 0.2, "p95": 0.4, "p99": 0.4, "max": 0.4, "count": 2}
    causes = {"slot": 1, "provider": 0, "text": 0}
    assert found["gaps"] == {"over_100ms": 1, "per_100_turns": 50.0, "p95_s": 0.3, "causes": causes}
    assert found["slot"] == {"limit": 1, "utilisation": 0.4, "max_in_flight": 1, "seconds_per_call": [2.0, 2.0]}
    assert found["words"] == {"reply": 14, "heard": 11, "cut": 3, "unspoken": 0}
    assert found["fairness"]["jain"] == 1.0


def test_the_books_are_the_providers_own() -> None:
    """What the provider counted is told as it counted it, and null where it tells nobody."""
    found = summary_of(e.LinkOpened(at=0.1, link=1, after=0.1))
    assert found["provider"] == {"refused_concurrency": 0, "refused_rate": 1, "refused_links": 2, "errors": 3}
    assert found["links"] == {"limit": 5, "opened": 1, "max_open": 4, "dropped": 0}
    blind = summarise([], run=FACTS, books=None)
    assert set(blind["provider"].values()) == {None}
    assert (blind["slot"]["max_in_flight"], blind["links"]["max_open"]) == (None, None)


def test_a_link_that_went_with_its_request_was_dropped() -> None:
    """Its slot comes back as settled; every other cause leaves the link alone."""
    causes = ("complete", "unused", "settled", "refused", "failed")
    pairs = [
        (granted(at, ticket=at), freed(at + 0.5, ticket=at, held=0.5, cause=cause)) for at, cause in enumerate(causes)
    ]
    assert summary_of(*(event for pair in pairs for event in pair))["links"]["dropped"] == 1


def test_a_failed_call_counts_once() -> None:
    """Whether its bot failed, and how often, or the call itself."""
    bot = {"bot": "b", "hook": "reply", "error": "x", "traceback": ""}
    found = summary_of(
        e.BotFailed(at=1, call="1", **bot), e.BotFailed(at=2, call="1", **bot),
        e.CallFailed(at=3, call="1", error="x", traceback=""), e.CallFailed(at=3, call="2", error="x", traceback=""),
    )  # fmt: skip
    assert found["calls_failed"] == 2


def test_lag_frames_and_resumed_holds_are_told() -> None:
    """Loop lag by percentiles, frames as the legs counted them."""
    lags = [e.LoopLag(at=n, seconds=n / 1000) for n in range(1, 101)]
    run = RunFacts(calls=1, seconds=1, late_frames=3, dropped_frames=0)
    found = summary_of(*lags, e.ReplyResumed(at=1, call="1", reply=1), run=run)
    assert found["loop_lag_s"] == {"p50": 0.05, "p95": 0.095, "p99": 0.099, "max": 0.1, "count": 100}
    assert found["legs"] == {"late_frames": 3, "dropped_frames": 0}
    assert found["holds_resumed"] == 1


def test_nothing_happened() -> None:
    """A run without events has no rates and no percentiles, but is told in full."""
    found = summarise([], run=RunFacts(calls=0, seconds=0.0), books=None)
    assert (found["turns"], found["gaps"]["per_100_turns"], found["slot"]["utilisation"]) == (0, None, None)
    assert found["fairness"] == {"jain": None, "largest_lag_s": None}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_an_empty_reply_is_no_turn() -> None:
    """The bot was asked and said nothing: nobody had a go at speaking."""
    assert summary_of(asked(0.0), over(1.0), asked(2.0, reply=2))["turns"] == 1


def test_an_interrupted_run_lasted_less() -> None:
    """Its seconds and the slot's use are of the time that it lasted."""
    found = summary_of(granted(0.0), e.RunEnded(at=4.0, reason="interrupted"))
    assert (found["seconds"], found["slot"]["utilisation"]) == (4.0, 1.0)


def test_groups_are_summaries_of_their_calls() -> None:
    """Same keys, their own calls only; what belongs to the whole run is null."""
    found = summary_of(
        began(0.0, call="1", group="chat"), began(0.0, call="2", group="monologue"), asked(1.0), asked(1.0, call="2"),
        over(2.0, heard=2), over(3.0, heard=5, call="2"), e.LinkOpened(at=0.0, link=1, after=0.1),
    )  # fmt: skip
    groups = found["groups"]
    assert list(found)[-1] == "groups"
    assert list(groups) == ["chat", "monologue"]
    assert [group["words"]["heard"] for group in groups.values()] == [2, 5]
    assert [(group["calls"], group["turns"]) for group in groups.values()] == [(1, 1), (1, 1)]
    assert all([*group] == [*found][:-1] for group in groups.values())
    assert groups["chat"]["links"] == {"limit": None, "opened": None, "max_open": None, "dropped": 0}


def test_groups_come_in_the_order_of_the_scenario() -> None:
    """And not in that of their first events; one without a call is left out."""
    run = attrs.evolve(FACTS, groups=("monologue", "unheard", "chat"))
    found = summary_of(began(0.0, call="1", group="chat"), began(0.0, call="2", group="monologue"), run=run)
    assert list(found["groups"]) == ["monologue", "chat"]


def test_rungs_are_counted_by_their_names() -> None:
    """Each as often as a reply stepped onto it; one that nobody took is nought."""
    found = summary_of(rung(1.0, "filler"), rung(2.0, "noise"), rung(3.0, "filler", reply=2), rung(4.0, "local_voice"))
    assert found["rungs"] == {"cache": 0, "filler": 2, "noise": 1, "brief": 0, "local_voice": 1, "apology": 0}


def test_the_local_voices_share_is_of_all_sound_of_replies() -> None:
    """Its seconds beside those that the provider sent; nothing of nothing is nought."""
    found = summary_of(piece_over(1.0, audio=2.5), local_voice(2.0, 1.0), piece_over(4.0, audio=0.5))
    assert found["local_voice_share"] == 0.25
    assert summary_of(local_voice(1.0, 1.0))["local_voice_share"] == 1.0
    assert summary_of()["local_voice_share"] == 0.0


def refused(at: float, call: str) -> e.CallRefused:
    """There is no place for the call."""
    return e.CallRefused(at=at, call=call, reason="full", calls=4, places=4)


def test_refused_calls_are_counted_and_have_no_share() -> None:
    """Also by group; a call that was refused is none of those among whom the slot is shared."""
    found = summary_of(
        began(0.0, group="chat"), granted(0.0), freed(2.0, held=2.0), began(1.0, call="2", group="chat"),
        refused(1.0, "2"), refused(2.0, "3"),
    )  # fmt: skip
    assert (found["calls_refused"], found["groups"]["chat"]["calls_refused"]) == (2, 1)
    assert (found["slot"]["seconds_per_call"], found["fairness"]["jain"]) == ([2.0], 1.0)
    assert found["groups"]["chat"]["calls"] == 1


def test_phrases_use_the_slot_and_are_no_call() -> None:
    """They are in its use, and in nobody's seconds."""
    found = summary_of(began(0.0), granted(1.0, call="phrases"), freed(2.0, held=1.0, call="phrases"))
    assert (found["slot"]["utilisation"], found["slot"]["seconds_per_call"]) == (0.1, [0.0])


def test_places_are_told_where_admission_is_on() -> None:
    """Before the groups, and of the whole run only; without PlacesChanged the object is that of section 6."""
    places = e.PlacesChanged(at=0.0, places=2, fitting=2, p95_wait=None)
    found = summary_of(places, began(0.0, group="chat"), refused(5.0, "2"))
    assert list(found)[-2:] == ["admission", "groups"]
    assert found["admission"] == {"places": 2, "mean_places": 2.0, "occupancy": 0.5, "refused": 1, "queued": 0}
    assert "admission" not in found["groups"]["chat"]


@given(st.lists(st.tuples(*[st.integers(0, 500)] * 3), max_size=20))
def test_words_add_up(replies: list[tuple[int, int, int]]) -> None:
    """heard + cut + unspoken is what was said, over any replies."""
    ended = [over(n, heard=h, cut=c, unspoken=u, reply=n) for n, (h, c, u) in enumerate(replies)]
    words = summary_of(*ended)["words"]
    assert words["heard"] + words["cut"] + words["unspoken"] == words["reply"] == sum(map(sum, replies))


def test_a_sink_sees_what_a_list_shows() -> None:
    """Event by event or all at once, a whole run comes to the same figures."""
    story, sink = tell(seed=5), Summary()
    for event in story.events:
        sink.add(event)
    run = RunFacts(calls=4, seconds=60.0, slots=1, links=5)
    found = sink.result(run=run, books=BOOKS)
    assert found == summarise(story.events, run=run, books=BOOKS)
    assert found["wait_s"]["count"] == found["turns"] > 10
    assert sum(found["slot"]["seconds_per_call"]) == pytest.approx(60 * found["slot"]["utilisation"], abs=1e-4)
