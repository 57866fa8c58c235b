"""The files that clients put to the service, in memory, and the length of what is in them or at an address.

Nothing is fetched: an address may say itself how long its video or sound is, `https://host/a.mp4?seconds=12`.
"""

from __future__ import annotations

import io
import wave
from urllib.parse import parse_qs, urlsplit

from attrs import Factory, define

MOST_BYTES = 1_000_000_000
"""Of all files together; beyond it the oldest are empty."""
UNREACHABLE = "unreachable.invalid"
"""A host where nothing can be fetched."""
_KINDS = {"video": "VIDEO", "audio": "AUDIO", "image": "IMAGE"}


@define(eq=False, kw_only=True)
class StoredFile:
    """A file that was announced or put; `owner` is the account's name, `created` a time of the wall clock."""

    id: str
    owner: str
    name: str
    kind: str
    """Its content type."""
    created: float
    size: int
    """As announced, then as put."""
    content: bytes | None = None
    is_asset: bool = False
    source: str = "UPLOAD"
    url: str = ""
    """Where it lies, when that is not here."""

    @property
    def type(self) -> str:
        """VIDEO, AUDIO or IMAGE."""
        return _KINDS.get(self.kind.partition("/")[0], "VIDEO")

    @property
    def path(self) -> str:
        """Where it is read."""
        return f"/media/{self.id}/{self.name}"

    @property
    def seconds(self) -> float | None:
        """The length of a WAV; None of everything else."""
        try:
            with wave.open(io.BytesIO(self.content or b"")) as sound:
                return float(sound.getnframes() / sound.getframerate())
        except (wave.Error, EOFError, ZeroDivisionError):
            return None


@define(eq=False)
class Files:
    """All files of one service, by id, the oldest first."""

    _files: dict[str, StoredFile] = Factory(dict)
    _bytes: int = 0

    def add(self, file: StoredFile) -> None:
        """Keep a file, put already or not."""
        self._files[file.id] = file
        self._bytes += len(file.content or b"")
        self._make_room()

    def put(self, file: StoredFile, content: bytes) -> None:
        """Keep what was put."""
        self._bytes += len(content) - len(file.content or b"")
        file.content, file.size = content, len(content)
        self._make_room()

    def get(self, file_id: str) -> StoredFile | None:
        """Return a file."""
        return self._files.get(file_id)

    def at(self, url: str, *, address: str) -> StoredFile | None:
        """Return the file that an address of ours stands for."""
        path = urlsplit(url).path
        is_ours = url.startswith(f"{address}/media/") and path.count("/") >= 3
        return self._files.get(path.split("/")[2]) if is_ours else None

    def assets(self, owner: str) -> list[StoredFile]:
        """Return an account's assets, the newest first."""
        return [file for file in reversed(self._files.values()) if file.owner == owner and file.is_asset]

    def _make_room(self) -> None:
        for file in self._files.values():
            if self._bytes <= MOST_BYTES:
                return
            self._bytes -= len(file.content or b"")
            file.content = b""


def is_unreachable(url: str) -> bool:
    """Say whether nothing can be fetched there."""
    return urlsplit(url).hostname == UNREACHABLE


def told_seconds(url: str) -> float | None:
    """Return the length that an address tells; None where it tells none."""
    said = parse_qs(urlsplit(url).query).get("seconds", [""])[0]
    return float(said) if said.replace(".", "", 1).isdecimal() and said.isascii() and float(said) > 0 else None
