"""A serving program and an Asterisk where calls wait, joined in memory; and the bots that are called."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import urlencode

import trio
from attrs import define

from orchestrator.dialogue.bot import Bot
from orchestrator.ports import CallFacts
from orchestrator.settings import LineSettings
from simulations.carriers.asterisk import FakeAsterisk
from simulations.carriers.carrier import Call
from simulations.carriers.line import Line
from simulations.carriers.waiting import WaitingAsterisk, WaitingChannel
from tests.serve.desk import Desk, open_desk, settings_of

ID = "40325ec2-5efd-4bd3-805f-53576e581d13"
Written = Literal["json", "plain"]
NOBODY: Mapping[str, str] = {}
_NO_STORY = 600
"""Seconds that no test's story takes: pings go on for ever in virtual time."""
SEEN: list[CallFacts] = []


class Greeting(Bot):
    """Greets for long, and notes who calls."""

    async def opening(self, talk: Any) -> Any:
        """Greet."""
        SEEN.append(talk.call)
        yield "Hello, and a very good morning to you, whoever you are and wherever you may call from."


class Brief(Bot):
    """Says one word and leaves."""

    async def opening(self, talk: Any) -> Any:
        """Greet and hang up."""
        yield "Bye."
        await talk.hang_up()


HERE = "tests.serve.waiting_world"
LINE = LineSettings(carrier="asterisk", bot=f"{HERE}:Greeting", media_url="ws://pbx:8088/media")


@define
class World:
    """The serving program and the Asterisk where calls wait."""

    desk: Desk
    asterisk: WaitingAsterisk

    def wait(self, *, written: Written = "json", rate: int = 8000, kind: type[FakeAsterisk] = FakeAsterisk) -> Any:
        """Have a channel wait."""
        carrier = kind(Call(call="a" * 32, stream="b" * 32), rate=rate, format=written)
        return self.asterisk.channels.setdefault(ID, WaitingChannel(Line(carrier)))

    async def post(self, **form: str) -> tuple[int, dict[str, Any]]:
        """Have a call fetched."""
        status, body = await self.desk.post("/asterisk", urlencode(form).encode())
        return status, json.loads(body)

    async def called(self, channel: WaitingChannel, form: Mapping[str, str] = NOBODY, *, after: float = 0.06) -> None:
        """Do as Dial() does with a CURL() in its pre-dial handler: the call goes on some time after the answer."""
        assert await self.post(connection_id=ID, **form) == (200, {"fetched": ID})
        await trio.sleep(after)
        channel.dialled.set()


@asynccontextmanager
async def world(line: LineSettings = LINE, **serve: Any) -> AsyncIterator[World]:
    """Yield both, joined in memory."""
    with trio.fail_after(_NO_STORY):
        async with open_desk(settings_of(line, **serve)) as at, trio.open_nursery() as nursery:
            yield await _joined(at, nursery)
            nursery.cancel_scope.cancel()


async def _joined(at: Desk, nursery: trio.Nursery) -> World:
    asterisk = WaitingAsterisk()
    at.fetching.connect = asterisk.connect(nursery)
    nursery.start_soon(at.fetching.run)
    await trio.testing.wait_all_tasks_blocked()
    return World(at, asterisk)
