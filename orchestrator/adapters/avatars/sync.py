"""The client of Sync (sync.so), API v2: implements ports.AvatarService, and what else the command line asks.

It asks once and says what came of it; waiting, retrying and counting are lipsync/'s.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import httpx2

from orchestrator.adapters.avatars import sync_questions as questions
from orchestrator.adapters.avatars.sync_batches import batch_of, batches_of, results_of
from orchestrator.adapters.avatars.sync_files import Disk, Threads, Told
from orchestrator.adapters.avatars.sync_network import Network, read_body
from orchestrator.adapters.avatars.sync_requests import Requests
from orchestrator.adapters.avatars.sync_shapes import (
    Cost,
    Model,
    asset_url_of,
    cost_of,
    count_of,
    generation_of,
    generations_of,
    media_type,
    models_of,
    upload_place_of,
)
from orchestrator.adapters.avatars.sync_storage import Storage
from orchestrator.adapters.avatars.sync_words import plain_words
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.ports import (
    Batch,
    BatchLine,
    BatchResult,
    Generation,
    GenerationStatus,
    Lane,
    VideoRequest,
)
from orchestrator.settings import LipsyncSettings

__all__ = ["Cost", "Model", "SyncService", "batch_of", "generation_of"]


class SyncService:
    """One account of the service. Use it as an async context manager; the key is in no repr, message or error.

    `transport` stands in for the network in tests, `lane` is where files are read and written: threads of its own, if
    none is given.
    """

    def __init__(
        self,
        settings: LipsyncSettings,
        key: str,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        lane: Lane | None = None,
    ) -> None:
        self._address = settings.address
        self._network = Network(settings, key, transport=transport)
        self._requests = Requests(self._network, key=key)
        self._storage = Storage(self._network)
        self._disk = Disk(lane or Threads())

    def __repr__(self) -> str:
        return f"SyncService({self._address!r})"

    async def __aenter__(self) -> Self:
        await self._network.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._network.__aexit__(*exc)

    async def create(self, request: VideoRequest, *, idempotency_key: str) -> Generation:
        """Have a video made; AvatarFault.uncertain says that it may be made although this failed."""
        return await self._requests.ask(questions.creation(request, idempotency_key), generation_of)

    async def create_with_files(self, request: VideoRequest, *, idempotency_key: str) -> Generation:
        """Have a video made of files that go along with the request: every `file:` URL in its input, one of a type.

        Uploads are better for large ones: a retry sends an upload's URL, not the file. Raises OSError for the files.
        """
        async with AsyncExitStack() as stack:
            files: dict[str, tuple[str, Any, str]] = {}
            for field, url in questions.files_of(request).items():
                path = Path(unquote(urlsplit(url).path))
                media = media_type(path)
                opened = await stack.enter_async_context(self._disk.opened(path))
                files[field] = (path.name, opened.stream, media)
            question = questions.creation_with_files(request, files, key=idempotency_key)
            return await self._requests.ask(question, generation_of)

    async def get(self, generation_id: str, *, wait: int = 0) -> Generation:
        """Return a generation, at its end or after `wait` seconds (1 to 10; 0: at once)."""
        return await self._requests.ask(questions.generation(generation_id, wait), generation_of)

    async def listing(
        self, *, statuses: Collection[GenerationStatus] = (), limit: int = 100, cursor: str = ""
    ) -> Sequence[Generation]:
        """Return generations of the account, whoever began them, the newest first; `cursor` is the last id seen."""
        return await self._requests.ask(questions.generations(statuses, limit=limit, cursor=cursor), generations_of)

    async def count(self, statuses: Collection[GenerationStatus] = ()) -> int:
        """Return how many generations of the account are in one of the states, in any if none is named."""
        return await self._requests.ask(questions.counting(statuses), count_of)

    async def cost(self, request: VideoRequest) -> Cost:
        """Return what a video would cost; the service looks at its input for that."""
        return await self._requests.ask(questions.costing(request), cost_of)

    async def estimate(self, model: str, duration: float, *, fps: float | None = None) -> Cost:
        """Return what a video of `duration` seconds would cost, at 30 frames a second or `fps`; no input is needed."""
        return await self._requests.ask(questions.estimation(model, duration, fps=fps), cost_of)

    async def models(self) -> Sequence[Model]:
        """Return the models that the service has."""
        return await self._requests.ask(questions.model_list(), models_of)

    async def upload(self, path: Path, *, told: Told | None = None) -> str:
        """Put a file of ours where the service reads it, and return its URL; `told` hears of the progress.

        Three requests, two of them to the API: a place is asked for, filled, and registered, which is where the service
        says that a file is too large for the plan. Raises OSError for the file.
        """
        media = media_type(path)
        async with self._disk.opened(path) as file:
            place = await self._requests.ask(questions.upload_place(path.name, media, size=file.size), upload_place_of)
            headers = {"content-type": media, "content-length": str(file.size)}
            what = f"the upload of {plain_words(path.name)}"
            await self._storage.put(place.put_to, file.pieces(told), headers=headers, what=what)
        return await self._requests.ask(questions.asset(path.name, media, place=place), asset_url_of) or place.url

    async def download(self, url: str, path: Path, *, told: Told | None = None) -> int:
        """Write what is at a URL of the service, such as a video, to a file, and return its bytes.

        The file appears when it is complete. Raises OSError for the file.
        """
        size = 0
        async with self._storage.following(url, what=f"the download to {plain_words(path.name)}") as response:
            length = response.headers.get("content-length", "")
            total = int(length) if length.isascii() and length.isdigit() else None
            async with self._disk.replacing(path) as write:

                async def take(piece: bytes) -> None:
                    nonlocal size
                    await write(piece)
                    size += len(piece)
                    if told is not None:
                        told(size, total)

                await read_body(response, take)
        return size

    async def create_batch(
        self, lines: Sequence[BatchLine], *, webhook_url: str = "", idempotency_key: str = "", dry_run: bool = False
    ) -> Batch:
        """Have 20 to 500 videos made as one batch; `dry_run`: have its lines checked only."""
        question = questions.batch_creation(lines, webhook_url=webhook_url, key=idempotency_key, dry_run=dry_run)
        return await self._requests.ask(question, batch_of)

    async def batch(self, batch_id: str) -> Batch:
        """Return a batch."""
        return await self._requests.ask(questions.batch(batch_id), batch_of)

    async def batches(self, *, created_after: float | None = None) -> Sequence[Batch]:
        """Return the account's batches, the newest first."""
        return await self._requests.ask(questions.batches(created_after), batches_of)

    async def results(self, batch: Batch) -> Sequence[BatchResult]:
        """Return what became of the lines of a batch; before it has ended there are none, which is worth a retry."""
        if batch.live or not batch.output_url:
            raise AvatarFault(FaultKind.RETRY, "the batch has no results yet", code="no_results")
        return await self._storage.fetch(batch.output_url, results_of, what="the results of a batch")
