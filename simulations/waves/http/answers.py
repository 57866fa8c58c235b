"""Performs on an HTTP answer what a synthesis yields step by step: as server-sent events, or as one body of sound.

What the steps are, and the slot and the books, are speech.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import define, field
from starlette.types import Send as SendMessage

from simulations.waves.http import events
from simulations.waves.http.formats import Body
from simulations.waves.http.refusals import Json, server_error
from simulations.waves.steps import Binary, Raw, Send


class Answer(Protocol):
    """One answer, in one of the two forms."""

    def frame_chunk(self, pcm: bytes) -> str:
        """Return a chunk of sound as a message of this form."""
        ...

    def frame(self, data: str) -> str:
        """Return a JSON text as a message of this form."""
        ...

    async def take(self, step: Send | Raw | Binary) -> None:
        """Send what a step sends, or keep it until the end. All of these raise OSError where the client left."""
        ...

    async def end(self) -> None:
        """End the answer in order."""
        ...

    async def expose(self) -> None:
        """Send what there is of the answer, so that its connection can be cut in the middle of it."""
        ...


@define
class Events:
    """Server-sent events: each message goes out at once."""

    _send: SendMessage
    _headers: Mapping[str, str]
    _begun: bool = field(default=False, init=False)
    _failed: bool = field(default=False, init=False)

    def frame_chunk(self, pcm: bytes) -> str:
        """Return the event of a chunk."""
        return events.event(events.audio(pcm), name="audio")

    def frame(self, data: str) -> str:
        """Return an event without a name."""
        return events.event(data)

    async def take(self, step: Send | Raw | Binary) -> None:
        """Send it; a failure before anything else is a status, not an event."""
        if isinstance(step, Send) and step.what == "error" and not self._begun:
            self._failed = True
            return
        await self._write(step.text.encode(errors="replace") if isinstance(step, Send) else step.data)

    async def end(self) -> None:
        """End the stream, or say that it never began."""
        if self._failed:
            await _send_json(self._send, server_error())
        else:
            await self._write(b"", more=False)

    async def expose(self) -> None:
        """Send the head, where nothing was sent."""
        await self._write(b"")

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        if not self._begun:
            self._begun = True
            kind = {"content-type": "text/event-stream", "cache-control": "no-cache"}
            await self._send(_start({**kind, **self._headers}))
        await self._send({"type": "http.response.body", "body": data, "more_body": more})


@define
class Whole:
    """One body of sound in the format that was asked for, sent when all of it is made.

    Its messages are bytes of PCM, one letter each.
    """

    _send: SendMessage
    _headers: Mapping[str, str]
    _body: Body
    _failed: bool = field(default=False, init=False)

    def frame_chunk(self, pcm: bytes) -> str:
        """Return a chunk as letters."""
        return pcm.decode("latin-1")

    def frame(self, data: str) -> str:
        """Return the text: none of these has a place in a body of sound."""
        return data

    async def take(self, step: Send | Raw | Binary) -> None:
        """Keep a chunk, or bytes as they are; a failure takes the place of the sound."""
        if not isinstance(step, Send):
            self._body.put(step.data)
        elif step.what == "chunk":
            self._body.add(step.text.encode("latin-1"))
        elif step.what == "error":
            self._failed = True

    async def end(self) -> None:
        """Send it; the content type is always the same (seen live)."""
        if self._failed:
            await _send_json(self._send, server_error())
            return
        data = self._body.whole()
        await self._send(_start({"content-type": "audio/wav", "content-length": str(len(data)), **self._headers}))
        await self._send({"type": "http.response.body", "body": data})

    async def expose(self) -> None:
        """Send what is made, without the end."""
        await self._send(_start({"content-type": "audio/wav", **self._headers}))
        await self._send({"type": "http.response.body", "body": self._body.whole(), "more_body": True})


def _start(headers: Mapping[str, str]) -> dict[str, object]:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": raw}


async def _send_json(send: SendMessage, response: Json) -> None:
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body})
