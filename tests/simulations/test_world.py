"""A run of the whole world: its frame, its end whichever that is, and that the same seed tells the same story."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from random import Random

import attrs
import pytest
import trio
from trio._core import _run as trio_internals

from orchestrator.errors import BotLoadError
from orchestrator.events import (
    BargedIn,
    CallEnded,
    CallerHungUp,
    CallStarted,
    Event,
    Outcome,
    ReplyEnded,
    RunEnded,
    RunStarted,
    to_json,
)
from simulations import world
from simulations.scenario import Group, Scenario
from simulations.workload import Traits
from simulations.world import run, run_world
from simulations.world_events import SoundPlayed, WorldClosed
from tests.simulations.alone import SEES_BOTH, watched

LIVELY = Scenario(
    name="lively",
    hours=1 / 30,
    groups=(Group(calls=4, traits=Traits(barge_in=0.4, hang_up=0.2, silent=0.1)), Group(name="b", calls=1)),
)
"""Two minutes with barge-ins, hang-ups and silent callers."""
MODES = {
    "ideal, wire": attrs.evolve(LIVELY, wire=True),
    "ideal, direct": attrs.evolve(LIVELY, wire=False),
    "lifelike, wire": attrs.evolve(LIVELY, wire=True, lifelike=True),
    "lifelike, direct": attrs.evolve(LIVELY, wire=False, lifelike=True),
}
modes = pytest.mark.parametrize("mode", MODES)
BRIEF = {name: attrs.evolve(scenario, hours=1 / 90) for name, scenario in MODES.items()}
"""The same, forty seconds of each: where two processes are compared."""
SHORT = MODES["ideal, direct"]


def digest(events: list[Event]) -> str:
    """Return the SHA-256 of the event log."""
    lines = (json.dumps(to_json(event)) for event in events)
    return sha256("\n".join(lines).encode()).hexdigest()


def in_another_process(code: str, *, hash_seed: str = "0") -> str:
    """Run `code` in a Python of its own, which hashes texts in its own way; return what it printed."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- the order of tasks ---


def order_of_tasks(seed: int) -> list[int]:
    """Return the order in which twenty tasks race for a list."""
    order: list[int] = []

    async def race(number: int) -> None:
        await trio.lowlevel.checkpoint()
        order.append(number)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(race, number)

    with world._order_of_tasks(Random(seed)):
        trio.run(main)
    return order


def test_trio_still_has_the_two_private_names() -> None:
    """If this fails Trio has changed: world.py needs another way to fix the order of tasks."""
    assert isinstance(trio_internals._ALLOW_DETERMINISTIC_SCHEDULING, bool)
    assert isinstance(trio_internals._r, Random)


def test_the_two_names_decide_the_order_of_tasks() -> None:
    """The same seed gives the same order, and other seeds other ones."""
    assert [order_of_tasks(seed) for seed in range(5)] == [order_of_tasks(seed) for seed in range(5)]
    assert len({tuple(order_of_tasks(seed)) for seed in range(5)}) == 5


@pytest.mark.parametrize("name", ["_ALLOW_DETERMINISTIC_SCHEDULING", "_r"])
def test_a_trio_without_the_names_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is missing and what to do, before anything runs."""
    monkeypatch.delattr(trio_internals, name)
    with pytest.raises(RuntimeError, match=rf"has no {name} in trio._core._run: .* install a Trio that"):
        run_world(SHORT, seed=1)


def test_trio_is_as_it_was_afterwards() -> None:
    """However the run ends."""

    def state() -> list[object]:
        return [trio_internals._ALLOW_DETERMINISTIC_SCHEDULING, trio_internals._r]

    def interrupt(_event: Event) -> None:
        raise KeyboardInterrupt

    before = state()
    run_world(attrs.evolve(SHORT, hours=0.01), seed=1)
    assert state() == before
    with pytest.raises(KeyboardInterrupt):
        run_world(SHORT, seed=1, sinks=[interrupt])
    assert state() == before


# --- the same seed, the same story ---

_DIGESTS = """
from simulations.world import run
from tests.simulations.test_world import BRIEF, digest
for name, scenario in BRIEF.items():
    print(name, digest(run(scenario, 7)))
"""


def test_the_same_seed_tells_the_same_story_in_every_process() -> None:
    """Byte for byte, over the wire and without, whatever a process makes of the hashes of texts."""
    here = "".join(f"{name} {digest(run(scenario, 7))}\n" for name, scenario in BRIEF.items())
    other_hashes = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    assert in_another_process(_DIGESTS, hash_seed=other_hashes) == here


@modes
def test_another_seed_tells_another_story(mode: str) -> None:
    """And the story is one: calls begin, replies are interrupted, callers hang up."""
    stories = [run(attrs.evolve(MODES[mode], hours=1 / 60), seed) for seed in (1, 2)]
    assert digest(stories[0]) != digest(stories[1])
    for events in stories:
        kinds = {type(event) for event in events}
        assert kinds >= {BargedIn, CallerHungUp, ReplyEnded, SoundPlayed}


_ALONE = watched(
    """
from simulations.world import run_world
from simulations.world_events import WorldClosed as Ends
from orchestrator.events import RunStarted as Begins
from tests.simulations.test_world import BRIEF
""",
    """
for scenario in BRIEF.values():
    run_world(scenario, seed=3, sinks=[note])
""",
)


def test_no_thread_starts_and_no_socket_opens_inside() -> None:
    """Autojump knows of neither: time would run away from them. That the watch sees both is shown at its end."""
    assert in_another_process(_ALONE).splitlines() == SEES_BOTH


# --- the frame of a run ---


@modes
def test_a_run_has_a_frame(mode: str) -> None:
    """It begins with RunStarted and ends with RunEnded and WorldClosed, after every call has ended; nothing is left."""
    events = run(MODES[mode], 5)
    started, ended, closed = events[0], events[-2], events[-1]
    assert isinstance(started, RunStarted)
    assert (started.at, started.wall, started.seed, started.calls, started.profile) == (0.0, "virtual", 5, 5, "fast")
    assert isinstance(ended, RunEnded)
    assert ended.reason == "finished"
    assert ended.at == pytest.approx(120.0, abs=1.5)
    assert isinstance(closed, WorldClosed)
    assert (closed.tasks, closed.sockets, closed.in_flight) == (0, 0, 0)
    assert sum(isinstance(event, CallStarted) for event in events) == sum(isinstance(e, CallEnded) for e in events)


def test_the_end_cuts_what_is_going_on() -> None:
    """At the end of its time the calls end because the run does, their replies cut; at no earlier time."""
    events = run(SHORT, 2)
    ends = [event for event in events if isinstance(event, CallEnded) and event.reason == "run"]
    assert ends
    assert all(event.at >= 120.0 for event in ends)
    cut = [event for event in events if isinstance(event, ReplyEnded) and event.at >= 120.0]
    assert cut
    assert {event.outcome for event in cut} <= {Outcome.CUT, Outcome.EMPTY}


def test_every_virtual_minute_ticks() -> None:
    """With the time of the run; nothing ends for it."""
    ticks: list[float] = []

    def tick(now: float) -> bool:
        ticks.append(now)
        return False

    ended = run_world(SHORT, seed=1, tick=tick)
    assert ticks == pytest.approx([60.0])
    assert not ended.stopped
    assert ended.seconds == pytest.approx(120.0, abs=1.5)
    assert ended.books["requests"] > 10


def test_a_tick_may_end_the_run() -> None:
    """All is closed then as at its own end; the run says that it was interrupted."""
    events: list[Event] = []
    ended = run_world(SHORT, seed=1, sinks=[events.append], tick=lambda now: now > 50)
    assert ended.stopped
    assert ended.seconds == pytest.approx(60.0, abs=1.5)
    assert isinstance(events[-2], RunEnded)
    assert events[-2].reason == "interrupted"
    assert isinstance(events[-1], WorldClosed)


def test_what_outlives_the_run_is_counted() -> None:
    """A task that nobody ends is told by the last event, and does not keep the run from ending."""

    def leave_one(event: Event) -> None:
        if isinstance(event, RunEnded):
            trio.lowlevel.spawn_system_task(trio.sleep_forever)

    events: list[Event] = []
    run_world(SHORT, seed=1, sinks=[leave_one, events.append])
    assert isinstance(events[-1], WorldClosed)
    assert events[-1].tasks == 1


@modes
def test_ctrl_c_passes_out(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whichever task the signal falls into, it comes out as itself, not wrapped in groups; nobody complains."""

    def press(event: Event) -> None:
        if isinstance(event, ReplyEnded):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_world(MODES[mode], seed=1, sinks=[press])
    assert caplog.records == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_wrong_with_a_scenario_is_raised_as_it_is() -> None:
    """Not wrapped in the groups of the nurseries around it."""
    group = Group(calls=1, bot="nowhere:Nobody")
    with pytest.raises(BotLoadError, match="nowhere"):
        run_world(attrs.evolve(SHORT, groups=(group,)), seed=1)


@pytest.mark.parametrize("mode", ["ideal, wire", "ideal, direct"])
def test_settings_follow_the_provider(mode: str) -> None:
    """The program works with the slots and links that the provider has, and all of them are used."""
    scenario = attrs.evolve(MODES[mode], server=attrs.evolve(LIVELY.server, slots=3, links=9))
    closed = run(scenario, 1)[-1]
    assert isinstance(closed, WorldClosed)
    assert (closed.slots, closed.links) == (3, 9)
    assert closed.max_in_flight > 1
    assert closed.refused_links == 0
