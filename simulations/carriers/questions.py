"""What each carrier asks a webhook when a call comes in, signed as its documents say; pure, sending is webhook.py's."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode

from attrs import frozen

from orchestrator.errors import SettingsError
from simulations.carriers.carrier import Call

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


@frozen(kw_only=True)
class Question:
    """One HTTP request; `query` comes behind the webhook's address."""

    method: str = "POST"
    query: str = ""
    content_type: str = ""
    body: bytes = b""


@frozen(kw_only=True)
class Signer:
    """Which carrier signs, and with what: the `url` the server is known by, Unix time `now`, a `nonce` of its own."""

    carrier: str
    secret: str
    url: str
    now: float
    nonce: str


def question(carrier: str, call: Call) -> Question | None:
    """Return what a carrier asks about a call; None for stacks that ask nothing."""
    ask = _QUESTIONS.get(carrier)
    return ask(call) if ask else None


def signature(asked: Question, signer: Signer) -> Mapping[str, str]:
    """Return the headers by which a carrier shows that it is the one who asks.

    Raises SettingsError for a key that is none, or where `cryptography` is missing.
    """
    return _SIGNATURES.get(signer.carrier, _shared)(asked, signer)


# --- what is asked ---


def _twiml(call: Call) -> Question:
    fields = {"CallSid": f"CA{call.call}", "AccountSid": f"AC{call.account}", "From": call.caller, "To": call.called}
    return _form({**fields, "Direction": "inbound", "CallStatus": "ringing", "ApiVersion": "2010-04-01"})


def _texml(call: Call) -> Question:
    fields = {"CallSid": f"v3:{call.call}", "AccountSid": call.account, "From": call.caller, "To": call.called}
    return _form({**fields, "Direction": "inbound", "CallStatus": "ringing"})


def _plivo(call: Call) -> Question:
    fields = {"CallUUID": call.call, "From": call.caller, "To": call.called, "Direction": "inbound"}
    return _form({**fields, "CallStatus": "ringing", "Event": "StartApp"})


def _vonage(call: Call) -> Question:
    told = {"from": call.caller.lstrip("+"), "to": call.called.lstrip("+"), "uuid": call.call}
    return _json({**told, "conversation_uuid": f"CON-{call.stream}"})


def _jambonz(call: Call) -> Question:
    told = {"call_sid": call.call, "call_id": call.stream, "account_sid": call.account, "direction": "inbound"}
    return _json({**told, "from": call.caller, "to": call.called, "call_status": "trying"})


def _exotel(call: Call) -> Question:
    told = {"CallSid": call.call, "CallFrom": call.caller, "CallTo": call.called, "Direction": "incoming"}
    return Question(method="GET", query=urlencode(told))


def _form(fields: Mapping[str, str]) -> Question:
    return Question(content_type=_FORM, body=urlencode(fields).encode())


def _json(told: object) -> Question:
    return Question(content_type=_JSON, body=json.dumps(told).encode())


_QUESTIONS: Mapping[str, Callable[[Call], Question]] = {
    "twilio": _twiml,
    "telnyx": _texml,
    "plivo": _plivo,
    "vonage": _vonage,
    "jambonz": _jambonz,
    "exotel": _exotel,
}

# --- how it is signed ---


def _fields(asked: Question) -> str:
    return "".join(name + value for name, value in sorted(parse_qsl(asked.body.decode(), keep_blank_values=True)))


def _sign_twilio(asked: Question, signer: Signer) -> Mapping[str, str]:
    signed = hmac.digest(signer.secret.encode(), (signer.url + _fields(asked)).encode(), hashlib.sha1)
    return {"X-Twilio-Signature": b64encode(signed).decode()}


def _sign_plivo(asked: Question, signer: Signer) -> Mapping[str, str]:
    """Version 3: the query sorted, a dot, the fields sorted, a dot, the nonce."""
    base, _, query = signer.url.partition("?")
    ordered = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(query, keep_blank_values=True)))
    text = f"{base}?{ordered}{'.' if ordered else ''}{_fields(asked)}.{signer.nonce}"
    signed = hmac.digest(signer.secret.encode(), text.encode(), hashlib.sha256)
    return {"X-Plivo-Signature-V3": b64encode(signed).decode(), "X-Plivo-Signature-V3-Nonce": signer.nonce}


def _sign_vonage(asked: Question, signer: Signer) -> Mapping[str, str]:
    """Return a JWT, HS256, with the hash of the body."""
    claims = {"iat": int(signer.now), "iss": "Vonage", "jti": signer.nonce}
    claims["payload_hash"] = hashlib.sha256(asked.body).hexdigest()
    parts = [_url_base64(json.dumps(each).encode()) for each in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = hmac.digest(signer.secret.encode(), ".".join(parts).encode(), hashlib.sha256)
    return {"Authorization": f"Bearer {'.'.join(parts)}.{_url_base64(signed)}"}


def _sign_telnyx(asked: Question, signer: Signer) -> Mapping[str, str]:
    """Ed25519 of time and body: the secret is a private key of 32 bytes in base64, made for the test."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise SettingsError("Telnyx signs with Ed25519: pip install 'talkingstick[signatures]' to do so") from None
    try:
        key = Ed25519PrivateKey.from_private_bytes(b64decode(signer.secret, validate=True))
    except ValueError:
        raise SettingsError("--secret-env: as telnyx a private Ed25519 key, 32 bytes in base64, is expected") from None
    timestamp = str(int(signer.now))
    signed = key.sign(timestamp.encode() + b"|" + asked.body)
    return {"telnyx-timestamp": timestamp, "telnyx-signature-ed25519": b64encode(signed).decode()}


def _shared(_asked: Question, signer: Signer) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {signer.secret}"}


def _url_base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


_SIGNATURES: Mapping[str, Callable[[Question, Signer], Mapping[str, str]]] = {
    "twilio": _sign_twilio,
    "plivo": _sign_plivo,
    "vonage": _sign_vonage,
    "telnyx": _sign_telnyx,
}
