"""Claims about events: each is a frozen value that becomes one line of JSON, and none carries a text."""

from __future__ import annotations

import json
from typing import Any, get_type_hints

import attrs
import pytest

from orchestrator import events
from orchestrator.events import CallState, Event, GapCause, Outcome, to_json
from tests.dialogue.calls import open_desk, saying
from tests.dialogue.talkers import Noted

KINDS = [kind for name in events.__all__ if isinstance(kind := getattr(events, name), type) and issubclass(kind, Event)]
SAMPLES: dict[Any, Any] = {
    float: 1.23456789,
    int: 3,
    bool: True,
    str: "a",
    CallState: CallState.HELD,
    GapCause: GapCause.SLOT,
    Outcome: Outcome.CUT,
}


def sample(kind: Any) -> Event:
    """An event of that kind with something in every field; what may be None is."""
    hints = get_type_hints(kind)
    event: Event = kind(**{field.name: SAMPLES.get(hints[field.name]) for field in attrs.fields(kind)})
    return event


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_is_a_frozen_value_and_one_object_of_json(kind: type[Event]) -> None:
    """Its name, its time and its fields; times to the microsecond, words for what is an Enum."""
    event = sample(kind)
    assert event == sample(kind)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.at = 2.0  # type: ignore[misc]
    body = json.loads(json.dumps(to_json(event)))
    assert body.pop("at") == 1.234568
    assert body.pop("event") == kind.__name__
    assert body.keys() == {field.name for field in attrs.fields(kind)} - {"at"}
    assert kind.level in ("debug", "info", "warning", "error")


def test_an_enum_is_told_as_its_word() -> None:
    """And a float of a reply to the microsecond."""
    event = events.Gapped(at=0.1, call="c", reply=1, seconds=1 / 3, cause=GapCause.TEXT)
    assert to_json(event) == {
        "at": 0.1,
        "event": "Gapped",
        "call": "c",
        "reply": 1,
        "seconds": 0.333333,
        "cause": "text",
    }


async def test_no_event_of_a_call_carries_what_was_said(autojump_clock: Any) -> None:
    """Texts go to the transcript alone (a bot's failure tells its traceback)."""
    async with open_desk() as desk:
        await desk.call("a", Noted, saying("xylophone"), options={"answer": "Zeppelin, zeppelin."})
        told = json.dumps([to_json(event) for event in desk.told]).lower()
        assert "replyended" in told
        assert "xylophone" not in told
        assert "zeppelin" not in told
