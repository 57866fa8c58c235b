"""The figures hold the spans and waits that they were given, each call in its own row and colour."""

from __future__ import annotations

import pytest

from simulations.reports.charts import colour_of, embed, timeline_figure, waits_figure
from simulations.reports.latencies import Wait
from simulations.reports.timeline import Doing, timeline
from tests.simulations.moments import began, freed, granted, joined, local_voice, over, rung_words
from tests.simulations.stories import tell


def test_every_span_is_drawn_where_it_was() -> None:
    """The lengths of all bars are those of all spans, with the slot's once more in the call's own row."""
    found = timeline(tell(seed=4).events)
    figure = timeline_figure(found)
    drawn = sum(length for bars in figure["data"] for length in bars["x"])
    twice = sum(span.end - span.start for span in found.spans if span.doing is Doing.SLOT)
    assert drawn == pytest.approx(sum(span.end - span.start for span in found.spans) + twice, abs=0.2)
    assert figure["layout"]["yaxis"]["ticktext"] == ["the slot", "call 1", "call 2", "call 3", "call 4"]


def test_the_slot_has_the_colour_of_its_holder() -> None:
    """In the top row, from the grant until it was freed."""
    found = timeline([began(0, call="a"), began(0, call="b"), joined(1, call="b"), granted(2, call="b"),
                      freed(3, held=1, call="b")])  # fmt: skip
    slot = timeline_figure(found)["data"][-1]
    assert (slot["base"], slot["x"], slot["y"]) == ([2], [1], [0])
    assert slot["marker"]["color"] == [colour_of("b", ["a", "b"])] != [colour_of("a", ["a", "b"])]


def test_phrases_for_the_cache_are_in_the_slots_row() -> None:
    """They have no row of their own, and no call's colour."""
    found = timeline([began(0, call="a"), granted(1, call="phrases"), freed(2, held=1, call="phrases")])
    slot = timeline_figure(found)["data"][-1]
    assert (slot["base"], slot["y"]) == ([1], [0])
    assert slot["text"] == ["phrases holds the slot<br>1.00 to 2.00 s (1.00 s)"]
    assert slot["marker"]["color"] == [colour_of("phrases", ["a"])] != [colour_of("a", ["a"])]


def test_other_voices_are_patterned_in_the_calls_row() -> None:
    """In its colour, over what the call did meanwhile; a filler looks unlike the local voice."""
    found = timeline([began(0), rung_words(1, 0.5), local_voice(2, 3.0), over(9, heard=9)])
    bars = {bar["text"][0].split("<br>")[0]: bar for bar in timeline_figure(found)["data"] if bar["text"]}
    filler, local = bars["call 1 a filler, or a word while it waits"], bars["call 1 the local voice speaks"]
    assert (filler["base"], filler["x"], local["base"], local["x"]) == ([1], [0.5], [2], [3.0])
    assert filler["y"] == local["y"] == [1]
    assert filler["marker"]["color"] == local["marker"]["color"] == [colour_of("1", ["1"])]
    shapes = [bar["marker"]["pattern"]["shape"] for bar in (filler, local)]
    assert shapes == [["."], ["/"]]


def test_every_wait_is_a_point() -> None:
    """In the row of its call; a wait without a grant says so."""
    waits = [Wait("a", 1, 0.5, censored=False), Wait("b", 1, 1.0, censored=True), Wait("a", 2, 0.25, censored=False)]
    points = {trace["name"]: trace for trace in waits_figure(waits, ["a", "b"])["data"] if trace["type"] == "box"}
    assert points["call a"]["x"] == [0.5, 0.25]
    assert points["call b"]["text"] == ["call b, reply 1: 1.00 s, ended before the grant"]


def test_a_name_cannot_leave_its_script() -> None:
    """A call's id goes into the chart's JSON as data."""
    page = embed({"waits": waits_figure([Wait("</script><b>", 1, 0.5, censored=False)], ["</script><b>"])})
    assert page["waits"].count("</script>") == page["waits"].count("<script")
    assert "<b>" not in page["waits"]
