"""Finds the files that a request names: each is checked to be one that can be sent, and becomes a `file:` URL."""

from __future__ import annotations

import os
import stat
import wave
from pathlib import Path

from orchestrator.adapters.avatars.sync_shapes import media_type
from orchestrator.errors import AvatarFault
from orchestrator.lipsync.batch_file import WrongRequestError, is_url, with_urls
from orchestrator.lipsync.singles import file_of
from orchestrator.ports import VideoRequest


def located(request: VideoRequest, base: Path) -> VideoRequest:
    """Return the request with `file:` URLs where its input names files, relative ones seen from `base`.

    Raises WrongRequestError.
    """
    places = [str(item["url"]) for item in request.input if item.get("url") and not is_url(str(item["url"]))]
    return with_urls(request, {place: path_at(place, base).as_uri() for place in places})


def path_at(place: str, base: Path) -> Path:
    """Return the file that is meant, as an absolute path. Raises WrongRequestError for one that can't be sent."""
    if "://" in place and not place.startswith("file:"):
        raise WrongRequestError(f'"{place}": expected https://..., or a file')
    try:
        path = file_of(place) if place.startswith("file:") else base / Path(place).expanduser()
        problem = _problem_of(path, path.stat())
        if not problem:
            media_type(path)
    except OSError as error:
        problem = f"can't be read ({error.strerror})"
    except AvatarFault as fault:
        raise WrongRequestError(fault.message) from None
    except (RuntimeError, ValueError) as error:  # no home directory, a null character
        problem = f"is no name of a file ({error})"
    if problem:
        raise WrongRequestError(f'"{place}": {problem}')
    return path.resolve()


def _problem_of(path: Path, found: os.stat_result) -> str:
    if stat.S_ISDIR(found.st_mode):
        return "is a directory"
    if not stat.S_ISREG(found.st_mode):
        return "is no file"
    if not found.st_size:
        return "is empty"
    return "" if os.access(path, os.R_OK) else "can't be read (no permission)"


def seconds_of(path: Path) -> float:
    """Return how long a WAV file sounds. Raises WrongRequestError for any other file."""
    try:
        with wave.open(str(path)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (wave.Error, EOFError, OSError, ZeroDivisionError):
        raise WrongRequestError(f'"{path}": its length can\'t be told, as it is no WAV file; give --seconds') from None
