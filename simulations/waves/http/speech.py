"""Speaks over HTTP: reads a request, takes its slot, makes its sound at the provider's pace, notes it in the books.

How the sound is put into an answer is answers.py's, what is wrong with a request asks.py's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from enum import Enum

import trio
from attrs import field, frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope
from starlette.types import Send as SendMessage

from orchestrator.audio import seconds_of
from simulations.waves.accounts import Account
from simulations.waves.asks import Ask, BadRequest, read_body
from simulations.waves.books import Refusal
from simulations.waves.checks import custom
from simulations.waves.faults.catalogue import HTTP_REQUEST_FAULTS, SSE_REQUEST_FAULTS
from simulations.waves.faults.spoiling import spoiled
from simulations.waves.http import events, pages
from simulations.waves.http.answers import Answer, Events, Whole
from simulations.waves.http.formats import Body, kept_formats
from simulations.waves.http.refusals import bad_request, model_refusal, new_id, refused, too_many
from simulations.waves.known_voices import known_voices
from simulations.waves.provider import Provider
from simulations.waves.steps import Close, Free, HalfClose, Hang, Send, Step
from simulations.waves.synthesis import Synthesis, VoiceFailed

LARGEST_BODY = 1024 * 1024
"""Bytes of a request, as of a message to the WebSocket: a limit of text is not known."""


def routes(provider: Provider) -> list[Route]:
    """Return the routes: current and per-model, plain and as events, under both bases."""
    plain, streamed = _Page(provider, streams=False), _Page(provider, streams=True)
    return [
        *pages.account_routes(provider, "/tts", POST=plain.speak),
        *pages.account_routes(provider, "/tts/live", POST=streamed.speak),
        *pages.account_routes(provider, "/{model}/get_speech", POST=plain.speak),
        *pages.account_routes(provider, "/{model}/stream", POST=streamed.speak),
    ]


@frozen
class _Page:
    """What all paths of one kind do with a request; `streams` it as events, or answers it with one body."""

    _provider: Provider
    _streams: bool = field(kw_only=True)

    async def speak(self, request: Request, account: Account) -> Response:
        """Return the speech, which then has its slot, or why there is none."""
        model = request.path_params.get("model")
        refusal = None if model is None else model_refusal(self._provider, model)
        if refusal is not None:
            return refusal
        try:
            body = await pages.read_body(request, largest=LARGEST_BODY)
            ask = self._read(body, model=model, account=account)
        except pages.BodyTooLarge:
            return refused(413)
        except BadRequest as bad:
            account.books.errors += 1
            return bad_request(bad.issues)
        use = account.books.take_slot(trio.current_time())
        if isinstance(use, Refusal):
            return too_many(self._provider, use)
        headers = _headers(self._provider, ask, request=request)
        return _Speech(self._provider, account, ask=ask, use=use, streams=self._streams, headers=headers)

    def _read(self, body: bytes, *, model: str | None, account: Account) -> Ask:
        voices = known_voices(self._provider, account)
        ask = read_body(body, model_of_path=model, knows_voice=voices)
        if not self._streams and ask.output_format not in kept_formats():
            there_are = ", ".join(kept_formats())
            problem = f"{ask.output_format} needs an encoder (lameenc) that is not installed; there are {there_are}"
            raise BadRequest([custom("output_format", problem)])
        return ask


def _headers(provider: Provider, ask: Ask, *, request: Request) -> dict[str, str]:
    headers = {
        "x-session-id": new_id(provider),
        "x-request-id": new_id(provider),
        "x-external-session-id": ask.session or "",
        "x-external-request-id": ask.request or "",
    }
    return {**headers, "x-content-expiry": "not-entitled"} if "x-expire-content" in request.headers else headers


class _End(Enum):
    """How a synthesis ended, as far as is known."""

    LEFT = "left"
    """The client went away, or it still goes on."""
    CUT = "cut"
    """A fault cuts the connection."""
    FAILED = "failed"
    COMPLETE = "complete"


class _Speech(Response):
    """One request and its slot: speaks when it is sent as an answer, and gives the slot back whatever happens."""

    def __init__(
        self, provider: Provider, account: Account, *, ask: Ask, use: int, streams: bool, headers: dict[str, str]
    ) -> None:
        super().__init__()
        self._provider = provider
        self._books = account.books
        self._ask = ask
        self._use = use
        self._streams = streams
        self._told = headers
        self._end = _End.LEFT
        self._unsent = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: SendMessage) -> None:  # ASGI's signature
        """Speak, unless the client leaves. Raises ConnectionAbortedError where the connection is to be cut."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_when_left, receive, nursery.cancel_scope)
                with suppress(OSError):  # the client left: it may show in a send first
                    await self._perform(self._answer(send))
                nursery.cancel_scope.cancel()
        finally:
            gone = self._end in (_End.LEFT, _End.CUT)
            self._books.abandoned += gone
            self._free(settle=self._provider.options.settle if gone else 0.0)
        if self._end is _End.CUT:
            raise ConnectionAbortedError("a fault cuts the connection")

    def _answer(self, send: SendMessage) -> Answer:
        if self._streams:
            return Events(send, self._told)
        return Whole(send, self._told, Body(self._ask.output_format, self._ask.rate))

    async def _perform(self, answer: Answer) -> None:
        """Do step after step, each at its time, and end the answer."""
        synthesis = self._provider.synthesizer.begin(self._ask, self._ask.text, books=self._books)
        steps = self._steps(synthesis, answer)
        fault = self._provider.faults.strike(*(SSE_REQUEST_FAULTS if self._streams else HTTP_REQUEST_FAULTS))
        async with aclosing(steps if fault is None else spoiled(fault, steps, frame=answer.frame)) as performed:
            async for step in performed:
                if isinstance(step, Hang):
                    await trio.sleep_forever()
                await trio.sleep_until(step.at)
                if isinstance(step, Free):
                    self._free()
                elif isinstance(step, Close | HalfClose):
                    self._end = _End.CUT
                    self._note_sent()
                    await answer.expose()
                    return
                else:
                    self._note(step)
                    await answer.take(step)
        await answer.end()

    async def _steps(self, synthesis: Synthesis, answer: Answer) -> AsyncGenerator[Step, None]:
        """Yield what is to be done if nothing goes wrong: there is no back-off over HTTP."""
        try:
            while (made := await synthesis.next_made()) is not None:
                seconds = seconds_of(made.chunk, self._ask.rate)
                yield Send(made.at, answer.frame_chunk(made.chunk), "chunk", seconds)
        except VoiceFailed:  # noted in the books
            self._end = _End.FAILED
            yield Free(trio.current_time())
            yield Send(trio.current_time(), answer.frame(events.FAILED), "error")
        else:
            yield Free(synthesis.ends)
            yield Send(synthesis.ends, answer.frame(events.DONE), "complete")
        finally:
            synthesis.forget()

    def _note(self, step: Step) -> None:
        """Note a step in the books; before it is done: who sees the end may ask for them at once."""
        if not isinstance(step, Send):
            return
        self._unsent += step.seconds
        if self._streams or step.what == "complete":
            self._note_sent()
        if step.what == "complete" and self._end is _End.LEFT:
            self._end = _End.COMPLETE
            self._books.completed += 1
        elif step.what == "error" and self._end is _End.LEFT:
            self._end = _End.FAILED
            self._books.errors += 1

    def _note_sent(self) -> None:
        self._books.audio_seconds += self._unsent
        self._unsent = 0.0

    def _free(self, *, settle: float = 0.0) -> None:
        self._books.free_slot(self._use, now=trio.current_time(), settle=settle)


async def _cancel_when_left(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
