"""Says a run's summary in a sentence and a few tiles; nothing is counted here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from simulations.reports.markup import element

Figures = Mapping[str, Any]

_LONG_SILENCE = 1.0
"""Seconds of dead air that are worth a sentence."""


def figure(value: float | None, unit: str) -> str:
    """Return the figure with its unit, as exact as a reader needs it; a dash for what is not known."""
    if value is None:
        return "–"
    if unit == "%":
        return f"{value:.0f} %"
    return f"{value:.1f} {unit}" if value >= 10 else f"{value:.2f} {unit}"


def sentence(summary: Figures) -> str:
    """Return what the run came to, to be read in one go."""
    wait, response, provider = summary["wait_s"], summary["response_s"], summary["provider"]
    limit = summary["slot"]["limit"]
    slots = {None: "the account's slots", 1: "one slot"}.get(limit, f"{limit} slots")
    told = [f"{_count(summary['calls'], 'call')} talked for {summary['seconds']:.0f} s over {slots}."]
    if wait["count"]:
        told.append(f"Of {_count(wait['count'], 'wait')} for it, 95 of 100 lasted at most {figure(wait['p95'], 's')}.")
    if response["count"]:
        told.append(f"Callers heard the first word {figure(response['p50'], 's')} after they fell silent (median).")
    dry = f"Inside replies the sound {_ran_dry(summary['gaps']['over_100ms'])}."
    told.append(dry if summary["turns"] else "No reply was made.")
    if (summary["dead_air_s"]["max"] or 0.0) >= _LONG_SILENCE:
        told.append(f"The most dead air in one reply, added up, was {figure(summary['dead_air_s']['max'], 's')}.")
    told += _beside_the_provider(summary)
    if summary["words"]["unspoken"]:
        told.append(f"{_count(summary['words']['unspoken'], 'word')} remained unspoken.")
    if summary["slot"]["max_in_flight"] is not None:
        most, refused = summary["slot"]["max_in_flight"], provider["refused_concurrency"]
        told.append(f"The provider saw at most {_count(most, 'request')} at a time and refused {refused or 'none'}.")
    return " ".join(told)


def _beside_the_provider(summary: Figures) -> list[str]:
    """What callers heard instead of the provider's voice, and who was not taken."""
    share, refused, fillers = summary["local_voice_share"], summary["calls_refused"], summary["rungs"]["filler"]
    told = [f"While replies waited {_count(fillers, 'filler')} sounded."] if fillers else []
    if share:
        told.append(f"The local voice spoke {100 * share:.1f} % of the sound.")
    if refused:
        told.append(f"{_count(refused, 'call')} found no place.")
    return told


def tiles(summary: Figures) -> Element:
    """Return the headline figures, coloured where they have to be right."""
    wait, response, gaps, words = (summary[name] for name in ("wait_s", "response_s", "gaps", "words"))
    slot, links, provider = summary["slot"], summary["links"], summary["provider"]
    busy = None if slot["utilisation"] is None else 100 * slot["utilisation"]
    refused = sum(provider[name] or 0 for name in ("refused_concurrency", "refused_rate", "refused_links"))
    return element(
        "div",
        _tile(figure(wait["p95"], "s"), "p95 wait for the slot", more=f"median {figure(wait['p50'], 's')}"),
        _tile(figure(response["p50"], "s"), "median response", more=f"p95 {figure(response['p95'], 's')}"),
        _tile(
            str(gaps["over_100ms"]), "gaps over 100 ms", more=f"in {_count(summary['turns'], 'reply', many='replies')}"
        ),
        _tile(figure(busy, "%"), "of the slot in use", more=_count(summary["pieces"], "piece")),
        _tile(
            f"{_known(slot['max_in_flight'])} of {_known(slot['limit'])}",
            "requests at a time, at most",
            more=f"{_known(links['max_open'])} of {_known(links['limit'])} sockets",
            good=_within(slot["max_in_flight"], slot["limit"]) and _within(links["max_open"], links["limit"]),
        ),
        _tile(
            str(refused) if provider["refused_concurrency"] is not None else "–",
            "refusals by the provider",
            more=f"{_known(provider['errors'])} errors",
            good=None if provider["refused_concurrency"] is None else not (refused or provider["errors"]),
        ),
        _tile(str(words["heard"]), "words heard", more=f"{words['cut']} cut, {words['unspoken']} unspoken"),
        _tile(
            str(summary["calls_failed"]),
            "calls failed",
            more=f"{_count(summary['barge_ins'], 'barge-in')}, {summary['calls_refused']} refused",
            good=not summary["calls_failed"],
        ),
        class_="tiles",
    )


def _tile(value: str, name: str, *, more: str, good: bool | None = None) -> Element:
    mood = {None: "", True: " good", False: " bad"}[good]
    return element("div", element("b", value), element("span", name), element("small", more), class_=f"tile{mood}")


def _within(most: int | None, limit: int | None) -> bool | None:
    return None if most is None or limit is None else most <= limit


def _known(value: object) -> str:
    return "–" if value is None else str(value)


def _count(number: int, one: str, *, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _ran_dry(times: int) -> str:
    return {0: "never ran dry", 1: "ran dry once", 2: "ran dry twice"}.get(times, f"ran dry {times} times")
