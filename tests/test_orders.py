"""What a running program is told by signals: tested on the parts; whole programs in simulations/demo and serve."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import attrs
import pytest
import trio

from orchestrator.logs import LogSink, configure
from orchestrator.orders import Log, Orders
from orchestrator.settings import ServeSettings, Settings
from orchestrator.settings_reload import reloaded


class Talkers:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.drained = trio.Event()
        self.wanted: list[Settings] = []

    async def drain(self) -> None:
        """Take a moment."""
        self.drained.set()
        await trio.sleep(0.05)

    def reload(self, wanted: Settings) -> Settings:
        """Note it."""
        self.wanted.append(wanted)
        return reloaded(Settings(), wanted).settings


def begun(config: Path) -> tuple[Orders, Talkers]:
    """Return orders of a run that has begun, whose command line said a port."""

    def given(settings: Settings) -> Settings:
        return attrs.evolve(settings, serve=ServeSettings(port=9))

    orders, talkers = Orders(trio.CancelScope(), config, Settings(), given=given), Talkers()
    sink = LogSink(configure(level="error", stream=sys.stderr))
    orders.begin(talkers, log=Log(sink=sink, stream=sys.stderr))
    return orders, talkers


@pytest.mark.realtime
async def test_sighup_reads_again_and_the_command_line_still_holds(tmp_path: Path) -> None:
    """A file that is wrong changes nothing."""
    config = tmp_path / "a.toml"
    config.write_text("[serve]\nport = 70000\n")
    orders, talkers = begun(config)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(orders.run)
        await trio.sleep(0.05)
        os.kill(os.getpid(), signal.SIGHUP)
        await trio.sleep(0.05)
        assert talkers.wanted == []
        config.write_text("[provider]\nslots = 3\n[serve]\nport = 1000\n")
        os.kill(os.getpid(), signal.SIGHUP)
        await trio.sleep(0.05)
        nursery.cancel_scope.cancel()
    (wanted,) = talkers.wanted
    assert (wanted.provider.slots, wanted.serve.port) == (3, 9)
    assert orders.settings.provider.slots == 3


@pytest.mark.realtime
async def test_sigterm_drains_and_then_ends(tmp_path: Path) -> None:
    """Which is no interruption."""
    orders, talkers = begun(tmp_path / "a.toml")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(orders.run)
        with trio.fail_after(5), orders.scope:
            await trio.sleep(0.05)
            os.kill(os.getpid(), signal.SIGTERM)
            await trio.sleep_forever()
        nursery.cancel_scope.cancel()
    assert talkers.drained.is_set()
    assert not orders.interrupted
