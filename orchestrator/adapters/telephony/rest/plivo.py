"""What Plivo's REST API (v1) is asked for and answers; sending it is the control's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from orchestrator.adapters.telephony.rest.asking import (
    Access,
    Ask,
    Order,
    basic_auth,
    call_id,
    transfer_url,
    wanted_caller,
)
from orchestrator.ports.telephony import CallFacts


@frozen
class PlivoApi:
    """Plivo's calls: a call's id is its UUID."""

    access: Access
    name: str = "plivo"
    address: str = "https://api.plivo.com"

    def headers(self, *, now: float, nonce: str) -> Mapping[str, str]:
        """The auth id and the auth token."""
        return basic_auth(self.access.account, self.access.key)

    def hang_up(self, facts: CallFacts) -> Ask:
        """Delete the call."""
        return Ask(method="DELETE", path=self._path(facts))

    def transfer(self, facts: CallFacts, to: str) -> Ask:
        """Send the caller's leg to other XML, which Plivo takes from a URL only: our webhook's."""
        url = transfer_url(self.access, to, carrier=self.name)
        return Ask(method="POST", path=self._path(facts), json={"legs": "aleg", "aleg_url": url, "aleg_method": "POST"})

    def dial(self, order: Order) -> Ask:
        """Create a call whose XML comes from our webhook."""
        numbers = {"from": wanted_caller(order, self.name), "to": order.to}
        path = f"/v1/Account/{self.access.account}/Call/"
        return Ask(method="POST", path=path, json={**numbers, "answer_url": order.url, "answer_method": "POST"})

    def dialled(self, answer: Any) -> str:
        """The request's UUID; the call's is the same once it rings."""
        return str(answer.get("request_uuid") or "")

    def is_over(self, status: int, answer: Any) -> bool:
        """404 is a call that is unknown."""
        return status == 404

    def _path(self, facts: CallFacts) -> str:
        return f"/v1/Account/{self.access.account}/Call/{call_id(facts)}/"
