"""Owns the lock that says which process works on a store: a file beside it, locked as long as it is held."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from orchestrator.lipsync.database import LipsyncStoreError


class WorkerLock:
    """The right to work on one store. The operating system gives it back when its holder dies, however that happens."""

    def __init__(self, store: Path) -> None:
        store = store.resolve()  # one file by two names is one store
        self._path = store.with_name(store.name + ".lock")
        self._file: int | None = None

    def take(self) -> bool:
        """Say whether it is ours, taking it if nobody has it. Raises LipsyncStoreError."""
        if self._file is not None:
            return True
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LipsyncStoreError(f"{self._path}: it can't be opened ({error.strerror})") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        except OSError as error:
            os.close(file)
            raise LipsyncStoreError(f"{self._path}: it can't be locked ({error.strerror})") from None
        if not self._is_at_path(file):  # deleted since: whoever makes it anew can lock it as well
            os.close(file)
            return False
        self._file = file
        return True

    def keep(self) -> bool:
        """Say whether it is still ours: a file that was deleted is made anew, unless somebody else was faster.

        Raises LipsyncStoreError.
        """
        if self._file is None or self._is_at_path(self._file):
            return True
        self.give_back()
        return self.take()

    def _is_at_path(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False
        except OSError as error:
            raise LipsyncStoreError(f"{self._path}: it can't be seen ({error.strerror})") from None

    def give_back(self) -> None:
        """Let another process work on the store."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
