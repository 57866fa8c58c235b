"""What adapters/telephony/markup.py promises: documents that say what is meant, whatever is in the parameters."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.codecs.plivo import PlivoCodec
from orchestrator.adapters.telephony.markup import Document, answer
from orchestrator.errors import CarrierFault, SettingsError
from orchestrator.ports import Answered, StreamTarget
from orchestrator.settings import LineSettings
from orchestrator.settings.serve import Carrier

URL = "wss://bots.example.com/calls?a=1&b=2"
GIVEN = {"caller": '+1"<&>', "plan": "gold & 'silver'"}
WEBHOOKS: tuple[Carrier, ...] = ("twilio", "telnyx", "plivo", "exotel", "vonage", "jambonz")
PARAMETERS = st.dictionaries(st.text(max_size=8), st.text(st.characters(), max_size=12), max_size=1)


def document(carrier: Carrier, parameters: dict[str, str] | None = None, **options: Any) -> Document:
    """The answer to a webhook of a line."""
    target = StreamTarget(url=URL, parameters=GIVEN if parameters is None else parameters)
    written = answer(LineSettings(carrier=carrier, **options), target)
    assert written is not None
    return written


def xml(carrier: Carrier, **options: Any) -> ElementTree.Element:
    """The answer as a tree."""
    written = document(carrier, **options)
    assert written.content_type.startswith("text/xml")
    return ElementTree.fromstring(written.body)


def given_parameters(stream: ElementTree.Element) -> dict[str, str]:
    """The parameters of a stream."""
    return {part.attrib["name"]: part.attrib["value"] for part in stream.findall("Parameter")}


def test_twilio_gets_a_connect_with_parameters() -> None:
    """Nothing comes after it: the call ends when the bot leaves."""
    response = xml("twilio")
    [connect] = response
    [stream] = connect
    assert (response.tag, connect.tag, stream.tag) == ("Response", "Connect", "Stream")
    assert stream.attrib == {"url": URL}
    assert given_parameters(stream) == GIVEN


def test_what_is_handed_over_to_comes_after_the_stream() -> None:
    """In the words of the settings, which must be XML."""
    dial = "<Say>One moment.</Say><Dial>+1777</Dial>"
    assert [verb.tag for verb in xml("twilio", hand_over=dial)] == ["Connect", "Say", "Dial"]
    with pytest.raises(SettingsError, match=r"hand_over is '<Dial>', which is no XML"):
        document("twilio", hand_over="<Dial>")


def test_telnyx_gets_both_directions_in_one_codec() -> None:
    """Without the mode the caller would hear nothing."""
    stream = xml("telnyx").find("Connect/Stream")
    assert stream is not None
    assert stream.attrib["url"] == URL
    assert (stream.attrib["bidirectionalMode"], stream.attrib["track"]) == ("rtp", "inbound_track")
    assert stream.attrib["codec"] == stream.attrib["bidirectionalCodec"] == "PCMU"
    assert given_parameters(stream) == GIVEN


@pytest.mark.parametrize(("rate", "written"), [(8000, "audio/x-mulaw;rate=8000"), (16000, "audio/x-l16;rate=16000")])
def test_plivo_keeps_the_call_alive(rate: int, written: str) -> None:
    """And streams mu-law at 8 kHz, L16 above."""
    [stream] = xml("plivo", rate=rate)
    assert (stream.tag, stream.text) == ("Stream", URL)
    assert (stream.attrib["bidirectional"], stream.attrib["keepCallAlive"]) == ("true", "true")
    assert stream.attrib["contentType"] == written


def test_plivo_brings_parameters_in_letters_and_digits() -> None:
    """It takes nothing else; the codec reads what the document has."""
    headers = xml("plivo")[0].attrib["extraHeaders"]
    name, _, value = headers.partition("=")
    assert name.isalnum()
    assert value.isalnum()
    names = {"callId": "c", "streamId": "s", "mediaFormat": {}}
    [event] = PlivoCodec().receive(json.dumps({"event": "start", "start": names, "extra_headers": headers}))
    assert isinstance(event, Answered)
    assert event.facts.parameters == GIVEN


def test_exotel_gets_an_address_with_the_parameters_in_it() -> None:
    """Who calls is in its start already; a rate other than its own 8000 is asked for."""
    written = json.loads(document("exotel", rate=16000).body)
    assert dict(parse_qsl(urlsplit(written["url"]).query)) == {
        "a": "1",
        "b": "2",
        "plan": GIVEN["plan"],
        "sample-rate": "16000",
    }
    assert "sample-rate" not in json.loads(document("exotel").body)["url"]


def test_vonage_gets_an_ncco() -> None:
    """The headers come back in its first message."""
    [action] = json.loads(document("vonage", rate=16000).body)
    assert action["action"] == "connect"
    endpoint = {"type": "websocket", "uri": URL, "content-type": "audio/l16;rate=16000", "headers": GIVEN}
    assert action["endpoint"] == [endpoint]


def test_jambonz_gets_a_listen_that_streams_back() -> None:
    """Its default would throw our sound away; one rate both ways."""
    [verb] = json.loads(document("jambonz", rate=16000).body)
    assert (verb["verb"], verb["url"], verb["metadata"], verb["passDtmf"]) == ("listen", URL, GIVEN, True)
    assert verb["bidirectionalAudio"] == {"enabled": True, "streaming": True, "sampleRate": verb["sampleRate"]}


@pytest.mark.parametrize("carrier", ["asterisk", "audiosocket", "generic"])
def test_stacks_without_a_webhook_have_no_document(carrier: Carrier) -> None:
    """Their configuration says where calls go."""
    assert answer(LineSettings(carrier=carrier), StreamTarget(url=URL)) is None


@pytest.mark.parametrize("carrier", ["plivo", "exotel", "vonage"])
def test_more_than_the_carrier_takes_is_told(carrier: Carrier) -> None:
    """It would be cut off without a word."""
    with pytest.raises(CarrierFault, match="parameters"):
        document(carrier, {"a": "x" * 600})


@pytest.mark.parametrize("carrier", WEBHOOKS)
@given(parameters=PARAMETERS)
def test_no_parameter_breaks_a_document(carrier: Carrier, parameters: dict[str, str]) -> None:
    """Whatever letters are in it: the document is one, and can be sent."""
    written = document(carrier, parameters)
    written.body.encode("utf-8")
    if "xml" not in written.content_type:
        json.loads(written.body)
        return
    tree = ElementTree.fromstring(written.body)
    assert {part.tag for part in tree.iter()} <= {"Response", "Connect", "Stream", "Parameter"}


@pytest.mark.parametrize("carrier", ["plivo", "vonage"])
def test_who_calls_is_left_out_where_it_is_too_long(carrier: Carrier) -> None:
    """A caller's name in SIP may have any length: the call is answered all the same, with what else is to be told."""
    long = {"caller": "sip:" + "x" * 600 + "@host", "called": "+1", "call": "u-1"}
    assert document(carrier, long) == document(carrier, {"call": "u-1"})
    with pytest.raises(CarrierFault):
        document(carrier, long | {"a": "x" * 600})
