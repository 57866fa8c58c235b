"""Carriers' REST APIs: each is asked in its own words, and whatever goes wrong is a CarrierFault without the key."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
import trio
import trio.testing

from orchestrator.adapters.telephony.rest import control_of, why_no_control
from orchestrator.errors import CarrierFault
from orchestrator.ports import CallFacts
from orchestrator.ports.carriers import CarrierControl
from orchestrator.settings import LineSettings
from orchestrator.settings.serve import Carrier
from tests.adapters.carrier_api import FakeApi

KEY = "the-key-of-the-account"
WEBHOOK = "https://bots.example.com/line"
TWILIO = "https://api.twilio.com/2010-04-01/Accounts/ACC"
PLIVO = "https://api.plivo.com/v1/Account/ACC/Call"
JAMBONZ = "https://api.jambonz.cloud/v1/Accounts/ACC/Calls"
CALL = CallFacts("CA0123")
SECRET_CARRIERS: tuple[Carrier, ...] = ("twilio", "telnyx", "plivo", "jambonz")


def control(carrier: Carrier, api: FakeApi, **more: str) -> CarrierControl:
    """Return the control of a line whose carrier is `api`."""
    line = LineSettings(carrier=carrier, account="ACC", api=more.pop("address", ""))
    found = control_of(line, KEY, webhook=more.pop("webhook", WEBHOOK), transport=api.transport, **more)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("carrier", "line", "body", "login"),
    [
        ("twilio", f"POST {TWILIO}/Calls/CA0123.json", {"Status": "completed"}, f"ACC:{KEY}"),
        ("telnyx", "POST https://api.telnyx.com/v2/calls/CA0123/actions/hangup", {}, KEY),
        ("plivo", f"DELETE {PLIVO}/CA0123/", None, f"ACC:{KEY}"),
        ("jambonz", f"PUT {JAMBONZ}/CA0123", {"call_status": "completed"}, KEY),
    ],
)
async def test_a_call_is_ended(carrier: Carrier, line: str, body: dict[str, str] | None, login: str) -> None:
    """With the request that the carrier's documentation has."""
    api = FakeApi(204 if carrier == "plivo" else 200)
    await control(carrier, api).hang_up(CALL)
    assert (api.line, api.login) == (line, login)
    if body is None:
        assert api.asked[0].content == b""
    else:
        assert (api.form if carrier == "twilio" else api.json) == body


@pytest.mark.parametrize(
    ("carrier", "line", "body"),
    [
        (
            "twilio",
            f"POST {TWILIO}/Calls/CA0123.json",
            {"Twiml": "<Response><Dial><Number>+49&lt;30</Number></Dial></Response>"},
        ),
        ("telnyx", "POST https://api.telnyx.com/v2/calls/CA0123/actions/transfer", {"to": "+49<30"}),
        (
            "plivo",
            f"POST {PLIVO}/CA0123/",
            {"legs": "aleg", "aleg_url": f"{WEBHOOK}?transfer_to=%2B49%3C30", "aleg_method": "POST"},
        ),
        (
            "jambonz",
            f"PUT {JAMBONZ}/CA0123",
            {
                "call_hook": {
                    "url": f"{WEBHOOK}?transfer_to=%2B49%3C30",
                    "method": "POST",
                    "username": "talkingstick",
                    "password": "shared",
                }
            },
        ),
    ],
)
async def test_a_caller_is_handed_over(carrier: Carrier, line: str, body: dict[str, Any]) -> None:
    """Inline where the carrier takes that, by our webhook where it takes URLs only."""
    api = FakeApi()
    await control(carrier, api, token="shared").transfer(CALL, "+49<30")
    assert api.line == line
    assert (api.form if carrier == "twilio" else api.json) == body


async def test_twilio_hands_over_to_a_sip_address() -> None:
    """It has a noun of its own."""
    api = FakeApi()
    await control("twilio", api).transfer(CALL, "sip:a@b")
    assert api.form == {"Twiml": "<Response><Dial><Sip>sip:a@b</Sip></Dial></Response>"}


URL = f"{WEBHOOK}?name=J%C3%B6rg"


@pytest.mark.parametrize(
    ("carrier", "answer", "line", "body"),
    [
        (
            "twilio",
            {"sid": "CA9"},
            f"POST {TWILIO}/Calls.json",
            {"To": "+49301", "From": "+49302", "Url": URL, "Method": "POST"},
        ),
        (
            "telnyx",
            {"call_sid": "CA9", "status": "queued"},
            "POST https://api.telnyx.com/v2/texml/calls/ACC",
            {"To": "+49301", "From": "+49302", "Url": URL, "Method": "POST"},
        ),
        (
            "plivo",
            {"message": "call fired", "request_uuid": "CA9", "api_id": "x"},
            f"POST {PLIVO}/",
            {"to": "+49301", "from": "+49302", "answer_url": URL, "answer_method": "POST"},
        ),
    ],
)
async def test_a_number_is_called(carrier: Carrier, answer: dict[str, str], line: str, body: dict[str, str]) -> None:
    """Parameters go into the query of the webhook; the id comes back."""
    api = FakeApi(201, answer)
    dial = control(carrier, api).dial
    assert await dial("+49301", caller="+49302", answer_url=WEBHOOK, parameters={"name": "Jörg"}) == "CA9"
    assert api.line == line
    assert (api.form if carrier == "twilio" else api.json) == body


@pytest.mark.parametrize(
    ("to", "endpoint"),
    [("+49301", {"type": "phone", "number": "+49301"}), ("sip:a@b", {"type": "sip", "sipUri": "sip:a@b"})],
)
async def test_jambonz_calls_a_number_or_an_address(to: str, endpoint: dict[str, str]) -> None:
    """Its API wants speech vendors although nothing is said through them (accounts.js, validateCreateCall)."""
    api = FakeApi(201, {"sid": "CA9"})
    dial = control("jambonz", api).dial
    assert await dial(to, caller="+49302", answer_url=WEBHOOK, parameters={}) == "CA9"
    assert api.line == f"POST {JAMBONZ}"
    assert (api.json["to"], api.json["from"]) == (endpoint, "+49302")
    assert api.json["call_hook"] == {"url": WEBHOOK, "method": "POST"}
    wanted = ("synthesis_vendor", "synthesis_language", "synthesis_voice", "recognizer_vendor", "recognizer_language")
    assert all(api.json[f"speech_{name}"] for name in wanted)


@pytest.mark.parametrize("carrier", SECRET_CARRIERS)
async def test_a_call_without_a_calling_number_is_refused_before_it_is_asked(carrier: Carrier) -> None:
    """The carrier would refuse it with less to the point."""
    api = FakeApi()
    with pytest.raises(CarrierFault, match=rf"{carrier}: an outgoing call needs the number"):
        await control(carrier, api).dial("+49", caller="", answer_url=WEBHOOK, parameters={})
    assert api.asked == []


@pytest.mark.parametrize(
    ("carrier", "status", "answer"),
    [
        ("twilio", 404, {"code": 20404}),
        ("twilio", 400, {"code": 21220}),
        ("telnyx", 404, {}),
        ("telnyx", 422, {"errors": [{"code": "90018", "title": "Call has already ended"}]}),
        ("plivo", 404, "not found"),
        ("jambonz", 404, "Not Found"),
    ],
)
async def test_a_call_that_is_over_may_be_ended_again(carrier: Carrier, status: int, answer: Any) -> None:
    """It can't be handed over any more."""
    api = FakeApi(status, answer)
    await control(carrier, api).hang_up(CALL)
    with pytest.raises(CarrierFault, match="the call is over"):
        await control(carrier, api).transfer(CALL, "+49")


@pytest.mark.parametrize("carrier", SECRET_CARRIERS)
@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (401, f"wrong key {KEY}"),
        (422, {"errors": [{"code": "10015"}]}),
        (422, {"errors": "x"}),
        (500, "[" * 5000),
        (503, "x" * 100_000),
    ],
)
async def test_refusals_are_faults_that_do_not_show_the_key(carrier: Carrier, status: int, answer: Any) -> None:
    """With the status and what the carrier says, shortened."""
    act = control(carrier, FakeApi(status, answer))
    for step in (
        lambda: act.hang_up(CALL),
        lambda: act.transfer(CALL, "+49"),
        lambda: act.dial("+49", caller="+1", answer_url=WEBHOOK, parameters={}),
    ):
        with pytest.raises(CarrierFault, match=rf"{carrier} did not .*: {status}") as caught:
            await step()
        assert KEY not in str(caught.value)
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("answer", [{}, {"sid": None}, "CA9", [], 3])
async def test_an_answer_without_a_call_is_a_fault(answer: Any) -> None:
    """Nothing made up is told as the call's id."""
    dial = control("twilio", FakeApi(201, answer)).dial
    with pytest.raises(CarrierFault, match="did not say which call"):
        await dial("+49", caller="+1", answer_url=WEBHOOK, parameters={})


async def test_a_redirect_is_not_followed() -> None:
    """The key goes to the carrier's own address only."""
    with pytest.raises(CarrierFault, match="302"):
        await control("twilio", FakeApi(302)).transfer(CALL, "+49")


async def test_an_address_that_does_not_answer_is_a_fault() -> None:
    """Whatever httpx2 calls it."""
    for error in (httpx2.ConnectError("refused"), httpx2.ReadTimeout(""), httpx2.RemoteProtocolError("bad")):
        with pytest.raises(CarrierFault, match=r"telnyx: https://api.telnyx.com can't be asked"):
            await control("telnyx", FakeApi(answer=error)).hang_up(CALL)


async def test_an_api_that_never_ends_its_answer_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    """A byte now and then does not keep the call's task waiting for ever."""

    async def for_ever(request: httpx2.Request) -> httpx2.Response:
        await trio.sleep_forever()
        raise AssertionError

    api = FakeApi()
    api.transport = httpx2.MockTransport(for_ever)
    with pytest.raises(CarrierFault, match="within 15 s"):
        await control("telnyx", api).hang_up(CALL)
    assert trio.current_time() == pytest.approx(15)


@pytest.mark.parametrize("call", ["", "..", "a/b", "../../Messages", "a?b", "a b", "ä", "x" * 300, "%2e"])
async def test_an_id_that_no_carrier_gave_gets_into_no_path(call: str) -> None:
    """It came over a wire: it may not name another resource."""
    for carrier in SECRET_CARRIERS:
        api = FakeApi()
        with pytest.raises(CarrierFault, match="no id of a call"):
            await control(carrier, api).hang_up(CallFacts(call))
        assert api.asked == []


async def test_telnyx_ids_stay_what_they_are() -> None:
    """They have colons and signs."""
    api = FakeApi()
    await control("telnyx", api).hang_up(CallFacts("v3:aB-_9=="))
    assert api.line == "POST https://api.telnyx.com/v2/calls/v3:aB-_9==/actions/hangup"


async def test_another_address_may_be_set() -> None:
    """For jambonz of one's own."""
    api = FakeApi()
    await control("jambonz", api, address="https://jambonz.example.com/api").hang_up(CALL)
    assert api.line == "PUT https://jambonz.example.com/api/v1/Accounts/ACC/Calls/CA0123"


@pytest.mark.parametrize("carrier", ["plivo", "jambonz"])
async def test_a_transfer_by_the_webhook_needs_its_address(carrier: Carrier) -> None:
    """The fault says which setting is missing."""
    with pytest.raises(CarrierFault, match=r"serve\.public_url"):
        await control(carrier, FakeApi(), webhook="").transfer(CALL, "+49")


@pytest.mark.parametrize(
    ("line", "key", "reason"),
    [
        (LineSettings(carrier="asterisk"), KEY, "has no REST API"),
        (LineSettings(carrier="audiosocket"), KEY, "has no REST API"),
        (LineSettings(carrier="exotel"), KEY, "has no REST API"),
        (LineSettings(carrier="twilio", account="AC"), "", "secret_env or secret_file"),
        (LineSettings(carrier="telnyx", account="1"), "", "key_env or key_file"),
        (LineSettings(carrier="twilio"), KEY, "set the line's account"),
        (LineSettings(carrier="vonage", account="app"), "no key", "private key"),
    ],
)
def test_what_is_missing_is_said(line: LineSettings, key: str, reason: str) -> None:
    """Such a line has no control."""
    if line.carrier == "vonage":
        pytest.importorskip("cryptography")
    assert reason in why_no_control(line, key)
    assert control_of(line, key) is None


def test_telnyx_ends_calls_without_an_account() -> None:
    """Only dialling needs the application."""
    line = LineSettings(carrier="telnyx")
    assert why_no_control(line, KEY) == ""
    assert control_of(line, KEY) is not None
