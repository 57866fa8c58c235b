"""Decides whether a carrier's request is signed as it should be; which secret, and what follows, is for others to say.

Every comparison takes the same time whatever was given. URLs are the public ones, as the carrier knows them: behind a
proxy they are put together from the settings, never from the request.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode, urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

from orchestrator.errors import SettingsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Form = Mapping[str, str] | Iterable[tuple[str, str]]
"""The fields of a form, in any order; as pairs where a name may come twice."""
TOLERANCE = 300.0
"""Seconds that a signed time may be away from ours (what Telnyx' and Vonage's own libraries and pages use)."""
TOKEN_HEADERS = ("x-talkingstick-token", "x-telnyx-streaming-auth-token")
"""Headers that may bring a shared token."""


def token_matches(expected: str, given: str) -> bool:
    """Say whether a secret was given rightly; an empty one never matches."""
    return hmac.compare_digest(_bytes(expected), _bytes(given)) and bool(expected)


def request_has_token(expected: str, *, query: str = "", headers: Mapping[str, str]) -> bool:
    """Say whether a request brings the shared token: for stacks without signatures.

    It may be `token` in the query, a bearer token, the password of Basic auth (user and password where the token has
    a colon), or in one of two headers. Names of `headers` are lower-case.
    """
    given = [value for name, value in parse_qsl(query) if name == "token"]
    given += [headers[name] for name in TOKEN_HEADERS if name in headers]
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        given.append(value.strip())
    elif scheme.lower() == "basic":
        pair = (_decoded(value) or b"").decode("utf-8", "replace")
        given += [pair, pair.partition(":")[2]]
    return any(token_matches(expected, each) for each in given)


# --- Twilio ---


def twilio_signature(token: str, url: str, params: Form) -> str:  # a signature of three, as in Twilio's own libraries
    """Return X-Twilio-Signature: HMAC-SHA1, by the account's auth token, of the URL and the sorted form fields."""
    fields = "".join(name + value for name, value in sorted(set(_pairs(params))))
    return b64encode(hmac.digest(_bytes(token), _bytes(url + fields), "sha1")).decode()


def twilio_request_is_signed(  # a signature of four, as in Twilio's own libraries
    token: str, url: str, params: Form, signature: str, *, upgrade: bool = False, body: bytes = b""
) -> bool:
    """Say whether Twilio signed a webhook, or (`upgrade`) the request that opens a stream.

    A `body` that is no form must be covered by `bodySHA256` in the URL's query. Twilio is of two minds about ports:
    the URL is tried as it is, and without its port or with its scheme's own. For a stream the scheme is wss (ws without
    TLS), and whether its path ends in a slash does not matter.
    """
    if not _is_url(url):
        return False
    fields = list(_pairs(params))
    if body and not fields:
        covered = dict(parse_qsl(urlsplit(url).query)).get("bodySHA256", "")
        if not token_matches(sha256(body).hexdigest(), covered.lower()):
            return False
    urls: Iterable[str] = _port_variants(url)
    if upgrade:
        urls = [each for socket in map(_as_socket, urls) for each in (socket, _other_slash(socket))]
    return any(token_matches(twilio_signature(token, each, fields), signature) for each in urls)


def _is_url(url: str) -> bool:
    """Say whether a URL can be taken apart: without a public URL the host in it is what the request says."""
    try:
        return bool(urlsplit(url).netloc)
    except ValueError:
        return False


def _pairs(params: Form) -> Iterable[tuple[str, str]]:
    return params.items() if isinstance(params, Mapping) else params


def _port_variants(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host, bracket, after = parts.netloc.rpartition("]")  # an IPv6 address has colons of its own
    bare, colon, _ = after.partition(":")
    port = "" if colon else ":443" if parts.scheme in ("https", "wss") else ":80"
    return url, urlunsplit(parts._replace(netloc=host + bracket + bare + port))


def _as_socket(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return {"https": "wss", "http": "ws"}.get(scheme, scheme) + separator + rest


def _other_slash(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path[:-1] if parts.path.endswith("/") else parts.path + "/"))


# --- Plivo ---


def plivo_signature(  # Plivo's signature
    token: str, url: str, params: Form, *, nonce: str, method: str = "POST"
) -> str:
    """Return X-Plivo-Signature-V3: HMAC-SHA256, by the auth token, of the URL, sorted fields and the nonce.

    `params` are a POST's form fields; those of a GET are in the URL's query.
    """
    parts, fields = urlsplit(url), list(_pairs(params)) if method.upper() == "POST" else []
    query = "&".join(f"{name}={value}" for name, value in _sorted_fields(parts.query))
    signed = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    if query or fields:
        signed += f"?{query}"
    if query and fields:
        signed += "."
    signed += "".join(name + value for name, value in sorted(fields))
    return b64encode(hmac.digest(_bytes(token), _bytes(f"{signed}.{nonce}"), "sha256")).decode()


def plivo_matched_signature(  # Plivo's signature
    token: str, url: str, params: Form, signature: str, *, nonce: str, method: str = "POST", upgrade: bool = False
) -> str:
    """Return which signature of Plivo's is right for a webhook, or (`upgrade`) for what opens a stream; "" if none is.

    It marks the request for replay.py. The nonce does not: it can take a dot and what follows it from the last field.
    The header may name several signatures, split by commas. Which URL Plivo signs for a stream is not documented:
    wss and https are tried, and what plivo-stream-sdk 0.1.1 makes of it (http and a last segment "websocket").
    """
    if not _is_url(url) or not nonce:
        return ""
    urls, fields = [url], list(_pairs(params))
    if upgrade:
        rest = url.partition("://")[2]
        urls, method = [f"wss://{rest}", f"https://{rest}", f"http://{rest}/websocket"], "GET"
    right = [plivo_signature(token, each, fields, nonce=nonce, method=method) for each in urls]
    given = [each.strip() for each in signature.split(",")]
    return next((each for each in right if any(token_matches(each, one) for one in given)), "")


def _sorted_fields(query: str) -> Iterator[tuple[str, str]]:
    for name, values in sorted(parse_qs(query, keep_blank_values=True).items()):
        yield from ((name, value) for value in sorted(values))


# --- Telnyx ---


def telnyx_public_key(text: str) -> Ed25519PublicKey:
    """Return an account's public key, in base64 as the portal shows it.

    Raises SettingsError where it is none, or where `cryptography` is missing: worth trying before the first call.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise SettingsError("Telnyx signs with Ed25519: pip install 'talkingstick[signatures]' to check that") from None
    try:
        return Ed25519PublicKey.from_public_bytes(_decoded(text) or b"")
    except ValueError:
        raise SettingsError("no public key of Telnyx; expected 32 bytes in base64, as the portal shows it") from None


def telnyx_request_is_signed(public_key: str, body: bytes, *, timestamp: str, signature: str, now: float) -> bool:
    """Say whether Telnyx signed a webhook's raw body: Ed25519 of `timestamp|body`, made within 300 s of `now` (Unix).

    Raises SettingsError as `telnyx_public_key` does.
    """
    key = telnyx_public_key(public_key)  # first: it says what is missing
    from cryptography.exceptions import InvalidSignature

    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        return False
    try:
        key.verify(_decoded(signature) or b"", timestamp.encode() + b"|" + body)
    except InvalidSignature:
        return False
    return abs(now - int(timestamp)) <= TOLERANCE


# --- Vonage ---


def vonage_claims(
    secret: str, authorization: str, *, body: bytes = b"", query: str = "", now: float
) -> Mapping[str, Any] | None:
    """Return the claims of a webhook that Vonage signed (a JWT, HS256, as bearer token); None where it is not right.

    It must be made within 300 s of `now` (Unix), not be expired, and its `payload_hash` must be that of the raw body,
    or without one, of the query's fields as compact JSON. Its `jti` is there once (replay.py).
    """
    scheme, _, token = authorization.strip().partition(" ")
    signed, _, signature = token.strip().rpartition(".")
    right = hmac.digest(_bytes(secret), _bytes(signed), "sha256")
    if scheme.lower() != "bearer" or not secret or not hmac.compare_digest(right, _decoded(signature, url=True) or b""):
        return None
    head, claims = (_json_table(part) for part in (signed.partition(".")[0], signed.partition(".")[2]))
    if head.get("alg") != "HS256" or not _in_time(claims, now):
        return None
    payload = body or _query_as_json(query)
    if payload and not token_matches(sha256(payload).hexdigest(), str(claims.get("payload_hash", "")).lower()):
        return None
    return claims


def _in_time(claims: Mapping[str, Any], now: float) -> bool:
    made, expires = claims.get("iat"), claims.get("exp", now)
    if not isinstance(made, int | float) or not isinstance(expires, int | float):
        return False
    return abs(now - made) <= TOLERANCE and now <= expires


def _query_as_json(query: str) -> bytes:
    fields = dict(parse_qsl(query, keep_blank_values=True))
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode() if fields else b""


def _json_table(part: str) -> Mapping[str, Any]:
    try:
        value = json.loads(_decoded(part, url=True) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # half a character from a request is as wrong as any other


def _decoded(text: str, *, url: bool = False) -> bytes | None:
    """Return what base64 stands for, None where it is none; a JWT's has letters of its own and no padding."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)) if url else b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return None
