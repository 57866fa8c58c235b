"""What simulated carriers ask a webhook, and where its answer sends them; by our pages and by the vendors' code."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import evolve
from trio.testing import MockClock

from orchestrator.settings import LineSettings
from orchestrator.settings.serve import Carrier
from simulations.carriers.carrier import Call
from simulations.carriers.catalogue import CARRIERS, make_carrier
from simulations.carriers.markup import stream_told
from simulations.carriers.questions import Question, Signer, question, signature
from simulations.carriers.target import Refused
from tests.serve.desk import PUBLIC, WALL, desk, settings_of

CALL = Call(call="c" * 32, stream="5" * 32)
SECRET = "0123456789abcdef" * 2
ASKING: tuple[Carrier, ...] = ("twilio", "telnyx", "plivo", "vonage", "jambonz", "exotel")


def signer(carrier: str, url: str, *, secret: str = SECRET) -> Signer:
    """Return what signs for an address."""
    return Signer(carrier=carrier, secret=secret, url=url, now=WALL, nonce="n-1")


def asked_of(carrier: str) -> Question:
    """Return what a carrier asks."""
    asked = question(carrier, CALL)
    assert asked is not None
    return asked


def keys(carrier: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put what the server checks by into the environment; return what the carrier signs with."""
    secret = known = SECRET
    if carrier == "telnyx":
        ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
        key = ed25519.Ed25519PrivateKey.generate()
        secret = b64encode(key.private_bytes_raw()).decode()
        known = b64encode(key.public_key().public_bytes_raw()).decode()
    monkeypatch.setenv("SECRET", known)
    return secret


@pytest.mark.parametrize("carrier", ASKING)
async def test_our_webhook_sends_each_carrier_to_its_stream(
    carrier: Carrier, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed by its own algorithm the question is answered, unsigned it is not; the answer leads to our stream."""
    secret = keys(carrier, monkeypatch)
    at = desk(settings_of(LineSettings(carrier=carrier, secret_env="SECRET")))
    asked = asked_of(carrier)
    path = f"/{carrier}" + (f"?{asked.query}" if asked.query else "")
    shown = signature(asked, signer(carrier, PUBLIC + path, secret=secret))
    headers = {"content_type": asked.content_type, **{name.lower(): value for name, value in shown.items()}}
    assert (await _ask(at, asked, path, {"content_type": asked.content_type}))[0] == 401
    status, body = await _ask(at, asked, path, headers)
    assert status == 200
    told = stream_told(carrier, body.decode())
    assert told.url.startswith(f"wss://bots.example.com/{carrier}/")
    assert told.rate in (None, 8000)
    call = make_carrier(carrier, CALL, rate=8000)
    call.hand_over(told.parameters)
    assert bool(call.call.parameters) is (carrier != "exotel")  # whose start says who calls
    if carrier != "twilio":  # which signs the upgrade, too
        assert await at.upgrade(urlsplit(told.url).path) == 101


async def _ask(at: Any, asked: Question, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    if asked.method == "GET":
        answer: tuple[int, bytes] = await at.get(path, **{name: value for name, value in headers.items() if value})
        return answer
    answer = await at.post(path, asked.body, **headers)
    return answer


def test_the_vendors_own_code_finds_the_signatures_right() -> None:
    """Twilio's RequestValidator, Plivo's validate_v3_signature, Vonage's verify_signature; with a query in the URL."""
    url = f"{PUBLIC}/bot?b=2&a=1"
    asked = asked_of("twilio")
    validator = pytest.importorskip("twilio.request_validator").RequestValidator(SECRET)
    shown = signature(asked, signer("twilio", url))["X-Twilio-Signature"]
    assert validator.validate(url, dict(parse_qsl(asked.body.decode())), shown)
    asked = asked_of("plivo")
    validate = pytest.importorskip("plivo.utils").validate_v3_signature
    shown = signature(asked, signer("plivo", url))["X-Plivo-Signature-V3"]
    assert validate("POST", url, "n-1", SECRET, shown, dict(parse_qsl(asked.body.decode())))
    asked = asked_of("vonage")
    verify = pytest.importorskip("vonage_jwt").verify_signature
    shown = signature(asked, evolve(signer("vonage", url), now=1_600_000_000.0))["Authorization"]
    assert verify(shown.partition(" ")[2], SECRET)


@pytest.mark.parametrize("carrier", sorted(set(CARRIERS) - set(ASKING)))
def test_other_stacks_ask_no_webhook(carrier: str) -> None:
    """Their configuration says where calls go."""
    assert question(carrier, CALL) is None


@pytest.mark.parametrize(
    ("carrier", "body", "told"),
    [
        ("twilio", "busy", "brings no stream"),
        ("twilio", "<Response><Say>Hello</Say></Response>", "no Response/Connect/Stream"),
        ("twilio", "<Response><Connect><Stream url='https://a/'/></Connect></Response>", "no ws:// or wss://"),
        ("telnyx", "<Response><Connect><Stream url='wss://a/'/></Connect></Response>", "bidirectionalMode=rtp"),
        ("plivo", "<Response><Stream>wss://a/</Stream></Response>", 'bidirectional="true"'),
        ("plivo", "<Response><Stream bidirectional='true'>wss://a/</Stream></Response>", "audio/x-l16;rate=8000"),
        ("vonage", "[]", "brings no stream"),
        ("vonage", '{"action": "connect"}', "brings no stream"),
        ("jambonz", '[{"verb": "listen", "bidirectionalAudio": {"enabled": true}}]', "streaming"),
        (
            "jambonz",
            '[{"verb": "listen", "sampleRate": 8000, "bidirectionalAudio":'
            ' {"enabled": true, "streaming": true, "sampleRate": 16000}}]',
            "two rates differ",
        ),
        ("exotel", "{}", "brings no stream"),
    ],
)
def test_markup_that_would_bring_no_call_is_told(carrier: str, body: str, told: str) -> None:
    """What the carrier would play nothing of, as well."""
    with pytest.raises(Refused, match=told.replace("?", r"\?")):
        stream_told(carrier, body)
