"""The accounts at one provider: whose key or short-lived token is whose, what each plan allows, and each account's own
books, which hold it to its plan."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from attrs import field, frozen, validators

from simulations.waves.books import Books
from simulations.waves.options import LINKS_PER_SLOT

TOKEN = "tok_"
"""What short-lived tokens begin with: one that has expired is nobody's, also where every key is let in."""

MOST_TOKENS = 1000
"""Of one account: when there is one more, its oldest is nobody's. Nothing is published; it keeps memory bounded."""

MOST = {"slots": 1000, "links": 5000, "requests_per_minute": 1_000_000}
"""Of each figure of a plan, the largest that options and pages take."""

NAME = re.compile(r"(?!sk_|tok_)[A-Za-z0-9_][A-Za-z0-9_. \-]{0,63}")
"""What an account may be called: nothing that looks like a key."""

_KEY = re.compile(r"[!-~]{1,500}")
_LARGEST = frozenset({"max_in_flight", "max_open"})


@frozen(kw_only=True)
class Plan:
    """What an account may do at a time and, where that is limited, within a minute."""

    slots: int = field(default=1, validator=validators.ge(1))
    links: int = field(validator=validators.ge(1))
    """Sockets at a time; without it 5 a slot."""
    requests_per_minute: int | None = field(default=None, validator=validators.optional(validators.ge(1)))
    name: str = ""
    """What the account is called, if it is new; without it "account 1" and so on."""

    @links.default
    def _links(self) -> int:
        return LINKS_PER_SLOT * self.slots


@frozen(eq=False)
class Account:
    """One account: what it is called in books and logs (never its key), and its books, which hold it to its plan."""

    name: str
    books: Books

    @property
    def plan(self) -> Plan:
        """What it is held to now."""
        books = self.books
        return Plan(slots=books.slots, links=books.links, requests_per_minute=books.requests_per_minute, name=self.name)


class Accounts:
    """All accounts of one provider. `plans` gives each key its plan; with `default` every other key, and none, too, is
    let in, and they share that plan.

    Raises ValueError where two accounts have one name.
    """

    def __init__(self, plans: Mapping[str, Plan], *, default: Plan | None = None) -> None:
        self.opened: Callable[[], None] = _nothing
        """Called when an account was opened."""
        self._strangers = 0
        self._by_key: dict[str, Account] = {}
        self._tokens: dict[str, tuple[float, Account]] = {}
        self.default = None if default is None else _account(default.name or "default", default)
        for key, plan in plans.items():
            self.add(key, plan)

    @property
    def all(self) -> list[Account]:
        """Every account, in the order in which they came."""
        return [*([] if self.default is None else [self.default]), *self._by_key.values()]

    @property
    def first(self) -> Account:
        """The account of everybody's key, or the first that was named."""
        return self.all[0]

    # --- whose it is ---

    def find(self, key: str | None, now: float) -> Account | None:
        """Return whose key (or short-lived token) it is; None for nobody's. `now` is the time of any one clock."""
        key = key or ""
        if key.startswith(TOKEN) and key not in self._by_key:
            expires, account = self._tokens.get(key, (now, None))
            return account if now < expires else None
        return self._by_key.get(key, self.default)

    def refuse_stranger(self) -> None:
        """Count a key that is nobody's: in the only account's books, or where there are several in none of them."""
        if len(self.all) == 1:
            self.first.books.refused_auth += 1
        else:
            self._strangers += 1

    def named(self, name_or_key: str) -> Account | None:
        """Return the account of this name, or with this very key."""
        return self._by_key.get(name_or_key) or next((each for each in self.all if each.name == name_or_key), None)

    def issue_token(self, account: Account, *, seconds: float, now: float, rng: random.Random) -> str:
        """Return a new token that stands for the account's key for so many seconds."""
        self._tokens = {token: held for token, held in self._tokens.items() if held[0] > now}
        own = [token for token, (_, whose) in self._tokens.items() if whose is account]
        if len(own) >= MOST_TOKENS:
            del self._tokens[own[0]]
        token = f"{TOKEN}{rng.getrandbits(128):032x}"
        self._tokens[token] = (now + seconds, account)
        return token

    # --- what it allows ---

    def add(self, key: str, plan: Plan) -> Account:
        """Open an account for a new key. Raises ValueError if the key or the name will not do or has one; it tells no
        key."""
        if not _KEY.fullmatch(key):
            raise ValueError("key: expected 1 to 500 letters, digits and signs without blanks")
        if plan.name and not NAME.fullmatch(plan.name):
            raise ValueError("name: expected letters, digits, blanks and _ . - and nothing that looks like a key")
        if key in self._by_key:
            raise ValueError("key: has an account already")
        names = {each.name for each in self.all}
        if plan.name in names:
            raise ValueError(f"name: there is an account {plan.name} already")
        free = (name for number in count(1) if (name := f"account {number}") not in names)
        account = self._by_key[key] = _account(plan.name or next(free), plan)
        self.opened()
        return account

    def change(self, name_or_key: str, plan: Plan) -> Account:
        """Hold an account to another plan from now on; what is in flight stays. Raises KeyError (without the key)."""
        account = self.named(name_or_key)
        if account is None:
            raise KeyError("no account of this name or key")
        account.books.change(slots=plan.slots, links=plan.links, requests_per_minute=plan.requests_per_minute)
        return account

    # --- what was used ---

    def snapshot(self, now: float) -> dict[str, Any]:
        """Return the books as one JSON object: those of the only account, else of all, with each by its name under
        `accounts`.

        Everything is summed over the accounts, limits and what is in flight too, but `max_in_flight` and `max_open`
        are the largest of any one account: the accounts had theirs at different times. Keys that are nobody's are in
        the total only.
        """
        if len(self.all) == 1:
            return self.first.books.snapshot(now)
        pages = {account.name: account_page(account, now) for account in self.all}
        totals: dict[str, Any] = {}
        for name in self.first.books.snapshot(now):
            figures = [page[name] for page in pages.values()]
            totals[name] = max(figures) if name in _LARGEST else round(sum(figures), 6)
        totals["refused_auth"] += self._strangers
        return {**totals, "accounts": pages}


def account_page(account: Account, now: float) -> dict[str, Any]:
    """Return one account's books as a JSON object, with `requests_per_minute` of its plan."""
    return {"requests_per_minute": account.books.requests_per_minute, **account.books.snapshot(now)}


def _nothing() -> None:
    pass


def _account(name: str, plan: Plan) -> Account:
    return Account(name, Books(slots=plan.slots, links=plan.links, requests_per_minute=plan.requests_per_minute))
