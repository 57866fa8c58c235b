"""Reads files of ours that are uploaded, and writes those that are downloaded: whole, or not at all.

Everything that touches the disk runs in the lane.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import trio
from attrs import frozen

from orchestrator.ports import Lane

T = TypeVar("T")
Told = Callable[[int, int | None], None]
"""Hears of progress: bytes so far, and how many there are, if that is known. Never raises, never waits."""
_PIECE = 65_536
"""Bytes that are sent at a time; each may take as long as a request."""


class Threads:
    """A lane of threads of its own, where none is given."""

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(*args)` in a worker thread; abandoned, not stopped, when the caller is cancelled."""
        return await trio.to_thread.run_sync(work, *args, abandon_on_cancel=True)


@frozen
class OpenFile:
    """A file of ours that is being read: `size` bytes."""

    path: Path
    stream: BinaryIO
    size: int
    _lane: Lane

    async def pieces(self, told: Told | None = None) -> AsyncIterator[bytes]:
        """Yield exactly `size` bytes. Raises OSError, also where there are fewer than when it was opened."""
        left = self.size
        while left:
            piece = await self._lane.run(self.stream.read, min(_PIECE, left))
            if not piece:
                raise OSError(errno.EIO, "became shorter while it was sent", str(self.path))
            left -= len(piece)
            yield piece
            if told is not None:
                told(self.size - left, self.size)


@frozen
class Disk:
    """The files of ours, reached through a lane."""

    _lane: Lane

    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[OpenFile]:
        """Have a file open for reading. Raises OSError, also for an empty one or what is no file."""
        stream, size = await self._lane.run(_open, path)
        try:
            yield OpenFile(path, stream, size, self._lane)
        finally:
            stream.close()

    @asynccontextmanager
    async def replacing(self, path: Path) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
        """Have what writes to a file, which appears, or takes the place of an older one, at the end of the block.

        It is on the disk then; nothing is left of one that was not completed. Raises OSError, also where there is
        something else than a file, such as a device, whose place it would take. A link stays one.
        """
        path = Path(await self._lane.run(os.path.realpath, path))
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        stream = await self._lane.run(_begin, part, path)

        async def write(piece: bytes) -> None:
            await self._lane.run(stream.write, piece)

        try:
            yield write
            await self._lane.run(_finish, stream, path)
        except BaseException:  # a cancel as well; here and now, since a cancelled task has no lane
            stream.close()
            part.unlink(missing_ok=True)
            raise


def _open(path: Path) -> tuple[BinaryIO, int]:
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block its opener
        raise OSError(errno.EINVAL, "is no file", str(path))
    stream = path.open("rb")
    size = os.fstat(stream.fileno()).st_size
    if size == 0:
        stream.close()
        raise OSError(errno.ENODATA, "is empty", str(path))
    return stream, size


def _begin(part: Path, path: Path) -> BinaryIO:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "is no file", str(path))
    return part.open("xb")


def _finish(stream: BinaryIO, path: Path) -> None:
    stream.flush()
    os.fsync(stream.fileno())
    stream.close()
    Path(stream.name).replace(path)
