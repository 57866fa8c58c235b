"""`talkingstick check`: says what a configuration means and what is missing before it can answer calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.adapters.voices.local import MachineVoice, installed_voice
from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.dialogue.bot_loading import load_bot
from orchestrator.errors import AvatarFault, BotLoadError, FaultKind, ProviderFault, SettingsError
from orchestrator.lanes import InlineLane
from orchestrator.lipsync.command.service import words_of
from orchestrator.lipsync_meaning import describe_lipsync, lipsync_notes
from orchestrator.port.routes import AUDIO_ECHO, only_echoes
from orchestrator.port.tls import server_context
from orchestrator.ports import Dial, VoiceCodec
from orchestrator.serve.lines import open_lines
from orchestrator.serve_meaning import describe_lines
from orchestrator.serve_meaning import notes as serve_notes
from orchestrator.settings import LadderSettings, ServeSettings, Settings
from orchestrator.settings_file import load_settings, read_key
from orchestrator.settings_meaning import describe, key_source
from orchestrator.settings_reload import AT_ONCE
from orchestrator.speech.dialling import dial as dial_websocket
from orchestrator.speech.phrase_files import cache_directory
from orchestrator.video_answers import VideoAccount, video_account

REACHABLE_WITHIN = 4.0
"""Seconds that the provider has to accept a WebSocket: with its start the program is to give up within five."""


async def run(*, config: Path, online: bool) -> int:
    """Print what the file `config` means, and check that its bot and its key are there; return 0.

    With `online` one WebSocket is opened with the key and closed again, and the video service, where [lipsync] is on,
    is asked for one generation of its list. Raises SettingsError with all that is wrong or missing, one line each, and
    ProviderFault (AvatarFault is one) if either refuses its key or can't be reached.
    """
    settings = load_settings(config)
    print(describe(settings))
    for told in (*describe_lines(settings), *describe_lipsync(settings)):
        print(told)
    for note in (*serve_notes(settings), *lipsync_notes(settings)):
        print(note)
    for note in _surroundings(settings):
        print(f"! {note}")
    print("(* is not the default, ! does not fit with another setting or with this machine)")
    print(f"(without a restart, by SIGHUP, a running program takes over {', '.join(AT_ONCE)}; the rest needs one)")
    if problems := list(_everything_wrong(settings)):
        raise SettingsError("\n".join(dict.fromkeys(problems)))  # a bot may be wrong for [bot] and for a line
    if online:
        codec = WavesCodec(settings.provider, read_key(settings.provider))
        try:
            await reach(codec, partial(dial_websocket, within=REACHABLE_WITHIN))
        except ProviderFault as fault:
            hint = f" (key: from {key_source(settings.provider)})" if fault.kind is FaultKind.FINAL else ""
            raise ProviderFault(fault.kind, fault.message + hint) from fault
        print(f"  {codec.address()} accepts the key.")
        if account := video_account(settings):
            await reach_videos(account)
            print(f"  {account.settings.address} accepts the key.")
    print(f"{config}: all right")
    return 0


async def reach(codec: VoiceCodec, dial: Dial) -> None:
    """Open one WebSocket to the provider and close it again; raises ProviderFault if that fails or takes over 4 s."""
    opened = False
    with trio.move_on_after(REACHABLE_WITHIN):
        async with dial(codec.address(), codec.headers()):
            opened = True  # a provider that dawdles over the close is reachable all the same
    if not opened:
        raise ProviderFault(FaultKind.RETRY, f"{codec.address()} did not answer within {REACHABLE_WITHIN:g} s")


async def reach_videos(account: VideoAccount) -> None:
    """Ask the video service for one generation of its list. Raises AvatarFault if that fails or takes over 4 s."""
    asked = attrs.evolve(account.settings, request_within=REACHABLE_WITHIN)
    try:
        with trio.fail_after(REACHABLE_WITHIN):
            async with SyncService(asked, account.key) as service:
                await service.listing(limit=1)
    except trio.TooSlowError:
        words = f"{asked.address} did not answer within {REACHABLE_WITHIN:g} s"
        raise AvatarFault(FaultKind.RETRY, words) from None
    except AvatarFault as fault:
        words = f"{asked.address}: {words_of(fault, asked)}"
        raise AvatarFault(fault.kind, words, code=fault.code) from None


def _surroundings(settings: Settings) -> Iterator[str]:
    """Say what of this machine does not fit with the settings, though calls can be answered all the same."""
    with suppress(SettingsError):  # told among the problems
        if settings.ladder.local == "auto" and _speaks_here(settings.ladder) and _local_voice(settings.ladder) is None:
            yield "No voice of this machine is installed: callers hear an apology while the provider is gone."
    with suppress(SettingsError):
        if settings.cache.on and not _writable(directory := cache_directory(settings.cache)):
            yield f"The phrase cache can't be written to {directory} (cache.directory): phrases last for one run."
    with suppress(SettingsError):
        account = video_account(settings)
        if account is not None and not _writable(account.store.parent):
            yield f"The queue of videos can't be written to {account.store.parent} (lipsync.store): none are accepted."


def _everything_wrong(settings: Settings) -> Iterator[str]:
    if not (settings.serve.lines and settings.bot.use == AUDIO_ECHO):
        yield from _problems(partial(load_bot, settings.bot.use, settings.bot.options))
    yield from _problems(partial(open_lines, settings))
    yield from _problems(partial(_tls, settings.serve))
    if not only_echoes(settings.serve.lines, settings.bot):
        yield from _problems(partial(read_key, settings.provider))
        yield from _problems(partial(_local_voice, settings.ladder))
        yield from _problems(partial(cache_directory, settings.cache))
    yield from _problems(partial(video_account, settings))


def _tls(serve: ServeSettings) -> None:
    if serve.certificate:
        server_context(serve.certificate, serve.certificate_key)


def _speaks_here(ladder: LadderSettings) -> bool:
    return ladder.on and "local_voice" in ladder.rungs


def _local_voice(ladder: LadderSettings) -> MachineVoice | None:
    return installed_voice(ladder.local, InlineLane()) if _speaks_here(ladder) else None


def _writable(directory: Path) -> bool:
    """Say whether files can be made in the directory, or it in the nearest one above it that there is."""
    there = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _problems(step: Callable[[], Any]) -> list[str]:
    try:
        step()
    except (SettingsError, BotLoadError) as error:
        return str(error).splitlines()
    return []
