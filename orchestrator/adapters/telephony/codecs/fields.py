"""Decides what a message tells of the call: who calls, at what rate, which mark was thrown away.

Where in a message that stands is each codec's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.adapters.telephony.codecs.json_media import CALLED, CALLER, marks_back, number
from orchestrator.errors import CarrierFault
from orchestrator.ports import CallFacts, CarrierEvent, MarkBack

LOWEST_RATE, HIGHEST_RATE = 8000, 48_000
_SECRETS = ("token",)
"""Where a URL carries the line's secret: no parameter of a call."""


def rate_of(value: object, *, otherwise: int) -> int:
    """Return a rate in samples a second; `otherwise` where none is given. Raises CarrierFault for a useless one."""
    if value is None or value == "":
        return otherwise
    rate = number(value) or 0
    if not LOWEST_RATE <= rate <= HIGHEST_RATE or rate % 50:
        raise CarrierFault(f"a rate of {rate} samples a second is no multiple of 50 from 8000 to 48000")
    return rate


def facts_of(carrier: str, given: Mapping[str, str], *, ids: Iterable[str]) -> CallFacts:
    """Return what is known of a call: its id under the first of `ids` that is there, `from` and `to`; "" if it is not.

    All of it is kept as parameters but secrets.
    """
    call = next((given[name] for name in ids if given.get(name)), "")
    caller = given.get("from") or given.get(CALLER, "")
    called = given.get("to") or given.get(CALLED, "")
    parameters = {name: value for name, value in given.items() if name not in _SECRETS}
    return CallFacts(call, caller, called, leg=carrier, parameters=parameters)


def marks_cleared(name: object) -> Sequence[CarrierEvent]:
    """Return the MarkBack of a mark that was thrown away; nothing for a name that we never gave."""
    return [MarkBack(mark.name, cleared=True) for mark in marks_back(name) if isinstance(mark, MarkBack)]
