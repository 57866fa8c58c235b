"""jambonz and its mod_audio_fork: sound that waits, marks that are samples; and our codec, which knows of all that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.codecs.jambonz import JambonzCodec
from orchestrator.ports import MarkBack, WireMessage
from simulations.carriers.jambonz import FakeJambonz
from tests.simulations.carriers.test_carriers import CALL, say, told

SECOND = bytes(16_000)
MINUS_ONE = b"\xff\xff"


def names(carrier: FakeJambonz, now: float) -> list[str]:
    """Return the marks that go back by now."""
    return [each["data"]["name"] for each in told(carrier.due(now))]


def test_jambonz_tells_played_marks_from_cleared_ones() -> None:
    """`playout` before the sound that follows, `cleared` for what killAudio drops; an odd byte is kept."""
    carrier = FakeJambonz(CALL)
    (first,) = told(carrier.opening())
    assert (first["sampleRate"], first["callSid"], first["k"]) == (8000, CALL.call, "v")
    carrier.receive(bytes(2561), 0.0)
    carrier.receive(bytes(1279), 0.0)
    assert carrier.playback.received == pytest.approx(0.24)
    say(carrier, 0.0, type="mark", data={"name": "a"})
    assert names(carrier, 0.2) == []
    assert told(carrier.due(0.3)) == [{"type": "mark", "data": {"name": "a", "event": "playout"}}]
    carrier.receive(SECOND, 1.0)
    say(carrier, 1.0, type="mark", data={"name": "b"})
    assert say(carrier, 1.1, type="killAudio") == [{"type": "mark", "data": {"name": "b", "event": "cleared"}}]
    say(carrier, 2.0, type="disconnect")
    assert carrier.hung_up


def test_jambonz_waits_for_160_ms_first_and_for_80_ms_then() -> None:
    """A shorter burst is not heard until more comes."""
    carrier = FakeJambonz(CALL)
    for size, received in ((1280, 0.0), (1280, 0.16), (640, 0.16), (640, 0.24)):
        carrier.receive(bytes(size), 0.0)
        assert carrier.playback.received == pytest.approx(received)


def test_jambonz_drops_the_thirty_first_open_mark() -> None:
    """At most 30 are kept, and the bot is told nothing of more; here it is complained of."""
    carrier = FakeJambonz(CALL)
    for number in range(31):
        say(carrier, 0.0, type="mark", data={"name": f"m{number}"})
    assert [name for tick in range(40) for name in names(carrier, 0.02 * tick)] == [f"m{n}" for n in range(30)]
    assert carrier.complaints.total() == 1


def test_jambonz_takes_a_sample_of_minus_one_for_a_mark() -> None:
    """While one is open; and what killAudio cleared out of the sound swallows a later marker."""
    carrier = FakeJambonz(CALL)
    carrier.receive(SECOND, 0.0)
    say(carrier, 0.0, type="mark", data={"name": "late"})
    carrier.receive(bytes(8000), 0.0)
    carrier.receive(bytes(800) + MINUS_ONE + bytes(800), 0.0)
    assert carrier.complaints.total() == 1
    assert names(carrier, 1.1) == ["late"]
    carrier = FakeJambonz(CALL)
    carrier.receive(MINUS_ONE * 8000, 0.0)
    assert not carrier.complaints
    say(carrier, 0.0, type="mark", data={"name": "cut"})
    carrier.receive(SECOND, 0.0)
    assert len(say(carrier, 0.1, type="killAudio")) == 1
    say(carrier, 0.2, type="mark", data={"name": "next"})
    carrier.receive(SECOND, 0.2)
    say(carrier, 0.2, type="mark", data={"name": "end"})
    carrier.receive(SECOND, 0.2)
    assert names(carrier, 0.3) == []  # the first marker was swallowed
    assert names(carrier, 1.3) == ["next"]


class Call:
    """Our codec at jambonz; `back` are the marks that it told were played, with when."""

    def __init__(self) -> None:
        self.carrier, self.codec = FakeJambonz(CALL), JambonzCodec()
        self.now = 0.0
        self.back: dict[str, float] = {}
        for message in self.carrier.opening():
            self.codec.receive(message)

    def send(self, messages: tuple[WireMessage, ...] | list[WireMessage]) -> None:
        """Send messages and read the answers."""
        for message in messages:
            for answer in self.carrier.receive(message, self.now):
                self.codec.receive(answer)

    def pass_time(self, ticks: int) -> None:
        """Let so many times 20 ms pass."""
        for _ in range(ticks):
            self.now += 0.02
            for message in self.carrier.due(self.now):
                for event in self.codec.receive(message):
                    if isinstance(event, MarkBack):
                        self.back.setdefault(event.name, self.now)


DEEDS = st.lists(
    st.tuples(st.sampled_from(("write", "mark", "clear", "fill", "wait")), st.integers(1, 60)), max_size=30
)


@given(deeds=DEEDS)
def test_our_codec_is_never_misunderstood(deeds: list[tuple[str, int]]) -> None:
    """Sound that is -1 throughout, marks, ends of spurts and clears of what has begun to sound: no complaint.

    Then a second of sound and a mark: it comes back by the end of what plays, not before.
    """
    call = Call()
    marks = 0
    for deed, number in deeds:
        if deed == "write":
            call.send(list(call.codec.media(MINUS_ONE * (number * 40))))
        elif deed == "mark" and marks < 29:
            call.send(list(call.codec.mark(f"m{marks}")))
            marks += 1
        elif deed == "clear":
            call.send(list(call.codec.fill()))
            call.pass_time(20)
            call.send(list(call.codec.clear()))
        elif deed == "fill":
            call.send(list(call.codec.fill()))
        call.pass_time(number if deed == "wait" else 0)
    call.send(list(call.codec.fill()))
    call.pass_time(500)
    began = call.now
    call.send(list(call.codec.media(MINUS_ONE * 8000)))
    call.send(list(call.codec.mark("last")))
    call.send(list(call.codec.fill()))
    call.pass_time(100)
    assert not call.carrier.complaints
    assert 0.98 <= call.back["last"] - began <= 1.2
