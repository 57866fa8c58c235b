"""Carriers' JSON codecs against readers and writers that others wrote: Pipecat, Plivo's SDK, Twilio's library.

Where one of them is not installed its tests are skipped.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from orchestrator import g711
from orchestrator.adapters.telephony.codecs.json_media import JsonMediaCodec
from orchestrator.adapters.telephony.codecs.plivo import PlivoCodec
from orchestrator.adapters.telephony.codecs.telnyx import TelnyxCodec
from orchestrator.adapters.telephony.markup import answer
from orchestrator.ports import Key, Media, StreamTarget
from orchestrator.settings import LineSettings
from tests.adapters.codecs import test_exotel, test_plivo, test_telnyx, test_twilio

PCM = b"".join((700 * (step % 40 - 20)).to_bytes(2, "little", signed=True) for step in range(1600))
"""0.2 s at 8 kHz, as loud as speech: as much as Exotel takes in one message."""


def peer(name: str) -> Any:
    """Import somebody else's module, whose warnings are not ours to mend; skip the test where it is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, exc_type=ImportError)


def done(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns that never waits, as these serializers where no rates differ."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the peer waits")


def telnyx_codec() -> TelnyxCodec:
    """A call in mu-law."""
    return test_telnyx.answered(encoding="PCMU", sample_rate=8000)


PIPECAT = {
    "twilio": ("TwilioFrameSerializer", {"stream_sid": "MZ1"}),
    "telnyx": ("TelnyxFrameSerializer", {"stream_id": "u-1", "outbound_encoding": "PCMU", "inbound_encoding": "PCMU"}),
    "plivo": ("PlivoFrameSerializer", {"stream_id": "s-1"}),
    "exotel": ("ExotelFrameSerializer", {"stream_sid": "s-1"}),
}


def ours(carrier: str) -> JsonMediaCodec:
    """Our codec of a carrier, answered, at 8 kHz."""
    if carrier == "telnyx":
        return telnyx_codec()
    if carrier == "twilio":
        return test_twilio.answered()
    if carrier == "exotel":
        return test_exotel.answered()
    return test_plivo.answered(encoding="audio/x-mulaw", sampleRate=8000)


def pipecat(carrier: str) -> Any:
    """Pipecat's serializer of a carrier, at 8 kHz, so that nothing is resampled."""
    module = peer(f"pipecat.serializers.{carrier}")
    name, options = PIPECAT[carrier]
    serializer = getattr(module, name)
    parameters = serializer.InputParams()
    if hasattr(parameters, "auto_hang_up"):
        parameters.auto_hang_up = False
    made = serializer(params=parameters, **options)
    done(made.setup(SimpleNamespace(audio_in_sample_rate=8000)))
    return made


@pytest.mark.parametrize("carrier", PIPECAT)
def test_pipecat_reads_the_sound_that_the_carrier_sends_as_we_do(carrier: str) -> None:
    """The same message, the same samples; a key as well."""
    samples: Any = {"twilio": test_twilio, "telnyx": test_telnyx, "plivo": test_plivo, "exotel": test_exotel}[carrier]
    theirs, codec = pipecat(carrier), ours(carrier)
    [media] = codec.receive(json.dumps(samples.MEDIA))
    assert isinstance(media, Media)
    assert done(theirs.deserialize(json.dumps(samples.MEDIA))).audio == media.pcm
    [key] = codec.receive(json.dumps(samples.DTMF))
    assert isinstance(key, Key)
    assert done(theirs.deserialize(json.dumps(samples.DTMF))).button.value == key.digit


@pytest.mark.parametrize("carrier", PIPECAT)
def test_we_write_sound_and_clears_as_pipecat_does(carrier: str) -> None:
    """The same fields with the same values, whatever their order."""
    theirs, codec = pipecat(carrier), ours(carrier)
    frames = peer("pipecat.frames.frames")
    [sound] = codec.media(PCM)
    frame = frames.OutputAudioRawFrame(audio=PCM, sample_rate=8000, num_channels=1)
    assert json.loads(sound) == json.loads(done(theirs.serialize(frame)))
    [clear] = codec.clear()
    assert json.loads(clear) == json.loads(done(theirs.serialize(frames.InterruptionFrame())))


@pytest.mark.parametrize("carrier", ["twilio", "exotel"])
def test_what_pipecat_writes_we_read(carrier: str) -> None:
    """These carriers' media look the same in both directions: sound survives the way through both."""
    theirs, codec = pipecat(carrier), ours(carrier)
    frames = peer("pipecat.frames.frames")
    frame = frames.OutputAudioRawFrame(audio=PCM, sample_rate=8000, num_channels=1)
    [media] = codec.receive(done(theirs.serialize(frame)))
    assert isinstance(media, Media)
    heard = g711.decode(g711.encode(PCM, "ulaw"), "ulaw") if carrier == "twilio" else PCM
    assert media.pcm == heard


def test_plivos_sdk_accepts_what_we_write() -> None:
    """Its own models for what goes to Plivo."""
    types = peer("plivo_stream.types")
    codec = ours("plivo")
    sound = types.PlayAudioEvent.model_validate_json(codec.media(PCM)[0])
    assert (sound.media.content_type, sound.media.sample_rate) == ("audio/x-mulaw", 8000)
    checkpoint = types.CheckpointEvent.model_validate_json(codec.mark("g1-7")[0])
    assert (checkpoint.stream_id, checkpoint.name) == ("s-1", "g1-7")
    assert types.ClearAudioEvent.model_validate_json(codec.clear()[0]).stream_id == "s-1"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("StartEvent", test_plivo.START),
        ("MediaEvent", test_plivo.MEDIA),
        ("DtmfEvent", test_plivo.DTMF),
        ("PlayedStreamEvent", test_plivo.PLAYED),
        ("ClearedAudioEvent", test_plivo.CLEARED),
    ],
)
def test_plivos_sdk_writes_what_we_read(model: str, message: dict[str, Any]) -> None:
    """Each message passes its model, and what the model writes again means the same to us."""
    written = getattr(peer("plivo_stream.types"), model).model_validate(message).model_dump_json(by_alias=True)
    first, again = PlivoCodec(), PlivoCodec()
    for codec in (first, again):
        if model != "StartEvent":
            codec.receive(json.dumps(test_plivo.START))
    assert list(again.receive(written)) == list(first.receive(json.dumps(message))) != []


def test_twilios_library_writes_the_same_twiml() -> None:
    """Element for element, attribute for attribute."""
    library = peer("twilio.twiml.voice_response")
    given = {"caller": '+1"<&>', "plan": "gold"}
    connect = library.Connect()
    stream = connect.stream(url="wss://bots.example.com/twilio")
    for name, value in given.items():
        stream.parameter(name=name, value=value)
    theirs = library.VoiceResponse()
    theirs.append(connect)
    target = StreamTarget(url="wss://bots.example.com/twilio", parameters=given)
    written = answer(LineSettings(carrier="twilio"), target)
    assert written is not None
    assert ElementTree.canonicalize(written.body) == ElementTree.canonicalize(str(theirs))
