"""Asks Sync's API over HTTP, and reads what it answers; each request is made once.

What is asked is sync_questions.py's, what answers mean sync_shapes.py's and sync_faults.py's.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2
import trio

from orchestrator.adapters.avatars.sync_faults import fault_of
from orchestrator.adapters.avatars.sync_network import Network, beginning, bounded
from orchestrator.adapters.avatars.sync_questions import Question
from orchestrator.adapters.avatars.sync_shapes import WrongShapeError

T = TypeVar("T")
LARGEST_ANSWER = 8_000_000
"""Bytes of an answer: a list of 100 generations has some hundred thousand at most."""


class Requests:
    """The API of one account. Every failure is an AvatarFault, but OSError of files of ours that are sent."""

    def __init__(self, network: Network, *, key: str) -> None:
        self._network = network
        self._key = key

    async def ask(self, question: Question, read: Callable[[Any], T]) -> T:
        """Return `read` of the answer's JSON. Raises AvatarFault, also for an answer that `read` finds wrong.

        It is bounded as a whole, one with files by its progress only: nobody knows how long a file takes.
        """
        within = math.inf if question.files else self._network.within + question.waits
        with self._network.faults(self._network.host, creates=question.creates), trio.fail_after(within):
            async with self._answered(question) as response:
                body = await self._body(response, creates=question.creates)
        try:
            return read(json.loads(body))
        except WrongShapeError as error:
            raise self._network.nonsense(str(error), creates=question.creates) from None
        except (ValueError, RecursionError):
            raise self._network.nonsense("it is no JSON", creates=question.creates) from None

    @asynccontextmanager
    async def _answered(self, question: Question) -> AsyncIterator[httpx2.Response]:
        async with self._network.api.stream(
            question.method,
            self._network.address + question.path,
            params=list(question.params) or None,
            content=question.content,
            data=question.form,
            files=question.files,
            headers=question.headers,
            timeout=self._network.timeout(question.waits),
        ) as response:
            yield response

    async def _body(self, response: httpx2.Response, *, creates: bool) -> bytes:
        """Return the body of a success. Raises AvatarFault for anything else, and for a body that is too large."""
        if not response.is_success:
            refusal = await beginning(response)
            headers = response.headers
            raise fault_of(response.status_code, refusal, headers=headers, creates=creates, secret=self._key)
        self._network.refuse_compressed(response, creates=creates)
        body = await bounded(response, LARGEST_ANSWER)
        if body is None:
            raise self._network.nonsense(f"it has more than {LARGEST_ANSWER} bytes", creates=creates)
        return body
