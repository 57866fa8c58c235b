"""What a running program is told by signals: to stop at once, to let its calls end, to read its configuration again.

What each of these means for the calls is app.py's.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TextIO

import trio
from attrs import define, field, frozen

from orchestrator.errors import SettingsError
from orchestrator.logs import LogSink, configure, logger_in_force
from orchestrator.settings import Settings
from orchestrator.settings_file import load_settings


class Talkers(Protocol):
    """Who has the calls: app.py's Orchestrator, or less where no call needs a slot."""

    async def drain(self) -> None:
        """Take no more calls; returns when all are over."""

    def reload(self, wanted: Settings) -> Settings:
        """Take over what may change while calls run, and return what holds now."""


@frozen(kw_only=True)
class Log:
    """The log, which may be told to go by another level."""

    sink: LogSink
    stream: TextIO


@define
class Orders:
    """Carries out what signals say, on the run in `scope`.

    SIGINT ends it at once, and so does a second SIGTERM; the first one drains it. SIGHUP, where the run has a `config`,
    reads that again. Before the provider is there every end is at once.
    """

    scope: trio.CancelScope
    config: Path | None
    settings: Settings
    """What holds now."""
    given: Callable[[Settings], Settings] = field(default=lambda settings: settings, kw_only=True)
    """What the command line says goes before what the configuration says."""
    interrupted: bool = field(default=False, init=False)
    _talkers: Talkers | None = field(default=None, init=False)
    _log: Log | None = field(default=None, init=False)
    _draining: bool = field(default=False, init=False)

    def begin(self, talkers: Talkers, *, log: Log) -> None:
        """The provider is there, and calls come."""
        self._talkers, self._log = talkers, log

    async def run(self) -> None:
        """Listen for signals until cancelled."""
        signals = [signal.SIGINT, signal.SIGTERM, *([] if self.config is None else [signal.SIGHUP])]
        async with trio.open_nursery() as nursery:
            with trio.open_signal_receiver(*signals) as received:
                async for number in received:
                    if number == signal.SIGHUP:
                        self._read_again()
                    elif number == signal.SIGTERM and self._talkers is not None and not self._draining:
                        self._draining = True
                        nursery.start_soon(self._drain, self._talkers)
                    else:
                        self.interrupted = True
                        self.scope.cancel()

    async def _drain(self, talkers: Talkers) -> None:
        await talkers.drain()
        self.scope.cancel()

    def _read_again(self) -> None:
        """Take over what the configuration says now; one that is wrong is told, and changes nothing."""
        if self.config is None or self._talkers is None or self._log is None:
            return
        try:
            wanted = self.given(load_settings(self.config))
        except SettingsError as error:
            logger_in_force().error("SettingsWrong", error=str(error))
            print(f"talkingstick: {self.config} stays as it was read before:\n{error}", file=sys.stderr)
        else:
            self.settings = self._talkers.reload(wanted)
            self._log.sink.use(configure(level=self.settings.log.level, stream=self._log.stream))
