"""Opens the video service's account for a command: settings under its options, the key, and how the service fares."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import trio

from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.adapters.avatars.sync_files import Told
from orchestrator.commands_lipsync import AccountOptions, StoreOptions
from orchestrator.errors import AvatarFault, FaultKind, SettingsError
from orchestrator.ports import Generation, GenerationStatus, VideoRequest
from orchestrator.settings import LipsyncSettings, WrongValue
from orchestrator.settings_file import load_settings, read_lipsync_key

REACHABLE_WITHIN = 4.0
"""Seconds that the service has to answer at all: with its start the program is to give up within five."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NO_KEY = "none"
_ADDRESS = 'expected "http://" or "https://" and a host, such as https://api.sync.so'
_PORTS = {"http": 80, "https": 443}
_STATUS = re.compile(r"\[\d{3}\]$")
"""How a fault ends of which the service told us itself."""


def settings_of(options: StoreOptions) -> LipsyncSettings:
    """Return the settings of the configuration, and over them the options. Raises SettingsError."""
    settings = load_settings(options.config).lipsync if options.config else LipsyncSettings()
    names = ("store", "address", "plan") if isinstance(options, AccountOptions) else ("store",)
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    if "address" in given:
        given["address"] = given["address"].rstrip("/")
    if "plan" in given:
        given["generations"] = 0  # that of the configuration's plan
    try:
        return attrs.evolve(settings, **given)
    except WrongValue as wrong:
        name = str(wrong).partition(":")[0].partition(" ")[0].replace("_", "-")
        expected = _ADDRESS if name == "address" else wrong.expected
        raise SettingsError(f"--{name}: {expected}") from None


def key_of(settings: LipsyncSettings, environment: Mapping[str, str] = os.environ) -> str:
    """Return the account's key; a simulated service on this machine needs none. Raises SettingsError."""
    return _NO_KEY if _needs_none(settings, environment) else read_lipsync_key(settings, environment)


def _needs_none(settings: LipsyncSettings, environment: Mapping[str, str]) -> bool:
    local = urlsplit(settings.address).hostname in _LOOPBACK
    return local and not settings.key_file and not environment.get(settings.key_env)


async def reach(settings: LipsyncSettings) -> None:
    """Open a connection to the service, and close it again. Raises AvatarFault that says what was tried.

    A host that does not answer at all would else be told only after the request's own, longer time.
    """
    parts = urlsplit(settings.address)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    why = f"no answer within {REACHABLE_WITHIN:g} s"
    with trio.move_on_after(REACHABLE_WITHIN):
        try:
            stream = await trio.open_tcp_stream(host, port)
        except OSError as error:
            why = _reason(error)
        else:
            await trio.aclose_forcefully(stream)
            return
    raise AvatarFault(FaultKind.RETRY, f"the video service can't be reached: {host} port {port}: {why}")


@asynccontextmanager
async def reached_service(settings: LipsyncSettings) -> AsyncIterator[SyncService]:
    """Have the service to ask it directly. Raises SettingsError where there is no key, and AvatarFault."""
    key = key_of(settings)
    await reach(settings)
    try:
        async with SyncService(settings, key) as service:
            yield service
    except AvatarFault as fault:
        problems = fault.problems
        raise AvatarFault(fault.kind, words_of(fault, settings), code=fault.code, problems=problems) from None


def words_of(fault: AvatarFault, settings: LipsyncSettings, *, environment: Mapping[str, str] = os.environ) -> str:
    """Return what the service said, with where the key is from, or that there is none, if it may be that."""
    if fault.kind is not FaultKind.FINAL:
        return fault.message
    if _needs_none(settings, environment):
        return f"{fault.message} (no key: {settings.key_env} is not set)"
    return f"{fault.message} (key: from {f'file {settings.key_file}' if settings.key_file else settings.key_env})"


def _reason(error: OSError) -> str:
    cause = error.__cause__
    inner = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else error
    return getattr(inner, "strerror", None) or str(inner)


class WatchedService(SyncService):
    """The service, and how it fares: whether it ever answered, what went wrong last, what it refuses for good."""

    answered = False
    trouble = ""
    """What the last request failed with; empty once one succeeded."""
    refused: AvatarFault | None = None
    """That nothing will pass until a person acts; batches apart, which a plan may lack."""
    uploading = ""

    async def create(self, request: VideoRequest, *, idempotency_key: str) -> Generation:
        """Have a video made."""
        with self._watching():
            return await super().create(request, idempotency_key=idempotency_key)

    async def get(self, generation_id: str, *, wait: int = 0) -> Generation:
        """Return a generation."""
        with self._watching():
            return await super().get(generation_id, wait=wait)

    async def listing(
        self, *, statuses: Collection[GenerationStatus] = (), limit: int = 100, cursor: str = ""
    ) -> Sequence[Generation]:
        """Return generations of the account."""
        with self._watching():
            return await super().listing(statuses=statuses, limit=limit, cursor=cursor)

    async def upload(self, path: Path, *, told: Told | None = None) -> str:
        """Put a file of ours where the service reads it."""
        self.uploading = path.name

        def note(sent: int, total: int | None) -> None:
            self.uploading = f"{path.name}, {100 * sent / total:.0f} %" if total else path.name
            if told is not None:
                told(sent, total)

        try:
            with self._watching():
                return await super().upload(path, told=note)
        finally:
            self.uploading = ""

    @contextmanager
    def _watching(self) -> Iterator[None]:
        try:
            yield
        except AvatarFault as fault:
            self.trouble = fault.message
            self.answered = self.answered or bool(_STATUS.search(fault.message))
            self.refused = fault if fault.kind is FaultKind.FINAL else None
            raise
        self.answered, self.trouble, self.refused = True, "", None
