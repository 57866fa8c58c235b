"""What a hostile or broken carrier may send, made from what an honest one sends, and what every codec owes to it."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from orchestrator.errors import CarrierFault
from orchestrator.ports import Answered, CarrierCodec, CarrierEvent, Key, MarkBack, Media, WireMessage

_SURROGATES = st.text(st.characters(), max_size=20)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, -(10**400), 10**4000, 8000, 0, -1]),
    st.floats(),
    st.text(max_size=20),
    _SURROGATES,
    st.sampled_from(["", "8000", "१६", "-1", "1e9", "AAAA", "AAA", "A", "=", "////", "\x00", "../../etc", "\ud800"]),
    st.binary(max_size=40).map(lambda data: data.hex()),
)
VALUES: SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
"""Any JSON, with the values in it that readers trip over."""


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, part in inner for deeper in _paths(part, (*path, key)))]


def _inner(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@st.composite
def _spoilt(draw: DrawFn, samples: Sequence[dict[str, Any]]) -> str:
    """One message that a carrier sends, with values in it replaced or left out."""
    message: Any = copy.deepcopy(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(_paths(message)))
        if not path:
            return json.dumps(draw(VALUES))
        place = _inner(message, path[:-1])
        if draw(st.booleans()):
            place[path[-1]] = draw(VALUES)
        else:
            del place[path[-1]]
    return json.dumps(message)


def _cut(text: str) -> SearchStrategy[str]:
    return st.integers(0, len(text)).map(lambda end: text[:end])


def messages(samples: Sequence[dict[str, Any]]) -> SearchStrategy[WireMessage]:
    """One message: an honest one of `samples` (one as often as not), a spoilt or cut one, any text or any bytes."""
    honest = st.sampled_from([json.dumps(sample) for sample in samples])
    nested = st.sampled_from(["[" * 50_000, '{"event":' * 50_000, '{"event":"media","media":' + '{"a":' * 20_000])
    return st.one_of(
        honest,
        _spoilt(samples),
        honest.flatmap(_cut),
        VALUES.map(json.dumps),
        st.text(max_size=40),
        st.binary(max_size=700),
        nested,
    )


def conversations(samples: Sequence[dict[str, Any]]) -> SearchStrategy[list[WireMessage]]:
    """Some messages of one connection, the honest start `samples[0]` among them more often than not."""
    start = st.sampled_from([[], [json.dumps(samples[0])], [json.dumps(samples[0])]])
    return st.builds(lambda first, then: [*first, *then], start, st.lists(messages(samples), max_size=12))


def survives(codec: CarrierCodec, received: Sequence[WireMessage]) -> list[CarrierEvent]:
    """Feed everything to a codec: it answers with events or CarrierFault, and what it tells can be used as it is.

    Returns what it told. Once it has told who calls it writes as ever, whatever else came.
    """
    told: list[CarrierEvent] = []
    for message in received:
        try:
            told += codec.receive(message)
        except CarrierFault as fault:
            str(fault).encode("utf-8")
    for event in told:
        _usable(event)
    if any(isinstance(event, Answered) for event in told):
        _writes(codec)
    return told


def _usable(event: CarrierEvent) -> None:
    match event:
        case Answered(facts):
            words = [facts.id, facts.caller, facts.called, *facts.parameters, *facts.parameters.values()]
            assert "".join(words).encode("utf-8") is not None
        case Media(pcm, at):
            assert pcm
            assert len(pcm) % 2 == 0
            assert at is None or abs(at) < 1e18
        case Key(digit):
            assert len(digit) == 1
            assert digit in "0123456789*#ABCD"
        case MarkBack(name):
            assert name


def _writes(codec: CarrierCodec) -> None:
    assert 8000 <= codec.rate <= 48_000
    for _ in range(3):
        codec.media(bytes(2 * (codec.rate // 50)))
        codec.mark("m-1")
        codec.fill()
    codec.media(b"\x01\x02" * 5000)
    codec.clear()
    codec.hang_up()
