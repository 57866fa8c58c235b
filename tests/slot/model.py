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
    first: bool
    state: str = "waiting"


@define
class QueueModel:
    """The queue as DESIGN 5.2 words it."""

    slots: int
    bound: float
    accounts: dict[str, Account] = field(factory=dict)
    entries: list[Entry] = field(factory=list)
    highest: float = 0.0
    crowded: bool = False

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

    def join(self, call: str, *, need_by: float, expected: float, first: bool) -> None:
        """Queue up; what the account is more than `bound` below V is forfeited."""
        account = self.account(call)
        account.received += max(0.0, self.highest - self.bound - account.seconds)
        self.entries.append(Entry(len(self.entries) + 1, self.account(call), need_by, expected, first))

    def waiting(self) -> list[Entry]:
        """Those that wait, earliest need-by first, then as they joined."""
        waiting = [entry for entry in self.entries if entry.state == "waiting"]
        return sorted(waiting, key=lambda entry: (entry.need_by, entry.number))

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

    def check_grants(self, granted: list[int], now: float) -> None:
        """Check that exactly these tickets had to be granted at `now`, in this order."""
        for number in granted:
            assert self.count("granted") < self.slots
            self._grant(number, now)
        assert not self.count("waiting") or self.count("granted") >= self.slots

    def _grant(self, number: int, now: float) -> None:
        waiting, entry = self.waiting(), self.entries[number - 1]
        late_firsts = [other for other in waiting if other.first and other.need_by < now and not self.crowded]
        candidate = (late_firsts or waiting)[0]
        lowest = min(other.account.seconds for other in waiting)
        slack = 1e-9  # sums in another order
        if entry is candidate:
            assert candidate.account.seconds - self.bound <= lowest + slack
        else:
            assert candidate.account.seconds - self.bound > lowest - slack
            assert entry.account.seconds <= lowest + slack
        if not entry.first and entry.need_by > now + 0.5:  # it has sound in hand
            others = [other.account.seconds for other in waiting if other is not entry]
            level = min([self.highest, *(seconds + self.bound for seconds in others)])
            entry.account.received += max(0.0, level - entry.account.seconds)
        self.highest = max(self.highest, entry.account.seconds)
        entry.state = "granted"
        entry.account.charges[number] = entry.expected / entry.account.weight
