"""Asks carriers' REST APIs: owns the HTTP client and what its failures mean; each carrier's words are in its file.

Asterisk's calls are ended and handed over on the wire (its ARI is not used), Exotel's and the generic leg's, too.
"""

from __future__ import annotations

import secrets
import time  # tokens of Vonage's applications carry the wall clock's time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import trio

from orchestrator.adapters.telephony.rest.asking import TRANSFER_TO, Access, Ask, CarrierApi, Order
from orchestrator.adapters.telephony.rest.jambonz import JambonzApi
from orchestrator.adapters.telephony.rest.plivo import PlivoApi
from orchestrator.adapters.telephony.rest.telnyx import TelnyxApi
from orchestrator.adapters.telephony.rest.twilio import TwilioApi
from orchestrator.adapters.telephony.rest.vonage import VonageApi, application_token
from orchestrator.errors import CarrierFault, SettingsError
from orchestrator.ports.carriers import CarrierControl
from orchestrator.ports.telephony import CallFacts
from orchestrator.redaction import redacted
from orchestrator.settings import LineSettings

__all__ = ["TRANSFER_TO", "RestControl", "control_of", "why_no_control"]

APIS: Mapping[str, Callable[[Access], CarrierApi]] = {
    "twilio": TwilioApi,
    "telnyx": TelnyxApi,
    "plivo": PlivoApi,
    "vonage": VonageApi,
    "jambonz": JambonzApi,
}
"""The carriers that have an API we know."""
_WITHOUT_ACCOUNT = ("telnyx",)
"""Carriers whose key alone names the account."""
_WITHIN = 15.0
"""Seconds for a whole request."""
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_SHOWN = 200
"""Characters of a refusal that are told."""


def why_no_control(line: LineSettings, secret: str) -> str:
    """Return what is missing for asking a line's carrier by REST; empty where nothing is. `secret` is the API's key."""
    if line.carrier not in APIS:
        return f"{line.carrier} has no REST API that is known here; expected one of {', '.join(APIS)}"
    if not secret:
        named = "secret_env or secret_file" if line.carrier in ("twilio", "plivo") else "key_env or key_file"
        return f"the key of {line.carrier}'s REST API is not set; set the line's {named}"
    if not line.account and line.carrier not in _WITHOUT_ACCOUNT:
        return f"{line.carrier}'s REST API needs the name of the account; set the line's account"
    return _unusable_key(line.account, secret) if line.carrier == "vonage" else ""


def _unusable_key(application: str, key: str) -> str:
    """Return why Vonage's requests can't be signed, by trying it; empty where they can."""
    try:
        application_token(application, key, now=time.time(), nonce="")
    except SettingsError as error:
        return str(error)
    return ""


def control_of(
    line: LineSettings,
    secret: str,
    *,
    webhook: str = "",
    token: str = "",
    transport: httpx2.AsyncBaseTransport | None = None,
) -> CarrierControl | None:
    """Return what ends, hands over and makes calls of a line; None where `why_no_control` has a reason.

    `secret` is the API's key (secret_reading.line_api_key). `webhook` is the public URL of the line's webhook, which
    Plivo and jambonz are sent to for a transfer (`TRANSFER_TO` in the query), `token` its shared token, if any.
    """
    if why_no_control(line, secret):
        return None
    access = Access(account=line.account, key=secret, address=line.api, webhook=webhook, token=token)
    return RestControl(APIS[line.carrier](access), access, transport=transport)


class RestControl:
    """One line's calls by its carrier's REST API. Every request is bounded in time, and fails as CarrierFault."""

    def __init__(self, api: CarrierApi, access: Access, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._api = api
        self._address = (access.address or api.address).rstrip("/")
        self._secrets = (access.key, access.token)
        # Made once, since a TLS context takes 20 ms; nothing is kept open between requests, so nothing is to be closed.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._client = httpx2.AsyncClient(timeout=_TIMEOUT, trust_env=False, limits=limits, transport=transport)

    async def hang_up(self, facts: CallFacts) -> None:
        """End the call; harmless where it is over."""
        response = await self._send(self._api.hang_up(facts))
        if response.is_error and not self._api.is_over(response.status_code, _table(response)):
            raise self._refused("end the call", response)

    async def transfer(self, facts: CallFacts, to: str) -> None:
        """Hand the caller over to a number or address."""
        response = await self._send(self._api.transfer(facts, to))
        if not response.is_success:
            over = response.is_error and self._api.is_over(response.status_code, _table(response))
            raise CarrierFault(f"{self._api.name}: the call is over") if over else self._refused("transfer", response)

    async def dial(self, to: str, *, caller: str, answer_url: str, parameters: Mapping[str, str]) -> str:
        """Call a number; return the carrier's id of the call. When it is answered the carrier asks `answer_url`."""
        order = Order(to=to, caller=caller, answer_url=answer_url, parameters=parameters)
        response = await self._send(self._api.dial(order))
        if not response.is_success:
            raise self._refused("dial", response)
        call = self._api.dialled(_table(response))
        if not call:
            raise self._refused("say which call it made", response)
        return call

    async def _send(self, ask: Ask) -> httpx2.Response:
        headers = self._api.headers(now=time.time(), nonce=secrets.token_hex(16))
        try:
            with trio.fail_after(_WITHIN):
                return await self._client.request(
                    ask.method, self._address + ask.path, headers=headers, data=ask.form, json=ask.json
                )
        except trio.TooSlowError:
            raise CarrierFault(f"{self._api.name}: no answer from {self._address} within {_WITHIN:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            reason = redacted(" ".join(str(error).split()), *self._secrets) or type(error).__name__
            raise CarrierFault(f"{self._api.name}: {self._address} can't be asked ({reason})") from None

    def _refused(self, what: str, response: httpx2.Response) -> CarrierFault:
        said = redacted(" ".join(response.text.split()), *self._secrets)[:_SHOWN]
        return CarrierFault(f"{self._api.name} did not {what}: {response.status_code} {said}".rstrip())


def _table(response: httpx2.Response) -> Mapping[str, Any]:
    """Return the answer's JSON, empty where it is none or no table."""
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
