"""Server-sent events as the provider frames them, and as a reader of somebody else's rules takes them apart."""

from __future__ import annotations

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from simulations.waves.http.events import DONE, FAILED, audio, event


def read(stream: str) -> list[tuple[str, str]]:
    """Return (name, data) of each event by the rules of the HTML standard."""
    events, name, data = [], "message", []
    for line in stream.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line and field == "event":
            name = value
        elif line and field == "data":
            data.append(value)
        elif not line and data:
            events.append((name, "\n".join(data)))
            name, data = "message", []
    return events


def test_the_events_are_those_of_the_specification() -> None:
    """Byte for byte: a named event a chunk, one without a name at the end, every status a string."""
    assert event(audio(b"\x01\x02"), name="audio") == (
        'event: audio\ndata: {"audio":"AQI=","done":false,"status":"206"}\n\n'
    )
    assert event(DONE) == 'data: {"status":"200","done":true}\n\n'
    assert json.loads(FAILED).items() >= {"status": "500", "done": True}.items()


@given(st.lists(st.binary(max_size=100)))
def test_all_sound_comes_through(chunks: list[bytes]) -> None:
    """What the events carry is what went in, in its order."""
    events = read("".join(event(audio(chunk), name="audio") for chunk in chunks))
    assert [name for name, _ in events] == ["audio"] * len(chunks)
    assert [base64.b64decode(json.loads(data)["audio"]) for _, data in events] == chunks


@given(st.text())
def test_no_text_breaks_out_of_its_event(text: str) -> None:
    """Line ends of any kind in the data (a fault's nonsense) stay in it."""
    assert [name for name, _ in read(event(text) + event(DONE))] == ["message", "message"]
