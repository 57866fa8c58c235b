"""What the commands take: options with units, ranges and defaults; cli.py reads them from the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
from cyclopts import Parameter, Token
from cyclopts.validators import Number

Profile = Literal["fast", "mid", "slow"]
Voice = Literal["espeak", "tone"]
YesNo = Literal["yes", "no"]


def _whole(_type: Any, tokens: Sequence[Token]) -> int:
    """Parse a whole number strictly: 4.5 calls are none."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f'"{tokens[0].value}" is no whole number') from None


Flag = Annotated[bool, Parameter(negative="", show_default=False)]
Calls = Annotated[int, Parameter(converter=_whole, validator=Number(gte=1, lte=50))]
Seconds = Annotated[float, Parameter(validator=Number(gt=0, lte=3600))]
Seed = Annotated[int, Parameter(converter=_whole)]
Slots = Annotated[int, Parameter(converter=_whole, validator=Number(gte=1, lte=1000))]
Port = Annotated[int, Parameter(converter=_whole, validator=Number(gte=0, lte=65535))]
Milliseconds = Annotated[int, Parameter(converter=_whole, validator=Number(gte=1, lte=1000))]
Delay = Annotated[float | None, Parameter(validator=Number(gte=0, lte=60))]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class DemoOptions:
    """Options of `talkingstick demo`."""

    calls: Calls = 4
    """How many calls at a time, 1 to 50."""
    seconds: Seconds = 60.0
    """How long, in seconds, up to 3600."""
    seed: Seed = 1
    """What the callers' scripts are drawn from: the same seed, the same callers."""
    bot: str | None = None
    """The bot that answers, as MODULE:CLASS or an installed name; by default those that ship take turns."""
    out: Path = Path("talkingstick-demo")
    """The directory for what is written."""
    profile: Profile = "fast"
    """How fast the simulated provider is: seconds to the first byte / seconds of work per second of sound;
    fast 0.1/0.1, mid 0.15/0.2, slow 0.2/0.3."""
    voice: Voice | None = None
    """What it speaks with: espeak (needs the extra `demo`) or a plain tone; by default espeak where it is installed."""
    close_after_complete: YesNo = "yes"
    """Whether the simulated provider closes a WebSocket after each piece."""
    config: Path | None = None
    """Talk to the provider of this configuration (TOML) instead of the simulated one."""
    json: Flag = False
    """Print the summary as one JSON object."""
    no_table: Flag = False
    """Print plain lines instead of the live table."""

    def keywords(self) -> dict[str, Any]:
        """Return what `simulations.demo.command.run` is called with: `table` for `no_table`, a bool for yes or no."""
        keywords = attrs.asdict(self, recurse=False)
        return keywords | {
            "close_after_complete": self.close_after_complete == "yes",
            "table": not keywords.pop("no_table"),
        }


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ServerOptions:
    """Options of `talkingstick waves-server`."""

    port: Port
    """The port on loopback; 0 takes a free one."""
    slots: Slots = 1
    """Requests at a time; WebSockets are five times as many."""
    profile: Profile = "fast"
    """How fast it is, where --ttfb and --rtf don't say: fast 0.1/0.1, mid 0.15/0.2, slow 0.2/0.3."""
    ttfb: Delay = None
    """Seconds to the first byte of a request."""
    rtf: Delay = None
    """Seconds of work per second of sound."""
    voice: Voice | None = None
    """What it speaks with: espeak (needs the extra `demo`) or a plain tone; by default espeak where it is installed."""
    chunk_ms: Milliseconds = 20
    """Length of a chunk of sound, in milliseconds."""
    api_key: str = attrs.field(default="", repr=False)
    """The only key that is accepted; by default every one is."""
    close_after_complete: YesNo = "yes"
    """Whether it closes a WebSocket after each request."""

    def keywords(self, profiles: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
        """Return what `simulations.waves_server.run` is called with; `profiles` gives ttfb and rtf by profile."""
        keywords = attrs.asdict(self, recurse=False)
        ttfb, rtf = profiles[keywords.pop("profile")]
        return keywords | {
            "ttfb": ttfb if self.ttfb is None else self.ttfb,
            "rtf": rtf if self.rtf is None else self.rtf,
            "close_after_complete": self.close_after_complete == "yes",
        }
