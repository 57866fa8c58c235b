"""Decides how many slots and WebSockets an account has, from what a probe saw, and whether others may have held some;
pure. All other findings are findings.py's."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

from orchestrator.probe.plan import LINKS_PER_SLOT
from orchestrator.probe.seen import Round, Seen

_LOOK = re.compile(r"(HTTP \d{3}|closed with \d{4})")


@frozen
class Finding:
    """One thing that was found out: its value (None: unknown), and how it was seen, or why it is unknown.

    `least`: it may be more.
    """

    value: Any
    note: str = ""
    least: bool = False


def unknown(seen: Seen, reason: str) -> Finding:
    """Return an unknown finding: for `reason`, or because the probe was broken off."""
    return Finding(None, seen.given_up or reason)


def slots_of(seen: Seen) -> int | None:
    """Return how many requests filled the account; None where it was not filled."""
    best = best_round(seen)
    return best.held if best and best.refusal and best.overlapped else None


def best_round(seen: Seen) -> Round | None:
    """The round in which the most were served: others can only make it less."""
    return max(seen.rounds, key=lambda one: (one.held, not one.refusal), default=None)


def slots_found(seen: Seen) -> Finding:
    """Return how many requests go on at a time."""
    best = best_round(seen)
    if best is None:
        return unknown(seen, "it was not tried")
    if not best.overlapped:
        return Finding(None, "requests ended before enough of them went on side by side")
    if best.limited:
        return Finding(best.held, f"there was no WebSocket for another one: {told(best.limited)}", least=True)
    if not best.refusal:
        return Finding(best.held, f"none was refused, and more than {seen.most_slots} are not looked for", least=True)
    note = f'one beside {best.held} was refused: "{best.refusal}"'
    if more_links(seen):
        links = f"{seen.links.open if seen.links else 0} WebSockets at a time"
        return Finding(best.held, f"{note} (but {links} suggest more: others may have held them)", least=True)
    differ = len({one.held for one in seen.rounds}) > 1
    return Finding(best.held, f"{note} (at other times fewer were served)" if differ else note)


def maybe_more_slots(seen: Seen) -> bool:
    """Whether others may have held slots while they were counted: they were seen, or there are WebSockets for more."""
    return bool(seen.refused_alone) or len({one.held for one in seen.rounds}) > 1 or more_links(seen)


def more_links(seen: Seen) -> bool:
    """Whether there are more WebSockets than the slots that were found explain, as is published."""
    best = best_round(seen)
    return best is not None and seen.links is not None and seen.links.open > LINKS_PER_SLOT * best.held


def links_found(seen: Seen) -> Finding:
    """Return how many WebSockets are open at a time."""
    if seen.links is None:
        return unknown(seen, "it was not tried")
    if not seen.links.refusal:
        return Finding(seen.links.open, "none was refused", least=True)
    enough = "" if seen.links.open > 1 else "; talkingstick needs at least 2"
    return Finding(seen.links.open, f"one more was refused: {told(seen.links.refusal)}{enough}")


def links_refusal_found(seen: Seen) -> Finding:
    """Return how one WebSocket too many is refused: its HTTP status or close code."""
    if not (seen.links and seen.links.refusal):
        return unknown(seen, "none was refused")
    return Finding(told(seen.links.refusal))


def told(message: str) -> str:
    """Return the status or close code in a message, the whole message where there is none."""
    found = _LOOK.search(message)
    return found[0] if found else message


def filled(seen: Seen, found: Round) -> bool:
    """Whether no slot was free but those of the requests that were cut."""
    slots = slots_of(seen)
    return slots is not None and found.held == slots
