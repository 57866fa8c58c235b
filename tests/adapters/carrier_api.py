"""A carrier's REST API for tests: notes what it is asked, and answers what a test wants, without any socket."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl

import httpx2


class FakeApi:
    """Answers every request with `status` and `answer`; `asked` are the requests."""

    def __init__(self, status: int = 200, answer: Any = None) -> None:
        self.status, self.answer = status, {} if answer is None else answer
        self.asked: list[httpx2.Request] = []
        self.transport = httpx2.MockTransport(self._handle)

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, str):
            return httpx2.Response(self.status, text=self.answer)
        return httpx2.Response(self.status, json=self.answer)

    @property
    def line(self) -> str:
        """Method and URL of the only request."""
        (request,) = self.asked
        return f"{request.method} {request.url}"

    @property
    def form(self) -> dict[str, str]:
        """The form of the only request."""
        (request,) = self.asked
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        return dict(parse_qsl(request.content.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The JSON of the only request."""
        (request,) = self.asked
        assert request.headers["content-type"] == "application/json"
        return json.loads(request.content)

    @property
    def login(self) -> str:
        """User and password, or the token, of the only request."""
        (request,) = self.asked
        scheme, _, value = request.headers["authorization"].partition(" ")
        return b64decode(value).decode() if scheme == "Basic" else value
