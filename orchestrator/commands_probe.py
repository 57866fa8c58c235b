"""What `talkingstick probe` takes: options with units, ranges and defaults; cli.py reads them from the line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import attrs
from cyclopts import Parameter
from cyclopts.validators import Number

from orchestrator.commands import Flag, whole

MostSlots = Annotated[int, Parameter(converter=whole, validator=Number(gte=1, lte=20))]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ProbeOptions:
    """Options of `talkingstick probe`; those of the account go before what the configuration says."""

    config: Path | None = None
    """The configuration (TOML) whose provider is asked; without it the defaults."""
    address: str | None = None
    """Scheme and host of the provider, such as wss://api.smallest.ai; without a path."""
    api: Literal["unified", "per_model"] | None = None
    """The current endpoint for all models, or the older one with the model in its path."""
    key_env: str | None = None
    """The environment variable that holds the account's key; by default WAVES_API_KEY."""
    key_file: str | None = None
    """A file that holds the key instead (first line)."""
    model: str | None = None
    """The model; by default lightning_v3.1."""
    voice: str | None = None
    """The voice; by default avery."""
    language: str | None = None
    """One of the provider's languages; by default en. The texts are English."""
    most_slots: MostSlots = 4
    """How far slots are looked for, 1 to 20: at most one more request than that is asked at a time."""
    json: Flag = False
    """Print all findings as one JSON object."""
