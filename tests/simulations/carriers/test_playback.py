"""The playback clock: nothing is lost or heard twice, marks come when their sound was played, clear cuts at once."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.carriers.playback import Playback, sounding_spans

RATE = 8000
LOUD = (8000).to_bytes(2, "little", signed=True)


def loud(seconds: float, rate: int = RATE) -> bytes:
    """Return so much sound."""
    return LOUD * round(seconds * rate)


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(("add", "mark", "clear", "look")),
        st.integers(0, 400).map(lambda each: each / 1000),
        st.integers(0, 3000),
    ),
    max_size=40,
)


@given(deeds=DEEDS, most=st.sampled_from((0.2, 1.0, math.inf)), jitter=st.sampled_from((0.0, 0.08)))
def test_sound_is_played_once_and_every_mark_comes_back_once(
    deeds: list[tuple[str, float, int]], most: float, jitter: float
) -> None:
    """What came is played, still to be played, cleared or dropped; the position never goes back; marks keep order."""
    playback = Playback(rate=RATE, most=most, jitter=jitter)
    now, position, back, cleared, asked = 0.0, 0.0, [], [], 0
    for deed, wait, samples in deeds:
        now += wait
        if deed == "add":
            playback.add(LOUD * samples, now)
        elif deed == "mark":
            playback.mark(str(asked), now)
            asked += 1
        elif deed == "clear":
            back += playback.reached(now)
            gone = playback.clear(now)
            cleared += gone
            back += gone
            assert playback.buffered(now) == 0
        back += playback.reached(now)
        played = playback.position(now)
        whole = playback.dropped + playback.cleared + playback.buffered(now) + played
        assert whole == pytest.approx(playback.received, abs=1e-6)
        assert played >= position - 1e-6
        position = played
        assert playback.buffered(now) <= most + 1e-6
    back += playback.reached(now + 1000)
    assert back == [str(number) for number in range(asked)]


@given(deeds=DEEDS)
def test_what_sounds_lies_apart_in_order_and_is_as_long_as_what_was_played(deeds: list[tuple[str, float, int]]) -> None:
    """Spans of sound never overlap, end by the end of the buffer, and add up to what was not cleared."""
    playback = Playback(rate=RATE)
    now = 0.0
    for deed, wait, samples in deeds:
        now += wait
        if deed == "add":
            playback.add(LOUD * samples, now)
        if deed == "clear":
            playback.clear(now)
    assert all(first[1] < second[0] for first, second in zip(playback.sounds, playback.sounds[1:], strict=False))
    sounding = sum(end - start for start, end in playback.sounds)
    # a joined span bridges at most a millisecond
    assert sounding == pytest.approx(playback.received - playback.cleared, abs=0.001 * (len(deeds) + 1))


def test_a_mark_comes_when_the_sound_before_it_was_played() -> None:
    """One second of sound, then a mark: it comes after that second, not before; with nothing buffered at once."""
    playback = Playback(rate=RATE)
    playback.mark("empty", 5.0)
    assert playback.reached(5.0) == ["empty"]
    playback.add(loud(1.0), 5.0)
    playback.mark("end", 5.1)
    assert playback.reached(5.99) == []
    assert playback.reached(6.0) == ["end"]
    assert playback.reached(7.0) == []


def test_clear_cuts_what_is_sounding_and_returns_the_open_marks() -> None:
    """At the clear the sound ends, and the marks that were not reached are named in order."""
    playback = Playback(rate=RATE)
    playback.add(loud(2.0), 0.0)
    playback.mark("a", 0.0)
    playback.add(loud(2.0), 0.1)
    playback.mark("b", 0.1)
    assert playback.clear(0.5) == ["a", "b"]
    assert playback.sounds == [(0.0, 0.5)]
    assert playback.cleared == pytest.approx(3.5)
    assert playback.reached(10.0) == []
    playback.add(loud(0.1), 0.7)
    assert playback.sounds[-1] == pytest.approx((0.7, 0.8))


def test_silence_between_arrivals_is_told() -> None:
    """A frame that comes 30 ms after the last one was played leaves 30 ms dry."""
    playback = Playback(rate=RATE)
    playback.add(loud(0.02), 1.0)
    playback.add(loud(0.02), 1.02)
    playback.add(loud(0.02), 1.07)
    (dry,) = playback.dry
    assert [dry.at, dry.seconds] == pytest.approx([1.04, 0.03])


def test_what_finds_no_room_is_dropped_from_its_end() -> None:
    """A buffer of 0.2 s takes 0.2 s of a burst of 3 s, as Asterisk's queue does."""
    playback = Playback(rate=RATE, most=0.2)
    playback.add(loud(3.0), 0.0)
    assert playback.dropped == pytest.approx(2.8)
    assert playback.position(10.0) == pytest.approx(0.2)


def test_when_the_bot_began_and_for_how_long_it_is_quiet() -> None:
    """Sound to come has not begun; pauses inside the sound are none of the buffer's."""
    playback = Playback(rate=RATE)
    assert playback.quiet_for(0.0) == math.inf
    playback.add(bytes(2 * RATE) + loud(0.5), 0.0)
    assert playback.began(0.0, 0.9) is None
    assert playback.began(0.0, 1.2) == pytest.approx(1.0)
    assert playback.began(1.1, 1.2) == pytest.approx(1.1)
    assert playback.quiet_for(1.2) == 0
    assert playback.quiet_for(2.0) == pytest.approx(0.5)


def test_only_what_is_loud_enough_sounds() -> None:
    """Silence and comfort noise at -60 dBFS are no sound; a burst inside is found to 5 ms."""
    hiss = (33).to_bytes(2, "little", signed=True)
    assert sounding_spans(hiss * RATE, RATE) == []
    (span,) = sounding_spans(hiss * 800 + loud(0.1) + hiss * 800, RATE)
    assert span == pytest.approx((0.1, 0.2))
