"""One WebSocket of a probe, owned by one task that runs it; how many there are, and what is asked, is account.py's."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import trio

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Dial, Failed, SpeechRequest, VoiceCodec, VoiceFrame
from orchestrator.probe.seen import Asked
from orchestrator.speech.traffic import carry


class LineState(Enum):
    """From dialling to closed; OVER: the provider ended it, or refused it once it was open."""

    DIALLING = "dialling"
    OPEN = "open"
    OVER = "over"
    CLOSED = "closed"


class Line:
    """One WebSocket: others ask over it, one request at a time, and wait for what comes."""

    def __init__(self, dial: Dial, codec: VoiceCodec) -> None:
        self.state = LineState.DIALLING
        self.fault: ProviderFault | None = None
        """Why it was not opened, or how the provider ended it; None while it is open, or where we closed it."""
        self._dial = dial
        self._codec = codec
        self._asked: Asked | None = None
        self._life = trio.CancelScope()
        self._stirred = trio.lowlevel.ParkingLot()
        self._outbox, self._requests = trio.open_memory_channel[SpeechRequest](1)  # one request at a time

    @property
    def is_open(self) -> bool:
        """Whether it can be asked over."""
        return self.state is LineState.OPEN

    async def run(self) -> None:
        """Dial, read and write, close; returns when the close is complete. Raises nothing that a provider does."""
        try:
            async with self._dial(self._codec.address(), self._codec.headers()) as connection:
                self._enter(LineState.OPEN)
                with self._life:
                    self.fault = await carry(
                        connection, self._codec, requests=self._requests, take=self._take, stuck=self._note_stuck
                    )
                self._enter(LineState.OVER)
        except ProviderFault as fault:
            self.fault = self.fault or fault
        finally:
            self._enter(LineState.CLOSED)

    def ask(self, request: SpeechRequest, asked: Asked) -> None:
        """Send a request; what comes of it is noted in `asked`."""
        self._asked = asked
        if self.is_open:
            self._outbox.send_nowait(request)
        else:
            asked.fault = self.fault or ProviderFault(FaultKind.RETRY, "the WebSocket is closed")

    def close(self) -> None:
        """Have it closed, in whatever it is doing; `wait` for CLOSED."""
        self._life.cancel()

    async def wait(self, condition: Callable[[], bool], *, within: float) -> bool:
        """Wait until `condition` holds, at most so many seconds; return whether it does."""
        with trio.move_on_after(within):
            while not condition():
                await self._stirred.park()
        return condition()

    def _take(self, frame: VoiceFrame | None) -> None:
        asked = self._asked
        if frame is None:
            return
        if isinstance(frame, Failed) and asked is None:
            self._refuse(frame.fault)
        elif asked is not None and frame.id in ("", asked.id):
            asked.take(frame, now=trio.current_time())
        self._stirred.unpark_all()

    def _refuse(self, fault: ProviderFault) -> None:
        """Nothing was asked, and it complains: that is about the WebSocket. How it is closed then tells more."""
        self.fault = fault

    def _note_stuck(self) -> None:
        self.fault = ProviderFault(FaultKind.RETRY, "the provider stopped reading")
        self._life.cancel()

    def _enter(self, state: LineState) -> None:
        self.state = state
        asked = self._asked
        if asked is not None and state is not LineState.OPEN and not asked.over:
            asked.fault = self.fault or ProviderFault(FaultKind.RETRY, "the WebSocket was closed")
        self._stirred.unpark_all()
