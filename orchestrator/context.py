"""Which call and which bot the running task works for; set by whoever starts the task, read by the watchdog."""

from __future__ import annotations

from contextvars import ContextVar

current_call: ContextVar[str | None] = ContextVar("current_call", default=None)
"""The id of the call, None outside a call."""

current_bot: ContextVar[str | None] = ContextVar("current_bot", default=None)
"""The name of the bot whose code may be running, None where there is none."""
