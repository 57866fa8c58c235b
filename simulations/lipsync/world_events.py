"""Events that only the simulated world of the queue can tell: births and deaths of the program."""

from __future__ import annotations

from attrs import frozen

from orchestrator.events import Event


@frozen(kw_only=True)
class LifeBegan(Event):
    """The program was started, for the `number`th time."""

    number: int


@frozen(kw_only=True)
class LifeEnded(Event):
    """The program was killed as it was about to do `what`."""

    number: int
    what: str
