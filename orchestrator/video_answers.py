"""Wires video answers into a program that takes calls: the service's account, the queue, the page for its webhooks.

The queue by itself is lipsync/queue.py's, for the command line lipsync/command.py's.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import trio
from attrs import define, field, frozen

from orchestrator.adapters.avatars.sync import SyncService, batch_of, generation_of
from orchestrator.adapters.avatars.sync_network import tls_context
from orchestrator.dialogue.videos import VideoMeans
from orchestrator.lanes import ThreadLane
from orchestrator.lipsync.command.sources import located
from orchestrator.lipsync.keeping import KeptQueue
from orchestrator.lipsync.queue import LipsyncQueue, LipsyncSurroundings, open_lipsync
from orchestrator.lipsync.sounds import SoundFiles
from orchestrator.lipsync.store import store_path
from orchestrator.lipsync.webhooks import SyncHook
from orchestrator.port.routes import SYNC_HOOK
from orchestrator.ports import Batch, Emit, Generation, Now, VideoRequest
from orchestrator.settings import LipsyncSettings, Settings
from orchestrator.settings_file import read_lipsync_key, read_webhook_secret


@frozen(kw_only=True)
class VideoAccount:
    """What `[lipsync]` and its secrets say; `webhook_url` is empty where the service is polled."""

    settings: LipsyncSettings
    key: str = field(repr=False)
    secret: str = field(repr=False)
    webhook_url: str
    store: Path


def video_account(settings: Settings, environment: Mapping[str, str] = os.environ) -> VideoAccount | None:
    """Return the account for video answers, None where they are off. Raises SettingsError: what is missing."""
    lipsync, public = settings.lipsync, settings.serve.public_url
    if not lipsync.on:
        return None
    secret = read_webhook_secret(lipsync, environment)
    return VideoAccount(
        settings=lipsync,
        key=read_lipsync_key(lipsync, environment),
        secret=secret,
        webhook_url=public + SYNC_HOOK if secret and public else "",
        store=store_path(lipsync, environment),
    )


def wall() -> float:
    """Return Unix seconds."""
    return datetime.now(UTC).timestamp()


def locate(request: VideoRequest) -> VideoRequest:
    """Return the request with `file:` URLs where it names files. Raises WrongRequestError."""
    return located(request, Path.cwd())


def news_of(body: bytes) -> Generation | Batch:
    """Return what a webhook's body tells of. Raises ValueError."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    return batch_of(told) if isinstance(told, dict) and "metrics" in told else generation_of(told)


@define(eq=False, kw_only=True)
class VideoAnswers:
    """One account's videos in a program: `run` works on the queue as long as it runs.

    Made before there are calls: that takes some 100 ms of the loop, and opening the queue again takes none.
    """

    account: VideoAccount
    emit: Emit
    now: Now
    queue: KeptQueue = field(init=False)
    sounds: SoundFiles = field(init=False)

    def __attrs_post_init__(self) -> None:
        account = self.account
        tls_context()
        self.queue = KeptQueue(self._open, again=account.settings.ask_again, emit=self.emit, now=self.now)
        self.sounds = SoundFiles(store=account.store, lane=ThreadLane(1), wall=wall)

    async def run(self) -> None:
        """Keep the queue open, and its sounds' folder clean; never ends."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.queue.run)
            nursery.start_soon(self.sounds.run)

    def means(self) -> VideoMeans:
        """Return what bots' videos are made with."""
        return VideoMeans(
            queue=self.queue, model=self.account.settings.model, sounds=self.sounds, wall=wall, locate=locate
        )

    def hook(self) -> SyncHook | None:
        """Return the page for the service's webhooks; None without the secret that signs them."""
        if not self.account.secret:
            return None
        return SyncHook(
            secret=self.account.secret,
            tolerance=self.account.settings.tolerance,
            queue=self.queue,
            parse=news_of,
            emit=self.emit,
            now=self.now,
            wall=wall,
        )

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[LipsyncQueue]:
        account = self.account
        async with SyncService(account.settings, account.key) as service:
            surroundings = LipsyncSurroundings(
                emit=self.emit,
                now=self.now,
                wall=wall,
                lane=ThreadLane(1),
                service=service,
                webhook_url=account.webhook_url,
            )
            async with open_lipsync(account.settings, surroundings) as queue:
                yield queue
