"""Opens an orchestrator inside somebody else's Trio program, with what the commands give theirs; app.py wires it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from orchestrator import app
from orchestrator.app import Orchestrator, Surroundings, run_clock
from orchestrator.events import Event
from orchestrator.machine import local_voice, phrase_files, prepare, wait_quiet
from orchestrator.ports import Emit
from orchestrator.settings import ServeSettings, Settings
from orchestrator.settings_file import read_key
from orchestrator.video_answers import VideoAnswers, video_account


@asynccontextmanager
async def open_orchestrator(
    settings: Settings | None = None, *, emit: Emit | None = None
) -> AsyncIterator[Orchestrator]:
    """Open the account of `settings` for calls on legs of your own; leaving closes it, the calls must be over by then.

    `drain()` lets them end. The account's key is read from where the settings say, phrases are kept on
    disk as they say; `emit` gets every event and must neither raise nor wait. What the body raises comes out as it is.
    Leaving waits up to 3 s for the voice of this machine to fall silent. With `lipsync.on` it works on the queue of
    videos, too, and polls the video service.

    Raises SettingsError for a key that is missing. A provider that can't be reached raises nothing: calls wait, or the
    voice of this machine speaks; `wait_ready()` tells.
    """
    settings = Settings() if settings is None else settings
    local, now, emit = local_voice(settings), run_clock(), _forget if emit is None else emit
    account = video_account(attrs.evolve(settings, serve=ServeSettings()))  # here is no port that could be told of ends
    videos = None if account is None else VideoAnswers(account=account, emit=emit, now=now)
    surroundings = Surroundings(
        emit=emit,
        now=now,
        key=read_key(settings.provider),
        local=local,
        phrase_store=phrase_files(settings.cache),
        videos=None if videos is None else videos.means(),
    )
    failure: Exception | None = None
    try:
        async with app.open_orchestrator(settings, surroundings) as orchestrator, trio.open_nursery() as nursery:
            if local is not None:
                nursery.start_soon(prepare, local)
            if videos is not None:
                nursery.start_soon(videos.run)
            try:
                yield orchestrator
            except Exception as error:  # kept from the nurseries, which would wrap it in groups
                failure = error
            nursery.cancel_scope.cancel()
    finally:
        if local is not None:  # an interpreter that shuts down while a thread runs native code aborts
            await wait_quiet(local)
    if failure is not None:
        raise failure


def _forget(event: Event) -> None:
    """Nobody wants it."""
