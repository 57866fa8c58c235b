"""How the commands that serve a simulated provider run: they say what they are, and wait to be told to end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable

import trio


async def serve_until_told(lines: Iterable[str]) -> int:
    """Print `lines` on standard error and wait for a signal; return 0 after SIGTERM, 130 after Ctrl-C."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        for line in lines:
            print(line, file=sys.stderr, flush=True)
        return 130 if await anext(signals) == signal.SIGINT else 0
