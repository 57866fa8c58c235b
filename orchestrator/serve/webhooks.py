"""Decides what a webhook's request says of a call, and answers it with the carrier's markup."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from attrs import define

from orchestrator.adapters.telephony.codecs.json_media import CALLED, CALLER
from orchestrator.adapters.telephony.markup import Document, answer
from orchestrator.adapters.telephony.rest.asking import TRANSFER_TO, dial_markup, is_sip
from orchestrator.errors import CarrierFault
from orchestrator.port.routes import path_of, public_url
from orchestrator.ports import StreamTarget
from orchestrator.serve.gate import Announced, Asked, Gate
from orchestrator.serve.lines import PhoneLine
from orchestrator.settings import ServeSettings

_FROM, _TO = ("from", "callfrom"), ("to", "callto")
"""What carriers call the two numbers, in lower case."""
_CALL = {"twilio": "callsid", "plivo": "calluuid", "vonage": "uuid"}
"""What carriers call the call, in lower case: those whose stream is known to name it by the same id."""
_NOT_HANDED_ON = ("token", TRANSFER_TO)
"""Fields of our own query that a bot has no use for, or must not see."""


@define(kw_only=True)
class Webhooks:
    """Answers webhooks whose requests were found right."""

    settings: ServeSettings
    gate: Gate

    def answer(self, line: PhoneLine, asked: Asked, *, host: str) -> Document | None:
        """Return the markup that brings the call's stream here; None for a carrier that has none.

        The stream's address is good once. Raises CarrierFault where the call's parameters are more than the carrier
        takes.
        """
        query = dict(parse_qsl(asked.query, keep_blank_values=True))
        if to := query.get(TRANSFER_TO):
            return transfer(line, to)
        said = {name.lower(): value for name, value in {**query, **fields(asked)}.items()}
        caller, called = _first(said, _FROM), _first(said, _TO)
        token = secrets.token_urlsafe(24)
        url = public_url(self.settings, f"{path_of(line.settings)}/{token}", stream=True, host=host)
        own = {} if asked.method == "GET" else {name: query[name] for name in query if name not in _NOT_HANDED_ON}
        told = {name: value for name, value in ((CALLER, caller), (CALLED, called)) if value}
        call = said.get(_CALL.get(line.settings.carrier, ""), "")
        if line.settings.carrier == "vonage" and call:  # its wire does not say which call it is
            told["call"] = call
        document = answer(line.settings, StreamTarget(url=url, parameters={**own, **told}))
        if document is not None:
            self.gate.announce(token, Announced(line, call, caller=caller, called=called))
        return document


def fields(asked: Asked) -> Mapping[str, str]:
    """Return what a webhook's body says, of a form or of a JSON object; values that are no text are left out."""
    if form := asked.form:
        return dict(form)
    try:
        told: Any = json.loads(asked.body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in told.items() if isinstance(value, str)} if isinstance(told, dict) else {}


def transfer(line: PhoneLine, to: str) -> Document:
    """Return the markup that hands a caller over, for carriers that take a transfer from the webhook only.

    Raises CarrierFault for others.
    """
    if line.settings.carrier == "jambonz":
        target = {"type": "sip", "sipUri": to} if is_sip(to) else {"type": "phone", "number": to}
        return Document(json.dumps([{"verb": "dial", "target": [target]}]), "application/json")
    if line.settings.carrier != "plivo":
        raise CarrierFault(f"{line.settings.carrier} takes no transfer from its webhook")
    markup = dial_markup(to).replace("<Sip>", "<User>").replace("</Sip>", "</User>")  # what Plivo calls an address
    return Document(markup, "text/xml; charset=utf-8")


def _first(said: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((said[name] for name in names if said.get(name)), "")
