"""The table is read from its file, or what would help is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.errors import SettingsError
from orchestrator.slot.capacity_file import load_capacity
from simulations.capacity.command import as_json
from tests.simulations.capacity.tables import table as simulated_table
from tests.slot.test_capacity import TABLE, document


def test_a_table_is_read(tmp_path: Path) -> None:
    """As it was written."""
    path = tmp_path / "capacity.json"
    path.write_text(json.dumps(document()))
    assert load_capacity(path) == TABLE


def test_what_the_command_prints_is_what_is_read(tmp_path: Path) -> None:
    """The two sides know nothing of each other but the JSON."""
    simulated = simulated_table()
    path = tmp_path / "capacity.json"
    path.write_text(as_json(simulated))
    table = load_capacity(path)
    for cell, found in simulated.found.items():
        place = {"talk_share": cell.talk_share, "slots": cell.slots}
        assert table.fit(ttfb=cell.speed.ttfb, rtf=cell.speed.rtf, **place) == found.calls  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "can't be read"), ("", "is no capacity table"), ("[]", "is no capacity table"), ("{}", "schema None")],
)
def test_what_is_no_table_is_told_with_what_would_help(tmp_path: Path, content: str | None, message: str) -> None:
    """No file, an empty one, some other JSON."""
    path = tmp_path / "capacity.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match=message) as caught:
        load_capacity(path)
    assert str(path) in str(caught.value)
    assert "talkingstick capacity --json > capacity.json" in str(caught.value)


def test_the_table_that_ships_holds_every_speed_talk_share_and_slot() -> None:
    """Three profiles by three talk shares by one and two slots; more slots carry more calls, more talk fewer."""
    table = load_capacity()
    fits = [
        [table.fit(ttfb=ttfb, rtf=rtf, talk_share=share, slots=slots) for share in (0.3, 0.45, 0.57)]
        for ttfb, rtf in ((0.1, 0.1), (0.15, 0.2), (0.2, 0.3))
        for slots in (1, 2)
    ]
    assert all(row == sorted(row, reverse=True) and min(row) >= 1 for row in fits)
    by_slots = zip(fits[::2], fits[1::2], strict=True)
    assert all(two >= 2 * one for single, double in by_slots for one, two in zip(single, double, strict=True))
