"""Logs: one JSON object a line, at the event's own level, without keys, and never in the way of what it tells about."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from orchestrator import events
from orchestrator.logs import LogSink, configure, library_logs, logger_in_force

LAG = events.LoopLag(at=1.0, seconds=0.2)
FAILED = events.CallFailed(at=2.5, call="c1", error="KeyError('x')", traceback="line 1\nline 2")


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return what was logged, parsed."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_becomes_one_line_with_its_own_level() -> None:
    """What `to_json` says, with a time stamp and the event's level; nothing else."""
    stream = io.StringIO()
    LogSink(configure(level="debug", stream=stream))(FAILED)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == events.to_json(FAILED) | {"level": "error"}


@pytest.mark.parametrize(("level", "names"), [("debug", ["LoopLag", "CallFailed"]), ("info", ["CallFailed"])])
def test_events_below_the_level_are_left_out(level: str, names: list[str]) -> None:
    """The logger's level decides."""
    stream = io.StringIO()
    emit = LogSink(configure(level=level, stream=stream))
    emit(LAG)
    emit(FAILED)
    assert [line["event"] for line in lines(stream)] == names


def test_the_level_can_change_while_it_runs() -> None:
    """Another logger on the same stream: what comes from then on goes by its level."""
    stream = io.StringIO()
    emit = LogSink(configure(level="warning", stream=stream))
    emit(LAG)
    emit.use(configure(level="debug", stream=stream))
    emit(LAG)
    emit.use(configure(level="error", stream=stream))
    emit(LAG)
    emit(FAILED)
    assert [line["event"] for line in lines(stream)] == ["LoopLag", "CallFailed"]


def test_a_logger_can_go_by_the_latest_configuration() -> None:
    """What the watchdog was given at the start has the new level, too."""
    stream = io.StringIO()
    configure(level="error", stream=stream)
    logger = logger_in_force()
    logger.warning("lost")
    configure(level="info", stream=stream)
    logger.warning("kept")
    assert [line["event"] for line in lines(stream)] == ["kept"]


def test_events_below_the_level_are_not_even_worded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast path: `to_json` is not reached."""
    emit = LogSink(configure(level="info", stream=io.StringIO()))
    monkeypatch.setattr("orchestrator.logs.to_json", lambda event: pytest.fail("worded"))
    emit(LAG)


@pytest.mark.parametrize(
    "text",
    ["sk_live_0123456789", "got\nsk_live_0123456789", "Authorization: Bearer 0123456789.abc", 'key="sk_0123456789"'],
)
def test_what_looks_like_a_key_is_blanked(text: str) -> None:
    """Whatever text a key got into, also right after a line end."""
    stream = io.StringIO()
    LogSink(configure(level="debug", stream=stream))(events.CallFailed(at=0.0, call="c", error=text, traceback=text))
    assert "0123456789" not in stream.getvalue()
    assert lines(stream)[0]["event"] == "CallFailed"


def test_ids_that_merely_contain_the_letters_of_a_key_stay() -> None:
    """A request's id `task_...` is no key."""
    stream = io.StringIO()
    LogSink(configure(level="debug", stream=stream))(
        events.ProviderRefused(at=0.0, kind="rate", error="task_0123456789 was refused", call="desk_1"),
    )
    assert lines(stream)[0]["error"] == "task_0123456789 was refused"
    assert lines(stream)[0]["call"] == "desk_1"


def test_text_that_is_no_unicode_is_logged_all_the_same() -> None:
    """A lone surrogate is escaped."""
    stream = io.StringIO()
    LogSink(configure(level="debug", stream=stream))(events.CallFailed(at=0.0, call="\ud800", error="", traceback=""))
    assert lines(stream)[0]["call"] == "\ud800"


def test_a_stream_that_is_gone_does_not_hurt_the_call() -> None:
    """A sink never raises."""
    stream = io.StringIO()
    emit = LogSink(configure(level="debug", stream=stream))
    stream.close()
    emit(FAILED)
    assert stream.closed


def test_what_libraries_warn_of_is_a_line_too() -> None:
    """In the same form, with a traceback where there is one, a key blanked; only while it is asked for."""
    stream = io.StringIO()
    configure(level="info", stream=stream)
    with library_logs():
        logging.getLogger("websockets.server").info("unseen")
        logging.getLogger("orchestrator.port.bridge").warning("call %s: Bearer sk_live_1", 7)
        try:
            raise LookupError("gone")
        except LookupError:
            logging.getLogger("x").exception("failed")
    first, second = lines(stream)
    assert (first["event"], first["level"], first["logger"]) == ("LibraryLog", "warning", "orchestrator.port.bridge")
    assert first["message"].startswith("call 7: ")
    assert "sk_live_1" not in stream.getvalue()
    assert second["level"] == "error"
    assert "LookupError: gone" in second["exception"]
