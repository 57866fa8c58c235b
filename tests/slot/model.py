"""What the slot queue should do, said again in the plainest way: a list of tickets and a search; no speed, no trio."""

from __future__ import annotations

from attrs import define, field


@define(eq=False)
class Account:
    """A call's account: what it received and what its granted tickets are expected to cost, by weight."""

    weight: float = 1.0
    received: float = 0.0
    charges: dict[int, float] = field(factory=dict)

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.received + sum(self.charges.values())


@define(eq=False)
class Entry:
    """A ticket."""

    number: int
    account: Account
    need_by: float
    expected: float
    state: str = "waiting"


@define
class QueueModel:
    """The queue as DESIGN 5.2 words it."""

    slots: int
    bound: float
    accounts: dict[str, Account] = field(factory=dict)
    entries: list[Entry] = field(factory=list)
    highest: float = 0.0

    def count(self, state: str) -> int:
        """How many tickets are in `state`."""
        return sum(entry.state == state for entry in self.entries)

    def account(self, call: str) -> Account:
        """The call's account, opened at its first use."""
        return self.accounts.setdefault(call, Account())

    def begin_reply(self, call: str, weight: float) -> None:
        """Set the account into [V, V + bound]."""
        account = self.account(call)
        account.weight = weight
        account.received = min(max(account.received, self.highest), self.highest + self.bound)

    def join(self, call: str, *, need_by: float, expected: float) -> None:
        """Queue up."""
        self.entries.append(Entry(len(self.entries) + 1, self.account(call), need_by, expected))

    def close(self, call: str) -> None:
        """Forget the call."""
        self.accounts.pop(call, None)

    def move(self, number: int, old: str, new: str) -> bool:
        """Put a ticket from one state into another; False if it is not in the first."""
        entry = self.entries[number - 1]
        if entry.state != old:
            return False
        entry.state = new
        return True

    def leave(self, number: int) -> bool:
        """Give a place up."""
        return self.move(number, "waiting", "left") or self.move(number, "held", "left")

    def revise(self, number: int, need_by: float) -> None:
        """Change a need-by that still matters."""
        if self.entries[number - 1].state in ("waiting", "held"):
            self.entries[number - 1].need_by = need_by

    def free(self, number: int, seconds: float) -> bool:
        """Bring a slot back."""
        if not self.move(number, "granted", "freed"):
            return False
        account = self.entries[number - 1].account
        del account.charges[number]
        account.received += seconds / account.weight
        return True

    def check_grants(self, granted: list[int]) -> None:
        """Check that exactly these tickets had to be granted, in this order."""
        for number in granted:
            assert self.count("granted") < self.slots
            self._grant(number)
        assert not self.count("waiting") or self.count("granted") >= self.slots

    def _grant(self, number: int) -> None:
        waiting = [entry for entry in self.entries if entry.state == "waiting"]
        entry = self.entries[number - 1]
        earliest = min(waiting, key=lambda other: (other.need_by, other.number))
        lowest = min(other.account.seconds for other in waiting)
        slack = 1e-9  # sums in another order
        if entry is earliest:
            assert earliest.account.seconds - self.bound <= lowest + slack
        else:
            assert earliest.account.seconds - self.bound > lowest - slack
            assert entry.account.seconds <= lowest + slack
        self.highest = max(self.highest, entry.account.seconds)
        entry.state = "granted"
        entry.account.charges[number] = entry.expected / entry.account.weight
