"""Phrases, keys and a cache for tests, and a way to cancel a task at each of its checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio
from attrs import frozen
from trio.testing import MockClock

from orchestrator.events import Event, PhraseFailed
from orchestrator.lanes import InlineLane
from orchestrator.settings import Settings
from orchestrator.speech.cache import PhraseCache, PhraseStoreError
from orchestrator.speech.phrase import Phrase, PhraseKey

RATE = 8000


def key(text: str = "One moment, please.", *, settings: Settings | None = None, **changes: Any) -> PhraseKey:
    """Return the key of a text in the usual voice."""
    how = {"voice": "avery", "language": "en", "speed": 1.0, "rate": RATE, **changes}
    return PhraseKey.of(settings or Settings(), text=text, **how)


def phrase(seconds: float = 1.0, *, level: int = 3000) -> Phrase:
    """Return so much of a loud buzz, with one word."""
    samples = round(seconds * RATE)
    pcm = (level.to_bytes(2, "little", signed=True) + (-level).to_bytes(2, "little", signed=True)) * (samples // 2)
    return Phrase(pcm=pcm, rate=RATE, words=((0, "One", 0.0, seconds / 2),))


class Store:
    """A store that does as it is told."""

    def __init__(self) -> None:
        self.kept: dict[PhraseKey, Phrase] = {}
        self.reads: list[PhraseKey] = []
        self.trouble: PhraseStoreError | None = None

    def read(self, key: PhraseKey) -> Phrase | None:
        self.reads.append(key)
        if self.trouble is not None:
            raise self.trouble
        return self.kept.get(key)

    def write(self, key: PhraseKey, phrase: Phrase) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.kept[key] = phrase


@frozen
class Told:
    """A cache, its store, and what was told."""

    cache: PhraseCache
    store: Store
    events: list[Event]

    @property
    def failures(self) -> list[str]:
        return [event.error for event in self.events if isinstance(event, PhraseFailed)]


def opened() -> Told:
    """Return an empty cache."""
    store, events = Store(), list[Event]()
    return Told(PhraseCache(store, lane=InlineLane(), emit=events.append, now=trio.current_time), store, events)


def at_each_checkpoint(scenario: Callable[[trio.CancelScope], Any]) -> int:
    """Run `scenario` again and again, cancelled at its first checkpoint, its second and so on; return how many."""
    count = 0
    while True:
        done: list[bool] = []

        async def run(steps: int, done: list[bool]) -> None:
            scope = trio.CancelScope()
            counter = Steps(scope, steps)
            trio.lowlevel.add_instrument(counter)
            await scenario(scope)
            done.append(not scope.cancel_called)

        trio.run(run, count, done, clock=MockClock(autojump_threshold=0))
        if done == [True]:
            return count
        count += 1


class Steps(trio.abc.Instrument):
    """Cancels a scope before the step of the run that has this number."""

    def __init__(self, scope: trio.CancelScope, steps: int) -> None:
        self.scope = scope
        self.left = steps

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Count; a finished scenario has no more to cancel."""
        if "cut" in task.name:
            if self.left == 0:
                self.scope.cancel()
            self.left -= 1
