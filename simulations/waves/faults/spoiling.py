"""What a fault makes of the steps of one synthesis; who performs them, and on what, is each kind of link's."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from simulations.waves.faults.fault import Fault
from simulations.waves.steps import Binary, Close, Free, HalfClose, Hang, Raw, Send, Step, Steps

Frame = Callable[[str], str]
"""Makes a message of a JSON text, as a kind of link frames it."""

ERROR_MESSAGE = "An unexpected error occurred."
NOT_JSON = '{"status": "chunk", "data": {"audio": '
_IDS = ("session_id", "request_id", "external_session_id", "external_request_id")
_WRONG_IDS = ("request_id", "external_request_id")
_NOISE_BYTES = 256


def _as_it_is(text: str) -> str:
    return text


async def spoiled(fault: Fault, steps: Steps, *, frame: Frame = _as_it_is) -> AsyncGenerator[Step, None]:
    """Yield the steps of one synthesis as `fault` changes them; to be closed (aclosing) by who leaves before its end.

    What the performer has to know: a synthesis ends with its steps, not with its `complete`, which may come twice.
    Nothing is sent after Close, HalfClose and Hang; Hang waits for the end of the link. An error is a Send of "error"
    and comes last. Only messages of JSON without a frame have ids to be wrong.
    """
    changed = _CHANGES[fault.name](_How(fault, frame), steps)
    try:
        async for step in changed:
            yield step
    finally:
        await changed.aclose()
        if isinstance(steps, AsyncGenerator):
            await steps.aclose()


@attrs.frozen
class _How:
    """What goes wrong, on which kind of link."""

    fault: Fault
    frame: Frame


_Changed = AsyncGenerator[Step, None]
_Change = Callable[[_How, Steps], _Changed]


# --- before, and instead of, what is sent ---


async def _close_before(_how: _How, steps: Steps) -> _Changed:
    async for step in steps:
        yield Close(_time_of(step))
        return


async def _no_audio(_how: _How, _steps: Steps) -> _Changed:
    yield Hang()


async def _empty(_how: _How, steps: Steps) -> _Changed:
    async for step in steps:
        if not _is_sent(step, "chunk", "word"):
            yield step


async def _wrong_ids(how: _How, steps: Steps) -> _Changed:
    rng = random.Random(how.fault.noise)
    wrong = {name: f"task_{rng.getrandbits(64):016x}" for name in _WRONG_IDS}
    async for step in steps:
        if isinstance(step, Send) and (message := _object(step.text)):
            there = {name: value for name, value in wrong.items() if name in message}
            step = attrs.evolve(step, text=json.dumps({**message, **there}))
        yield step


# --- in the middle ---


@attrs.define
class _Middle:
    """Finds the place behind so many seconds of sound, or behind all of it, as steps pass.

    `at` is the time of that place, `text` a message near it.
    """

    after: float
    at: float = 0.0
    text: str = ""
    _sent: float = 0.0
    _begun: bool = False
    _found: bool = False

    def is_before(self, step: Step) -> bool:
        """Say, once, that the step is the first behind the place; what is told of a chunk goes with the chunk."""
        if self._found or _is_sent(step, "word"):
            return False
        if isinstance(step, Send):
            self.text = step.text
        if isinstance(step, Send) and step.what == "chunk" and self._sent < self.after:
            self._sent += step.seconds
            self.at, self._begun = step.at, True
            return False
        self.at = self.at if self._begun else _time_of(step)
        self._found = True
        return True


async def _stall(how: _How, steps: Steps) -> _Changed:
    middle, late = _Middle(how.fault.after), 0.0
    async for step in steps:
        late = how.fault.seconds if middle.is_before(step) else late
        yield _later(step, late)


async def _put_in(how: _How, steps: Steps, *, what: Callable[[_How, float], Step]) -> _Changed:
    """Put a step in."""
    middle = _Middle(how.fault.after)
    async for step in steps:
        if middle.is_before(step):
            yield what(how, middle.at)
        yield step


async def _break_off(how: _How, steps: Steps, *, ending: Callable[[_How, _Middle], Sequence[Step]]) -> _Changed:
    """End otherwise."""
    middle = _Middle(how.fault.after)
    async for step in steps:
        if middle.is_before(step):
            for last in ending(how, middle):
                yield last
            return
        yield step


def _cut(_how: _How, middle: _Middle) -> Sequence[Step]:
    return [Close(middle.at)]


def _half_close(_how: _How, middle: _Middle) -> Sequence[Step]:
    return [HalfClose(middle.at), Hang()]


def _fail(how: _How, middle: _Middle, *, error: Mapping[str, Any]) -> Sequence[Step]:
    ids = {name: value for name, value in _object(middle.text).items() if name in _IDS}
    text = how.frame(json.dumps({**ids, "status": "error", **error}))
    return [Free(middle.at), Send(middle.at, text, "error")]


def _garbage(how: _How, at: float) -> Step:
    # All reserved bits set: whatever follows, it begins no frame of a WebSocket.
    return Raw(at, b"\xff" + random.Random(how.fault.noise).randbytes(_NOISE_BYTES - 1))


def _binary(how: _How, at: float) -> Step:
    return Binary(at, random.Random(how.fault.noise).randbytes(_NOISE_BYTES))


def _not_json(how: _How, at: float) -> Step:
    return Send(at, how.frame(NOT_JSON), "chunk")


def _oversized(how: _How, at: float) -> Step:
    filling = "x" * round(how.fault.megabytes * 1_000_000)
    return Send(at, how.frame(f'{{"status": "chunk", "data": {{"audio": ""}}, "filling": "{filling}"}}'), "chunk")


# --- at the end ---


async def _close_after(_how: _How, steps: Steps) -> _Changed:
    last = None
    async for step in steps:
        if _is_sent(step, "complete"):
            yield Close(_time_of(step) if last is None else last)
            return
        last = _time_of(step) if _is_sent(step, "chunk") else last
        yield step


async def _complete_late(how: _How, steps: Steps) -> _Changed:
    late = 0.0
    async for step in steps:
        late = how.fault.seconds if _is_sent(step, "complete") else late
        yield _later(step, late)


async def _complete_twice(_how: _How, steps: Steps) -> _Changed:
    async for step in steps:
        yield step
        if _is_sent(step, "complete"):
            yield step


async def _complete_never(_how: _How, steps: Steps) -> _Changed:
    async for step in steps:
        if not (_is_sent(step, "complete") or isinstance(step, Close)):
            yield step
    yield Hang()


def _is_sent(step: Step, *kinds: str) -> bool:
    return isinstance(step, Send) and step.what in kinds


def _time_of(step: Step) -> float:
    return 0.0 if isinstance(step, Hang) else step.at


def _later(step: Step, seconds: float) -> Step:
    return step if isinstance(step, Hang) or not seconds else attrs.evolve(step, at=step.at + seconds)


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object that a message is; an empty one if it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_CHANGES: Mapping[str, _Change] = {
    "close_before": _close_before,
    "close_during": partial(_break_off, ending=_cut),
    "close_after": _close_after,
    "half_close": partial(_break_off, ending=_half_close),
    "stall": _stall,
    "no_audio": _no_audio,
    "empty": _empty,
    "complete_late": _complete_late,
    "complete_twice": _complete_twice,
    "complete_never": _complete_never,
    "error": partial(_break_off, ending=partial(_fail, error={"message": ERROR_MESSAGE})),
    "error_nested": partial(
        _break_off, ending=partial(_fail, error={"error": {"message": ERROR_MESSAGE, "code": "INTERNAL_ERROR"}})
    ),
    "garbage": partial(_put_in, what=_garbage),
    "binary": partial(_put_in, what=_binary),
    "not_json": partial(_put_in, what=_not_json),
    "oversized": partial(_put_in, what=_oversized),
    "wrong_ids": _wrong_ids,
}
