"""What a run of simulated calls came to: the object of DESIGN.md 6, null where a caller can't know, and a headline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from orchestrator.settings import RUNGS
from simulations.carriers.calling import CallResult, Outcome
from simulations.load.measures import Heard
from simulations.reports.headline import figure
from simulations.reports.percentiles import percentile, spread
from simulations.reports.summary import SCHEMA

FULL = (429, 503)
"""HTTP's answers to an upgrade that mean: no place for another call."""

_NO_RIGHT = ("HTTP 401", "HTTP 403")


@frozen(kw_only=True)
class RunFacts:
    """What the command knows of its run: calls at a time, seconds that it lasted, by which carrier."""

    calls: int
    seconds: float
    seed: int
    carrier: str


@define
class Tally:
    """What all calls of a run came to, added up call by call."""

    placed: int = 0
    connected: int = 0
    refused: int = 0
    failed: int = 0
    ended_by_bot: int = 0
    caller_turns: int = 0
    keys: int = 0
    unanswered: int = 0
    barge_ins: int = 0
    unstopped: int = 0
    dropped_frames: int = 0
    gaps: int = 0
    late_frames: int = 0
    lost_echoes: int = 0
    frames_sent: int = 0
    seconds_heard: float = 0.0
    responses: list[float] = field(factory=list)
    stops: list[float] = field(factory=list)
    dry: list[float] = field(factory=list)
    connect: list[float] = field(factory=list)
    echoes: list[float] = field(factory=list)
    reasons: Counter[str] = field(factory=Counter)
    complaints: Counter[str] = field(factory=Counter)

    def add(self, call: CallResult, heard: Heard) -> None:
        """Add a call that is over."""
        self.placed += 1
        if call.connected is not None:
            self.connected += 1
            self.connect.append(call.connected - call.dialled)
        self._end(call)
        line = call.line
        self.caller_turns += sum(turn.ended is not None for turn in line.turns)
        self.keys += line.keys
        self.frames_sent += line.frames
        self.seconds_heard += line.carrier.playback.position(call.dialled if call.ended is None else call.ended)
        self.complaints.update(line.carrier.complaints)
        self.responses += heard.responses
        self.unanswered += heard.unanswered
        self.barge_ins += len(heard.barge_ins)
        self.stops += [seconds for seconds in heard.barge_ins if seconds is not None]
        self.unstopped += sum(seconds is None for seconds in heard.barge_ins)
        self.dry += heard.dry
        self.gaps += heard.gaps
        self.late_frames += heard.late_frames
        self.dropped_frames += heard.dropped_frames

    def add_echo(self, times: Iterable[float], *, lost: int) -> None:
        """Add a line's marked frames."""
        self.echoes += times
        self.lost_echoes += lost

    def _end(self, call: CallResult) -> None:
        if call.outcome is Outcome.REFUSED and call.status in FULL:
            self.refused += 1
        elif call.outcome in (Outcome.REFUSED, Outcome.FAILED):
            self.failed += 1
        elif call.outcome is Outcome.BOT:
            self.ended_by_bot += 1
        if call.outcome in (Outcome.REFUSED, Outcome.FAILED):
            self.reasons[call.reason] += 1


def summary(tally: Tally, run: RunFacts, *, lateness: Sequence[float]) -> dict[str, Any]:
    """Return the object of section 6; `load` holds what only the caller's side can tell.

    `turns` are answers of the bot; `legs` counts what the caller's buffer saw; `load.pacing_s` is how late this program
    itself was: figures far below it mean little.
    """
    answers = len(tally.responses)
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "calls": run.calls,
        "seconds": run.seconds,
        "seed": run.seed,
        "turns": answers,
        "response_s": spread(tally.responses),
        "gaps": {
            "over_100ms": tally.gaps,
            "per_100_turns": 100 * tally.gaps / answers if answers else None,
            "p95_s": percentile(tally.dry, 95),
            "causes": dict.fromkeys(("slot", "provider", "text")),
        },
        "barge_ins": tally.barge_ins,
        "calls_refused": tally.refused,
        "calls_failed": tally.failed,
        "legs": {"late_frames": tally.late_frames, "dropped_frames": tally.dropped_frames},
        "load": _load(tally, run, lateness=lateness),
    }
    figures: dict[str, Any] = rounded({**_UNKNOWN, **found})
    return figures


def _load(tally: Tally, run: RunFacts, *, lateness: Sequence[float]) -> dict[str, Any]:
    return {
        "as": run.carrier,
        "placed": tally.placed,
        "connected": tally.connected,
        "ended_by_bot": tally.ended_by_bot,
        "connect_s": spread(tally.connect),
        "caller_turns": tally.caller_turns,
        "keys": tally.keys,
        "unanswered": tally.unanswered,
        "barge_in_s": spread(tally.stops),
        "barge_ins_not_stopped": tally.unstopped,
        "echo_s": spread(tally.echoes),
        "echoes_lost": tally.lost_echoes,
        "frames_sent": tally.frames_sent,
        "seconds_heard": tally.seconds_heard,
        "errors": dict(tally.reasons.most_common()),
        "complaints": dict(tally.complaints.most_common()),
        "pacing_s": spread(lateness),
    }


_LATENCY = dict.fromkeys(("p50", "p95", "p99", "max", "count"))
_UNKNOWN: Mapping[str, Any] = {
    "schema": None,
    "calls": None,
    "seconds": None,
    "seed": None,
    "policy": None,
    "profile": None,
    "turns": None,
    "pieces": None,
    "breaks_inside_sentences_per_100": None,
    "wait_s": {**_LATENCY, "censored": None},
    "first_audio_s": _LATENCY,
    "response_s": None,
    "dead_air_s": _LATENCY,
    "gaps": None,
    "slot": dict.fromkeys(("limit", "utilisation", "max_in_flight", "seconds_per_call")),
    "links": dict.fromkeys(("limit", "opened", "max_open", "dropped")),
    "provider": dict.fromkeys(("refused_concurrency", "refused_rate", "refused_links", "errors")),
    "words": dict.fromkeys(("reply", "heard", "cut", "unspoken")),
    "rungs": dict.fromkeys(RUNGS),
    "local_voice_share": None,
    "barge_ins": None,
    "holds_resumed": None,
    "calls_refused": None,
    "calls_failed": None,
    "fairness": dict.fromkeys(("jain", "largest_lag_s")),
    "loop_lag_s": _LATENCY,
    "legs": None,
}
"""All keys, in the order of section 6."""


def rounded(value: Any) -> Any:
    """Return the figures to the microsecond."""
    match value:
        case float():
            return round(value, 6)
        case dict():
            return {key: rounded(each) for key, each in value.items()}
        case list():
            return [rounded(each) for each in value]
    return value


def headline(found: Mapping[str, Any]) -> str:
    """Return what the run came to, to be read in one go."""
    load, gaps, legs = found["load"], found["gaps"], found["legs"]
    refused = f", {found['calls_refused']} refused" if found["calls_refused"] else ""
    told = [
        f"{found['calls']} calls at a time as {load['as']} for {found['seconds']:.0f} s: "
        f"{load['placed']} placed, {load['connected']} connected{refused}, {found['calls_failed']} failed."
    ]
    if load["caller_turns"]:
        told.append(_answers(found))
    elif load["connected"] and not (load["keys"] or load["echo_s"]["count"] or load["echoes_lost"]):
        told.append(_nobody_spoke(load))
    if load["keys"]:
        told.append(f"Callers pressed {load['keys']} keys.")
    if load["barge_in_s"]["count"] or load["barge_ins_not_stopped"]:
        told.append(_barge_ins(load))
    if load["echo_s"]["count"] or load["echoes_lost"]:
        echo = load["echo_s"]
        times = ", ".join(f"{name} {_milliseconds(echo[name])}" for name in ("p50", "p95", "p99", "max"))
        told.append(f"There and back: {times} ({echo['count']} frames, {load['echoes_lost']} lost).")
    told.append(
        f"Gaps over 100 ms inside replies: {gaps['over_100ms']}; late frames: {legs['late_frames']}, "
        f"dropped: {legs['dropped_frames']}."
    )
    told += [
        f"Not connected or broken off: {reason} ({count}){_hint(reason)}" for reason, count in load["errors"].items()
    ]
    told += [f"The carrier complains of {what} ({count})." for what, count in load["complaints"].items()]
    if load["pacing_s"]["count"]:
        told.append(f"This program sent its frames at most {_milliseconds(load['pacing_s']['p99'])} late (99 of 100).")
    return "\n".join(told)


def _hint(reason: str) -> str:
    """Return what may help, and the sentence's mark."""
    return "; does --secret-env (and --signed-url) say what it knows us by?" if reason.endswith(_NO_RIGHT) else "."


def _nobody_spoke(load: Mapping[str, Any]) -> str:
    if load["ended_by_bot"] == load["connected"]:
        return f"No caller spoke before the bot hung up. {_heard(load)}"
    why = "the bot still did" if load["seconds_heard"] else "they waited for the bot"
    return f"No caller spoke: {why} when the calls ended; try longer --seconds. {_heard(load)}"


def _heard(load: Mapping[str, Any]) -> str:
    return f"They heard {load['seconds_heard']:.1f} s of the bot."


def _answers(found: Mapping[str, Any]) -> str:
    response, load = found["response_s"], found["load"]
    times = f"first sound after {figure(response['p50'], 's')} (median), {figure(response['p95'], 's')} (p95)"
    return f"Callers spoke {load['caller_turns']} times, {load['unanswered']} unanswered; {times}. {_heard(load)}"


def _barge_ins(load: Mapping[str, Any]) -> str:
    stops = load["barge_in_s"]
    times = f"{figure(stops['p50'], 's')} (median), {figure(stops['p99'], 's')} (p99)"
    return f"Interrupted, the bot fell silent after {times}; {load['barge_ins_not_stopped']} times it did not."


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{1000 * value:.1f} ms"
