"""Links into the simulated Waves provider without a wire: the same books, limits, pace and closes, but no messages.

Requests and frames pass as they are. The provider's end of a link has no task of its own: it works while somebody waits
for frames, as a keeper always does, or leaves. What is wrong with a request only the wire says: here none is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Connection, Dial, Sound, SpeechRequest, VoiceFrame
from simulations.waves.far_end import NEVER, FarEnd
from simulations.waves.server import WavesServer
from simulations.waves.upgrades import LINKS_MESSAGE


class DirectCodec:
    """The codec of links without a wire: implements ports.VoiceCodec and passes everything as it is."""

    def address(self) -> str:
        """A name: there is nothing to dial."""
        return "direct://waves"

    def headers(self) -> dict[str, str]:
        """None: no key is looked at."""
        return {}

    def encode(self, request: SpeechRequest) -> SpeechRequest:
        """The request itself."""
        return request

    def decode(self, message: VoiceFrame) -> VoiceFrame:
        """The frame itself."""
        return message


def direct_dial(server: WavesServer, *, word_timestamps: bool = True) -> Dial:
    """Return how to open a link to `server` without a wire; every request asks for `word_timestamps`, or none does.

    The server's `transport` counts as on a wire: opening and closing a link take two of them.
    """
    transport = server.options.transport

    @asynccontextmanager
    async def dial_server(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        await trio.sleep(transport)
        if not server.books.open_link():
            await trio.sleep(transport)
            raise ProviderFault(FaultKind.LINKS, f"{address} answered HTTP 429: {LINKS_MESSAGE}")
        link = DirectLink(server, word_timestamps=word_timestamps)
        try:
            await trio.sleep(transport)
            yield link
        finally:
            try:
                await link.wait_closed()
            finally:
                link.drop()

    return dial_server


class DirectLink:
    """The client's end of a link: implements ports.Connection. The provider's end is `transport` seconds away."""

    def __init__(self, server: WavesServer, *, word_timestamps: bool) -> None:
        self._transport = server.options.transport
        self._far = FarEnd(server, word_timestamps=word_timestamps)
        self._stirred = trio.lowlevel.ParkingLot()
        self._now = trio.current_time()  # as of the last look at the clock: frames are many

    async def send(self, message: SpeechRequest) -> None:
        """Ask for a piece; raises ProviderFault(RETRY) when the provider has closed the link, as far as is known."""
        now, far = trio.current_time(), self._far
        if far.closes_at + self._transport <= now:
            await trio.sleep_until(far.gone_at + self._transport)
            raise _closed()
        far.asked.append((now + self._transport, message))
        self._stirred.unpark_all()
        await trio.lowlevel.checkpoint()

    async def receive(self) -> VoiceFrame:
        """Wait for the next frame; raises ProviderFault(RETRY) when the provider has closed the link."""
        sent = self._far.sent
        if sent and sent[0][0] <= self._now and isinstance(sent[0][1], Sound):
            await trio.lowlevel.checkpoint()  # all sound may be there at once: whoever plays it gets a turn
        while not sent or sent[0][0] > self._now:
            await self._pass_time(sent[0][0] if sent else NEVER)
        frame = sent[0][1]
        if frame is None:
            raise _closed()
        sent.popleft()
        return frame

    async def wait_closed(self) -> None:
        """Leave: wait until the provider has noticed, working on until then, and has closed its end."""
        far = self._far
        far.gone_at = min(far.gone_at, trio.current_time() + self._transport)
        while trio.current_time() < far.gone_at:
            await self._pass_time(far.gone_at)
        far.go()
        await trio.sleep_until(far.gone_at + self._transport)

    def drop(self) -> None:
        """Have the provider notice at once that the client has left; harmless when it did."""
        self._far.go()

    async def _pass_time(self, until: float) -> None:
        """Let time pass until there is something to do at the provider's end, at most `until`; then do it."""
        with trio.move_on_at(min(until, self._far.due)):
            await self._stirred.park()
        self._now = trio.current_time()
        await self._far.work(self._now)


def _closed() -> ProviderFault:
    return ProviderFault(FaultKind.RETRY, "closed with 1000")
