"""Puts files to signed URLs, and gets them from where Sync says: owns redirects, and that our key goes to Sync only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import httpx2
import trio

from orchestrator.adapters.avatars.sync_faults import storage_fault_of
from orchestrator.adapters.avatars.sync_network import Network, beginning, bounded
from orchestrator.adapters.avatars.sync_shapes import WrongShapeError
from orchestrator.errors import AvatarFault, FaultKind

T = TypeVar("T")
LARGEST_FILE = 32_000_000
"""Bytes of a batch's results: 500 lines of at most some ten thousand."""
_REDIRECTS = 5


class Storage:
    """Where the service's files are. Every failure is an AvatarFault, but OSError of files of ours that are sent."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def fetch(self, url: str, read: Callable[[bytes], T], *, what: str) -> T:
        """Return `read` of what is at a URL that the service named; `what` it is, in messages. Raises AvatarFault."""
        with self._network.faults(what, creates=False), trio.fail_after(self._network.within):
            async with self.following(url, what=what) as response:
                file = await bounded(response, LARGEST_FILE)
        if file is None:
            raise self._network.nonsense(f"{what} has more than {LARGEST_FILE} bytes", creates=False)
        try:
            return read(file)
        except WrongShapeError as error:
            raise self._network.nonsense(str(error), creates=False) from None

    @asynccontextmanager
    async def following(self, url: str, *, what: str) -> AsyncIterator[httpx2.Response]:
        """Have the answer at a URL that the service named, its bytes unread, bounded by its progress.

        Redirects are followed, and our key goes to nobody but the service. Raises AvatarFault.
        """
        with self._network.faults(what, creates=False):
            target = httpx2.URL(self._network.address).join(url)
            for _ in range(_REDIRECTS):
                async with self._client_for(target).stream("GET", target) as response:
                    if not response.has_redirect_location:
                        await self._refuse_storage(response, what=what)
                        self._network.refuse_compressed(response, creates=False)
                        yield response
                        return
                    target = target.join(response.headers["location"])
            raise AvatarFault(FaultKind.RETRY, f"{what}: more than {_REDIRECTS} redirects")

    async def put(self, url: str, content: AsyncIterator[bytes], *, headers: Mapping[str, str], what: str) -> None:
        """Send bytes to a signed URL, bounded by their progress. Raises AvatarFault, and what `content` raises."""
        with self._network.faults(what, creates=False):
            async with self._network.storage.stream("PUT", url, content=content, headers=headers) as response:
                await self._refuse_storage(response, what=what)

    def _client_for(self, url: httpx2.URL) -> httpx2.AsyncClient:
        ours = _origin(url) == _origin(httpx2.URL(self._network.address))
        return self._network.api if ours else self._network.storage

    async def _refuse_storage(self, response: httpx2.Response, *, what: str) -> None:
        """Raise what an answer of the storage means, if it is no success."""
        if not response.is_success:
            raise storage_fault_of(response.status_code, await beginning(response), what=what)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
