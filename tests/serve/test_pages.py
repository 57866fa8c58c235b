"""The pages of the port: whether calls can be answered, and what webhooks get."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from trio.testing import MockClock

from orchestrator.settings import LineSettings
from tests.serve.desk import desk, open_desk, settings_of

TWILIO = LineSettings(carrier="twilio", hand_over="<Dial>+4930</Dial>")


async def test_it_lives_and_says_whether_it_is_ready(autojump_clock: MockClock) -> None:
    """Draining it is not, and takes no stream and no webhook."""
    at = desk(settings_of(TWILIO))
    assert await at.get("/healthz") == (200, b'{"alive":true}')
    assert await at.get("/readyz") == (200, b'{"ready":true}')
    at.readiness.draining = True
    status, body = await at.get("/readyz")
    assert (status, json.loads(body)["ready"]) == (503, False)
    assert "draining" in json.loads(body)["reason"]
    assert (await at.post("/twilio"))[0] == 503
    assert await at.upgrade("/twilio") == 503
    assert (await at.get("/healthz"))[0] == 200


async def test_a_full_port_is_not_ready(autojump_clock: MockClock) -> None:
    """As many connections as there may be."""
    at = desk(settings_of(TWILIO, most_connections=1))
    with at.streams.guests.admit():
        status, body = await at.get("/readyz")
    assert status == 503
    assert b"full" in body


async def test_a_provider_that_was_not_reached_is_the_reason(autojump_clock: MockClock) -> None:
    """Until it was reached once."""
    async with open_desk(settings_of(LineSettings(carrier="twilio", bot="echo"))) as at:
        assert b"not reached yet" in (await at.get("/readyz"))[1]
        await at.readiness.reach_provider()
        assert (await at.get("/readyz"))[0] == 200


async def test_twiml_brings_the_stream_here_and_what_comes_after_it(autojump_clock: MockClock) -> None:
    """From where the call comes is handed over, since Twilio's stream does not say it."""
    at = desk(settings_of(TWILIO))
    status, body = await at.post("/twilio?name=Asha&token=x", b"CallSid=CA1&From=%2B15550100&To=%2B15550199")
    assert status == 200
    response = ElementTree.fromstring(body)
    stream = response.find("Connect/Stream")
    assert stream is not None
    assert re.fullmatch(r"wss://bots\.example\.com/twilio/[\w-]{32}", stream.attrib["url"])
    parameters = {each.attrib["name"]: each.attrib["value"] for each in stream}
    assert parameters == {"name": "Asha", "caller": "+15550100", "called": "+15550199"}
    assert response[1].text == "+4930"


@pytest.mark.parametrize(
    ("carrier", "query", "body", "within"),
    [
        ("telnyx", "", b"From=1&To=2", b'bidirectionalMode="rtp"'),
        ("plivo", "", b"From=1&To=2", b"keepCallAlive"),
        ("exotel", "?CallFrom=1&CallTo=2", b"", b'{"url": '),
        ("vonage", "?from=1&to=2", b"", b'"called": "2"'),
        ("jambonz", "", b'{"from": "1", "to": "2", "x": [1]}', b'"called": "2"'),
    ],
)
async def test_each_carrier_gets_its_own_language(
    autojump_clock: MockClock, carrier: str, query: str, body: bytes, within: bytes
) -> None:
    """With whom is called, from a form, a query or JSON; POST or GET."""
    at = desk(settings_of(LineSettings(carrier=carrier)))  # type: ignore[arg-type]
    if body:
        kind = "application/json" if body.startswith(b"{") else "application/x-www-form-urlencoded"
        status, answer = await at.post(f"/{carrier}", body, content_type=kind)
    else:
        status, answer = await at.get(f"/{carrier}{query}")
    assert status == 200
    assert f"wss://bots.example.com/{carrier}/".encode() in answer
    assert within in answer


@pytest.mark.parametrize("carrier", ["plivo", "jambonz"])
async def test_a_transfer_is_fetched_from_the_webhook(autojump_clock: MockClock, carrier: str) -> None:
    """Numbers and addresses."""
    at = desk(settings_of(LineSettings(carrier=carrier)))  # type: ignore[arg-type]
    assert b"+4930" in (await at.post(f"/{carrier}?transfer_to=%2B4930"))[1]
    answer = (await at.post(f"/{carrier}?transfer_to=sip:a@b"))[1]
    assert b"sip:a@b" in answer
    assert b"Number" not in answer


@pytest.mark.parametrize(("path", "status"), [("/", 404), ("/twilio/abc", 404), ("/nothing", 404), ("/generic", 426)])
async def test_where_nothing_is_there_is_an_error(autojump_clock: MockClock, path: str, status: int) -> None:
    """A stack without webhooks is told to bring a WebSocket."""
    at = desk(settings_of(TWILIO, LineSettings(carrier="generic")))
    assert (await at.post(path))[0] == status


async def test_a_body_that_is_nonsense_is_a_call_of_nobody(autojump_clock: MockClock) -> None:
    """Forms and JSON alike."""
    at = desk(settings_of(LineSettings(carrier="jambonz")))
    for body in (b"\xff\xfe", b"[1]", b"{" * 5000, b"null"):
        status, answer = await at.post("/jambonz", body, content_type="application/json")
        assert status == 200
        assert b"called" not in answer
