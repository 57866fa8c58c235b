"""A provider played by hand for tests: its links are lists and channels, its words the Waves ones."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import trio
from attrs import Factory, define, field

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Connection


def chunk(name: str, *, seconds: float = 0.1, level: int = 8000) -> str:
    """Return a chunk of the request `name`, at 8000 samples a second, all of them `level`."""
    audio = base64.b64encode(level.to_bytes(2, "little") * round(8000 * seconds)).decode()
    return json.dumps({"external_request_id": name, "status": "chunk", "data": {"audio": audio}})


def word(name: str, number: int, text: str, *, end: float) -> str:
    """Return when a word of the request `name` sounds: 0.1 s, to `end`."""
    data = {"id": number, "word": text, "start": end - 0.1, "end": end}
    return json.dumps({"external_request_id": name, "status": "word_timestamp", "data": data})


def complete(name: str) -> str:
    """Return the end of the request `name`."""
    return json.dumps({"external_request_id": name, "status": "complete"})


def error(**body: Any) -> str:
    """Return an error frame, which names no request."""
    return json.dumps(body)


@define(eq=False)
class FakeLink:
    """One link: what was sent on it, and what is to be received; implements ports.Connection."""

    opened_at: float
    sent: list[dict[str, Any]] = Factory(list)
    stuck: bool = False
    """The peer reads no more: sending takes for ever."""
    closed_at: float | None = None
    _ends: tuple[trio.MemorySendChannel[str], trio.MemoryReceiveChannel[str]] = field(
        factory=lambda: trio.open_memory_channel[str](100_000)
    )

    async def send(self, message: str) -> None:
        """Note a request."""
        await trio.lowlevel.checkpoint()
        if self.stuck:
            await trio.sleep_forever()
        self.sent.append(json.loads(message))

    async def receive(self) -> str:
        """Wait for what the test says."""
        try:
            return await self._ends[1].receive()
        except trio.EndOfChannel:
            raise ProviderFault(FaultKind.RETRY, "closed with 1000") from None

    def say(self, *messages: str) -> None:
        """Let the provider send these."""
        for message in messages:
            self._ends[0].send_nowait(message)

    def hang_up(self) -> None:
        """Let the provider close the link, once what it said is received."""
        self._ends[0].close()


@define
class FakeProvider:
    """Opens links: implements ports.Dial. The first dials fail with `faults`, in order."""

    faults: list[ProviderFault] = Factory(list)
    links: list[FakeLink] = Factory(list)
    dialled_at: list[float] = Factory(list)

    @property
    def open(self) -> list[FakeLink]:
        """The links that are open now."""
        return [link for link in self.links if link.closed_at is None]

    @property
    def asked(self) -> FakeLink:
        """The one open link that was asked something."""
        (link,) = [link for link in self.open if link.sent]
        return link

    @asynccontextmanager
    async def dial(self, address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        """Open a link."""
        assert address
        assert headers["Authorization"] == "Bearer sk_test"
        self.dialled_at.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        if self.faults:
            raise self.faults.pop(0)
        link = FakeLink(trio.current_time())
        self.links.append(link)
        try:
            yield link
        finally:
            link.closed_at = trio.current_time()
