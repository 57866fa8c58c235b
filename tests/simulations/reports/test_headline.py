"""The headline says what the summary says, in words that fit the figures."""

from __future__ import annotations

import pytest

from simulations.reports.headline import figure, sentence, tiles
from simulations.reports.markup import to_html
from simulations.reports.summary import RunFacts, summarise
from tests.simulations.moments import asked, gapped, granted, joined, over, ready

RUN = RunFacts(calls=1, seconds=60.0, slots=1, links=5)
BOOKS = {
    "max_in_flight": 1,
    "max_open": 2,
    "refused_concurrency": 0,
    "refused_rate": 0,
    "refused_links": 0,
    "errors": 0,
}


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(None, "s", "–"), (0.0, "s", "0.00 s"), (9.994, "s", "9.99 s"), (61.23, "s", "61.2 s"), (63.4, "%", "63 %")],
)
def test_figures(*, value: float | None, unit: str, shown: str) -> None:
    """As exact as a reader needs, a dash for what nobody knows."""
    assert figure(value, unit) == shown


def test_the_sentence() -> None:
    """One call, one slot, one wait, one gap: singular all through."""
    events = [asked(0.0), ready(1.0), joined(1.0), granted(1.25, wait=0.25), gapped(2.0, 0.5), over(3.0, heard=2)]
    assert sentence(summarise(events, run=RUN, books=BOOKS)) == (
        "1 call talked for 60 s over one slot. Of 1 wait for it, 95 of 100 lasted at most 0.25 s. Inside replies the"
        " sound ran dry once. The most dead air in one reply, added up, was 2.30 s."
        " The provider saw at most 1 request at a time and refused none."
    )


def test_it_says_nothing_of_what_is_not_known() -> None:
    """A real provider keeps its books to itself."""
    told = sentence(summarise([], run=RunFacts(calls=2, seconds=5.0), books=None))
    assert told == "2 calls talked for 5 s over the account's slots. No reply was made."


def test_a_long_silence_is_told() -> None:
    """A provider that is gone must not read like a success."""
    summary = summarise([], run=RUN, books=None)
    silent = {**summary, "dead_air_s": {**summary["dead_air_s"], "max": 12.34}}
    assert sentence(silent).endswith("The most dead air in one reply, added up, was 12.3 s.")


def test_what_callers_heard_instead_is_told() -> None:
    """Fillers, the local voice, and that some found no place; a run without them says nothing of it."""
    summary = summarise([], run=RUN, books=BOOKS)
    assert "filler" not in sentence(summary)
    assert "local voice" not in sentence(summary)
    rungs = {**summary["rungs"], "filler": 2}
    assert (
        "While replies waited 2 fillers sounded. The local voice spoke 12.3 % of the sound. 1 call found no place."
    ) in sentence({**summary, "rungs": rungs, "local_voice_share": 0.1234, "calls_refused": 1})


def test_tiles_are_coloured_where_they_have_to_be_right() -> None:
    """One request too many and a refusal are bad, none of either good, unknown neither."""
    good = to_html(tiles(summarise([], run=RUN, books=BOOKS)))
    bad = to_html(tiles(summarise([], run=RUN, books={**BOOKS, "max_in_flight": 2, "refused_concurrency": 1})))
    unknown = to_html(tiles(summarise([], run=RUN, books=None)))
    assert [page.count("tile good") for page in (good, bad, unknown)] == [3, 1, 1]
    assert [page.count("tile bad") for page in (good, bad, unknown)] == [0, 2, 0]


def test_words_that_nobody_heard_are_spoken_of() -> None:
    """A run in which they were lost does not read like a good one."""
    summary = summarise([], run=RUN, books=BOOKS)
    assert "unspoken" not in sentence(summary)
    lost = {**summary, "words": {**summary["words"], "unspoken": 3}}
    assert "3 words remained unspoken." in sentence(lost)
