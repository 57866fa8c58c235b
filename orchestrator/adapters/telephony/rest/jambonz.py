"""What jambonz' REST API (v1) is asked for and answers; sending it is the control's.

Shapes: jambonz-api-server, lib/routes/api/accounts.js.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from orchestrator.adapters.telephony.rest.asking import (
    Access,
    Ask,
    Order,
    call_id,
    is_sip,
    transfer_url,
    wanted_caller,
)
from orchestrator.ports.telephony import CallFacts

_SPEECH = {
    "speech_synthesis_vendor": "google",
    "speech_synthesis_language": "en-US",
    "speech_synthesis_voice": "en-US-Standard-C",
    "speech_recognizer_vendor": "google",
    "speech_recognizer_language": "en-US",
}
"""A call without an application of jambonz must name speech vendors; our markup says and hears nothing through them."""
_USER = "talkingstick"


@frozen
class JambonzApi:
    """jambonz' calls: a call's id is its call_sid."""

    access: Access
    name: str = "jambonz"
    address: str = "https://api.jambonz.cloud"

    def headers(self, *, now: float, nonce: str) -> Mapping[str, str]:
        """The account's API key."""
        return {"Authorization": f"Bearer {self.access.key}"}

    def hang_up(self, facts: CallFacts) -> Ask:
        """Update the call as completed."""
        return Ask(method="PUT", path=self._path(facts), json={"call_status": "completed"})

    def transfer(self, facts: CallFacts, to: str) -> Ask:
        """Send the call to other verbs, which jambonz takes from a URL only: our webhook's."""
        hook = self._hook(transfer_url(self.access, to, carrier=self.name))
        return Ask(method="PUT", path=self._path(facts), json={"call_hook": hook})

    def dial(self, order: Order) -> Ask:
        """Create a call whose verbs come from our webhook."""
        to = {"type": "sip", "sipUri": order.to} if is_sip(order.to) else {"type": "phone", "number": order.to}
        wanted = {"from": wanted_caller(order, self.name), "to": to, "call_hook": self._hook(order.url)}
        return Ask(method="POST", path=f"/v1/Accounts/{self.access.account}/Calls", json={**wanted, **_SPEECH})

    def dialled(self, answer: Any) -> str:
        """The call's SID."""
        return str(answer.get("sid") or "")

    def is_over(self, status: int, answer: Any) -> bool:
        """404 is a call that is unknown."""
        return status == 404

    def _hook(self, url: str) -> dict[str, str]:
        """Return a webhook, with the shared token as its password where there is one."""
        login = {"username": _USER, "password": self.access.token} if self.access.token else {}
        return {"url": url, "method": "POST", **login}

    def _path(self, facts: CallFacts) -> str:
        return f"/v1/Accounts/{self.access.account}/Calls/{call_id(facts)}"
