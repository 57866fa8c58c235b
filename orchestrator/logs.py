"""Owns the log: one JSON object a line on a stream. What is worth a line, and at which level, each event says itself.

Events carry lengths and ids, never texts or keys; as a last fence, what looks like a key of the account is blanked in
the finished line, wherever it came from (a vendor's message, a traceback).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import structlog
from structlog.processors import NAME_TO_LEVEL
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from orchestrator.events import Event, to_json
from orchestrator.redaction import redacted

_render = structlog.processors.JSONRenderer()


def configure(*, level: str, stream: TextIO) -> FilteringBoundLogger:
    """Send this process's log to `stream` (standard error, or a file) from `level` on, and return the logger.

    `level` is "debug", "info", "warning" or "error". Every line is flushed; threads may log, too.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(NAME_TO_LEVEL[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,  # a logger made before another `configure` must not keep the old stream
    )
    logger: FilteringBoundLogger = structlog.get_logger().bind()
    return logger


def logger_in_force() -> FilteringBoundLogger:
    """Return a logger that goes by the latest `configure`, also by one that is still to come."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


@contextmanager
def library_logs() -> Iterator[None]:
    """Have what libraries log, from warnings on, in this log, too, as `LibraryLog` with a library's `logger`."""
    root, handler = logging.getLogger(), _Libraries(logging.WARNING)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class _Libraries(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        level = max(level for level in NAME_TO_LEVEL.values() if level <= record.levelno)
        with suppress(OSError, ValueError):  # as in LogSink
            logger_in_force().log(
                level, "LibraryLog", logger=record.name, message=record.getMessage(), exc_info=record.exc_info
            )


class LogSink:
    """A sink that writes each event at its level as one line: its `to_json` and the level.

    It never raises: a line that can't be written (the pipe is broken, the file closed) is dropped. An event below the
    logger's level costs a dictionary look-up.
    """

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self.use(logger)

    def use(self, logger: FilteringBoundLogger) -> None:
        """Write with another logger from now on: the way to another level."""
        self._logger = logger
        self._worth_a_line = {name: logger.is_enabled_for(number) for name, number in NAME_TO_LEVEL.items()}

    def __call__(self, event: Event) -> None:
        """Write a line about `event`, if its level is worth one."""
        if self._worth_a_line[event.level]:
            with suppress(OSError, ValueError):  # ValueError: a closed file
                self._logger.log(NAME_TO_LEVEL[event.level], **to_json(event))


def _line(logger: WrappedLogger, method: str, event: EventDict) -> str:  # structlog's signature
    return redacted(str(_render(logger, method, event)))
