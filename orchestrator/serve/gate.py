"""Decides whether a webhook or a stream shows the right to call; what is refused is said, and told once, by others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from attrs import define, field, frozen

from orchestrator.adapters.telephony.replay import OneTimeTokens, SeenOnce
from orchestrator.adapters.telephony.signatures import (
    plivo_request_is_signed,
    request_has_token,
    telnyx_request_is_signed,
    twilio_request_is_signed,
    vonage_claims,
)
from orchestrator.ports import Now
from orchestrator.serve.lines import PhoneLine

_UNSIGNED = "it is not signed"
_WRONG = "its signature is wrong, or not of this URL"


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
        """The fields of a form; none where the body is none."""
        if not self.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
            return []
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)


@frozen
class Refused:
    """A request is refused: 401 for one that shows nothing, 403 for one that shows what is wrong or was used."""

    status: int
    reason: str


@frozen
class Announced:
    """A call that a webhook announced, whose stream is to come: its line, and who calls whom."""

    line: PhoneLine
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
    _tokens: OneTimeTokens[Announced] = field(factory=OneTimeTokens[Announced], init=False)

    def announce(self, token: str, call: Announced) -> None:
        """Note the token that a webhook's answer brings: with it the stream of the call, and no other, may come."""
        self._tokens.give(token, call, now=self.now())

    def webhook(self, line: PhoneLine, asked: Asked) -> Refused | None:
        """Return why a webhook's request is refused; None where it is all right."""
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
        call = self._tokens.take(token, now=self.now()) if token else None
        if token and (call is None or call.line is not line):
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
        return self._once(f"{signature} {asked.headers.get('sec-websocket-key', '')}")

    def _plivo(self, secret: str, asked: Asked, *, upgrade: bool = False) -> Refused | None:
        signature = asked.headers.get("x-plivo-signature-v3", "")
        nonce = asked.headers.get("x-plivo-signature-v3-nonce", "")
        if not signature or not nonce:
            return Refused(401, _UNSIGNED)
        signed = plivo_request_is_signed(
            secret, asked.url, asked.form, signature, nonce=nonce, method=asked.method, upgrade=upgrade
        )
        return self._once(nonce) if signed else Refused(403, _WRONG)

    def _telnyx(self, secret: str, asked: Asked) -> Refused | None:
        signature = asked.headers.get("telnyx-signature-ed25519", "")
        timestamp = asked.headers.get("telnyx-timestamp", "")
        if not signature or not timestamp:
            return Refused(401, _UNSIGNED)
        signed = telnyx_request_is_signed(secret, asked.body, timestamp=timestamp, signature=signature, now=self.wall())
        return self._once(f"{timestamp} {signature}") if signed else Refused(403, _WRONG)

    def _vonage(self, secret: str, asked: Asked) -> Refused | None:
        authorization = asked.headers.get("authorization", "")
        if not authorization:
            return Refused(401, _UNSIGNED)
        claims = vonage_claims(secret, authorization, body=asked.body, query=asked.query, now=self.wall())
        return Refused(403, _WRONG) if claims is None else self._once(str(claims.get("jti", authorization)))

    def _shared(self, secret: str, asked: Asked) -> Refused | None:
        if request_has_token(secret, query=asked.query, headers=asked.headers):
            return None
        shown = "authorization" in asked.headers or "token=" in asked.query
        return Refused(403, "its token is wrong") if shown else Refused(401, "it brings no token")

    def _once(self, name: str) -> Refused | None:
        return None if self._seen.first(name, now=self.now()) else Refused(403, "it came before")
