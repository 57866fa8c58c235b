"""What SIGTERM means for calls that only echo, and for what a running program takes over."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from orchestrator.app import Orchestrator
from orchestrator.events import Event, SettingsReloaded
from orchestrator.serve.command import Talkers
from orchestrator.settings import AdmissionSettings, LineSettings, LogSettings, ServeSettings, Settings
from tests.serve.desk import Desk, desk, open_desk, settings_of
from tests.serve.test_streams import start

LINE_OF_A_BOT = LineSettings(carrier="generic", bot="echo")


def talkers(at: Desk, *, within: float, orchestrator: Orchestrator | None = None) -> Talkers:
    """Return who is drained."""
    settings = Settings(admission=AdmissionSettings(drain_within=within))
    return Talkers(orchestrator, at.calls, at.readiness, settings, emit=at.events.append, now=at.now)


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


async def test_an_echo_has_as_long_beside_bots(autojump_clock: MockClock) -> None:
    """Though these have no calls, and are drained at once."""
    settings = settings_of(LineSettings(carrier="twilio"), LINE_OF_A_BOT)
    async with open_desk(settings) as at, at.websocket("/twilio") as socket, trio.open_nursery() as nursery:
        await socket.send_message(start())
        await trio.sleep(1)
        began = trio.current_time()
        nursery.start_soon(_leave_after, socket, 10.0)
        await talkers(at, within=30.0, orchestrator=at.calls.talkers).drain()
        assert 10.0 <= trio.current_time() - began <= 11.5


async def _leave_after(socket: trio.abc.AsyncResource, seconds: float) -> None:
    await trio.sleep(seconds)
    await socket.aclose()


def test_a_level_of_the_log_is_taken_over_without_a_provider() -> None:
    """And what needs a restart is not; both are told."""
    told: list[Event] = []
    at = Talkers(None, None, None, Settings(), emit=told.append, now=lambda: 1.0)  # type: ignore[arg-type]  # no calls
    wanted = Settings(log=LogSettings(level="debug"), serve=ServeSettings(port=1000, lines=(LINE_OF_A_BOT,)))
    assert at.reload(wanted).log.level == "debug"
    assert at.settings == Settings(log=LogSettings(level="debug"))
    assert told == [SettingsReloaded(at=1.0, changed="log.level", need_restart="serve.port, serve.lines")]
