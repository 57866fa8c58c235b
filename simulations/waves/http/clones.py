"""The cloned voices of the accounts, in memory: who has which, and how many; the pages are cloning.py's."""

from __future__ import annotations

from attrs import frozen

from simulations.waves.accounts import Account

CLONES_PER_ACCOUNT = 10
"""Assumed: that there is a limit is published, not how many; plans differ."""


class CloneLimit(Exception):
    """The account has as many clones as it may have."""


@frozen(kw_only=True)
class Clone:
    """One cloned voice; `voice` is the id to speak with, `model` named as in paths, `created` an ISO date."""

    id: str
    voice: str
    name: str
    model: str
    file_name: str
    created: str
    language: str = "en"
    description: str = ""
    accent: str = ""
    tags: tuple[str, ...] = ()


class Clones:
    """What every account has cloned; nobody sees or speaks with the clones of others."""

    def __init__(self) -> None:
        self._by_account: dict[Account, dict[str, Clone]] = {}

    def of(self, account: Account) -> list[Clone]:
        """Return the account's clones, the oldest first."""
        return list(self._by_account.get(account, {}).values())

    def has(self, account: Account, voice: str) -> bool:
        """Say whether `voice` is the id of a clone of this account: it may speak with it."""
        return voice in self._by_account.get(account, {})

    def add(self, account: Account, clone: Clone) -> None:
        """Keep a new clone. Raises CloneLimit."""
        clones = self._by_account.setdefault(account, {})
        if len(clones) >= CLONES_PER_ACCOUNT:
            raise CloneLimit
        clones[clone.voice] = clone

    def remove(self, account: Account, voice: str) -> bool:
        """Forget a clone; False where the account has none of this id."""
        return self._by_account.get(account, {}).pop(voice, None) is not None
