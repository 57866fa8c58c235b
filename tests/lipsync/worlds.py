"""What a queue of videos lives in for a test: virtual time, an inline lane, a drawn world, and a death if asked for."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from attrs import define, evolve, field

from orchestrator.events import Event
from orchestrator.lanes import InlineLane
from orchestrator.lipsync.job import Job
from orchestrator.lipsync.queue import LipsyncQueue, LipsyncSurroundings, open_lipsync
from orchestrator.lipsync.store import Store
from orchestrator.ports import AvatarService, VideoRequest
from orchestrator.settings import LipsyncSettings
from tests.lipsync.avatars import FakeAvatars

BEGAN = 1_800_000_000.0


def wall() -> float:
    """Return Unix seconds of virtual time."""
    return BEGAN + trio.current_time()


def asking(name: str = "a", **fields: Any) -> VideoRequest:
    """Return a request, each name for another video."""
    items = ({"type": "video", "url": f"https://v/{name}.mp4"}, {"type": "audio", "url": "https://a/a.wav"})
    return evolve(VideoRequest(model="lipsync-2", input=items), **fields)


@define(eq=False)
class World:
    """One store, one service, and all that happened."""

    path: Path
    rng: random.Random = field(factory=lambda: random.Random("world"))
    settings: LipsyncSettings = field(factory=lambda: LipsyncSettings(plan="creator"))
    service: FakeAvatars = field(init=False)
    events: list[Event] = field(factory=list)
    webhook_url: str = ""

    def __attrs_post_init__(self) -> None:
        self.service = FakeAvatars(wall, self.rng, limit=self.settings.at_a_time)

    def surroundings(self, **fields: Any) -> LipsyncSurroundings:
        """Return what a queue of this world lives in."""
        given = LipsyncSurroundings(
            emit=self.events.append,
            now=trio.current_time,
            wall=wall,
            lane=InlineLane(),
            service=self.service,
            rng=self.rng,
            webhook_url=self.webhook_url,
        )
        return evolve(given, **fields)

    @asynccontextmanager
    async def queue(self, **fields: Any) -> AsyncIterator[LipsyncQueue]:
        """Open a queue on the store."""
        settings = evolve(self.settings, store=str(self.path))
        async with open_lipsync(settings, self.surroundings(**fields)) as queue:
            yield queue

    def all_of(self, kind: type[Event]) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def stored(self) -> dict[str, Job]:
        """Return all jobs as they are on the disk."""
        store = Store.open(self.path)
        try:
            return {job.id: job for job in store.jobs(limit=10_000)}
        finally:
            store.close()


class Killed(Exception):
    """The process is dead."""


@define(eq=False)
class Life:
    """Ends at a drawn moment: before or after one of the operations of a store or a service. Then nothing is done."""

    left: int

    def pulse(self) -> None:
        """One more moment passes."""
        self.left -= 1
        if self.left < 0:
            raise Killed

    def store(self, path: Path) -> Store:
        """Open a store that dies with it."""
        store: Any = _Mortal(Store.open(path), self)
        return store  # type: ignore[no-any-return]

    def service(self, service: AvatarService) -> AvatarService:
        """Return a service that is asked for nothing any more after death."""
        mortal: Any = _Mortal(service, self)
        return mortal  # type: ignore[no-any-return]


class _Mortal:
    def __init__(self, immortal: Any, life: Life) -> None:
        self._immortal = immortal
        self._life = life

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Any] = getattr(self._immortal, name)
        life = self._life
        if name == "close":  # the system does that for a dead process
            return method
        if isinstance(self._immortal, Store):

            def work(*args: Any, **keywords: Any) -> Any:
                life.pulse()
                result = method(*args, **keywords)
                life.pulse()
                return result

            return work

        async def ask(*args: Any, **keywords: Any) -> Any:
            life.pulse()
            result = await method(*args, **keywords)
            life.pulse()
            return result

        return ask
