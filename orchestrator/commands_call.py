"""What `talkingstick call` takes: options with units, ranges and defaults; cli.py reads them from the line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter

from orchestrator.commands import Assignments, Flag


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class CallOptions:
    """Options of `talkingstick call`."""

    config: Path
    """The configuration (TOML) with the line; a server with the same one must be running at its public address."""
    line: str
    """The line that calls, by its path, such as /twilio, or by its carrier where it is the only one of it."""
    to: str
    """The number to call, such as +4930123456, or an address such as sip:desk@example.com if the carrier takes it."""
    caller: Annotated[str, Parameter(name="--from")] = ""
    """The number that the call comes from, one of the account's own; Vonage takes any of the application's without."""
    parameter: Assignments = ()
    """KEY=VALUE that the bot finds among the parameters of its call. May be repeated."""
    json: Flag = False
    """Print what was dialled as one JSON object."""
