"""Keeps what was found for each cell in a file, a line each, so that a table that was broken off goes on from there.

What a cell's number depends on is cells.py's; here a key is a key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import SettingsError
from simulations.capacity.cells import Found

_PACKAGES = Path(__file__).parents[2]
_PROGRAM = ("orchestrator", "simulations")
_FIRST = '{"found":'
"""How a line begins: one that is torn is known by it."""


def program() -> str:
    """Return a name for the very program that runs here: of other sources nothing that was kept is used.

    It is the SHA-256 of them all, not a version number that somebody would have to remember to raise.
    """
    digest = hashlib.sha256()
    for path in sorted(path for package in _PROGRAM for path in (_PACKAGES / package).rglob("*.py")):
        digest.update(str(path.relative_to(_PACKAGES)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def keep(path: Path, found: Found, *, key: Mapping[str, Any]) -> None:
    """Add a cell to the file, in one write: several processes may do so. Raises OSError."""
    line = json.dumps({"found": found.to_json(), "key": key})
    with path.open("a+b", buffering=0) as file:
        torn = file.tell() > 0 and not _ends_line(path)
        file.write(b"\n" * torn + line.encode() + b"\n")


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


class Kept:
    """What the file held when it was read: nothing where there is none."""

    def __init__(self, path: Path) -> None:
        """Read it. Raises SettingsError where the file is something else, and OSError."""
        self._found: dict[str, Found] = dict(_read(path))

    def get(self, key: Mapping[str, Any]) -> Found | None:
        """Return what is kept under the key, None where nothing is."""
        return self._found.get(json.dumps(key, sort_keys=True))


def _read(path: Path) -> Iterator[tuple[str, Found]]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    cells = [cell for line in lines if (cell := _cell(line)) is not None]
    if lines and not cells and not lines[0].startswith(_FIRST):
        raise SettingsError(f"--cache {path}: is no cache of `talkingstick capacity`; choose another file")
    yield from cells


def _cell(line: str) -> tuple[str, Found] | None:
    """Return a line's cell; None where the line is torn: the program was killed while it wrote."""
    try:
        content = json.loads(line)
        return json.dumps(content["key"], sort_keys=True), Found.of_json(content["found"])
    except (ValueError, KeyError, TypeError):
        return None
