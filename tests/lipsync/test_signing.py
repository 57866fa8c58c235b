"""Signatures of webhooks: what the vendor documents is accepted, over the bytes as they came; all else is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.lipsync.signing import Refusal, Verified, verify

SECRET = "whsec_c2VjcmV0IG9mIG91cnM"
NOW = 1_800_000_000.0
TOLERANCE = 300.0

bodies = st.binary(max_size=300)
secrets = st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def documented(body: bytes, *, secret: str = SECRET, time: int | str = int(NOW)) -> str:
    """Sign as the vendor's guide says: HMAC-SHA256, the secret as it is, over the time, a dot and the payload.

    Written out by hand (RFC 2104), not by `hmac`: the same mistake is not made twice.
    """
    key = secret.encode()
    key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + str(time).encode() + b"." + body).digest()
    return f"t={time},v1={hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()}"


def verdict(header: str | None, body: bytes, *, secret: str = SECRET, now: float = NOW) -> Verified | Refusal:
    """Verify with the usual tolerance."""
    return verify(header, body, secret=secret, now=now, tolerance=TOLERANCE)


@given(bodies, secrets, st.integers(-299, 299))
def test_the_documented_signature_is_accepted(body: bytes, secret: str, off: int) -> None:
    """Over any bytes, with any secret, at any time within the tolerance, in seconds and in milliseconds."""
    for time in (int(NOW) + off, (int(NOW) + off) * 1000):
        header = documented(body, secret=secret, time=time)
        assert verdict(header, body, secret=secret) == Verified(header.rpartition("=")[2], NOW + off)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_what_javascript_sends_is_accepted_in_any_language(payload: dict[str, Any]) -> None:
    """JSON.stringify writes raw UTF-8, without spaces."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    assert isinstance(verdict(documented(body), body), Verified)


@pytest.mark.parametrize("script", ["Grüße, José", "नमस्ते", "🎬", "a/b"])
def test_a_body_that_was_written_anew_is_refused(script: str) -> None:
    """As the vendor's own Python sample does it: other spaces, other escapes or 1 for 1.0 are other bytes."""
    body = json.dumps({"id": "g", "script": script, "outputDuration": 1.0}, ensure_ascii=False).encode()
    header = documented(body)
    assert isinstance(verdict(header, body), Verified)
    parsed = json.loads(body)
    again = [
        json.dumps(parsed, separators=(",", ":")).encode(),
        json.dumps(parsed, indent=1, ensure_ascii=False).encode(),
        body.replace(b"1.0", b"1"),
        body + b"\n",
    ]
    assert [verdict(header, other) for other in again] == [Refusal.WRONG] * 4


@given(bodies, st.data())
def test_any_change_of_body_time_secret_or_signature_is_refused(body: bytes, data: st.DataObject) -> None:
    """One bit of the body, one digit of the signature, another time, another secret."""
    header = documented(body)
    if body:
        at, bit = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(0, 7))
        forged = body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1 :]
        assert verdict(header, forged) is Refusal.WRONG
    place = data.draw(st.integers(len(header) - 64, len(header) - 1))
    digit = data.draw(st.sampled_from("0123456789abcdef").filter(lambda one: one != header[place]))
    assert verdict(header[:place] + digit + header[place + 1 :], body) is Refusal.WRONG
    assert verdict(header.replace(f"t={NOW:.0f}", f"t={NOW + 1:.0f}"), body) is Refusal.WRONG
    assert verdict(header, body, secret=SECRET.removeprefix("whsec_")) is Refusal.WRONG


@given(st.integers(301, 10**9), st.sampled_from([1, 1000]))
def test_a_time_outside_of_the_tolerance_is_refused_both_ways(off: int, unit: int) -> None:
    """However right the signature is: that of long ago may have been seen by anybody."""
    old, early = ((int(NOW) - off) * unit, (int(NOW) + off) * unit)
    assert verdict(documented(b"{}", time=old), b"{}") is Refusal.TOO_OLD
    assert verdict(documented(b"{}", time=early), b"{}") is Refusal.FROM_THE_FUTURE


def test_the_edges_of_the_tolerance_are_inside() -> None:
    """300 s are not more than 300 s."""
    header = documented(b"{}")
    assert isinstance(verdict(header, b"{}", now=NOW + 300), Verified)
    assert isinstance(verdict(header, b"{}", now=NOW - 300), Verified)
    assert verdict(header, b"{}", now=NOW + 300.001) is Refusal.TOO_OLD
    assert verdict(header, b"{}", now=NOW - 300.001) is Refusal.FROM_THE_FUTURE


@pytest.mark.parametrize("header", [None, ""])
def test_without_a_header_it_is_unsigned(header: str | None) -> None:
    """Whatever else it has."""
    assert verdict(header, b"{}") is Refusal.UNSIGNED


GOOD = documented(b"{}")


@pytest.mark.parametrize(
    "header",
    [
        "garbage",
        GOOD.partition(",")[0],
        GOOD.partition(",")[2],
        GOOD[:-1],
        GOOD + "0",
        GOOD.replace("v1", "v0"),
        GOOD.replace("t=", "t=-"),
        GOOD.replace("t=1", "t=١"),
        GOOD.replace("t=", "t=00000000000000000"),
        f"{GOOD},{GOOD}",
        f"{GOOD}, {GOOD}",
        GOOD[:-1] + "é",
        GOOD[:-1] + "g",
    ],
)
def test_what_is_written_otherwise_is_malformed(header: str) -> None:
    """Two signatures, too: which of them holds is for nobody to choose."""
    assert verdict(header, b"{}") is Refusal.MALFORMED


@given(st.text(max_size=120))
def test_no_header_raises(header: str) -> None:
    """Whatever is in it."""
    assert isinstance(verdict(header, b"{}"), Refusal)


def test_capital_hexadecimal_and_a_space_are_the_same_signature() -> None:
    """And are told by the same name: no second delivery by another spelling."""
    time, _, digest = GOOD.partition(",v1=")
    assert verdict(f" {time}, v1={digest.upper()} ", b"{}") == verdict(GOOD, b"{}")


def test_the_reference_by_hand_is_what_the_standard_library_says() -> None:
    """The test's own HMAC, also for a key longer than a block."""
    for secret in (SECRET, "whsec_" + "x" * 100):
        digest = hmac.new(secret.encode(), f"{NOW:.0f}.".encode() + b"{}", "sha256").hexdigest()
        assert documented(b"{}", secret=secret).endswith(digest)


def test_without_a_secret_nothing_is_verified() -> None:
    """An empty key is known to everybody."""
    with pytest.raises(ValueError, match="without a secret"):
        verdict(documented(b"{}", secret=""), b"{}", secret="")
