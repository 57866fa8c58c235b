"""The accounts at one provider: whose key is whose, what each plan allows, and each account's own books."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen, validators

from simulations.waves.books import Books
from simulations.waves.options import LINKS_PER_SLOT


@frozen(kw_only=True)
class Plan:
    """What an account may do at a time and, where that is limited, within a minute."""

    slots: int = field(default=1, validator=validators.ge(1))
    links: int = field(validator=validators.ge(1))
    """Sockets at a time; without it 5 a slot."""
    requests_per_minute: int | None = field(default=None, validator=validators.optional(validators.ge(1)))

    @links.default
    def _links(self) -> int:
        return LINKS_PER_SLOT * self.slots


@frozen(eq=False)
class Account:
    """One account: what it is called in books and logs (never its key), and its books, which hold it to its plan."""

    name: str
    books: Books


class Accounts:
    """All accounts of one provider. `plans` gives each key its plan; with `default` every other key, and none, too, is
    let in, and they share that plan."""

    def __init__(self, plans: Mapping[str, Plan], *, default: Plan | None = None) -> None:
        self._by_key = {key: _account(f"account {number}", plan) for number, (key, plan) in enumerate(plans.items(), 1)}
        self.default = None if default is None else _account("default", default)

    @property
    def first(self) -> Account:
        """The account of everybody's key, or the first that was named."""
        return self.default or next(iter(self._by_key.values()))

    def find(self, key: str | None, now: float) -> Account | None:
        """Return whose key (or short-lived token) it is; None for nobody's. `now` is the time of any one clock."""
        return self._by_key.get(key or "", self.default)


def _account(name: str, plan: Plan) -> Account:
    return Account(name, Books(slots=plan.slots, links=plan.links, requests_per_minute=plan.requests_per_minute))
