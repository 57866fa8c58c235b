"""The benchmarks measure what they say, and the command tells each figure with its limit and whether it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from simulations.bench import __main__ as command
from simulations.bench import (
    cuts,
    echo_calls,
    hostile,
    hostile_deeds,
    legs,
    local,
    most,
    replies,
    slots,
    speech,
    streams,
    vandals,
    worlds,
)
from simulations.bench.figures import Figure, Tell, least_seconds

FAST = Figure(bench="a", name="quick enough", value=1.0, unit="s", limit=1.0, aim=0.5)
SLOW = Figure(bench="b", name="too slow", value=1.01, unit="s", limit=1.0)


def yielding(*figures: Figure) -> Callable[[Tell], Iterator[Figure]]:
    """A benchmark that finds these figures."""

    def measure(tell: Tell) -> Iterator[Figure]:
        tell("at work")
        yield from figures

    return measure


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command over two benchmarks of which the second misses its limit."""
    monkeypatch.setattr(command, "BENCHES", {"a": yielding(FAST), "b": yielding(FAST, SLOW)})
    return lambda *arguments: command.main(arguments)


def test_a_missed_limit_is_told_and_is_the_exit_status(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each figure on standard output, progress on standard error."""
    assert run() == 1
    told = capsys.readouterr()
    assert [("OVER" in line, "limit 1" in line) for line in told.out.splitlines()] == [
        (False, True),
        (False, True),
        (True, True),
    ]
    assert told.err.splitlines() == ["a: at work", "b: at work"]


def test_only_what_is_asked_for_runs(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """A figure at its limit is inside."""
    assert run("--only", "a") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_json_is_one_object(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """With each figure's limit, and whether all are inside."""
    assert run("--json", "--only", "b") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["inside"]) == (1, False)
    assert [(figure["name"], figure["inside"]) for figure in found["figures"]] == [
        ("quick enough", True),
        ("too slow", False),
    ]
    assert set(found["figures"][0]) == {"bench", "name", "value", "unit", "limit", "aim", "more", "inside"}


def test_a_name_that_is_none_is_wrong_use(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """The names there are, are told."""
    with pytest.raises(SystemExit) as left:
        run("--only", "c")
    assert left.value.code == 2
    assert "'a', 'b'" in capsys.readouterr().err


def test_ctrl_c_leaves_without_a_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 130, as of every command; what was found before has been told."""

    def interrupted(_tell: Tell) -> Iterator[Figure]:
        yield FAST
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "BENCHES", {"a": interrupted})
    assert command.main([]) == 130
    told = capsys.readouterr()
    assert (len(told.out.splitlines()), told.err) == (1, "interrupted\n")


def test_help_tells_of_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    """By the name that --only takes."""
    with pytest.raises(SystemExit):
        command.main(["--help"])
    told = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    assert set(command.BENCHES) <= told


def test_the_quickest_of_several_counts() -> None:
    """The others were disturbed."""
    assert 0 < least_seconds([lambda: sum(range(2_000_000)), lambda: sum(range(200_000))]) < 0.02 * 5


@pytest.mark.parametrize(
    ("measure", "bench", "names"),
    [(slots.measure, "queue", 3), (speech.measure_joiner, "joiner", 2)],
    ids=["queue", "joiner"],
)
def test_quick_parts_are_measured(measure: Callable[[Tell], Iterator[Figure]], bench: str, names: int) -> None:
    """Each figure is of its benchmark, has a name of its own and took some time."""
    figures = list(measure(lambda _line: None))
    assert [figure.bench for figure in figures] == [bench] * names
    assert len({figure.name for figure in figures}) == names
    assert all(figure.value > 0 for figure in figures)


@pytest.mark.sweep
def test_each_voice_that_is_installed_is_measured() -> None:
    """All of them are faster than speech."""
    told: list[str] = []
    figures = list(local.measure(told.append))
    assert len(figures) == len([line for line in told if line != "no voice is installed"])
    assert all(0 < figure.value < 1000 for figure in figures)


def test_replies_are_measured_short_and_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the long one is of thirty clauses: the same parts are told of it, and spoken to their end."""
    for module in (speech, replies):
        monkeypatch.setattr(module, "SHORT", 3)
        monkeypatch.setattr(module, "ENDLESS", 30)
    found = [
        *speech.measure_chunker(lambda _line: None),
        *replies.measure_speaking(lambda _line: None),
        *replies.measure_barge_in(lambda _line: None),
    ]
    assert [figure.bench for figure in found] == ["chunker"] * 2 + ["reply"] * 2 + ["barge-in"] * 4
    assert all(figure.value > 0 for figure in found)


def test_a_call_hour_is_compared_between_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last figure is the dearest of the others to the cheapest."""
    monkeypatch.setattr(worlds, "_GROWTH", ((1, 0.01), (2, 0.01)))
    *each, ratio = (figure.value for figure in worlds.measure_growth(lambda _line: None))
    assert len(each) == 2
    assert ratio == pytest.approx(max(each) / min(each))
    assert ratio >= 1


def test_memory_is_that_of_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds the program, and not what this process has taken before."""
    taken = bytearray(b"x") * 250_000_000
    monkeypatch.setattr(worlds, "_CALLS", 1)
    monkeypatch.setattr(worlds, "_HOURS", (0.01, 0.02))
    peak, more = (figure.value for figure in worlds.measure_memory(lambda _line: None))
    assert len(taken) > 2**20 * peak > 2**24
    assert abs(more) < 50


@pytest.mark.realtime
def test_streams_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few on real sockets: each second of them costs the provider something, and chunks come after they are made."""
    monkeypatch.setattr(streams, "STREAMS", 3)
    monkeypatch.setattr(streams, "_SECONDS", 1.0)
    monkeypatch.setattr(streams, "_SPREAD", 0.5)
    cost, late = streams.measure(lambda _line: None)
    assert 0 < cost.value < 5 * cost.limit
    assert -1 < late.value < 5 * late.limit


@pytest.mark.sweep
@pytest.mark.realtime
def test_vandals_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few on real sockets, from a process of their own, beside an honest client that hears all of its text."""
    told: list[str] = []
    monkeypatch.setattr(vandals, "VANDALS", 12)
    monkeypatch.setattr(vandals, "_SECONDS", 3.0)
    memory, sockets, gaps = vandals.measure(told.append)
    assert memory.value < 5 * memory.limit
    assert sockets.inside
    assert gaps.value < 5 * gaps.limit
    assert int(told[-1].split()[0]) > 0


@pytest.mark.realtime
def test_legs_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few on real sockets, served by a process of their own: each figure is there, and no frame is missing."""
    for name, value in [("ECHO_LEGS", 3), ("TALKING_LEGS", 3), ("_ECHO_SECONDS", 1.0), ("_TALK_SECONDS", 1.0)]:
        monkeypatch.setattr(legs, name, value)
    monkeypatch.setattr(legs, "_WARM", 0.3)
    cores, usual, _slow, _memory = legs.measure_echo(lambda _line: None)
    assert 0 < cores.value < 5 * cores.limit
    assert 0 < usual.value < 5 * usual.limit
    late, *rest = legs.measure_pacing(lambda _line: None)
    assert 0 <= late.value < 5 * late.limit
    assert len(rest) == 6


def test_where_more_is_better_the_limit_is_the_least() -> None:
    """The line says so."""
    enough = Figure(bench="a", name="many", value=130, unit="legs", limit=130, more=True)
    assert enough.inside
    assert "inside (at least 130)" in enough.line()
    assert not Figure(bench="a", name="few", value=129, unit="legs", limit=130, more=True).inside


@pytest.mark.realtime
def test_cuts_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few whole calls on real sockets: the bots talk, and nearly every interruption leads to a clear."""
    told: list[str] = []
    monkeypatch.setattr(cuts, "LEGS", 5)
    monkeypatch.setattr(cuts, "_SECONDS", 3.0)
    usual, slow, worst = cuts.measure(told.append)
    assert 0 < usual.value <= slow.value <= worst.value < 5 * worst.limit
    assert int(told[-1].split()[0]) >= 3


@pytest.mark.realtime
def test_the_most_legs_are_those_before_echoes_are_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the numbers that are tried; where even the first is too many, none."""
    monkeypatch.setattr(most, "LEGS", (2, 3))
    monkeypatch.setattr(most, "_SECONDS", 0.5)
    monkeypatch.setattr(echo_calls, "_WARM", 0.3)
    monkeypatch.setattr(most, "_WITHIN", 1000.0)
    (figure,) = most.measure(lambda _line: None)
    assert figure.value == 3
    assert not figure.inside
    monkeypatch.setattr(most, "_WITHIN", 0.0)
    (figure,) = most.measure(lambda _line: None)
    assert figure.value == 0


@pytest.mark.sweep
@pytest.mark.realtime
def test_hostile_connections_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of deed, beside honest calls that all last; the server ends while they go on."""
    told: list[str] = []
    for name, value in [("HOSTILE", 18), ("_SECONDS", 2.0), ("_QUIET_SECONDS", 1.0)]:
        monkeypatch.setattr(hostile, name, value)
    trip, memory, shutdown = hostile.measure(told.append)
    assert 0 < trip.value < 5 * trip.limit
    assert memory.inside
    assert shutdown.value < 5 * shutdown.limit
    (deeds,) = (line for line in told if line.startswith("deeds"))
    assert all(deed.__name__ in deeds for deed in hostile_deeds.DEEDS)
