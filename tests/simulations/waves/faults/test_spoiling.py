"""What each fault makes of the steps of a synthesis: of plain lists of steps, without a link and without a clock."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.waves.faults.catalogue import CATALOGUE, WEBSOCKET_REQUEST_FAULTS
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.spoiling import ERROR_MESSAGE, NOT_JSON, spoiled
from simulations.waves.steps import Binary, Close, Free, HalfClose, Hang, Raw, Send, Step


def chunk(at: float, *, seconds: float = 0.25) -> Send:
    """Return a chunk of sound, as it goes over a WebSocket."""
    text = json.dumps({"session_id": "s", "request_id": "task_1", "external_request_id": "mine", "status": "chunk"})
    return Send(at, text, "chunk", seconds)


def word(at: float) -> Send:
    """Return what is told right behind a chunk."""
    return Send(at, '{"request_id": "task_1", "status": "word_timestamp"}', "word")


COMPLETE = Send(9.0, '{"request_id": "task_1", "status": "complete"}', "complete")
STEPS = (chunk(1.0), chunk(2.0), word(2.0), chunk(3.0), word(3.0), chunk(4.0), Free(4.0), COMPLETE)
"""A second of sound in four chunks; `complete` is sent after a back-off."""
BEFORE, AFTER = STEPS[:3], STEPS[3:]
"""Half a second of sound with what is told of it, and the rest."""
ERROR = {"session_id": "s", "request_id": "task_1", "external_request_id": "mine", "status": "error"}


async def listed(steps: Sequence[Step]) -> AsyncGenerator[Step, None]:
    """Yield the steps."""
    for step in steps:
        yield step


def run(fault: Fault, steps: Sequence[Step] = STEPS, frame: Callable[[str], str] = str) -> list[Step]:
    """Return what the fault makes of the steps; they need no event loop."""

    async def collect() -> list[Step]:
        return [step async for step in spoiled(fault, listed(steps), frame=frame)]

    running = collect()
    with pytest.raises(StopIteration) as ended:
        running.send(None)
    found: list[Step] = ended.value.value
    return found


# --- before and instead of the sound ---


def test_close_before_cuts_when_the_sound_would_begin() -> None:
    """Nothing was sent."""
    assert run(Fault(name="close_before")) == [Close(1.0)]
    assert run(Fault(name="close_before"), [Free(1.5), COMPLETE]) == [Close(1.5)]


def test_no_audio_hangs_at_once() -> None:
    """Its slot is not given back."""
    assert run(Fault(name="no_audio")) == [Hang()]


def test_empty_ends_in_order_without_sound() -> None:
    """As long as it would have taken."""
    assert run(Fault(name="empty")) == [Free(4.0), COMPLETE]


def test_wrong_ids_are_the_same_wrong_ones_on_every_message() -> None:
    """Only those that were there are changed; the session stays."""
    found = run(Fault(name="wrong_ids", noise="1"))
    messages = [json.loads(step.text) for step in found if isinstance(step, Send)]
    wrong = {message["request_id"] for message in messages}
    assert len(wrong) == 1
    assert wrong != {"task_1"}
    assert {message["session_id"] for message in messages if "session_id" in message} == {"s"}
    assert all(("external_request_id" in message) == (message["status"] == "chunk") for message in messages)
    assert all(message.get("external_request_id") != "mine" for message in messages)
    assert wrong != {json.loads(run(Fault(name="wrong_ids", noise="2"))[0].text)["request_id"]}  # type: ignore[union-attr]
    assert [(step.at, step.what) for step in found if isinstance(step, Send)] == [
        (step.at, step.what) for step in STEPS if isinstance(step, Send)
    ]


# --- in the middle ---


def test_close_during_cuts_behind_the_chunk() -> None:
    """With what is told of it, at its time."""
    assert run(Fault(name="close_during")) == [*BEFORE, Close(2.0)]


def test_half_close_sends_nothing_more() -> None:
    """And waits for the client to leave."""
    assert run(Fault(name="half_close")) == [*BEFORE, HalfClose(2.0), Hang()]


def test_a_stall_makes_all_the_rest_late() -> None:
    """The slot is held for longer, too."""
    found = run(Fault(name="stall", seconds=3.0))
    assert found[:3] == [*BEFORE]
    assert [(type(step), step.at) for step in found[3:] if not isinstance(step, Hang)] == [
        (Send, 6.0), (Send, 6.0), (Send, 7.0), (Free, 7.0), (Send, 12.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("error", {"message": ERROR_MESSAGE}),
        ("error_nested", {"error": {"message": ERROR_MESSAGE, "code": "INTERNAL_ERROR"}}),
    ],
)
def test_an_error_frees_the_slot_and_is_the_last_message(name: str, said: dict[str, object]) -> None:
    """In both shapes, with the ids of its request: some clients look at no other messages."""
    *before, free, error = run(Fault(name=name))
    assert (before, free) == ([*BEFORE], Free(2.0))
    assert isinstance(error, Send)
    assert (error.at, error.what, error.seconds) == (2.0, "error", 0.0)
    assert json.loads(error.text) == {**ERROR, **said}


def test_an_error_is_framed_as_the_link_does() -> None:
    """What cannot be read has no ids."""
    steps: list[Step] = [Send(1.0, "event: audio\ndata: {}\n\n", "chunk", 1.0), Free(1.0)]
    *_, error = run(Fault(name="error"), steps, lambda text: f"data: {text}\n\n")
    assert isinstance(error, Send)
    assert error.text == f'data: {{"status": "error", "message": "{ERROR_MESSAGE}"}}\n\n'


def test_garbage_is_put_in_and_begins_no_frame() -> None:
    """All else stays; a byte with every reserved bit set cannot begin a frame of a WebSocket."""
    found = run(Fault(name="garbage", noise="1"))
    assert (found[:3], found[4:]) == ([*BEFORE], [*AFTER])
    put_in = found[3]
    assert isinstance(put_in, Raw)
    assert (put_in.at, len(put_in.data), put_in.data[0]) == (2.0, 256, 0xFF)
    assert run(Fault(name="garbage", noise="2"))[3] != put_in
    assert run(Fault(name="garbage", noise="1"))[3] == put_in


def test_a_binary_message_is_put_in() -> None:
    """Random bytes."""
    found = run(Fault(name="binary", noise="1"))
    assert (found[:3], found[4:]) == ([*BEFORE], [*AFTER])
    assert isinstance(found[3], Binary)
    assert (found[3].at, len(found[3].data)) == (2.0, 256)


def test_what_is_no_json_is_put_in_as_the_link_frames_it() -> None:
    """It counts as no sound."""
    found = run(Fault(name="not_json"), frame=lambda text: f"<{text}>")
    assert found == [*BEFORE, Send(2.0, f"<{NOT_JSON}>", "chunk", 0.0), *AFTER]
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(NOT_JSON)


def test_an_oversized_message_is_put_in() -> None:
    """It is right in all but its size, and holds no sound."""
    found = run(Fault(name="oversized", megabytes=2.0))
    assert (found[:3], found[4:]) == ([*BEFORE], [*AFTER])
    large = found[3]
    assert isinstance(large, Send)
    assert 2_000_000 < len(large.text) < 2_000_100
    assert json.loads(large.text)["data"] == {"audio": ""}
    assert (large.what, large.seconds) == ("chunk", 0.0)


# --- at the end ---


def test_close_after_cuts_when_all_sound_is_out() -> None:
    """Not after the back-off."""
    assert run(Fault(name="close_after")) == [*STEPS[:-1], Close(4.0)]
    assert run(Fault(name="close_after"), [Free(1.0), COMPLETE]) == [Free(1.0), Close(9.0)]


def test_complete_comes_late_twice_or_never() -> None:
    """The slot is free as if nothing was."""
    late = Send(12.0, COMPLETE.text, "complete")
    assert run(Fault(name="complete_late", seconds=3.0)) == [*STEPS[:-1], late]
    assert run(Fault(name="complete_twice")) == [*STEPS, COMPLETE]
    assert run(Fault(name="complete_never")) == [*STEPS[:-1], Hang()]
    closing = Close(9.0)
    assert run(Fault(name="complete_never"), [*STEPS, closing]) == [*STEPS[:-1], Hang()]


def test_a_failed_synthesis_fails_as_it_would() -> None:
    """Without a `complete` there is none to be late."""
    failed: list[Step] = [chunk(1.0, seconds=0.1), Free(1.5), Send(1.5, '{"status": "error"}', "error")]
    for name in ("close_after", "complete_late", "complete_twice", "wrong_ids", "empty"):
        found = run(Fault(name=name), failed)
        assert [type(step) for step in found][-2:] == [Free, Send]
    assert run(Fault(name="close_during"), failed) == [failed[0], Close(1.0)]


# --- whatever it is ---

MIDDLE = [name for name, entry in CATALOGUE.items() if "after" in entry.figures]


@pytest.mark.parametrize("name", MIDDLE)
@given(after=st.floats(0, 2), seconds=st.lists(st.floats(0.01, 1.0), max_size=6))
def test_what_strikes_in_the_middle_strikes_behind_so_much_sound_or_all_of_it(
    name: str, after: float, seconds: list[float]
) -> None:
    """What comes before is as it was, and no chunk more than needed."""
    sound = [chunk(float(at), seconds=each) for at, each in enumerate(seconds, 1)]
    end = float(len(sound))
    plain: list[Step] = [*sound, Free(end), Send(end, '{"status": "complete"}', "complete")]
    found = run(Fault(name=name, after=after, seconds=3.0, megabytes=0.001), plain)
    same = 0
    while same < min(len(found), len(sound)) and found[same] == sound[same]:
        same += 1
    assert sum(seconds[:same]) >= after or same == len(sound)
    assert same == 0 or sum(seconds[: same - 1]) < after
    times = [step.at for step in found if not isinstance(step, Hang)]
    assert times == sorted(times)


@pytest.mark.parametrize("name", WEBSOCKET_REQUEST_FAULTS)
@given(left=st.integers(1, 9))
def test_whoever_leaves_early_leaves_nothing_open(name: str, left: int) -> None:
    """The steps that are spoiled are closed with what spoils them, wherever it stands."""
    closed = False

    async def steps() -> AsyncGenerator[Step, None]:
        nonlocal closed
        try:
            for step in STEPS:
                yield step
        finally:
            closed = True

    async def leave() -> None:
        inner = steps()
        outer = spoiled(Fault(name=name, megabytes=0.001), inner)
        for _ in range(left):
            await anext(outer, None)
        await outer.aclose()
        assert [step async for step in inner] == []
        assert closed or name == "no_audio"  # which never began them

    with pytest.raises(StopIteration):
        leave().send(None)
