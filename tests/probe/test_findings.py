"""What observations mean, and that nothing is claimed that they do not show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Failed
from orchestrator.probe.counting import maybe_more_slots, slots_of
from orchestrator.probe.findings import Findings
from orchestrator.probe.seen import Asked, Hold, Links, Look, Round, Seen, Try
from tests.probe.test_plan import spoken

SERVED = (Try(0.0, False), Try(0.05, True))


def a_round(held: int = 1, *, refusal: str = "busy", limited: str = "", overlapped: bool = True) -> Round:
    """Return a round of so many requests; cut, one was served after 0.05 s, long before they would have ended."""
    return Round(held=held, refusal=refusal, limited=limited, overlapped=overlapped, ends=2.0, tries=SERVED)


def refused(kind: FaultKind = FaultKind.CONCURRENCY, *, retry_after: float | None = None) -> Asked:
    """Return a request that was refused."""
    asked = Asked(id="b", characters=40, rate=8000, at=0.0, heard_at=0.0)
    asked.take(Failed("b", ProviderFault(kind, "busy", retry_after=retry_after)), now=0.1)
    return asked


def test_nothing_seen_is_nothing_claimed() -> None:
    """Every finding is unknown, with a reason, but that nobody else was met."""
    findings = Findings.of(Seen(most_slots=4))
    assert {name for name, found in findings.items() if found.value is not None} == {"others"}
    assert all(found.note for _, found in findings.items())


@given(st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=3))
def test_the_most_that_were_served_at_a_time_are_the_slots(held: list[int]) -> None:
    """Others can only make it less; a round in which none was refused makes it a lower bound."""
    seen = Seen(most_slots=4, rounds=[a_round(each, refusal="busy" if each <= 4 else "") for each in held])
    slots = Findings.of(seen).slots
    assert slots.value == max(held)
    assert slots.least == (max(held) == 5)
    assert slots_of(seen) == (None if max(held) == 5 else max(held))
    assert maybe_more_slots(seen) == (len(set(held)) > 1)


def test_requests_that_did_not_overlap_show_no_slots() -> None:
    """Nor does what was cut then show a settle time."""
    findings = Findings.of(Seen(most_slots=4, rounds=[a_round(3, overlapped=False)]))
    assert (findings.slots.value, findings.settle.value, findings.closing_frees_slot.value) == (None, None, None)


@pytest.mark.parametrize(("links", "least"), [(5, False), (6, True)])
def test_websockets_for_more_slots_raise_a_doubt(links: int, least: bool) -> None:
    """Published are five a slot."""
    slots = Findings.of(Seen(most_slots=4, rounds=[a_round()], links=Links(open=links, refusal="HTTP 429"))).slots
    assert (slots.value, slots.least) == (1, least)


def test_the_soonest_request_after_a_cut_is_the_settle_time() -> None:
    """A later one may have met others; rounded up to 10 ms, and never zero."""
    late = Round(held=1, refusal="busy", overlapped=True, ends=2.0, tries=(Try(0.4, False), Try(0.8, True)))
    assert Findings.of(Seen(most_slots=4, rounds=[late, a_round()])).settle.value == 0.05
    odd = Round(held=1, refusal="busy", overlapped=True, ends=2.0, tries=(Try(0.0, False), Try(0.0512, True)))
    assert Findings.of(Seen(most_slots=4, rounds=[odd])).settle.value == 0.06
    at_once = Round(held=1, refusal="busy", overlapped=True, ends=2.0, tries=(Try(0.0, True),))
    assert Findings.of(Seen(most_slots=4, rounds=[at_once])).settle.value == 0.02


def test_a_slot_that_came_back_at_the_end_does_not_show_that_closing_frees_it() -> None:
    """The request may have been spoken to its end."""
    to_the_end = Round(held=1, refusal="busy", overlapped=True, ends=2.0, tries=(Try(1.6, False), Try(3.2, True)))
    findings = Findings.of(Seen(most_slots=4, rounds=[to_the_end]))
    assert (findings.closing_frees_slot.value, findings.settle.value) == (None, 3.2)


@pytest.mark.parametrize(
    ("closes", "value"),
    [(["closed with 1000"] * 2, True), (["", ""], False), (["", "closed with 1000"], None), ([], None)],
)
def test_whether_complete_closes_is_known_where_it_is_always_so(closes: list[str], value: bool | None) -> None:
    """With the code."""
    found = Findings.of(Seen(most_slots=4, after_complete=closes)).complete_closes
    assert found.value is value
    assert ("1000" in found.note) == any(closes)


@pytest.mark.parametrize(
    ("look", "freed_by"),
    [(Look(Hold.FREE), "quiet"), (Look(Hold.HELD, refusals=1), "complete"), (Look(Hold.UNSURE, "why"), None)],
)
def test_a_late_complete_frees_the_slot_or_quiet_does(look: Look, freed_by: str | None) -> None:
    """As another request shows; where none could, it is unknown."""
    late = spoken()
    late.complete_at = late.last_sound_at + 4.0
    assert Findings.of(Seen(most_slots=4, alone=[late], backoff=[look])).slot_freed_by.value == freed_by
    assert Findings.of(Seen(most_slots=4, alone=[spoken()], backoff=[look])).slot_freed_by.value == "complete"


def test_how_long_a_refused_request_is_told_to_wait() -> None:
    """The longest of those told; known to be missing where refusals say nothing."""
    assert Findings.of(Seen(most_slots=4, asked=[refused(), refused(retry_after=3.0)])).retry_after.value == 3.0
    assert Findings.of(Seen(most_slots=4, asked=[refused()])).retry_after.value is False
    assert Findings.of(Seen(most_slots=4, refused_links=[ProviderFault(FaultKind.LINKS, "no")])).links_retry_after.note
    told = ProviderFault(FaultKind.LINKS, "HTTP 429", retry_after=2.0)
    assert Findings.of(Seen(most_slots=4, refused_links=[told])).links_retry_after.value == 2.0


@pytest.mark.parametrize(
    ("kind", "words", "value"),
    [
        (FaultKind.RATE, "slow down", 2),
        (FaultKind.CONCURRENCY, "Rate limit exceeded", 2),
        (FaultKind.CONCURRENCY, "Concurrency limit reached", None),
        (FaultKind.RETRY, "gone", None),
    ],
)
def test_a_limit_on_the_rate_is_told_where_the_refusals_speak_of_one(
    kind: FaultKind, words: str, value: int | None
) -> None:
    """As many as were let in; refusals that may be others' doing show none."""
    seen = Seen(most_slots=4, asked=[spoken(), spoken(), refused()], refused_alone=6)
    seen.given_up, seen.given_up_kind = words, kind
    findings = Findings.of(seen)
    assert findings.requests_per_minute.value == value
    assert findings.others.value is (None if value else True)
