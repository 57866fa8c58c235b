"""What Telnyx' REST API (v2) is asked for and answers; sending it is the control's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from orchestrator.adapters.telephony.rest.asking import Access, Ask, Order, call_id, wanted_caller
from orchestrator.errors import CarrierFault
from orchestrator.ports.telephony import CallFacts


@frozen
class TelnyxApi:
    """Telnyx' calls: a call's id is its call_control_id, which is the CallSid of TeXML, too."""

    access: Access
    name: str = "telnyx"
    address: str = "https://api.telnyx.com"

    def headers(self, *, now: float, nonce: str) -> Mapping[str, str]:
        """The API key."""
        return {"Authorization": f"Bearer {self.access.key}"}

    def hang_up(self, facts: CallFacts) -> Ask:
        """End the call."""
        return Ask(method="POST", path=f"/v2/calls/{call_id(facts)}/actions/hangup", json={})

    def transfer(self, facts: CallFacts, to: str) -> Ask:
        """Transfer the call to a number or a SIP address."""
        return Ask(method="POST", path=f"/v2/calls/{call_id(facts)}/actions/transfer", json={"to": to})

    def dial(self, order: Order) -> Ask:
        """Create a call of the TeXML application, whose TeXML comes from our webhook."""
        if not self.access.account:
            raise CarrierFault("telnyx: an outgoing call needs the line's account, the id of a TeXML application")
        form = {"To": order.to, "From": wanted_caller(order, self.name), "Url": order.url, "Method": "POST"}
        return Ask(method="POST", path=f"/v2/texml/calls/{self.access.account}", json=form)

    def dialled(self, answer: Any) -> str:
        """The call control id."""
        return str(answer.get("call_sid") or "")

    def is_over(self, status: int, answer: Any) -> bool:
        """422 with code 90018 is a call that has ended, 404 one that is unknown."""
        errors = answer.get("errors")
        codes = [each.get("code") for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
        return status == 404 or (status == 422 and "90018" in map(str, codes))
