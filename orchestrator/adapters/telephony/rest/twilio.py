"""What Twilio's REST API (2010-04-01) is asked for and answers; sending it is the control's."""

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
    dial_markup,
    wanted_caller,
)
from orchestrator.ports.telephony import CallFacts


@frozen
class TwilioApi:
    """Twilio's calls. A call that is updated leaves its stream at once."""

    access: Access
    name: str = "twilio"
    address: str = "https://api.twilio.com"

    def headers(self, *, now: float, nonce: str) -> Mapping[str, str]:
        """The account's SID and its auth token."""
        return basic_auth(self.access.account, self.access.key)

    def hang_up(self, facts: CallFacts) -> Ask:
        """Update the call as completed."""
        return Ask(method="POST", path=self._path(facts), form={"Status": "completed"})

    def transfer(self, facts: CallFacts, to: str) -> Ask:
        """Give the call new TwiML."""
        return Ask(method="POST", path=self._path(facts), form={"Twiml": dial_markup(to)})

    def dial(self, order: Order) -> Ask:
        """Create a call whose TwiML comes from our webhook."""
        form = {"To": order.to, "From": wanted_caller(order, self.name), "Url": order.url, "Method": "POST"}
        return Ask(method="POST", path=f"/2010-04-01/Accounts/{self.access.account}/Calls.json", form=form)

    def dialled(self, answer: Any) -> str:
        """The call's SID."""
        return str(answer.get("sid") or "")

    def is_over(self, status: int, answer: Any) -> bool:
        """404 is a call that is unknown; 21220 one that is not in progress."""
        return status == 404 or (status == 400 and answer.get("code") == 21220)

    def _path(self, facts: CallFacts) -> str:
        return f"/2010-04-01/Accounts/{self.access.account}/Calls/{call_id(facts)}.json"
