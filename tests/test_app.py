"""Claims about the wiring: it is ready when the provider took a link, says why not, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from orchestrator import events
from orchestrator.app import run_clock
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Connection
from tests.dialogue.calls import open_desk, saying
from tests.dialogue.talkers import Noted
from tests.dialogue.voices import MarkedVoice


async def test_the_clock_begins_when_the_run_does(autojump_clock: MockClock) -> None:
    """Whatever Trio's own clock says."""
    await trio.sleep(5)
    now = run_clock()
    await trio.sleep(2)
    assert now() == pytest.approx(2)


async def test_it_is_ready_when_a_link_is_open_and_leaves_no_task(autojump_clock: MockClock) -> None:
    """One link more than slots is kept warm; leaving closes them all."""
    before = trio.lowlevel.current_statistics().tasks_living
    voice = MarkedVoice()
    async with open_desk(dial=voice.dial) as desk:
        await desk.orchestrator.wait_ready()
        await trio.sleep(1)
        assert len(desk.of(events.LinkOpened)) == 2
        await desk.call("a", Noted, saying("hello"))
    assert len(desk.of(events.LinkClosed)) == len(desk.of(events.LinkOpened))
    assert trio.lowlevel.current_statistics().tasks_living == before


@asynccontextmanager
async def refuse(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
    """Let nobody in."""
    await trio.sleep(0.5)
    raise ProviderFault(FaultKind.FINAL, f"wrong key for {address}")
    yield


async def test_a_provider_that_lets_nobody_in_is_told(autojump_clock: MockClock) -> None:
    """With what it said; a call that comes all the same is held, in silence."""
    async with open_desk(dial=refuse) as desk:
        with pytest.raises(ProviderFault, match="wrong key for wss://") as caught:
            await desk.orchestrator.wait_ready()
        assert caught.value.kind is FaultKind.FINAL
        with trio.move_on_after(30):
            await desk.call("a", Noted, saying("hello"))
        assert [(ended.heard, ended.unspoken) for ended in desk.of(events.ReplyEnded)] == [(0, 10)]
        assert desk.of(events.CallFailed) == []
