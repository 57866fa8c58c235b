"""A provider whose sound tells which word it is, and which fails as it is told to: implements ports.Dial and
Connection, paced like a real one."""

from __future__ import annotations

import base64
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import trio
from attrs import Factory, define

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Connection

RATE = 8000
PER_CHARACTER = 400
"""Samples: 20 characters a second."""
_SPACE, _FIRST_WORD, _STEP = 500, 1000, 10
_TTFB, _RTF = 0.1, 0.1
_FADED = 80
ERRORS = {"concurrency": "concurrency limit reached", "final": "invalid api key", "request": "text is invalid"}
"""How the provider says what is wrong."""


@define
class MarkedVoice:
    """The account: what it was asked for, how many requests were in flight at most, and what goes wrong next.

    Faults: a key of ERRORS, "drop" (the link, in mid-piece), "silence", "no end" (no terminal frame).
    """

    faults: deque[str] = Factory(deque)
    asked: list[str] = Factory(list)
    words: list[str] = Factory(list)
    in_flight: int = 0
    most_in_flight: int = 0

    @asynccontextmanager
    async def dial(self, address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        """Open a connection; leaving it ends its request."""
        await trio.lowlevel.checkpoint()
        async with trio.open_nursery() as nursery:
            yield MarkedConnection(self, nursery)
            nursery.cancel_scope.cancel()

    def sound_of(self, text: str) -> bytes:
        """A square wave, each word at a level of its own over all requests."""
        levels = np.full(len(text) * PER_CHARACTER, _SPACE, np.int16)
        for match in re.finditer(r"\S+", text):
            begin, end = (place * PER_CHARACTER for place in match.span())
            levels[begin:end] = _FIRST_WORD + _STEP * len(self.words)
            self.words.append(match.group())
        levels[::2] *= -1
        return levels.tobytes()

    def words_in(self, sound: bytes) -> list[str]:
        """The words that sounded whole, in the order in which they were asked for."""
        levels = np.abs(np.frombuffer(sound, "<i2"))
        counts = np.bincount(levels, minlength=_FIRST_WORD + _STEP * len(self.words) + 1)
        return [
            word
            for index, word in enumerate(self.words)
            if counts[_FIRST_WORD + _STEP * index] >= len(word) * PER_CHARACTER - _FADED
        ]


class MarkedConnection:
    """One link to the account."""

    def __init__(self, account: MarkedVoice, nursery: trio.Nursery) -> None:
        self._account = account
        self._nursery = nursery
        self._sender, self._frames = trio.open_memory_channel[str | None](2000)

    async def send(self, message: str) -> None:
        """Take a request."""
        await trio.lowlevel.checkpoint()
        self._nursery.start_soon(self._answer, json.loads(message))

    async def receive(self) -> str:
        """Wait for the next frame."""
        frame = await self._frames.receive()
        if frame is None:
            raise ProviderFault(FaultKind.RETRY, "dropped")
        return frame

    async def _answer(self, request: dict[str, Any]) -> None:
        account, fault = self._account, self._account.faults.popleft() if self._account.faults else ""
        account.in_flight += 1
        account.most_in_flight = max(account.in_flight, account.most_in_flight)
        account.asked.append(request["text"])
        try:
            await trio.sleep(_TTFB)
            if fault in ERRORS:
                self._put(request, status="error", message=ERRORS[fault])
                return
            self._time_words(request)
            await self._speak(request, fault=fault)
            if fault == "drop":
                self._sender.send_nowait(None)
            elif fault == "no end":
                await trio.sleep_forever()
            else:
                self._put(request, status="complete")
        finally:
            account.in_flight -= 1

    def _time_words(self, request: dict[str, Any]) -> None:
        for index, match in enumerate(re.finditer(r"\S+", request["text"])):
            start, end = (place * PER_CHARACTER / RATE for place in match.span())
            data = {"id": index, "word": match.group(), "start": start, "end": end}
            self._put(request, status="word_timestamp", data=data)

    async def _speak(self, request: dict[str, Any], *, fault: str) -> None:
        pcm = self._account.sound_of(request["text"])
        if fault == "silence":
            pcm = bytes(len(pcm))
        if fault == "drop":
            pcm = pcm[: len(pcm) // 4 * 2]
        for begin in range(0, len(pcm), RATE):
            chunk = pcm[begin : begin + RATE]
            await trio.sleep(_RTF * len(chunk) / (2 * RATE))
            self._put(request, status="chunk", data={"audio": base64.b64encode(chunk).decode()})

    def _put(self, request: dict[str, Any], **body: Any) -> None:
        self._sender.send_nowait(json.dumps({"external_request_id": request["request_id"], **body}))
