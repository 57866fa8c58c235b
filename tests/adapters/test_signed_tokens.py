"""Signed requests of Telnyx and Vonage: what their libraries make is taken, whatever is changed is refused."""

from __future__ import annotations

import builtins
import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.signatures import telnyx_public_key, telnyx_request_is_signed, vonage_claims
from orchestrator.errors import SettingsError
from tests.adapters.changing import changed

# --- Telnyx ---


def telnyx_pair(body: bytes, timestamp: str) -> tuple[str, str]:
    """Return a public key and a signature by its private one, both in base64."""
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = b64encode(private.public_key().public_bytes_raw()).decode()
    return public, b64encode(private.sign(timestamp.encode() + b"|" + body)).decode()


@pytest.mark.parametrize(("now", "right"), [(1000, True), (1300, True), (700, True), (1301, False), (699, False)])
def test_telnyx_signatures_hold_for_five_minutes(now: float, right: bool) -> None:
    """Either way: clocks differ."""
    public, signature = telnyx_pair(b"CallSid=1", "1000")
    assert telnyx_request_is_signed(public, b"CallSid=1", timestamp="1000", signature=signature, now=now) is right


@given(place=st.integers(0, 500), bit=st.integers(0, 7))
def test_telnyx_one_changed_bit_of_the_body_is_refused(place: int, bit: int) -> None:
    """The raw body is signed."""
    body = bytearray(b"CallSid=v3:abc&From=%2B49301")
    public, signature = telnyx_pair(bytes(body), "1000")
    body[place % len(body)] ^= 1 << bit
    assert not telnyx_request_is_signed(public, bytes(body), timestamp="1000", signature=signature, now=1000)


@pytest.mark.parametrize("timestamp", ["", "1001", "-1000", "1e3", "1000 ", "१०००", "9" * 5000])
@pytest.mark.parametrize("signature", [None, "", "!", "AAAA"])
def test_telnyx_wrong_times_and_signatures_are_refused(timestamp: str, signature: str | None) -> None:
    """Without an exception."""
    public, right = telnyx_pair(b"x", "1000")
    given_ = right if signature is None else signature
    assert not telnyx_request_is_signed(public, b"x", timestamp=timestamp, signature=given_, now=1000)


@pytest.mark.parametrize("text", ["", "secret", "AAAA", "KEY0123"])
def test_a_wrong_public_key_is_said_without_being_shown(text: str) -> None:
    """Before the first call: it is no refusal of a request."""
    pytest.importorskip("cryptography")
    with pytest.raises(SettingsError, match="expected 32 bytes in base64") as caught:
        telnyx_public_key(text)
    assert not text or text not in str(caught.value)


def test_without_the_library_it_is_said_which_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`cryptography` is optional: only Telnyx and Vonage's API need it."""
    really = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return really(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingsError, match=r"pip install 'talkingstick\[signatures\]'"):
        telnyx_request_is_signed("AAAA", b"", timestamp="1", signature="", now=1)


# --- Vonage ---

SECRET = "a signature secret that is long enough for every algorithm there is"


def vonage_token(claims: dict[str, Any], *, secret: str = SECRET, algorithm: str = "HS256") -> str:
    """Return what Vonage sends, by the library that its own one uses."""
    jwt = pytest.importorskip("jwt")
    key = secret if algorithm != "none" else None
    return f"Bearer {jwt.encode(claims, key, algorithm=algorithm)}"


def test_vonage_claims_of_a_signed_body_come_through() -> None:
    """With the hash of the raw body; their own library agrees about the signature."""
    body = b'{"to":"4930","from":"4940"}'
    claims = {"iat": 1000, "jti": "j1", "payload_hash": hashlib.sha256(body).hexdigest()}
    token = vonage_token(claims)
    assert pytest.importorskip("vonage_jwt").verify_signature(token.removeprefix("Bearer "), SECRET)
    assert vonage_claims(SECRET, token, body=body, now=1010) == claims
    assert vonage_claims(SECRET, token, body=body + b" ", now=1010) is None
    assert vonage_claims(SECRET + "x", token, body=body, now=1010) is None
    assert vonage_claims("", token, body=body, now=1010) is None


def test_vonage_queries_are_hashed_as_compact_json_in_their_order() -> None:
    """As Vonage's support page says for GET."""
    fields = {"to": "4930", "from": "+49 40", "name": "Jörg"}
    payload = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
    token = vonage_token({"iat": 1000, "payload_hash": hashlib.sha256(payload).hexdigest()})
    assert vonage_claims(SECRET, token, query="to=4930&from=%2B49+40&name=J%C3%B6rg", now=1000) is not None
    assert vonage_claims(SECRET, token, query="from=%2B49+40&to=4930&name=J%C3%B6rg", now=1000) is None


@pytest.mark.parametrize(
    "claims",
    [{}, {"iat": "1000"}, {"iat": 699}, {"iat": 1301}, {"iat": 1000, "exp": 999}, {"iat": 1000, "exp": "never"}],
)
def test_vonage_tokens_out_of_time_are_refused(claims: dict[str, Any]) -> None:
    """Too old, from the future, expired, or without a time."""
    assert vonage_claims(SECRET, vonage_token(claims), now=1000) is None


def test_vonage_tokens_of_another_kind_are_refused() -> None:
    """No algorithm but HS256, no body without a hash, no other scheme, no table."""
    assert vonage_claims(SECRET, vonage_token({"iat": 1000}), now=1000) == {"iat": 1000}
    assert vonage_claims(SECRET, vonage_token({"iat": 1000}), body=b"{}", now=1000) is None
    assert vonage_claims(SECRET, vonage_token({"iat": 1000}).replace("Bearer", "Basic"), now=1000) is None
    for algorithm in ("none", "HS384", "HS512"):
        assert vonage_claims(SECRET, vonage_token({"iat": 1000}, algorithm=algorithm), now=1000) is None
    jws = pytest.importorskip("jwt").PyJWS()
    assert vonage_claims(SECRET, "Bearer " + jws.encode(b"[1]", SECRET), now=1000) is None
    assert vonage_claims(SECRET, "Bearer " + jws.encode(b"\xff", SECRET), now=1000) is None


@given(place=st.integers(0, 500), by=st.integers(0, 91))
def test_vonage_one_changed_character_is_refused(place: int, by: int) -> None:
    """Of the token, up to the two bits of its last letter that stand for nothing, and to base64's other alphabet."""
    token = vonage_token({"iat": 1000}).removeprefix("Bearer ")
    wrong = changed(token[:-1], place, by) + token[-1]
    assume(wrong.replace("+", "-").replace("/", "_") != token)
    assert vonage_claims(SECRET, f"Bearer {wrong}", now=1000) is None


def test_base64_of_a_jwt_is_read_without_its_padding() -> None:
    """A hand-made token, to be sure that the library is not what makes them match."""
    part = urlsafe_b64encode(json.dumps({"alg": "HS256"}).encode()).rstrip(b"=")
    assert vonage_claims(SECRET, f"Bearer {part.decode()}..", now=1000) is None
