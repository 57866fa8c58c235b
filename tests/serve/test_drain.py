"""What SIGTERM means for calls that only echo, and for what a running program takes over."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from orchestrator.serve.command import Talkers
from orchestrator.settings import AdmissionSettings, LineSettings, LogSettings, Settings
from tests.serve.desk import Desk, desk, settings_of
from tests.serve.test_streams import start


def talkers(at: Desk, *, within: float) -> Talkers:
    """Return who is drained."""
    return Talkers(None, at.calls, at.readiness, Settings(admission=AdmissionSettings(drain_within=within)))


async def test_an_echo_may_go_on_for_a_while(autojump_clock: MockClock) -> None:
    """Until its caller leaves, or its time is over; no other call is taken meanwhile."""
    at = desk(settings_of(LineSettings(carrier="twilio")))
    for within, took in ((30.0, 10.0), (5.0, 5.0)):
        at.readiness.draining = False
        async with at.websocket("/twilio") as socket, trio.open_nursery() as nursery:
            await socket.send_message(start())
            await trio.sleep(1)
            began = trio.current_time()
            nursery.start_soon(_leave_after, socket, 10.0)
            await talkers(at, within=within).drain()
            assert took <= trio.current_time() - began <= took + 1.5
            assert await at.upgrade("/twilio") == 503


async def _leave_after(socket: trio.abc.AsyncResource, seconds: float) -> None:
    await trio.sleep(seconds)
    await socket.aclose()


def test_a_level_of_the_log_is_taken_over_without_a_provider() -> None:
    """And what needs a restart is not."""
    at = desk_settings()
    wanted = Settings(log=LogSettings(level="debug"))
    assert at.reload(wanted).log.level == "debug"
    assert at.settings.log.level == "debug"


def desk_settings() -> Talkers:
    """Return talkers that have only settings."""
    return Talkers(None, None, None, Settings())  # type: ignore[arg-type]  # nobody is called
