"""Tests a bot in one line: the real conversation in virtual time, with a caller who says what the test says.

heard = talk_with(MyBot, ["hello", Interrupt("wait", after=1.0), "goodbye"])
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio
from attrs import frozen
from trio.testing import MockClock

from orchestrator import events
from orchestrator.adapters.telephony.loopback import Phone, open_loopback
from orchestrator.app import Surroundings, open_orchestrator, run_clock
from orchestrator.audio import silence
from orchestrator.dialogue.bot_loading import LoadedBot, check_bot
from orchestrator.dialogue.transcript import Entry
from orchestrator.errors import BotError
from orchestrator.lanes import InlineLane
from orchestrator.ports import CallFacts, Connection
from orchestrator.settings import Settings

_RATE = 8000
_CHARACTERS_PER_SECOND = 15
_FRAMES = 1100
"""Frames of one request: a word time each for the longest piece, and a few more."""
_TONE = b"\x00\x10\x00\xf0"
"""Two samples of a tone that no one takes for silence."""
_OPENING_WITHIN = 2.0
_PATIENCE = 30.0
"""Virtual seconds that the caller waits for the bot to speak."""
_ATTENTION = 300.0
"""Virtual seconds of one answer after which the caller talks over it."""
_QUIET = 0.8


@frozen
class Interrupt:
    """The caller says `text` while the bot speaks, `after` seconds into its sound."""

    text: str
    after: float = 1.0


@frozen
class Press:
    """The caller presses keys."""

    digits: str


Line = str | Interrupt | Press


def talk_with(
    bot: type[Any],
    lines: Sequence[Line],
    *,
    options: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    call: CallFacts | None = None,
) -> tuple[Entry, ...]:
    """Let a caller say `lines` to a bot, one after each of its answers, and return the transcript as it was heard.

    Runs in virtual time, without threads or sockets: seconds of talk take milliseconds. Call it from a plain test, not
    from inside Trio. Raises BotError with the bot's own traceback when the bot fails, BotLoadError for a wrong hook.
    """
    check_bot(bot, name=bot.__qualname__)
    loaded = LoadedBot(bot.__qualname__, bot, options or {})
    facts = call or CallFacts("test", leg="loopback")
    return trio.run(
        partial(_talk, loaded, lines, settings=settings or Settings(), facts=facts),
        clock=MockClock(autojump_threshold=0),
    )


async def _talk(bot: LoadedBot, lines: Sequence[Line], *, settings: Settings, facts: CallFacts) -> tuple[Entry, ...]:
    failures: list[events.BotFailed | events.CallFailed] = []

    def note(event: events.Event) -> None:
        if isinstance(event, (events.BotFailed, events.CallFailed)):
            failures.append(event)

    now = run_clock()
    surroundings = Surroundings(emit=note, now=now, dial=instant_voice, lane=InlineLane())
    async with open_orchestrator(settings, surroundings) as talkers, open_loopback(facts, rate=_RATE, now=now) as line:
        leg, phone = line
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_call, phone, lines)
            record = await talkers.serve_leg(leg, bot)
    if failures:
        raise BotError(f"{bot.name} failed: {failures[0].error}\n{failures[0].traceback}")
    return tuple(record.transcript.entries)


async def _call(phone: Phone, lines: Sequence[Line]) -> None:
    within = _OPENING_WITHIN
    for line in lines:
        if isinstance(line, Interrupt):
            with trio.move_on_after(within):
                await phone.wait_bot_speaks()
            await trio.sleep(line.after)
        else:
            await _listen(phone, within=within)
        if phone.call_over.is_set():
            return
        within = _PATIENCE
        if isinstance(line, Press):
            await phone.press(line.digits)
        else:
            await _speak(phone, line if isinstance(line, str) else line.text)
    await _listen(phone, within=within)
    phone.hang_up()


async def _speak(phone: Phone, text: str) -> None:
    await phone.speak(silence(max(0.5, len(text) / _CHARACTERS_PER_SECOND), phone.rate), text)


async def _listen(phone: Phone, *, within: float) -> None:
    with trio.move_on_after(within):
        await phone.wait_bot_speaks()
    with trio.move_on_after(_ATTENTION):
        await phone.wait_bot_quiet(_QUIET)


class InstantVoice:
    """A provider's connection that speaks a plain tone at once, with exact word times: implements ports.Connection."""

    def __init__(self) -> None:
        self._sender, self._frames = trio.open_memory_channel[str](_FRAMES)

    async def send(self, message: str) -> None:
        """Answer a request with its sound, its word times and its end."""
        await trio.lowlevel.checkpoint()
        request = json.loads(message)
        name, text = request["request_id"], request["text"]
        seconds = len(text) / _CHARACTERS_PER_SECOND
        pcm = _TONE * round(seconds * request["sample_rate"] / 2)
        self._put(name, "chunk", audio=base64.b64encode(pcm).decode())
        for index, match in enumerate(re.finditer(r"\S+", text)):
            begin, end = (place / _CHARACTERS_PER_SECOND for place in match.span())
            self._put(name, "word_timestamp", id=index, word=match.group(), start=begin, end=end)
        self._put(name, "complete")

    async def receive(self) -> str:
        """Wait for the next frame."""
        return await self._frames.receive()

    def _put(self, name: str, status: str, **data: Any) -> None:
        self._sender.send_nowait(json.dumps({"external_request_id": name, "status": status, "data": data}))


@asynccontextmanager
async def instant_voice(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
    """Open a connection to nowhere that speaks at once: implements ports.Dial."""
    await trio.lowlevel.checkpoint()
    yield InstantVoice()
