"""The page to which the video service tells the end of generations and batches: believes signed news, each once.

Whether a signature is right is signing.py's, what the news means for a job the queue's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import trio
from attrs import define, field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from orchestrator import events
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.signing import HEADER, Refusal, verify
from orchestrator.port.bodies import body_within
from orchestrator.port.routes import SYNC_HOOK
from orchestrator.ports import Batch, Emit, Generation, Now

_MOST_BYTES = 256 * 1024
"""Of a body: it holds one generation, whose script may be long, or one batch."""
_STORED_WITHIN = 10.0
"""Seconds until the service is told to come again, where the news can't be written."""
_HEADERS = {401: {"www-authenticate": HEADER}, 503: {"retry-after": "60"}}


class Hears(Protocol):
    """Whom the news is for: the queue."""

    async def hear_signed(self, news: Generation | Batch, signature: str) -> bool:
        """Take in what a webhook says, and say whether its signature came for the first time; else nothing is done.

        All of it is durable when this returns. Raises LipsyncStoreError.
        """


@define(kw_only=True)
class SyncHook:
    """The page. `parse` makes news of a body, and raises ValueError for what is none."""

    secret: str = field(repr=False)
    tolerance: float
    queue: Hears
    parse: Callable[[bytes], Generation | Batch]
    emit: Emit
    now: Now
    wall: Now

    async def answer(self, request: Request, *, address: str) -> Response:
        """Take what the request tells; `address` is who asks. It is taken (200) when it is stored, and told otherwise.

        401: not signed; 403: wrongly, too long ago, or taken before; 400, 413: no news, too much; 503: come again.
        """
        status, reason = await self._take(request)
        if status == 200:
            return JSONResponse({"heard": True})
        refused = events.RequestRefused(at=self.now(), line=SYNC_HOOK, address=address, status=status, reason=reason)
        self.emit(refused)
        said = "it could not be stored" if status == 503 else reason  # where our files are is nobody's business
        return JSONResponse({"error": said}, status, headers=_HEADERS.get(status))

    async def _take(self, request: Request) -> tuple[int, str]:
        body = await body_within(request, _MOST_BYTES)
        if body is None:
            return 413, f"it has more than {_MOST_BYTES} bytes"
        header = ",".join(request.headers.getlist(HEADER))
        verdict = verify(header, body, secret=self.secret, now=self.wall(), tolerance=self.tolerance)
        if isinstance(verdict, Refusal):
            return 401 if verdict is Refusal.UNSIGNED else 403, verdict.value
        try:
            news = self.parse(body)
        except ValueError as error:
            return 400, f"it is signed, and tells of no generation or batch: {error}"
        return await self._store(news, verdict.signature)

    async def _store(self, news: Generation | Batch, signature: str) -> tuple[int, str]:
        try:
            with trio.fail_after(_STORED_WITHIN):
                first = await self.queue.hear_signed(news, signature)
        except trio.TooSlowError:
            return 503, f"it could not be stored within {_STORED_WITHIN:g} s"
        except LipsyncStoreError as error:
            return 503, str(error)
        return (200, "") if first else (403, "it was taken before")
