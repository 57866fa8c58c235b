"""What Vonage's Voice API (v1) is asked for and answers, and the token (RS256) it wants; sending is the control's."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from orchestrator.adapters.telephony.rest.asking import Access, Ask, Order, call_id, is_sip
from orchestrator.errors import SettingsError
from orchestrator.ports.telephony import CallFacts

_TOKEN_LASTS = 300
"""Seconds; each request has its own."""


@frozen
class VonageApi:
    """Vonage's calls: a call's id is its UUID; the account is an application, its key a private one in PEM."""

    access: Access
    name: str = "vonage"
    address: str = "https://api.nexmo.com"

    def headers(self, *, now: float, nonce: str) -> Mapping[str, str]:
        """A token of the application. Raises SettingsError as `application_token` does."""
        token = application_token(self.access.account, self.access.key, now=now, nonce=nonce)
        return {"Authorization": f"Bearer {token}"}

    def hang_up(self, facts: CallFacts) -> Ask:
        """End the call."""
        return Ask(method="PUT", path=f"/v1/calls/{call_id(facts)}", json={"action": "hangup"})

    def transfer(self, facts: CallFacts, to: str) -> Ask:
        """Give the call an NCCO that connects it with somebody else."""
        destination = {"type": "ncco", "ncco": [{"action": "connect", "endpoint": [_endpoint(to)]}]}
        body = {"action": "transfer", "destination": destination}
        return Ask(method="PUT", path=f"/v1/calls/{call_id(facts)}", json=body)

    def dial(self, order: Order) -> Ask:
        """Create a call whose NCCO comes from our webhook; without a caller, from a number of the application."""
        caller = {"from": _endpoint(order.caller)} if order.caller else {"random_from_number": True}
        body = {"to": [_endpoint(order.to)], **caller, "answer_url": [order.url], "answer_method": "POST"}
        return Ask(method="POST", path="/v1/calls", json=body)

    def dialled(self, answer: Any) -> str:
        """The call's UUID."""
        return str(answer.get("uuid") or "")

    def is_over(self, status: int, answer: Any) -> bool:
        """404 is a call that is unknown."""
        return status == 404


def application_token(application: str, key: str, *, now: float, nonce: str) -> str:
    """Return a JWT (RS256) that names an application at `now` (Unix); `nonce` is its `jti`.

    Raises SettingsError where the key is no RSA key in PEM, or where `cryptography` is missing.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise SettingsError(
            "Vonage's API wants RS256: pip install 'talkingstick[signatures]' to sign with it"
        ) from None
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError):  # TypeError: it needs a password
        private = None
    if not isinstance(private, RSAPrivateKey):
        raise SettingsError("vonage: expected the application's private key (an RSA key in PEM) as key_file or key_env")
    made = int(now)
    claims = {"application_id": application, "iat": made, "exp": made + _TOKEN_LASTS, "jti": nonce}
    signed = ".".join(_part(json.dumps(table).encode()) for table in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{signed}.{_part(private.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _part(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _endpoint(to: str) -> dict[str, str]:
    """Vonage writes numbers without a plus."""
    return {"type": "sip", "uri": to} if is_sip(to) else {"type": "phone", "number": to.removeprefix("+")}
