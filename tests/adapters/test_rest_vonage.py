"""Vonage's API: its words, and a token that the library which Vonage's own one uses takes."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.adapters.telephony.rest import control_of
from orchestrator.adapters.telephony.rest.vonage import application_token
from orchestrator.errors import SettingsError
from orchestrator.ports import CallFacts
from orchestrator.ports.carriers import CarrierControl
from orchestrator.settings import LineSettings
from tests.adapters.carrier_api import FakeApi

CALL = CallFacts("63f61863-4a51-4f6b-86e1-46edebcf9356")
URL = f"https://api.nexmo.com/v1/calls/{CALL.id}"


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    """A private key and its public one, in PEM."""
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    forms = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    public = private.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode(), public.decode()


def control(api: FakeApi, key: str) -> CarrierControl:
    """Return the control of a line of Vonage's."""
    found = control_of(LineSettings(carrier="vonage", account="app-1"), key, transport=api.transport)
    assert found is not None
    return found


def claims(token: str, public: str, **options: Any) -> dict[str, Any]:
    """Return what a token says, its signature checked by PyJWT."""
    found: dict[str, Any] = pytest.importorskip("jwt").decode(token, public, algorithms=["RS256"], options=options)
    return found


def test_the_token_names_the_application_for_five_minutes(pair: tuple[str, str]) -> None:
    """RS256, with a time and a number of its own."""
    token = application_token("app-1", pair[0], now=1000.7, nonce="n1")
    expected = {"application_id": "app-1", "iat": 1000, "exp": 1300, "jti": "n1"}
    assert claims(token, pair[1], verify_exp=False) == expected


async def test_a_call_is_ended_and_handed_over(pair: tuple[str, str]) -> None:
    """The NCCO for the hand-over is in the request; each request has its own token."""
    api = FakeApi(204)
    await control(api, pair[0]).hang_up(CALL)
    assert (api.line, api.json) == (f"PUT {URL}", {"action": "hangup"})
    first = claims(api.login, pair[1])
    api.asked.clear()
    await control(api, pair[0]).transfer(CALL, "+49301")
    ncco = [{"action": "connect", "endpoint": [{"type": "phone", "number": "49301"}]}]
    assert api.json == {"action": "transfer", "destination": {"type": "ncco", "ncco": ncco}}
    assert claims(api.login, pair[1])["jti"] != first["jti"]


@pytest.mark.parametrize(
    ("caller", "body"),
    [("+49302", {"from": {"type": "phone", "number": "49302"}}), ("", {"random_from_number": True})],
)
async def test_a_number_is_called(pair: tuple[str, str], caller: str, body: dict[str, Any]) -> None:
    """From a number of one's own or any of the application's."""
    api = FakeApi(201, {"uuid": CALL.id, "status": "started"})
    dial = control(api, pair[0]).dial
    assert await dial("sip:a@b", caller=caller, answer_url="https://h/vonage", parameters={"k": "v"}) == CALL.id
    assert api.line == "POST https://api.nexmo.com/v1/calls"
    to = [{"type": "sip", "uri": "sip:a@b"}]
    assert api.json == {"to": to, "answer_url": ["https://h/vonage?k=v"], "answer_method": "POST", **body}


@pytest.mark.parametrize("key", ["", "secret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_a_wrong_key_is_said_and_not_shown(key: str) -> None:
    """It is a setting that is wrong."""
    pytest.importorskip("cryptography")
    with pytest.raises(SettingsError, match="private key") as caught:
        application_token("app-1", key, now=0, nonce="")
    assert not key or key not in str(caught.value)
