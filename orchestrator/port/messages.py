"""What crosses the port, as values: a request, its answer, and the limits a peer is held to; no I/O, no protocol."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import trio
from attrs import Factory, frozen


@frozen(kw_only=True)
class Limits:
    """How much and how long one peer may take: sizes in bytes, times in seconds."""

    head_bytes: int = 16 * 1024
    body_bytes: int = 1024 * 1024
    idle_within: float = 60.0
    """From the opening, or the answer before, to the first byte of a request; then the connection is closed."""
    head_within: float = 10.0
    """From the first byte of a request to the end of its head."""
    body_within: float = 30.0
    send_within: float = 10.0
    """For one send to be taken by the peer's machine."""


@frozen(kw_only=True)
class Request:
    """One request as it arrived: header names in lower case, repeated ones joined by commas; `peer` an IP address."""

    method: str
    path: str
    query: Mapping[str, str] = Factory(dict)
    headers: Mapping[str, str] = Factory(dict)
    body: bytes = b""
    peer: str = ""


@frozen
class Response:
    """An answer; its length and the fate of the connection are added when it is sent."""

    status: int
    headers: Mapping[str, str] = Factory(dict)
    body: bytes = b""

    @classmethod
    def json(cls, value: Any, *, status: int = 200) -> Response:
        """Return `value` as a JSON document."""
        return cls(status, {"content-type": "application/json; charset=utf-8"}, json.dumps(value).encode())

    @classmethod
    def refusal(cls, status: int, message: str = "") -> Response:
        """Return an error with a message; without one, with the status's own phrase."""
        return cls.json({"error": message or HTTPStatus(status).phrase}, status=status)


Answer = Callable[[Request], Awaitable[Response]]
"""Answers everything that is no WebSocket upgrade."""

Upgrade = Callable[[trio.abc.Stream, Request], Awaitable[Response | None]]
"""Takes an upgrade: the stream gives the request's own bytes first, so any WebSocket server can take it from the start;
the connection is closed when the call returns. A Response, returned before the stream was touched, refuses it."""
