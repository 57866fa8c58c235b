"""Keeps phrases as files, one an entry: whole, checked and young ones are read, the rest is removed; never too many.

Everything here blocks: run it in a lane. Several threads and processes may use one directory at a time; they meet in
nothing but renames and removals.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import stat
import struct
import tempfile
import time  # entries outlive the run and the machine's uptime: only the wall clock can tell how old they are
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import attrs
from attrs import frozen

from orchestrator.errors import SettingsError
from orchestrator.settings import CacheSettings
from orchestrator.speech.cache import PhraseStoreError
from orchestrator.speech.phrase import Phrase, PhraseKey, canonical_json

_MAGIC = b"talkingstick phrase 1\n"
"""What each file begins with. The number changes with the format, and with anything about the sound that no key has."""
_LENGTHS = struct.Struct(">QQ")
"""Of the header and of the sound, in bytes."""
_PREFIX = len(_MAGIC) + _LENGTHS.size + hashlib.sha256().digest_size
_ENTRY = re.compile(r"[0-9a-f]{64}\.phrase")
_UNFINISHED = ".phrase-part"
_ABANDONED = 3600.0
"""Seconds after which an unfinished file is nobody's: its writer was killed."""
_ITS_OWN = (errno.EACCES, errno.EPERM, errno.EIO, errno.EISDIR, errno.ELOOP)
"""Reasons for which an entry can't be read that lie in the entry itself."""


class DamagedPhrase(Exception):
    """An entry's bytes are not what was written; the message says in what."""


@frozen(kw_only=True)
class Entry:
    """One file of the cache, for lists. `key` is None where it is damaged; times are wall-clock, `seconds` of sound."""

    path: Path
    size: int
    used: float
    made: float
    key: PhraseKey | None = None
    seconds: float = 0.0


def cache_directory(settings: CacheSettings, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the cache is. Raises SettingsError where no home directory is known that it would lie in."""
    base = environment.get("XDG_CACHE_HOME", "")
    try:
        if settings.directory:
            return Path(settings.directory).expanduser()
        # A relative path there is to be passed over, says the XDG specification.
        return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "talkingstick"
    except RuntimeError as error:
        raise SettingsError(f'cache.directory = "{settings.directory}": {error}; expected a directory') from None


def open_phrase_files(settings: CacheSettings, *, directory: Path | None = None) -> PhraseFiles:
    """Return the cache of these settings, or the one in `directory`. Raises SettingsError if that can be none."""
    directory = directory or cache_directory(settings)
    if directory.exists() and not directory.is_dir():
        raise SettingsError(f"{directory}: is no directory; expected the phrase cache's")
    return PhraseFiles(settings, directory=directory)


class PhraseFiles:
    """A directory of phrases: implements PhraseStore. `wall` tells the time in seconds since the epoch."""

    def __init__(self, settings: CacheSettings, *, directory: Path, wall: Callable[[], float] = time.time) -> None:
        self.directory = directory
        self._most = int(settings.megabytes * 1e6)
        self._oldest = settings.days * 86_400
        self._wall = wall

    def read(self, key: PhraseKey) -> Phrase | None:
        """Return the phrase, None if there is none that is young enough. Raises PhraseStoreError.

        What is too old is removed; so is what can't be played, and that is told.
        """
        path = self._path(key)
        try:
            found, phrase, made = _decoded(_content(path, most=self._most))
            if found != key or phrase.rate != key.rate:
                raise DamagedPhrase("it is another phrase's")
            now = self._wall()
            too_old = abs(now - made) > self._oldest  # from the future: the clock was wrong, and its age is unknown
            with suppress(OSError):  # where nothing can be changed it can still be read
                path.unlink() if too_old else os.utime(path, (now, now))
            return None if too_old else phrase
        except FileNotFoundError:
            return None
        except DamagedPhrase as error:
            raise self._damaged(path, str(error)) from None
        except OSError as error:
            if error.errno in _ITS_OWN:
                raise self._damaged(path, _reason(error)) from None
            raise self._trouble(error) from None

    def write(self, key: PhraseKey, phrase: Phrase) -> None:
        """Keep the phrase; what was not used for longest goes for it. Raises PhraseStoreError."""
        now = self._wall()
        data = _encoded(key, phrase, made=now)
        if len(data) > self._most:
            raise PhraseStoreError(f"{self.directory}: a phrase is larger than all of the cache (cache.megabytes)")
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(len(data), besides=self._path(key))
            unfinished = _write_synced(data, self.directory)
            with _no_trace_of(unfinished):
                os.utime(unfinished, (now, now))
                os.replace(unfinished, self._path(key))
            self._make_room(0, besides=None)  # another process may have filled the room meanwhile
        except OSError as error:
            raise self._trouble(error) from None

    def entries(self) -> list[Entry]:
        """Return what there is, read and checked; the last used first. Raises OSError."""
        found = [self._entry(file) for file in self._files() if not file.name.endswith(_UNFINISHED)]
        return sorted(found, key=lambda entry: (-entry.used, entry.path.name))

    def remove(self, entry: Entry) -> None:
        """Remove one entry; harmless if it is gone. Raises OSError."""
        entry.path.unlink(missing_ok=True)

    def remove_unfinished(self) -> None:
        """Remove what writers that are gone have left. Raises OSError."""
        for file in self._files():
            if file.name.endswith(_UNFINISHED) and abs(self._wall() - file.used) > _ABANDONED:
                (self.directory / file.name).unlink(missing_ok=True)

    def _path(self, key: PhraseKey) -> Path:
        return self.directory / f"{key.digest}.phrase"

    def _files(self) -> Iterator[_File]:
        """Yield our files; whatever else lies in the directory is somebody else's."""
        try:
            with os.scandir(self.directory) as found:
                for item in found:
                    if _ENTRY.fullmatch(item.name) or item.name.endswith(_UNFINISHED):
                        with suppress(FileNotFoundError):
                            known = item.stat(follow_symlinks=False)
                            yield _File(item.name, known.st_size, known.st_mtime)
        except FileNotFoundError:
            return

    def _make_room(self, size: int, *, besides: Path | None) -> None:
        """Remove what is too old, and what was not used for longest until `size` bytes more fit."""
        now = self._wall()
        self.remove_unfinished()
        files = [file for file in self._files() if besides is None or file.name != besides.name]
        left = sum(file.size for file in files)
        for file in sorted((file for file in files if not file.name.endswith(_UNFINISHED)), key=_last_use):
            if left + size <= self._most and abs(now - file.used) <= self._oldest:
                break
            with suppress(IsADirectoryError, PermissionError):  # nothing that we wrote
                (self.directory / file.name).unlink(missing_ok=True)
                left -= file.size

    def _entry(self, file: _File) -> Entry:
        path = self.directory / file.name
        try:
            key, phrase, made = _decoded(_content(path, most=max(self._most, file.size)))
        except (OSError, DamagedPhrase):
            return Entry(path=path, size=file.size, used=file.used, made=file.used)
        return Entry(path=path, size=file.size, used=file.used, made=made, key=key, seconds=phrase.seconds)

    def _damaged(self, path: Path, reason: str) -> PhraseStoreError:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            return PhraseStoreError(f"{self.directory}: damaged entries can't be removed ({_reason(error)})")
        return PhraseStoreError(f"{path}: {reason}; it is removed")

    def _trouble(self, error: OSError) -> PhraseStoreError:
        return PhraseStoreError(f"{self.directory}: {_reason(error)}")


@frozen
class _File:
    """A file of ours as its directory knows it: bytes, and when it was last used (wall-clock)."""

    name: str
    size: int
    used: float


def _last_use(file: _File) -> tuple[float, str]:
    return file.used, file.name


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _content(path: Path, *, most: int) -> bytes:
    """Return the bytes of a file, if it is one of at most so many; raises DamagedPhrase, OSError."""
    if not stat.S_ISREG(os.lstat(path).st_mode):  # to open a pipe could take for ever
        raise DamagedPhrase("it is no file")
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise DamagedPhrase("it is larger than all of the cache")
    return data


def _write_synced(data: bytes, directory: Path) -> Path:
    """Write `data` under a name that nobody reads, until it is on the disk."""
    number, name = tempfile.mkstemp(suffix=_UNFINISHED, dir=directory)
    unfinished = Path(name)
    with _no_trace_of(unfinished), os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return unfinished


@contextmanager
def _no_trace_of(unfinished: Path) -> Iterator[None]:
    """Delete the file if the body fails, whatever the reason."""
    with ExitStack() as undo:
        undo.callback(unfinished.unlink, missing_ok=True)
        yield
        undo.pop_all()


# --- the format: magic, lengths, SHA-256 of all that follows, a header in JSON, the sound ---


def _encoded(key: PhraseKey, phrase: Phrase, *, made: float) -> bytes:
    body = {"key": attrs.asdict(key), "made": made, "rate": phrase.rate, "words": phrase.words}
    header = canonical_json(body)
    content = header + phrase.pcm
    return _MAGIC + _LENGTHS.pack(len(header), len(phrase.pcm)) + hashlib.sha256(content).digest() + content


def _decoded(data: bytes) -> tuple[PhraseKey, Phrase, float]:
    """Return key, phrase and when it was made; raises DamagedPhrase for whatever `_encoded` did not write."""
    if not data.startswith(_MAGIC) or len(data) < _PREFIX:
        raise DamagedPhrase("it is none of our entries, or the beginning of one")
    header, sound = _LENGTHS.unpack_from(data, len(_MAGIC))
    content = data[_PREFIX:]
    if len(content) != header + sound:
        raise DamagedPhrase(f"it has {len(content)} bytes of {header + sound}")
    if hashlib.sha256(content).digest() != data[_PREFIX - hashlib.sha256().digest_size : _PREFIX]:
        raise DamagedPhrase("its checksum is wrong")
    try:
        body = json.loads(content[:header])
        key = body["key"]
        key |= {name: tuple(key[name]) for name in ("dictionaries", "trimming")}
        words = tuple(tuple(word) for word in body["words"])
        phrase = Phrase(pcm=content[header:], rate=body["rate"], words=words)
        found, made = PhraseKey(**key), float(body["made"])
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise DamagedPhrase(f"its header makes no sense ({type(error).__name__})") from None
    if phrase.silent or not math.isfinite(made):
        raise DamagedPhrase("it is all silence, or of no time")
    return found, phrase, made
