"""Counts who is at the port, in all and from one address, and says whether one more may come in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Guests:
    """The connections that are open; an address is counted where it is known."""

    def __init__(self, *, most: int, per_address: int) -> None:
        self._most = most
        self._per_address = per_address
        self._by_address: Counter[str] = Counter()
        self.here = 0

    @property
    def full(self) -> bool:
        """Whether one more would be one too many."""
        return self.here >= self._most

    @contextmanager
    def admit(self) -> Iterator[bool]:
        """Count a connection while it lasts; False for one too many, which is not counted."""
        if self.full:
            yield False
            return
        self.here += 1
        try:
            yield True
        finally:
            self.here -= 1

    @contextmanager
    def admit_from(self, address: str) -> Iterator[bool]:
        """Count what an address has open while it lasts; False for one too many, which is not counted.

        Nobody counts for "".
        """
        if not address:
            yield True
            return
        if self._by_address[address] >= self._per_address:
            yield False
            return
        self._by_address[address] += 1
        try:
            yield True
        finally:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
