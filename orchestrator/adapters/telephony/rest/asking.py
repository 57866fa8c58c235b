"""What a carrier's REST API is asked for, as values; each carrier's own words are in the file of its name."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit
from xml.sax.saxutils import escape

from attrs import Factory, frozen

from orchestrator.errors import CarrierFault
from orchestrator.ports.telephony import CallFacts

TRANSFER_TO = "transfer_to"
"""The query field by which a carrier is sent back to our webhook for markup that dials a number."""
_CALL_ID = re.compile(r"(?!\.+$)[A-Za-z0-9_:.=+-]{1,256}")
"""What a call's id is made of; it came over a wire, so that nothing else may get into a path."""


@frozen(kw_only=True)
class Access:
    """What is needed to ask: our `account` at the carrier, the API's `key`, and, if it is not the usual, its `address`.

    `webhook` is the public URL of the line's webhook, for carriers that take markup from there only; `token` the shared
    token that it asks for, if any.
    """

    account: str
    key: str
    address: str = ""
    webhook: str = ""
    token: str = ""


@frozen(kw_only=True)
class Ask:
    """One request: `path` is put behind the API's address; a body as form fields or JSON, or none."""

    method: str
    path: str
    form: Mapping[str, str] | None = None
    json: Any = None


@frozen(kw_only=True)
class Order:
    """An outgoing call: `to` a number or address, from `caller`; answered, the carrier asks `answer_url`."""

    to: str
    caller: str
    answer_url: str
    parameters: Mapping[str, str] = Factory(dict)

    @property
    def url(self) -> str:
        """`answer_url` with the parameters in its query, from where every carrier hands them to the webhook."""
        return with_query(self.answer_url, self.parameters)


class CarrierApi(Protocol):
    """One carrier's REST API: what to send, and what its answers mean; pure."""

    @property
    def name(self) -> str:
        """The carrier."""

    @property
    def address(self) -> str:
        """Where the API usually is."""

    def headers(self, *, now: float, nonce: str) -> Mapping[str, str]:
        """Return what names us, at `now` (Unix); `nonce` is drawn anew for each request."""

    def hang_up(self, facts: CallFacts) -> Ask:
        """Return how a call is ended."""

    def transfer(self, facts: CallFacts, to: str) -> Ask:
        """Return how a caller is handed over. Raises CarrierFault where something for that is not set."""

    def dial(self, order: Order) -> Ask:
        """Return how a number is called. Raises CarrierFault where something for that is not set."""

    def dialled(self, answer: Any) -> str:
        """Return the call's id from the answer to `dial`, empty where it has none."""

    def is_over(self, status: int, answer: Any) -> bool:
        """Say whether a refusal means that the call is over already."""


def call_id(facts: CallFacts) -> str:
    """Return a call's id as it may stand in a path. Raises CarrierFault for one that no carrier gave."""
    if not _CALL_ID.fullmatch(facts.id):
        raise CarrierFault(f"{facts.leg or 'carrier'}: no id of a call that its API would know")
    return facts.id


def basic_auth(user: str, password: str) -> dict[str, str]:
    """Return the header of Basic authentication."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def with_query(url: str, fields: Mapping[str, str]) -> str:
    """Return a URL with more fields in its query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(fields))))))


def wanted_caller(order: Order, carrier: str) -> str:
    """Return the calling number. Raises CarrierFault where there is none."""
    if not order.caller:
        raise CarrierFault(
            f"{carrier}: an outgoing call needs the number that it comes from (one of the account's own)"
        )
    return order.caller


def transfer_url(access: Access, to: str, *, carrier: str) -> str:
    """Return where the carrier gets markup that dials `to`. Raises CarrierFault where the webhook is not known."""
    if not access.webhook:
        raise CarrierFault(f"{carrier} takes a transfer from the line's webhook only: set serve.public_url")
    return with_query(access.webhook, {TRANSFER_TO: to})


def dial_markup(to: str) -> str:
    """Return TwiML that calls a number, or an address such as sip:a@b, and connects it with the caller."""
    text = escape(to)
    return f"<Response><Dial>{f'<Sip>{text}</Sip>' if is_sip(to) else f'<Number>{text}</Number>'}</Dial></Response>"


def is_sip(to: str) -> bool:
    """Say whether a caller goes to an address instead of a number."""
    return to.lower().startswith(("sip:", "sips:"))
