"""What crosses the port, as values and types: ASGI's own, an upgrade's request and refusal, and the limits of a peer.

No I/O and no protocol here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

import trio
from attrs import Factory, frozen

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

App = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI 3 application: it gets every request that is no WebSocket upgrade, as a scope of type `http`.

One that raises ConnectionAbortedError means to cut its connection: that happens at once, and is no failure."""


@frozen(kw_only=True)
class Limits:
    """How much and how long one peer may take: sizes in bytes, times in seconds."""

    head_bytes: int = 16 * 1024
    """For the head of a request; as much is kept of what a peer sends ahead while it is answered."""
    body_bytes: int = 1024 * 1024
    idle_within: float = 60.0
    """From the opening, or the answer before, to the first byte of a request; then the connection is closed."""
    head_within: float = 10.0
    """From the first byte of a request to the end of its head."""
    body_within: float = 30.0
    """For the whole body, counted while it is waited for: the time that the app takes between is not the peer's."""
    send_within: float = 10.0
    """For one send to be taken by the peer's machine."""


@frozen(kw_only=True)
class Request:
    """One request for an upgrade: header names in lower case, repeated ones joined by commas; `peer` an IP address.

    `target` is path and query as they were sent: signatures are over that.
    """

    method: str
    path: str
    query: Mapping[str, str] = Factory(dict)
    headers: Mapping[str, str] = Factory(dict)
    peer: str = ""
    target: str = ""


@frozen
class Response:
    """A whole answer, such as the refusal of an upgrade; its length and the connection's end are added when sent."""

    status: int
    headers: Mapping[str, str] = Factory(dict)
    body: bytes = b""

    @classmethod
    def json(cls, value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Return `value` as a JSON document, with `headers` beside its content type."""
        kind = {"content-type": "application/json; charset=utf-8"}
        return cls(status, {**kind, **(headers or {})}, json.dumps(value).encode())

    @classmethod
    def refusal(cls, status: int, message: str = "", *, headers: Mapping[str, str] | None = None) -> Response:
        """Return an error with a message; without one, with the status's own phrase."""
        return cls.json({"error": message or HTTPStatus(status).phrase}, status=status, headers=headers)


Upgrade = Callable[[trio.abc.Stream, Request], Awaitable[Response | None]]
"""Takes an upgrade: the stream gives the request's own bytes first, so any WebSocket server can take it from the start;
the connection is closed when the call returns. A Response, returned before the stream was touched, refuses it."""
