"""Owns the HTTP clients for Sync, their limits and time-outs, and what their failures mean; retries nothing.

What is asked is sync_requests.py's, what becomes of signed URLs sync_storage.py's.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import lru_cache
from typing import Self
from urllib.parse import urlsplit

import httpx2
import trio

from orchestrator.adapters.avatars.sync_words import plain_words
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.settings import LipsyncSettings

_LARGEST_REFUSAL = 64_000
"""Bytes of a refusal that are read."""
_CONNECTIONS = httpx2.Limits(max_connections=10, max_keepalive_connections=4)
_TO_STORAGE = httpx2.Limits(max_connections=4, max_keepalive_connections=2)
_DRAINING = 4
"""How many times longer the storage may say nothing: behind an upload megabytes of it may still be on their way."""
_SAME = {"user-agent": "talkingstick", "accept-encoding": "identity"}
_NOTHING_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
    UnicodeError,
)
"""Failures before the first byte of a request; the last is a host's name that is none."""


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Return by what servers are known. It takes 40 to 190 ms, in which no call is served: made once, before calls."""
    return httpx2.create_ssl_context(trust_env=False)


class Network:
    """Two HTTP clients: `api` names the account, for the service only, `storage` is for signed URLs, and does not.

    Use it as an async context manager. The key is in no message.
    """

    def __init__(
        self, settings: LipsyncSettings, key: str, *, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.address = settings.address
        self.host = urlsplit(settings.address).netloc
        self.within = settings.request_within
        self._key = key
        verify = transport is not None or tls_context()
        self.api = httpx2.AsyncClient(
            headers={"x-api-key": key, "accept": "application/json", **_SAME},
            timeout=self.timeout(),
            limits=_CONNECTIONS,
            verify=verify,
            trust_env=False,
            transport=transport,
        )
        storage_timeout = httpx2.Timeout(self.within, read=self.within * _DRAINING, connect=self.within / 4, pool=None)
        self.storage = httpx2.AsyncClient(
            headers=_SAME,
            timeout=storage_timeout,
            limits=_TO_STORAGE,
            verify=verify,
            trust_env=False,
            transport=transport,
        )
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self.api)
        await self._open.enter_async_context(self.storage)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._open.aclose()

    def timeout(self, waits: float = 0.0) -> httpx2.Timeout:
        """Return time-outs under which a whole request that takes too long had a connection, and so may have been sent:
        a place, TCP and TLS take at most a quarter each."""
        quarter = self.within / 4
        return httpx2.Timeout(self.within + waits, connect=quarter, pool=quarter)

    @contextmanager
    def faults(self, where: str, *, creates: bool) -> Iterator[None]:
        """Map what the HTTP client raises, once; `where` it was, in messages."""
        try:
            yield
        except trio.TooSlowError:
            words, sent = f"no answer within {self.within:g} s", True
        except _NOTHING_SENT as error:
            words, sent = _reason(error), False
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            words, sent = _reason(error), True
        else:
            return
        raise AvatarFault(FaultKind.RETRY, plain_words(f"{where}: {words}", self._key), uncertain=creates and sent)

    def refuse_compressed(self, response: httpx2.Response, *, creates: bool) -> None:
        """Raise for what was not asked for: a small answer could become a huge one."""
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self.nonsense("it is compressed", creates=creates)

    def nonsense(self, words: str, *, creates: bool) -> AvatarFault:
        """Return the fault of a success that is none."""
        said = plain_words(f"{self.host} gave an answer that can't be used: {words}", self._key)
        return AvatarFault(FaultKind.RETRY, said, uncertain=creates)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()


async def read_body(response: httpx2.Response, take: Callable[[bytes], Awaitable[None]]) -> None:
    """Give a body to `take`, piece by piece; what `take` raises ends it.

    The reading is then left by a cancel: httpx2 2.16 leaves open what it reads from where an iteration breaks off.
    """
    stopped: BaseException | None = None
    with trio.CancelScope() as scope:
        async for piece in response.aiter_bytes():
            try:
                if stopped is None:
                    await take(piece)
            except BaseException as error:  # a cancel from outside, too: it comes again, inside what is iterated
                stopped = error
                scope.cancel()
    if stopped is not None:
        raise stopped


class _TooLargeError(Exception):
    """A body has more bytes than are wanted of it."""


class _Body:
    """Collects at most `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.bytes = bytearray()

    async def take(self, piece: bytes) -> None:
        """Keep a piece. Raises _TooLargeError."""
        self.bytes += piece
        if len(self.bytes) > self._most:
            raise _TooLargeError


async def bounded(response: httpx2.Response, most: int) -> bytes | None:
    """Return the body, or None if it has more than `most` bytes; not many more than those are read."""
    body = _Body(most)
    try:
        await read_body(response, body.take)
    except _TooLargeError:
        return None
    return bytes(body.bytes)


async def beginning(response: httpx2.Response) -> bytes:
    """Return the beginning of a refusal's body: as much as comes, since its status says enough without."""
    if "content-encoding" in response.headers:
        return b""
    body = _Body(_LARGEST_REFUSAL)
    with suppress(httpx2.HTTPError, _TooLargeError):
        await read_body(response, body.take)
    return bytes(body.bytes[:_LARGEST_REFUSAL])
