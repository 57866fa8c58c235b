"""What `talkingstick serve` takes: options with units, ranges and defaults; cli.py reads them from the line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter
from cyclopts.validators import Number

from orchestrator.commands import whole

GivenPort = Annotated[int | None, Parameter(converter=whole, validator=Number(gte=0, lte=65535))]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ServeOptions:
    """Options of `talkingstick serve`; what is given here goes before what the configuration says."""

    config: Path
    """The configuration, a TOML file: its [serve] says on which lines calls come in."""
    port: GivenPort = None
    """The one port for webhooks, WebSockets and pages; 0 takes a free one. By default serve.port (8080)."""
    host: str | None = None
    """The address to listen at, such as 0.0.0.0; by default serve.host (127.0.0.1)."""
