"""Tells the operator's own server of the end of each job, again and again until it is taken: at least once.

What it is told is the job as JSON. Nothing signs it: the settings have no secret for that. The header
`X-Talkingstick-Job` names the job; who needs to be sure asks for the job by `talkingstick lipsync list`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import httpx2
import trio

from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.desk import Desk
from orchestrator.lipsync.job import Job

_WITHIN = 10.0
"""Seconds for one delivery."""
_AT_A_TIME, _PAGE = 4, 20
"""Deliveries at a time, and of how many jobs in a row one at least must be taken for a round to go on."""
_FIRST, _LONGEST = 1.0, 60.0
"""Seconds between two rounds after a delivery that failed, at most: doubled with each further one, drawn at random."""


def notice_of(job: Job) -> dict[str, Any]:
    """Return what is told of a job; times are Unix seconds, what is not known is null."""
    return {
        "job": job.id,
        "state": job.state.value,
        "model": job.request.model,
        "owner": job.owner,
        "call": job.call,
        "generation": job.generation or None,
        "output_url": job.output_url or None,
        "output_duration": job.output_duration,
        "error": job.error or None,
        "code": job.code or None,
        "accepted_at": job.accepted_at,
        "ended_at": job.ended_at,
    }


class Notices:
    """Deliveries to one address (`url`). `transport` is httpx2's, for tests and simulations."""

    def __init__(self, url: str, desk: Desk, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._desk = desk
        self._client = httpx2.AsyncClient(timeout=_WITHIN, trust_env=False, transport=transport)

    async def run(self) -> None:
        """Deliver what was not taken yet, and what ends from now on; never ends."""
        failures, ends = 0, self._desk.books.ends
        async with self._client:
            while True:
                ends.any = ended = trio.Event()
                failures = 0 if await self._deliver_all() else failures + 1
                if failures:
                    longest = min(_LONGEST, _FIRST * 2.0 ** min(failures, 10))
                    await trio.sleep(self._desk.place.rng.random() * longest)
                else:
                    await ended.wait()

    async def _deliver_all(self) -> bool:
        """Try each once, as long as any is taken; say whether all were."""
        store, writer = self._desk.store, self._desk.writer
        all_taken, after = True, (0.0, 0)
        while True:
            try:
                untold = await writer.read(partial(store.untold, limit=_PAGE, after=after))
            except LipsyncStoreError:
                return False  # whoever writes tells of it
            if not untold:
                return all_taken
            taken = await self._deliver(untold)
            all_taken = all_taken and taken == len(untold)
            if not taken:
                return False
            after = (untold[-1].ended_at or 0.0, untold[-1].serial)

    async def _deliver(self, jobs: Iterable[Job]) -> int:
        """Tell of some jobs, a few at a time; return how many of these were taken."""
        store, writer, left, taken = self._desk.store, self._desk.writer, iter(jobs), 0

        async def deliver() -> None:
            nonlocal taken
            for job in left:
                if await self._is_taken(job):
                    await writer.persist(partial(writer.read, store.told, job))
                    taken += 1

        async with trio.open_nursery() as nursery:
            for _ in range(_AT_A_TIME):
                nursery.start_soon(deliver)
        return taken

    async def _is_taken(self, job: Job) -> bool:
        headers: Mapping[str, str] = {"content-type": "application/json", "x-talkingstick-job": job.id}
        body = json.dumps(notice_of(job), ensure_ascii=False).encode("utf-8", "replace")
        try:
            with trio.fail_after(_WITHIN):
                response = await self._client.post(self._url, content=body, headers=headers)
        except (trio.TooSlowError, httpx2.HTTPError, httpx2.InvalidURL):
            return False
        return response.is_success
