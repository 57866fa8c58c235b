"""Who may call: signed or not, wrong, replayed; told once. Signatures are made by hand, as carriers publish them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from urllib.parse import urlencode

import pytest
from trio.testing import MockClock

from orchestrator.events import RequestRefused
from orchestrator.settings import LineSettings
from tests.serve.desk import PUBLIC, WALL, Desk, desk, settings_of

SECRET = "0123456789abcdef0123456789abcdef"
FORM = {"CallSid": "CA1", "From": "+15550100", "To": "+15550199"}
BODY = urlencode(FORM).encode()


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINE_SECRET", SECRET)


def closed(carrier: str) -> Desk:
    """Return a desk with one line that asks for the secret."""
    return desk(settings_of(LineSettings(carrier=carrier, secret_env="LINE_SECRET")))  # type: ignore[arg-type]


def twilio(url: str, form: dict[str, str] | None = None) -> str:
    """Return Twilio's signature."""
    text = url + "".join(name + value for name, value in sorted((form or {}).items()))
    return base64.b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).digest()).decode()


def refused(at: Desk) -> list[tuple[str, int]]:
    """Return what was told of refused requests."""
    return [(event.line, event.status) for event in at.told(RequestRefused)]


def token_in(answer: bytes) -> str:
    """Return the one-time token of the stream that a webhook's answer names."""
    found = re.search(rb"wss://bots\.example\.com/\w+/([\w-]{20,})", answer)
    assert found
    return found.group(1).decode()


async def test_a_signed_webhook_gets_its_stream_and_a_replay_nothing(autojump_clock: MockClock) -> None:
    """The same signed request a second time is a 403; each refusal is one event."""
    at = closed("twilio")
    signature = twilio(f"{PUBLIC}/twilio", FORM)
    status, answer = await at.post("/twilio", BODY, x_twilio_signature=signature)
    assert status == 200
    assert token_in(answer)
    assert (await at.post("/twilio", BODY, x_twilio_signature=signature))[0] == 403
    assert (await at.post("/twilio", BODY))[0] == 401
    assert (await at.post("/twilio", BODY + b"&a=b", x_twilio_signature=signature))[0] == 403
    assert refused(at) == [("/twilio", 403), ("/twilio", 401), ("/twilio", 403)]
    assert SECRET not in repr(at.events)


async def test_a_stream_of_twilio_is_signed_and_comes_once(autojump_clock: MockClock) -> None:
    """Over its own address: the token of another or of none does not open it, and none opens it twice."""
    at = closed("twilio")
    _, answer = await at.post("/twilio", BODY, x_twilio_signature=twilio(f"{PUBLIC}/twilio", FORM))
    path = f"/twilio/{token_in(answer)}"
    right = twilio(f"wss://bots.example.com{path}")
    assert await at.upgrade("/twilio") == 401
    assert await at.upgrade("/twilio", x_twilio_signature=right) == 403
    assert await at.upgrade("/twilio/guess", x_twilio_signature=twilio("wss://bots.example.com/twilio/guess")) == 403
    assert await at.upgrade(path, x_twilio_signature=right) == 101
    assert await at.upgrade(path, x_twilio_signature=right) == 403


async def test_a_stream_that_own_markup_starts_is_signed_too(autojump_clock: MockClock) -> None:
    """Without a token; the very same request again is a replay."""
    at = closed("twilio")
    right = twilio("wss://bots.example.com/twilio")
    assert await at.upgrade("/twilio", x_twilio_signature=right) == 101
    assert await at.upgrade("/twilio", x_twilio_signature=right) == 403
    assert await at.upgrade("/twilio", x_twilio_signature=right, sec_websocket_key="AAAAAAAAAAAAAAAAAAAAAA==") == 101


async def test_a_token_opens_its_own_line_only_and_grows_old(autojump_clock: MockClock) -> None:
    """Shown in the wrong place it opens nothing, and nothing is lost."""
    lines = (LineSettings(carrier="twilio"), LineSettings(carrier="exotel"))
    at = desk(settings_of(*lines))
    _, answer = await at.post("/twilio", BODY)
    token = token_in(answer)
    assert await at.upgrade(f"/exotel/{token}") == 403
    assert await at.upgrade(f"/twilio/{token}") == 101
    assert await at.upgrade(f"/twilio/{token}") == 403
    _, answer = await at.post("/twilio", BODY)
    autojump_clock.jump(121)
    assert await at.upgrade(f"/twilio/{token_in(answer)}") == 403


@pytest.mark.parametrize("carrier", ["exotel", "jambonz", "asterisk", "generic"])
async def test_a_shared_token_opens_what_has_no_signatures(autojump_clock: MockClock, carrier: str) -> None:
    """In the query, as a bearer or as the password of Basic auth."""
    at = closed(carrier)
    basic = base64.b64encode(f"user:{SECRET}".encode()).decode()
    assert await at.upgrade(f"/{carrier}") == 401
    assert await at.upgrade(f"/{carrier}?token=wrong") == 403
    assert await at.upgrade(f"/{carrier}", authorization="Bearer wrong") == 403
    assert await at.upgrade(f"/{carrier}", x_talkingstick_token="wrong") == 403
    assert at.told(RequestRefused)[-1].reason == "its token is wrong"
    assert await at.upgrade(f"/{carrier}?token={SECRET}") == 101
    assert await at.upgrade(f"/{carrier}", authorization=f"Bearer {SECRET}") == 101
    assert await at.upgrade(f"/{carrier}", authorization=f"Basic {basic}") == 101


async def test_plivos_nonce_is_good_once(autojump_clock: MockClock) -> None:
    """Its stream comes with the one-time token."""
    at = closed("plivo")
    text = f"{PUBLIC}/plivo?" + "".join(name + value for name, value in sorted(FORM.items())) + ".n1"
    signature = base64.b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()).decode()
    headers = {"x_plivo_signature_v3": signature, "x_plivo_signature_v3_nonce": "n1"}
    status, answer = await at.post("/plivo", BODY, **headers)
    assert status == 200
    assert (await at.post("/plivo", BODY, **headers))[0] == 403
    assert (await at.post("/plivo", BODY))[0] == 401
    assert await at.upgrade("/plivo") == 401
    assert await at.upgrade(f"/plivo/{token_in(answer)}") == 101


async def test_vonages_token_covers_the_body(autojump_clock: MockClock) -> None:
    """Its call's id goes into the NCCO, since its stream does not say it."""
    at = closed("vonage")
    body = json.dumps({"from": "4930", "to": "4940", "uuid": "u-1"}).encode()

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"iat": int(WALL), "jti": "j1", "payload_hash": hashlib.sha256(body).hexdigest()}
    text = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    digest = base64.urlsafe_b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest())
    headers = {"authorization": f"Bearer {text}.{digest.decode().rstrip('=')}", "content_type": "application/json"}
    status, answer = await at.post("/vonage", body, **headers)
    assert status == 200
    (connect,) = json.loads(answer)
    assert connect["endpoint"][0]["headers"]["call"] == "u-1"
    assert (await at.post("/vonage", body, **headers))[0] == 403
    assert (await at.post("/vonage", body + b" ", **headers))[0] == 403
    assert (await at.post("/vonage", body))[0] == 401
    assert await at.upgrade("/vonage") == 401


async def test_a_line_without_a_secret_is_open(autojump_clock: MockClock) -> None:
    """Whatever it is shown."""
    at = desk(settings_of(LineSettings(carrier="twilio")))
    assert (await at.post("/twilio", BODY))[0] == 200
    assert await at.upgrade("/twilio") == 101
    assert refused(at) == []
