"""The page and the text show the numbers of the table, each in its place."""

from __future__ import annotations

import re

import attrs

from simulations.capacity.page import calls_figure, page_of, waits_figure
from simulations.capacity.text import numbers, places, told
from tests.simulations.capacity.tables import cell, found, table


def test_a_curve_for_each_speed_and_policy() -> None:
    """Its points are the table's numbers over the talk shares; the rule of thumb is flat."""
    shown = table()
    curves = {curve["name"]: curve for curve in calls_figure(shown, 2)["data"]}
    assert set(curves) == {
        f"{speed}, {name}" for speed in ("fast", "mid", "slow") for name in ("deadline", "retry")
    } | {"4 calls a slot"}
    assert curves["mid, deadline"]["x"] == [0.3, 0.57]
    expected = [shown.found[cell("mid", talk_share=share, slots=2)].calls for share in (0.3, 0.57)]
    assert curves["mid, deadline"]["y"] == expected
    assert curves["mid, retry"]["y"] == [2, 2]
    assert curves["4 calls a slot"]["y"] == [8, 8]


def test_every_run_is_a_point() -> None:
    """In the order of the calls, against the level's line."""
    data = waits_figure(table(), 1)["data"]
    fast = next(curve for curve in data if curve["name"] == "fast, 0.57")
    runs = sorted(table().found[cell()].runs, key=lambda run: run.calls)
    assert fast["x"] == [run.calls for run in runs]
    assert fast["y"] == [run.wait_p95_s for run in runs]
    assert data[-1]["y"] == [0.5, 0.5]


def test_the_page_opens_without_a_network() -> None:
    """It brings plotly's script along, and names nothing elsewhere."""
    page = page_of(table())
    assert page.count("* plotly.js v") == 1
    rest = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"""(src|href)=|url\(|@import""", rest)
    assert all(f'id="chart-{name}-{slots}"' in page for name in ("calls", "waits") for slots in (1, 2))
    assert "Calls that fit into 2 slots" in page


def test_a_line_for_each_speed_and_talk_share() -> None:
    """Ours, the compared policy's and the rule's, for each number of slots."""
    shown = table()
    assert [(str(place.speed), place.talk_share) for place in places(shown)] == [
        (speed, share) for speed in ("fast", "mid", "slow") for share in (0.3, 0.57)
    ]
    ours = [str(shown.found[cell("slow", slots=slots)].calls) for slots in (1, 2)]
    assert numbers(shown, cell("slow")) == [ours[0], "1", "4", ours[1], "2", "8"]


def test_what_is_not_clear_is_marked_and_explained() -> None:
    """By a sign before the number, and a line that says what it means."""
    shown = table()
    unclear = attrs.evolve(shown, found={**shown.found, cell(): found(9, clear=False)})
    assert numbers(unclear, cell())[0] == "~9"
    assert "~: close to the limit" in told(unclear)
    assert "~" not in told(shown)
