"""What `talkingstick cache` takes: options with units, ranges and defaults; cli.py reads them from the line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter
from cyclopts.validators import Number

from orchestrator.commands import Flag, number, whole
from orchestrator.settings import LANGUAGES

Several = Parameter(negative="", consume_multiple=False, show_default=False)
Days = Annotated[float | None, Parameter(converter=number, validator=Number(gte=0, lte=36_500))]
Rate = Annotated[int, Parameter(converter=whole, validator=Number(gte=8000, lte=48_000))]
Wait = Annotated[float, Parameter(converter=number, validator=Number(gt=0, lte=86_400))]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class WhereOptions:
    """Which cache is meant; by default the one in the user's directory for caches."""

    config: Path | None = None
    """The cache of this configuration (TOML)."""
    directory: Path | None = None
    """The cache in this directory, whatever the configuration says."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ListOptions(WhereOptions):
    """Options of `talkingstick cache list`."""

    json: Flag = False
    """Print one JSON object, with the whole texts."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ClearOptions(WhereOptions):
    """Options of `talkingstick cache clear`."""

    older_than: Days = None
    """Remove only what was made more than so many days ago."""


def _language(_type: object, value: str) -> None:  # cyclopts' signature
    if value not in LANGUAGES:
        raise ValueError(f"Choose from: {', '.join(LANGUAGES)}.")


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class WarmOptions:
    """Options of `talkingstick cache warm`."""

    config: Path
    """The configuration (TOML): its phrases, those of its ladder and admission, and its bot's own are made."""
    directory: Path | None = None
    """The cache in this directory, whatever the configuration says."""
    voice: Annotated[tuple[str, ...], Several] = ()
    """A voice to make them in; by default the configuration's. May be repeated."""
    language: Annotated[tuple[Annotated[str, Parameter(validator=_language)], ...], Several] = ()
    """A language to make those texts in that are by language; by default the configuration's. May be repeated."""
    rate: Annotated[tuple[Rate, ...], Several] = (8000,)
    """PCM rate of the calls' lines in samples a second; by default 8000, a telephone's. May be repeated."""
    within: Wait = 600.0
    """Seconds after which it gives up, exit status 1."""
