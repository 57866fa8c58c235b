"""Decides what the observations of a probe mean: one finding each, or why it is unknown; pure. How they are printed is
wording.py's."""

from __future__ import annotations

import math
import re
from statistics import median

import attrs
from attrs import frozen

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.probe.counting import (
    Finding,
    filled,
    links_found,
    links_refusal_found,
    more_links,
    slots_found,
    told,
    unknown,
)
from orchestrator.probe.plan import SHORT, rtf_of
from orchestrator.probe.seen import Hold, Look, Round, Seen

LATE = 0.5
"""Seconds after the last sound from which on a `complete` is late, and its slot may be free before."""

_LEAST_SETTLE = 0.02
"""Seconds, where a cut request seemed not to count at all: the setting is never zero."""
_NOT_FILLED = Finding(None, "it is not known whether the requests that were cut filled the account")


@frozen(kw_only=True)
class Findings:
    """All findings. Times are in seconds; what is a setting, too, has the setting's name."""

    slots: Finding
    links: Finding
    links_refused_with: Finding
    ttfb: Finding
    rtf: Finding
    closing_frees_slot: Finding
    settle: Finding
    complete_trails: Finding
    complete_closes: Finding
    backoff_holds_slot: Finding
    idle_context_holds_slot: Finding
    slot_freed_by: Finding
    word_timestamps: Finding
    retry_after: Finding
    links_retry_after: Finding
    requests_per_minute: Finding
    others: Finding

    @classmethod
    def of(cls, seen: Seen) -> Findings:
        """Return what was found."""
        return cls(
            slots=slots_found(seen),
            links=links_found(seen),
            links_refused_with=links_refusal_found(seen),
            ttfb=_ttfb(seen),
            rtf=_rtf(seen),
            closing_frees_slot=_closing_frees(seen),
            settle=_settle(seen),
            complete_trails=_trail(seen),
            complete_closes=_complete_closes(seen),
            backoff_holds_slot=_held(seen, seen.backoff),
            idle_context_holds_slot=_held(seen, seen.context),
            slot_freed_by=_freed_by(seen),
            word_timestamps=_words(seen),
            retry_after=_retry_after(seen),
            links_retry_after=_links_retry_after(seen),
            requests_per_minute=_rate(seen),
            others=_others(seen),
        )

    def items(self) -> list[tuple[str, Finding]]:
        """Return all by their names."""
        return list(attrs.asdict(self, recurse=False).items())


# --- speed ---


def _ttfb(seen: Seen) -> Finding:
    times = [asked.ttfb for asked in seen.alone if asked.ttfb is not None]
    if not times:
        return unknown(seen, "no sound came")
    return Finding(median(times), f"{min(times):.3f} to {max(times):.3f} s in {len(times)} requests")


def _rtf(seen: Seen) -> Finding:
    value = rtf_of(seen.alone)
    if value is None:
        return unknown(seen, "all sound came at once")
    texts = (
        ("short", [asked for asked in seen.alone if asked.characters <= SHORT]),
        ("longer", [asked for asked in seen.alone if asked.characters > SHORT]),
    )
    parts = [f"{found:.3f} with {name} texts" for name, asked in texts if (found := rtf_of(asked)) is not None]
    return Finding(value, ", ".join(parts))


# --- what a cut request leaves behind ---


def _soonest(seen: Seen) -> Round | Finding:
    """The round in which a request was served soonest after the cut: others can only make it later; or why none is."""
    most = max((one.held for one in seen.rounds), default=0)
    rounds = (one for one in seen.rounds if one.held == most)
    found = min(rounds, key=lambda one: one.tries[-1].after, default=None)
    if found is None:
        return unknown(seen, "it was not tried")
    return found if filled(seen, found) else _NOT_FILLED


def _closing_frees(seen: Seen) -> Finding:
    found = _soonest(seen)
    if isinstance(found, Finding):
        return found
    after = found.tries[-1].after
    if after < found.ends:
        return Finding(
            True, f"served again {after:.2f} s after the cut; by themselves they had gone on for {found.ends:.1f} s"
        )
    return Finding(None, f"served again {after:.2f} s after the cut, and by then they would have ended by themselves")


def _settle(seen: Seen) -> Finding:
    found = _soonest(seen)
    if isinstance(found, Finding):
        return found
    after = found.tries[-1].after
    refused = f"refused {found.tries[-2].after:.2f} s, " if len(found.tries) > 1 else ""
    value = max(_LEAST_SETTLE, math.ceil(round(100 * after, 6)) / 100)
    return Finding(value, f"{refused}served {after:.2f} s after requests were cut")


# --- `complete`, contexts, words ---


def late_complete(seen: Seen) -> bool:
    """Whether `complete` comes late although no back-off is asked for."""
    trail = _trail(seen).value
    return trail is not None and trail > LATE


def _trail(seen: Seen) -> Finding:
    trails = [asked.trail for asked in seen.alone if asked.trail is not None]
    if not trails:
        return unknown(seen, "no `complete` came")
    return Finding(median(trails), f"`complete` came {median(trails):.2f} s after the last sound")


def _complete_closes(seen: Seen) -> Finding:
    if not seen.after_complete:
        return unknown(seen, "no `complete` came")
    closes = [each for each in seen.after_complete if each]
    if len(closes) == len(seen.after_complete):
        return Finding(True, f"`complete` ends the WebSocket: {told(closes[0])}")
    if closes:
        return Finding(None, f"sometimes: {told(closes[0])}")
    return Finding(False, "the WebSocket stays open after `complete`")


def _held(seen: Seen, looks: list[Look]) -> Finding:
    if not looks:
        return unknown(seen, "it was not tried")
    last = looks[-1]
    if last.hold is Hold.UNSURE:
        return unknown(seen, last.reason or "others use the account")
    if last.hold is Hold.FREE and more_links(seen):
        return Finding(None, "another request was served meanwhile, perhaps with a slot that others had held before")
    if last.hold is Hold.FREE:
        return Finding(False, "another request was served meanwhile")
    refusals = sum(look.refusals for look in looks)
    return Finding(True, "another request was refused meanwhile" + (f" {refusals} times" if refusals > 1 else ""))


def _freed_by(seen: Seen) -> Finding:
    trail = _trail(seen)
    if not late_complete(seen):
        return Finding(None if trail.value is None else "complete", trail.note)
    holds = _held(seen, seen.backoff)
    if holds.value is None:
        return Finding(None, f"{trail.note}; whether the slot is free by then: {holds.note}")
    return Finding("complete" if holds.value else "quiet", f"{trail.note}, and {holds.note}")


def _words(seen: Seen) -> Finding:
    spoken = [asked for asked in seen.alone if asked.complete_at is not None]
    words = sum(asked.words for asked in seen.alone)
    if words:
        return Finding(True, f"{words} words had their times")
    return Finding(False, "no word had a time with this voice") if spoken else unknown(seen, "no request was completed")


# --- refusals ---


def _retry_after(seen: Seen) -> Finding:
    if not seen.refused:
        return unknown(seen, "no request was refused")
    if waits := _waits(seen.refused):
        return Finding(max(waits), "a refused request is told to wait so many seconds")
    return Finding(False, "a refused request is not told for how long to wait")


def _links_retry_after(seen: Seen) -> Finding:
    """Dialling need not pass on every header: that none was told shows nothing."""
    if waits := _waits(seen.refused_links):
        return Finding(max(waits), "a refused WebSocket is told to wait so many seconds")
    return Finding(None, "no time to wait came with a refused WebSocket" if seen.refused_links else "none was refused")


def _waits(faults: list[ProviderFault]) -> list[float]:
    return [fault.retry_after for fault in faults if fault.retry_after is not None]


def _rate(seen: Seen) -> Finding:
    none_met = f"no such limit was met by {seen.let_in} requests in {seen.seconds:.0f} s"
    refused = seen.given_up_kind in (FaultKind.RATE, FaultKind.CONCURRENCY)
    if not refused:
        return Finding(None, none_met)
    if seen.given_up_kind is FaultKind.RATE or re.search(r"\brate\b|per minute", seen.given_up, re.IGNORECASE):
        return Finding(seen.let_in, f"{seen.let_in} requests were let in, then: {seen.given_up}")
    return Finding(None, f"{seen.let_in} requests were let in, then others had the account, or a limit was met")


def _others(seen: Seen) -> Finding:
    if _rate(seen).value is not None:
        return Finding(None, "refusals for the rate tell nothing of others")
    if not seen.refused_alone:
        return Finding(False, "no request was refused while nothing of ours was in flight")
    return Finding(True, f"{seen.refused_alone} requests were refused while nothing of ours was in flight")
