"""jambonz: facts, and marks that stay true in spite of mod_audio_fork's buffers (a model of them plays along)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.codecs.jambonz import JambonzCodec
from orchestrator.errors import CarrierFault
from orchestrator.ports import Answered, CallFacts, CarrierEvent, Complaint, Key, MarkBack, MarksAfterClear, Media
from tests.adapters.codecs.mod_audio_fork import AudioFork

START = {"sampleRate": 8000, "mixType": "mono", "callSid": "c-1", "from": "+49", "to": "+50", "tier": "gold", "hops": 2}


def answered(**changes: object) -> tuple[JambonzCodec, CallFacts]:
    """Return a codec whose call has begun, and its facts."""
    codec = JambonzCodec()
    [event] = codec.receive(json.dumps(START | changes))
    assert isinstance(event, Answered)
    return codec, event.facts


class Line:
    """A codec and the module's buffers, joined: what is sent arrives, what is said is read."""

    def __init__(self, *, rate: int = 8000, channel_rate: int = 8000) -> None:
        self.codec, _ = answered(sampleRate=rate)
        self.fork = AudioFork(rate=rate, channel_rate=channel_rate)
        self.events: list[CarrierEvent] = []

    def write(self, value: int, samples: int) -> None:
        """Send that many samples of one value."""
        for message in self.codec.media(value.to_bytes(2, "little") * samples):
            self.fork.take(message)

    def mark(self, name: str) -> None:
        """Send a mark."""
        for message in self.codec.mark(name):
            self.fork.take(message)

    def fill(self) -> None:
        """End a spurt."""
        for message in self.codec.fill():
            self.fork.take(message)

    def clear(self) -> None:
        """Barge in."""
        for message in self.codec.clear():
            self.fork.take(message)

    def play(self, seconds: float) -> list[CarrierEvent]:
        """Let time pass; return what came back."""
        self.fork.play(seconds=seconds)
        events = [event for text in self.fork.said for event in self.codec.receive(text)]
        self.fork.said = []
        return events


def test_the_first_text_tells_the_call() -> None:
    """Its id, who calls whom, the rate, and the metadata among its fields; both subprotocols are accepted."""
    codec, facts = answered(sampleRate=16_000)
    assert codec.rate == 16_000
    parameters = {"callSid": "c-1", "from": "+49", "to": "+50", "tier": "gold", "hops": "2"}
    assert facts == CallFacts("c-1", "+49", "+50", leg="jambonz", parameters=parameters)
    assert list(codec.subprotocols) == ["audio.drachtio.org", "audio.jambonz.org"]


def test_mod_audio_fork_may_send_any_text_or_none() -> None:
    """The call begins with it, or with the first sound; the URL's parameters tell who calls."""
    query = {"call": "u-1", "from": "+49", "token": "secret"}
    [event] = JambonzCodec(query=query).receive("hello")
    parameters = {"call": "u-1", "from": "+49", "metadata": "hello"}
    assert event == Answered(CallFacts("u-1", "+49", leg="jambonz", parameters=parameters))
    first, second = JambonzCodec(query=query).receive(b"\1\0")
    assert isinstance(first, Answered)
    assert second == Media(b"\1\0")
    with pytest.raises(CarrierFault):
        JambonzCodec().receive('{"sampleRate":1}')


def test_what_the_caller_does_becomes_events() -> None:
    """Sound, of stereo the caller's half, keys and marks; the empty message of a graceful end means nothing."""
    codec, _ = answered()
    assert list(codec.receive(b"\1\0\2\0")) == [Media(b"\1\0\2\0")]
    assert list(answered(mixType="stereo")[0].receive(b"\1\0\2\0\3\0\4\0")) == [Media(b"\1\0\3\0")]
    assert list(codec.receive('{"event":"dtmf","dtmf":"5","duration":1600}')) == [Key("5")]
    assert list(codec.receive('{"type":"mark","data":{"name":"a","event":"playout"}}')) == [MarkBack("a")]
    assert list(codec.receive('{"type":"mark","data":{"name":"b","event":"cleared"}}')) == [MarkBack("b", cleared=True)]
    assert list(codec.receive('{"type":"error","error":"no"}')) == [Complaint("no")]
    for nothing in (b"", "any text", '{"type":"playDone"}', '{"type":"mark","data":5}'):
        assert not codec.receive(nothing)


def test_a_sample_of_minus_one_is_no_mark() -> None:
    """It becomes silence; every other sample stays as it is."""
    codec, _ = answered()
    assert codec.media(b"\xff\xff\xfe\xff\1\0\xff\xff") == [b"\0\0\xfe\xff\1\0\0\0"]
    line = Line()
    line.mark("first")
    line.write(0xFFFF, 1600)
    line.mark("second")
    assert line.play(0.1) == [MarkBack("first")]


@pytest.mark.parametrize(("rate", "channel_rate"), [(8000, 8000), (16_000, 8000), (16_000, 16_000), (24_000, 8000)])
@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_no_end_of_a_spurt_is_stuck(rate: int, channel_rate: int, lengths: list[int]) -> None:
    """However short it is and however it came, all of it sounds, and the mark behind it comes back, soon after it."""
    line = Line(rate=rate, channel_rate=channel_rate)
    for length in lengths:
        line.write(7, length * rate // 1000)
    line.mark("end")
    line.fill()
    back = line.play(sum(lengths) / 1000 + 0.2)
    assert back == [MarkBack("end")]
    assert line.fork.heard.count(7) == sum(length * rate // 1000 for length in lengths)


@pytest.mark.parametrize("channel_rate", [8000, 16_000])
@given(
    spoken=st.lists(st.integers(100, 4000), min_size=1, max_size=9),
    heard=st.floats(0, 1),
    soon=st.booleans(),
)
def test_after_a_barge_in_nothing_old_sounds_and_marks_are_on_time(
    channel_rate: int, spoken: list[int], heard: float, soon: bool
) -> None:
    """Marks thrown away come back as cleared, none is forgotten, and those of the next words come when these sounded,
    although the module lets each cleared one swallow a marker; also when we speak on before word of them came."""
    line = Line(rate=16_000, channel_rate=channel_rate)
    for number, samples in enumerate(spoken):
        line.write(7, samples)
        line.mark(f"old-{number}")
    back = line.play(heard * sum(spoken) / 16_000)
    old = len(line.fork.heard)
    line.clear()
    if not soon:
        back += line.play(0.06)
    for number in range(4):
        line.write(9, 3200)
        line.mark(f"new-{number}")
    line.fill()
    back += line.play(0.06)
    line.write(9, 3200)  # what is sent after word of the cleared ones came
    line.fill()
    back += line.play(1.5)
    names = [event.name for event in back if isinstance(event, MarkBack)]
    assert sorted(names) == sorted([f"old-{n}" for n in range(len(spoken))] + [f"new-{n}" for n in range(4)])
    assert 7 not in line.fork.heard[old:]
    assert line.fork.cleared == line.fork.in_use == []


def test_marks_after_a_barge_in_come_when_their_sound_is_over() -> None:
    """Not by as many marks later as were thrown away: every 0.2 s of new words one comes back."""
    line = Line()
    for number in range(6):
        line.write(7, 1600)
        line.mark(f"old-{number}")
    line.play(0.3)
    line.clear()
    line.play(0.5)
    for number in range(3):
        line.write(9, 1600)
        line.mark(f"new-{number}")
    line.fill()
    assert line.play(0.18) == []
    assert [line.play(0.2) for _ in range(3)] == [[MarkBack(f"new-{number}")] for number in range(3)]


def test_the_marks_that_the_module_keeps_are_told() -> None:
    """The 31st would be dropped without a word."""
    line = Line()
    for number in range(JambonzCodec.most_marks):
        line.mark(f"m-{number}")
    assert line.fork.dropped_marks == 0
    line.mark("one-too-many")
    assert line.fork.dropped_marks == 1
    assert JambonzCodec.marks_after_clear is MarksAfterClear.RETURNED


def test_the_end_is_the_verbs() -> None:
    """What jambonz does next it is told by its application."""
    codec, _ = answered()
    assert [json.loads(str(message)) for message in codec.hang_up()] == [{"type": "disconnect"}]
    assert codec.transfer("+49") is None
    assert codec.media(b"") == codec.fill() == ()
