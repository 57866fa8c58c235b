"""Decides whether a webhook or a stream shows the right to call; what is refused is said, and told once, by others.

What it cannot keep out: Twilio's signature of a stream covers its URL only. On a line's bare path, without a one-time
token, it is the same for every call, and who saw it once may call for ever: let our webhook answer the calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from math import inf
from urllib.parse import parse_qsl

from attrs import define, field, frozen

from orchestrator.adapters.telephony.replay import OneTimeTokens, SeenOnce
from orchestrator.adapters.telephony.signatures import (
    TOKEN_HEADERS,
    plivo_matched_signature,
    request_has_token,
    telnyx_request_is_signed,
    twilio_request_is_signed,
    vonage_claims,
)
from orchestrator.ports import Now
from orchestrator.serve.lines import PhoneLine

_UNSIGNED = "it is not signed"
_WRONG = "its signature is wrong, or not of this URL"
_MOST_FIELDS = 1000
"""Of a form: each costs time before anybody knows who sent it. Carriers send some dozens."""


@frozen(kw_only=True)
class Asked:
    """A request as a signature covers it: `url` is the public one, names of `headers` are lower-case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def query(self) -> str:
        """The URL's query."""
        return self.url.partition("?")[2]

    @property
    def form(self) -> list[tuple[str, str]]:
        """The fields of a form; none where the body is none. Raises ValueError where they are too many."""
        if not self.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
            return []
        text = self.body.decode("utf-8", "replace")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)


@frozen
class Refused:
    """A request is refused: 401 for one that shows nothing, 403 for one that shows what is wrong or was used."""

    status: int
    reason: str


@frozen
class Announced:
    """A call that a webhook announced, whose stream is to come: its line, its id if that is known, who calls whom."""

    line: PhoneLine
    call: str = ""
    caller: str = ""
    called: str = ""


@define(kw_only=True)
class Gate:
    """Checks requests against their line's secret; a line without one is open to all.

    `wall` gives Unix time, for signatures that hold for some minutes only.
    """

    now: Now
    wall: Callable[[], float]
    _seen: SeenOnce = field(factory=SeenOnce, init=False)
    _seen_timeless: SeenOnce = field(factory=lambda: SeenOnce(within=inf), init=False)
    _tokens: dict[PhoneLine, OneTimeTokens[Announced]] = field(factory=dict, init=False)
    """By line: one that is open to all must not push out what another has given."""

    def announce(self, token: str, call: Announced) -> None:
        """Note the token that a webhook's answer brings: with it the stream of the call, and no other, may come."""
        self._tokens_of(call.line).give(token, call, now=self.now())

    def webhook(self, line: PhoneLine, asked: Asked) -> Refused | None:
        """Return why a webhook's request is refused; None where it is all right."""
        try:
            _ = asked.form
        except ValueError:
            return Refused(403, "its form has too many fields")
        if not line.secret:
            return None
        check = {
            "twilio": self._twilio,
            "plivo": self._plivo,
            "telnyx": self._telnyx,
            "vonage": self._vonage,
        }.get(line.settings.carrier, self._shared)
        return check(line.secret, asked)

    def stream(self, line: PhoneLine, asked: Asked, *, token: str) -> Announced | Refused:
        """Return whose stream asks to come in, or why it may not. `token` stands in its path."""
        call = self._tokens_of(line).take(token, now=self.now()) if token else None
        if token and call is None:
            return Refused(403, "its one-time token is unknown, used or too old")
        known = call or Announced(line)
        if not line.secret:
            return known
        carrier = line.settings.carrier
        if carrier == "twilio":
            refused = self._twilio(line.secret, asked, upgrade=True)
        elif call is not None:
            refused = None
        elif carrier == "plivo":
            refused = self._plivo(line.secret, asked, upgrade=True)
        elif carrier == "telnyx":  # its key is public: no token to share
            refused = Refused(401, "it brings no one-time token of our webhook")
        else:
            refused = self._shared(line.secret, asked)
        return refused or known

    def _twilio(self, secret: str, asked: Asked, *, upgrade: bool = False) -> Refused | None:
        signature = asked.headers.get("x-twilio-signature", "")
        if not signature:
            return Refused(401, _UNSIGNED)
        form, body = ([], b"") if upgrade else (asked.form, asked.body)
        if not twilio_request_is_signed(secret, asked.url, form, signature, upgrade=upgrade, body=body):
            return Refused(403, _WRONG)
        if upgrade:  # on the bare path one signature serves all calls: only the handshakes differ
            return self._once(f"{signature} {asked.headers.get('sec-websocket-key', '')}", seen=self._seen)
        return self._once(signature, seen=self._seen_timeless)

    def _plivo(self, secret: str, asked: Asked, *, upgrade: bool = False) -> Refused | None:
        signature = asked.headers.get("x-plivo-signature-v3", "")
        nonce = asked.headers.get("x-plivo-signature-v3-nonce", "")
        if not signature or not nonce:
            return Refused(401, _UNSIGNED)
        matched = plivo_matched_signature(
            secret, asked.url, asked.form, signature, nonce=nonce, method=asked.method, upgrade=upgrade
        )
        unsigned = asked.body and not asked.form  # only a form's fields are covered
        if not matched or unsigned:
            return Refused(403, _WRONG)
        return self._once(matched, seen=self._seen_timeless)

    def _telnyx(self, secret: str, asked: Asked) -> Refused | None:
        signature = asked.headers.get("telnyx-signature-ed25519", "")
        timestamp = asked.headers.get("telnyx-timestamp", "")
        if not signature or not timestamp:
            return Refused(401, _UNSIGNED)
        signed = telnyx_request_is_signed(secret, asked.body, timestamp=timestamp, signature=signature, now=self.wall())
        if not signed:
            return Refused(403, _WRONG)
        # By what was signed: base64 can write one signature in several ways.
        return self._once(sha256(timestamp.encode() + b"|" + asked.body).hexdigest(), seen=self._seen)

    def _vonage(self, secret: str, asked: Asked) -> Refused | None:
        authorization = asked.headers.get("authorization", "")
        if not authorization:
            return Refused(401, _UNSIGNED)
        claims = vonage_claims(secret, authorization, body=asked.body, query=asked.query, now=self.wall())
        if claims is None:
            return Refused(403, _WRONG)
        signed = authorization.strip().partition(" ")[2].strip().rpartition(".")[0]  # as vonage_claims takes it apart
        return self._once(str(claims.get("jti") or signed), seen=self._seen)

    def _shared(self, secret: str, asked: Asked) -> Refused | None:
        if request_has_token(secret, query=asked.query, headers=asked.headers):
            return None
        shown = "token=" in asked.query or any(name in asked.headers for name in ("authorization", *TOKEN_HEADERS))
        return Refused(403, "its token is wrong") if shown else Refused(401, "it brings no token")

    def _once(self, name: str, *, seen: SeenOnce) -> Refused | None:
        return None if seen.first(name, now=self.now()) else Refused(403, "it came before")

    def _tokens_of(self, line: PhoneLine) -> OneTimeTokens[Announced]:
        return self._tokens.setdefault(line, OneTimeTokens[Announced]())
