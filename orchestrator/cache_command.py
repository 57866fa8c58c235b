"""`talkingstick cache list|warm|clear`: shows the phrase cache and empties it; filling it is cache_warming.py's."""

from __future__ import annotations

import json
import time  # entries outlive the run and the machine's uptime: only the wall clock can tell how old they are

import attrs
import trio

from orchestrator.cache_warming import warm
from orchestrator.commands_cache import ClearOptions, ListOptions, WarmOptions, WhereOptions
from orchestrator.settings import CacheSettings
from orchestrator.settings_file import load_settings
from orchestrator.speech.phrase_files import Entry, PhraseFiles, open_phrase_files

_DAY = 86_400.0
_SHOWN = 40
"""Characters of a text that a line of the list shows."""


async def run(*, options: ListOptions | WarmOptions | ClearOptions) -> int:
    """Do what the command says; return 0, or 1 if a phrase could not be made or kept.

    Raises SettingsError, BotLoadError, ProviderFault (the provider cannot be reached, or refuses) and OSError.
    """
    await trio.lowlevel.checkpoint()
    match options:
        case ListOptions():
            return list_entries(_files(options), as_json=options.json, now=time.time())
        case ClearOptions():
            return clear(_files(options), older_than=options.older_than, now=time.time())
        case WarmOptions():
            return await warm(options)


def _files(options: WhereOptions) -> PhraseFiles:
    settings = load_settings(options.config).cache if options.config else CacheSettings()
    return open_phrase_files(settings, directory=options.directory)


def list_entries(files: PhraseFiles, *, as_json: bool, now: float) -> int:
    """Print what is in the cache, the last used first, with totals; return 0."""
    entries = files.entries()
    if as_json:
        print(json.dumps(_listed(files, entries, now=now)))
        return 0
    for entry in entries:
        print(_line(entry, now=now))
    damaged = sum(entry.key is None for entry in entries)
    told = f", {damaged} damaged" if damaged else ""
    seconds, size = sum(entry.seconds for entry in entries), sum(entry.size for entry in entries)
    print(f"{len(entries)} phrase(s){told}, {seconds:.1f} s of sound, {size / 1e6:.2f} MB in {files.directory}")
    return 0


def _line(entry: Entry, *, now: float) -> str:
    age, size = f"{(now - entry.made) / _DAY:6.1f} d", f"{entry.size / 1000:7.1f} kB"
    if entry.key is None:
        return f"(damaged)                            {age} {size}  {entry.path.name}"
    key, text = entry.key, _one_line(entry.key.text)
    voice = f"{key.voice:12} {key.language:4} {key.rate:5} Hz"
    return f"{voice} {entry.seconds:6.1f} s {age} {size}  {text}"


def _one_line(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + "..."


def _listed(files: PhraseFiles, entries: list[Entry], *, now: float) -> dict[str, object]:
    return {
        "schema": 1,
        "directory": str(files.directory),
        "phrases": [
            {
                "file": entry.path.name,
                "bytes": entry.size,
                "age_days": round((now - entry.made) / _DAY, 3),
                "unused_days": round((now - entry.used) / _DAY, 3),
                "seconds": round(entry.seconds, 3),
                "key": attrs.asdict(entry.key) if entry.key else None,
            }
            for entry in entries
        ],
        "seconds": round(sum(entry.seconds for entry in entries), 3),
        "bytes": sum(entry.size for entry in entries),
    }


def clear(files: PhraseFiles, *, older_than: float | None, now: float) -> int:
    """Remove all entries, or those made more than `older_than` days ago; return 0."""
    gone = [entry for entry in files.entries() if older_than is None or now - entry.made > older_than * _DAY]
    for entry in gone:
        files.remove(entry)
    files.remove_unfinished()
    print(f"removed {len(gone)} phrase(s), {sum(e.size for e in gone) / 1e6:.2f} MB, from {files.directory}")
    return 0
