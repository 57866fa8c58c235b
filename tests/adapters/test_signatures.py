"""Signed requests: Twilio's and Plivo's own libraries agree with us, whatever is changed is refused; shared tokens."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.telephony.signatures import (
    plivo_matched_signature,
    plivo_signature,
    request_has_token,
    token_matches,
    twilio_request_is_signed,
    twilio_signature,
    vonage_claims,
)
from tests.adapters.changing import changed

TOKEN = "12345"
URLS = (
    "https://bots.example.com/twilio",
    "https://bots.example.com/twilio/",
    "https://bots.example.com",
    "https://bots.example.com:443/twilio",
    "https://bots.example.com:8443/twilio",
    "http://bots.example.com/twilio",
    "http://bots.example.com:80/twilio?a=b",
    "https://bots.example.com/twilio?foo=1&bar=2",
    "https://bots.example.com/twilio?name=J%C3%B6rg&plus=a+b",
    "https://bots.example.com/tw%20ilio;v=1?x=%2B49#part",
    "wss://bots.example.com/twilio",
    "wss://bots.example.com/twilio/0123456789abcdef",
)
FORMS: tuple[dict[str, str], ...] = (
    {},
    {"CallSid": "CA1234567890ABCDE", "Caller": "+12349013030", "Digits": "1234", "From": "+12349013030"},
    {"To": "+1 (800) 555", "Body": "Grüße ☎\n", "Empty": "", "a": "1", "A": "2"},
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("url", URLS)
def test_twilio_agrees_on_webhooks(url: str, form: dict[str, str]) -> None:
    """`twilio`'s RequestValidator takes our signature and we its own, with and without the scheme's port."""
    validator = pytest.importorskip("twilio.request_validator").RequestValidator(TOKEN)
    ours = twilio_signature(TOKEN, url, form)
    assert ours == validator.compute_signature(url, form)
    assert validator.validate(url, form, ours)
    for asked in URLS:
        theirs = validator.validate(url, form, twilio_signature(TOKEN, asked, form))
        assert twilio_request_is_signed(TOKEN, url, form, twilio_signature(TOKEN, asked, form)) is theirs


def test_twilio_agrees_on_the_example_of_its_documentation() -> None:
    """The values are those of Twilio's page on security."""
    form = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675310", "Digits": "1234", "From": "+14158675310"}
    form["To"] = "+18005551212"
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio_signature("12345", url, form) == "GvWf1cFY/Q7PnoempGyD5oXAezc="


def test_a_name_that_comes_twice_counts_with_each_value_once() -> None:
    """As their validator does with a multi-dict: values sorted, doubles dropped."""
    validator = pytest.importorskip("twilio.request_validator").RequestValidator(TOKEN)

    class Many(dict[str, Any]):
        def getall(self, name: str) -> Any:
            return self[name]

    theirs = validator.compute_signature(URLS[0], Many(MediaUrl=["b", "a", "b"], To=["x"]))
    assert theirs == twilio_signature(
        TOKEN, URLS[0], [("MediaUrl", "b"), ("To", "x"), ("MediaUrl", "a"), ("MediaUrl", "b")]
    )


@pytest.mark.parametrize("body", [b'{"a": 1}', '{"ä": "☎"}'.encode()])
def test_twilio_agrees_on_bodies_that_are_no_form(body: bytes) -> None:
    """They are covered by their hash in the query; a changed one, and one that is not covered, is refused."""
    validator = pytest.importorskip("twilio.request_validator").RequestValidator(TOKEN)
    url = f"{URLS[0]}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = twilio_signature(TOKEN, url, {})
    assert validator.validate(url, body.decode(), signature)
    assert twilio_request_is_signed(TOKEN, url, {}, signature, body=body)
    assert not twilio_request_is_signed(TOKEN, url, {}, signature, body=body + b" ")
    assert not twilio_request_is_signed(TOKEN, URLS[0], {}, twilio_signature(TOKEN, URLS[0], {}), body=body)


@pytest.mark.parametrize(
    ("public", "signed"),
    [
        ("https://h.example/twilio/1", "wss://h.example/twilio/1"),
        ("wss://h.example/twilio/1", "wss://h.example/twilio/1"),
        ("https://h.example/twilio/1", "wss://h.example/twilio/1/"),
        ("https://h.example/twilio/1", "wss://h.example:443/twilio/1"),
        ("https://h.example:443/twilio/1", "wss://h.example/twilio/1"),
        ("https://h.example:443/twilio/1", "wss://h.example/twilio/1/"),
        ("https://h.example", "wss://h.example/"),
        ("http://h.example/twilio", "ws://h.example:80/twilio"),
        ("https://[2001:db8::1]/twilio", "wss://[2001:db8::1]:443/twilio"),
    ],
)
def test_a_stream_is_signed_as_wss_with_or_without_slash_and_port(public: str, signed: str) -> None:
    """The validator of `twilio` gives wss the port 80: 443 is ours."""
    signature = twilio_signature(TOKEN, signed, {})
    assert twilio_request_is_signed(TOKEN, public, {}, signature, upgrade=True)
    assert not twilio_request_is_signed(TOKEN, public + "2", {}, signature, upgrade=True)


def test_a_webhooks_signature_opens_no_stream_and_the_other_way_round() -> None:
    """The scheme is signed, too."""
    url = "https://h.example/twilio"
    assert not twilio_request_is_signed(TOKEN, url, {}, twilio_signature(TOKEN, url, {}), upgrade=True)
    assert not twilio_request_is_signed(TOKEN, url, {}, twilio_signature(TOKEN, "wss://h.example/twilio", {}))


@given(place=st.integers(0, 500), by=st.integers(0, 91), what=st.sampled_from(["token", "url", "field", "signature"]))
def test_twilio_one_changed_character_is_refused(place: int, by: int, what: str) -> None:
    """In the token, the URL, a field or the signature."""
    given_ = {"token": TOKEN, "url": "https://h.example/twilio?a=b", "field": "+4930123"}
    given_["signature"] = twilio_signature(TOKEN, given_["url"], {"From": given_["field"]})
    given_[what] = changed(given_[what], place, by)
    form = {"From": given_["field"]}
    assert not twilio_request_is_signed(given_["token"], given_["url"], form, given_["signature"])


@given(st.text(), st.text(), st.text(), st.booleans())
def test_nonsense_is_refused_without_an_exception(url: str, signature: str, field: str, upgrade: bool) -> None:
    """Whatever URL, field or signature is given."""
    assert not twilio_request_is_signed(TOKEN, url, {"From": field}, signature, upgrade=upgrade)
    assert not plivo_matched_signature(TOKEN, url, {"From": field}, signature, nonce="1", upgrade=upgrade)
    assert vonage_claims(TOKEN, f"Bearer {signature}", query=field, now=0) is None


# --- Plivo ---

PLIVO_FORMS: tuple[dict[str, str], ...] = ({}, {"CallUUID": "c", "From": "+49", "a": "ä b"}, {"Z": "", "A": "1"})


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("form", PLIVO_FORMS)
@pytest.mark.parametrize("url", [url for url in URLS if url.startswith("http") and "%" not in url])
def test_plivo_agrees(url: str, form: dict[str, str], method: str) -> None:
    """`plivo`'s own validator takes our signature, also as one of several.

    Left out: queries beyond ASCII, where it signs the bytes of UTF-8 as if they were letters.
    """
    theirs = pytest.importorskip("plivo.utils.signature_v3")
    fields = form if method == "POST" else {}
    signature = plivo_signature(TOKEN, url, fields, nonce="0123", method=method)
    assert theirs.validate_v3_signature(method, url, "0123", TOKEN, signature, dict(fields))
    assert plivo_matched_signature(TOKEN, url, fields, f"other, {signature}", nonce="0123", method=method)
    assert not plivo_matched_signature(TOKEN, url, fields, signature, nonce="0124", method=method)
    assert not plivo_matched_signature(TOKEN, url, fields, plivo_signature(TOKEN, url, fields, nonce=""), nonce="")


@pytest.mark.parametrize("signed", ["wss://h/plivo/1", "https://h/plivo/1", "http://h/plivo/1/websocket"])
def test_plivo_streams_are_known_by_each_url_that_is_told_of(signed: str) -> None:
    """Which one is right is not documented; another path is none of them."""
    signature = plivo_signature(TOKEN, signed, {}, nonce="7", method="GET")
    assert plivo_matched_signature(TOKEN, "https://h/plivo/1", {}, signature, nonce="7", upgrade=True)
    assert not plivo_matched_signature(TOKEN, "https://h/plivo/2", {}, signature, nonce="7", upgrade=True)


@given(place=st.integers(0, 500), by=st.integers(0, 91), what=st.sampled_from(["token", "nonce", "field", "signature"]))
def test_plivo_one_changed_character_is_refused(place: int, by: int, what: str) -> None:
    """In the token, the nonce, a field or the signature (whose commas and spaces split it)."""
    given_ = {"token": TOKEN, "nonce": "98765", "field": "+4930123"}
    given_["signature"] = plivo_signature(TOKEN, URLS[0], {"From": given_["field"]}, nonce=given_["nonce"])
    given_[what] = changed(given_[what], place, by)
    form, nonce = {"From": given_["field"]}, given_["nonce"]
    assert not plivo_matched_signature(given_["token"], URLS[0], form, given_["signature"], nonce=nonce)


# --- shared tokens ---


@given(st.text(), st.text())
def test_tokens_match_themselves_only(expected: str, given_: str) -> None:
    """An empty one matches nothing."""
    assert token_matches(expected, given_) is (expected == given_ and expected != "")
    assert token_matches(expected, expected) is bool(expected)


def basic(pair: str) -> str:
    """Return a header of Basic authentication."""
    return "Basic " + b64encode(pair.encode()).decode()


@pytest.mark.parametrize(
    ("query", "headers", "right"),
    [
        ("token=s3cret", {}, True),
        ("a=b&token=s3cret", {}, True),
        ("token=wrong&token=s3cret", {}, True),
        ("token=", {}, False),
        ("", {"authorization": "Bearer s3cret"}, True),
        ("", {"authorization": "bearer  s3cret "}, True),
        ("", {"authorization": basic("anybody:s3cret")}, True),
        ("", {"authorization": basic("s3cret:")}, False),
        ("", {"authorization": basic("anybody")}, False),
        ("", {"authorization": "Basic !"}, False),
        ("", {"authorization": "s3cret"}, False),
        ("", {"x-talkingstick-token": "s3cret"}, True),
        ("", {"x-telnyx-streaming-auth-token": "s3cret"}, True),
        ("", {"x-talkingstick-token": "s3cres"}, False),
        ("", {}, False),
    ],
)
def test_a_shared_token_may_come_in_the_query_or_a_header(query: str, headers: dict[str, str], right: bool) -> None:
    """For stacks without signatures; Exotel and jambonz send Basic auth."""
    assert request_has_token("s3cret", query=query, headers=headers) is right
    assert not request_has_token("", query=query, headers=headers)


def test_a_token_with_a_colon_is_user_and_password() -> None:
    """Some stacks ask for both."""
    assert request_has_token("user:word", headers={"authorization": basic("user:word")})
    assert not request_has_token("user:word", headers={"authorization": basic("user:words")})
