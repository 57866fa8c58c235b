"""What codecs/portions.py promises: only sizes that the carrier takes, nothing lost, marks in their place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.codecs.portions import Portions, PortionSizes

SIZES = st.builds(
    lambda step, least, more: PortionSizes(least=step * least, step=step, most=step * (least + more)),
    st.integers(1, 8),
    st.integers(1, 8),
    st.integers(0, 20),
)


@given(SIZES, st.lists(st.integers(0, 300), max_size=12))
def test_all_sound_goes_out_in_sizes_that_are_taken(sizes: PortionSizes, lengths: list[int]) -> None:
    """Every portion is whole steps between the least and the most; joined they are the sound, and silence."""
    portions = Portions(sizes)
    data = [bytes([1 + number % 250]) * length for number, length in enumerate(lengths)]
    sent = [portion for part in data for portion in portions.add(part)]
    kept = len(b"".join(data)) - len(b"".join(sent))
    assert 0 <= kept < sizes.least + sizes.step
    sent += portions.fill(b"\0")
    assert b"".join(sent).rstrip(b"\0") == b"".join(data)
    assert len(b"".join(sent)) - len(b"".join(data)) < sizes.least + sizes.step
    for portion in sent:
        assert sizes.least <= len(portion) <= sizes.most
        assert len(portion) % sizes.step == 0


@given(SIZES, st.lists(st.integers(0, 300), max_size=12))
def test_marks_come_in_order_and_never_before_their_sound(sizes: PortionSizes, lengths: list[int]) -> None:
    """A mark is due when all that came before it has gone out, and all are due once the rest was filled up."""
    portions = Portions(sizes)
    came = sent = 0
    places: list[int] = []
    due: list[str] = []
    for number, length in enumerate(lengths):
        sent += sum(map(len, portions.add(bytes(length))))
        came += length
        places.append(came)
        due += portions.due()
        due += portions.mark(str(number))
        assert due == [str(index) for index in range(len(due))]
        assert all(places[int(name)] <= sent for name in due)
    portions.fill(b"\0")
    assert due + portions.due() == [str(number) for number in range(len(lengths))]


def test_a_clear_forgets_the_rest_and_tells_its_marks() -> None:
    """Nothing of it sounds later."""
    portions = Portions(PortionSizes(least=10, step=5, most=20))
    assert portions.add(bytes(7)) == []
    assert portions.mark("a") == []
    assert portions.clear() == ["a"]
    assert portions.due() == []
    assert portions.fill(b"\0") == []
