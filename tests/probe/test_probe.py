"""What a probe finds out is what the simulated provider was set up to be, option by option, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.settings import ProviderSettings
from simulations.waves.faults.parsing import parse_faults
from tests.probe.world import Probed, probed

UNKNOWN = None
DEFAULTS: dict[str, Any] = {
    "slots": 1,
    "links": 5,
    "links_refused_with": "HTTP 429",
    "closing_frees_slot": True,
    "settle": 0.05,
    "complete_closes": True,
    "backoff_holds_slot": False,
    "idle_context_holds_slot": True,
    "slot_freed_by": "complete",
    "word_timestamps": True,
    "retry_after": False,
    "links_retry_after": UNKNOWN,
    "requests_per_minute": UNKNOWN,
    "others": False,
}
"""What is found at a provider without options, but for the speed."""


sweep = pytest.mark.sweep


def values(found: Probed) -> dict[str, Any]:
    """Return the values of all findings that are no measured times."""
    return {name: each.value for name, each in found.findings.items() if name in DEFAULTS}


Told = tuple[dict[str, Any], dict[str, Any]]
OPTIONS: list[Told] = [
    ({}, {}),
    ({"slots": 2}, {"slots": 2, "links": 10}),
    ({"slots": 4}, {"slots": 4, "links": 20}),
    ({"links": 2}, {"links": 2}),
    ({"slots": 2, "links": 3}, {"slots": 2, "links": 3}),
    ({"links_refusal": "1008"}, {"links_refused_with": "closed with 1008"}),
    ({"links_refusal": "1013"}, {"links_refused_with": "closed with 1013"}),
    ({"close_after_complete": False}, {"complete_closes": False}),
    ({"clamp_backoff": True}, {"slot_freed_by": "quiet"}),
    ({"clamp_backoff": True, "backoff_holds_slot": True}, {"backoff_holds_slot": True}),
    ({"backoff_holds_slot": True}, {"backoff_holds_slot": True}),
    ({"idle_context_holds_slot": False}, {"idle_context_holds_slot": False}),
    ({"settle": 0.0}, {"settle": 0.02}),
    ({"settle": 0.3}, {"settle": 0.4}),
    ({"settle": 1.0}, {"settle": 1.6}),
    ({"settle": 3.0}, {"settle": 3.2, "closing_frees_slot": UNKNOWN}),
    ({"error_shape": "nested"}, {}),
    ({"requests_per_minute": 60}, {}),
    ({"transport": 0.02, "settle": 0.3}, {"settle": 0.4}),
]
TOGETHER: list[Told] = [
    ({"slots": 3}, {"slots": 3, "links": 15}),
    ({"clamp_backoff": True, "slots": 2}, {"slot_freed_by": "quiet", "slots": 2, "links": 10}),
    ({"backoff_holds_slot": True, "slots": 3}, {"backoff_holds_slot": True, "slots": 3, "links": 15}),
    ({"idle_context_holds_slot": False, "slots": 2}, {"idle_context_holds_slot": False, "slots": 2, "links": 10}),
    ({"error_shape": "nested", "links_refusal": "1013"}, {"links_refused_with": "closed with 1013"}),
]
"""Options that are found out one by one as well."""


@pytest.mark.parametrize(
    ("options", "differs"),
    [
        *(pytest.param(*told, id=str(told[0])) for told in OPTIONS),
        *(pytest.param(*told, id=str(told[0]), marks=sweep) for told in TOGETHER),
    ],
)
def test_each_option_of_the_provider_is_found_out(options: dict[str, Any], differs: dict[str, Any]) -> None:
    """All findings are right, those that the option leaves alone as well; nothing was broken off."""
    found = probed(**options)
    assert values(found) == DEFAULTS | differs
    assert found.report.seen.given_up == ""


SPEEDS = [(0.1, 0.1), (0.15, 0.2), (0.2, 0.3), (0.05, 0.02), (1.0, 0.5)]


@pytest.mark.parametrize(
    ("ttfb", "rtf", "slots"),
    [
        *((*speed, 1) for speed in SPEEDS[1:]),
        (*SPEEDS[0], 3),
        *(pytest.param(*speed, 3, marks=sweep) for speed in SPEEDS[1:]),
        pytest.param(*SPEEDS[0], 1, marks=sweep),
    ],
)
def test_speed_is_measured(ttfb: float, rtf: float, slots: int) -> None:
    """To the length of a chunk (20 ms of sound), and everything else is right at any speed."""
    found = probed(ttfb=ttfb, rtf=rtf, slots=slots)
    assert found.findings.ttfb.value == pytest.approx(ttfb + 0.02 * rtf)
    assert found.findings.rtf.value == pytest.approx(rtf)
    assert found.findings.complete_trails.value == pytest.approx(0.0, abs=1e-6)
    assert values(found) == DEFAULTS | {"slots": slots, "links": 5 * slots}


def test_an_uneven_or_cold_provider_is_told_by_median_and_spread() -> None:
    """A cold first request moves the spread, not the median."""
    found = probed(cold=1.0).findings.ttfb
    assert found.value == pytest.approx(0.102)
    assert "0.102 to 1.102 s" in found.note


def test_a_complete_that_trails_is_measured() -> None:
    """Four seconds, whatever was asked for."""
    assert probed(clamp_backoff=True).findings.complete_trails.value == pytest.approx(4.0)


def test_few_requests_are_used() -> None:
    """Fifteen with one slot, five of them refused; two thousand characters; the books agree."""
    found = probed()
    seen = found.report.seen
    assert (len(seen.asked), len(seen.refused), seen.opened) == (15, 5, 17)
    assert seen.characters < 2500
    assert found.books["requests"] == seen.let_in
    assert found.books["refused_concurrency"] == len(seen.refused)
    assert found.books["refused_links"] == 1


@pytest.mark.parametrize("most_slots", [1, 4])
def test_a_search_that_ends_at_its_bound_says_at_least(most_slots: int) -> None:
    """No more is asked at once than was said, and what needs all slots taken is unknown."""
    found = probed(slots=8, most_slots=most_slots)
    slots = found.findings.slots
    assert (slots.value, slots.least) == (most_slots + 1, True)
    assert found.findings.settle.value is UNKNOWN
    assert found.findings.idle_context_holds_slot.value is UNKNOWN
    assert found.report.seen.refused == []


def test_a_single_websocket_leaves_unknown_what_takes_two() -> None:
    """One request is known to be allowed; nothing is claimed of slots that could not be filled."""
    findings = probed(links=1).findings
    assert (findings.slots.value, findings.slots.least, findings.links.value) == (1, True, 1)
    assert findings.settle.value is findings.closing_frees_slot.value is UNKNOWN


def test_more_websockets_than_slots_explain_make_the_slots_a_lower_bound() -> None:
    """Six WebSockets belong to two slots, as published: somebody may have held one."""
    findings = probed(links=8).findings
    assert (findings.slots.value, findings.slots.least) == (1, True)
    assert (findings.links.value, findings.links.least) == (6, True)
    assert findings.backoff_holds_slot.value is UNKNOWN


def test_a_provider_too_fast_to_overlap_is_not_guessed_at() -> None:
    """All sound at once: no two requests go on side by side."""
    found = probed(rtf=0.0, slots=2)
    assert found.findings.slots.value is UNKNOWN
    assert "side by side" in found.findings.slots.note


@pytest.mark.parametrize("voice", ["avery", "sophia"])
def test_word_times_are_a_matter_of_the_voice(voice: str) -> None:
    """The settings ask for none, the probe does."""
    settings = ProviderSettings(voice=voice, word_timestamps=True)
    assert probed(settings=settings).findings.word_timestamps.value == (voice == "avery")


def test_how_long_to_wait_is_told_where_it_is_known() -> None:
    """With the header of a refused WebSocket, as far as dialling passes it on: it is never said that there is none."""
    assert probed(retry_after=2.0).findings.links_retry_after.value in (2.0, UNKNOWN)


# --- limits on the rate, and others ---


@pytest.mark.parametrize(
    ("limit", "shape"), [*((limit, "flat") for limit in range(1, 10)), (2, "nested"), (7, "nested")]
)
def test_a_limit_of_requests_a_minute_is_met_and_told(limit: int, shape: str) -> None:
    """It is found, the probe stops asking, and nothing else that is claimed is wrong for it."""
    found = probed(requests_per_minute=limit, error_shape=shape)
    assert found.findings.requests_per_minute.value == limit
    assert found.report.seen.given_up
    expected = DEFAULTS | {"requests_per_minute": limit}
    claimed = {name: value for name, value in values(found).items() if value is not UNKNOWN}
    assert claimed == {name: value for name, value in expected.items() if name in claimed}


OTHERS = ["other_user:hold=1,share=0.3", "other_user:hold=2,share=0.3", "other_user:hold=5,share=0.3"]


@pytest.mark.parametrize("fault", OTHERS)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=sweep)])
@pytest.mark.parametrize("holds", [True, False])
def test_others_on_the_account_do_not_mislead(fault: str, seed: int, holds: bool) -> None:
    """What is claimed is right; what they made impossible to tell is unknown; there is no storm of requests."""
    found = probed(faults=parse_faults([fault]), seed=seed, backoff_holds_slot=holds, idle_context_holds_slot=not holds)
    claimed = {name: value for name, value in values(found).items() if value is not UNKNOWN}
    expected = DEFAULTS | {"others": True, "backoff_holds_slot": holds, "idle_context_holds_slot": not holds}
    assert claimed == {name: value for name, value in expected.items() if name in claimed}
    assert {"slots", "links", "settle"} <= set(claimed)


def test_a_slot_that_others_hold_all_the_time_is_missed_but_suspected() -> None:
    """One of two: `slots` is told as a lower bound, for there are WebSockets for more."""
    findings = probed(slots=2, faults=parse_faults(["other_user:hold=300"])).findings
    assert (findings.slots.value, findings.slots.least) == (1, True)


def test_a_refused_first_request_is_told_and_repeated() -> None:
    """Somebody has the slot for two seconds: after three pauses it is served."""
    found = probed(faults=parse_faults(["other_user:hold=2"]))
    assert found.report.seen.refused_alone == 3
    assert sum("refused although nothing of ours is in flight" in line for line in found.told) == 3
    assert found.findings.others.value is True
    assert found.findings.slots.value == 1


# --- what fails ---

FAILURES = [
    ("other_user:hold=60", FaultKind.CONCURRENCY, "refused 6 times with nothing of ours in flight"),
    ("unauthorized", FaultKind.FINAL, "401"),
    ("gone", FaultKind.RETRY, "did not answer within 4 s"),
    ("error_500", FaultKind.RETRY, "500"),
    ("no_audio", FaultKind.RETRY, "not answered within 5 s"),
]


@pytest.mark.parametrize(("fault", "kind", "words"), FAILURES)
def test_a_provider_that_serves_nothing_is_a_fault(fault: str, kind: FaultKind, words: str) -> None:
    """With what it said; a refused key does not show."""
    with pytest.raises(ProviderFault, match=words) as caught:
        probed(faults=parse_faults([fault]))
    assert caught.value.kind is kind
    assert "sk_test" not in str(caught.value)


def test_a_voice_that_is_not_there_is_a_fault() -> None:
    """Nothing can be found out with it."""
    with pytest.raises(ProviderFault, match="Invalid Voice ID"):
        probed(settings=ProviderSettings(voice="nobody", word_timestamps=True))


@pytest.mark.parametrize("fault", ["unauthorized:at=5", "gone:at=3,seconds=60", "restart:at=4", "error_500:at=3"])
def test_what_was_found_before_a_failure_is_told(fault: str) -> None:
    """The rest is unknown, for that reason, and the probe ends soon."""
    found = probed(faults=parse_faults([fault]))
    assert found.report.seen.given_up
    assert found.findings.slots.value == 1
    assert found.findings.idle_context_holds_slot.value is UNKNOWN
    assert found.findings.idle_context_holds_slot.note == found.report.seen.given_up
    assert found.report.seen.seconds < 12


@pytest.mark.parametrize(
    "fault", ["stall", "complete_never", "complete_late", "empty", "error", "not_json", "close_before"]
)
def test_a_single_fault_leaves_the_findings_right(fault: str) -> None:
    """One request that goes wrong is no property of the account."""
    found = probed(faults=parse_faults([f"{fault}:at=0,count=1"]))
    assert {**values(found), "others": False} == DEFAULTS
    assert found.findings.rtf.value == pytest.approx(0.1)
