"""The pages of batches: one is begun or only checked, told of, listed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import get_args

import trio
from attrs import define, field
from starlette.requests import Request
from starlette.routing import Route

from orchestrator.ports.avatars import BatchStatus
from simulations.sync.account import Account
from simulations.sync.batching import LARGEST, Batching, page_of, read_lines
from simulations.sync.generation import Batch
from simulations.sync.http.door import Json, api_routes, invalid, plain_refusal
from simulations.sync.http.forms import read_form_parts
from simulations.sync.refusals import Refusal, batch_refusal
from simulations.sync.service import Service
from simulations.sync.wanted import INVALID, is_webhook_url
from simulations.sync.webhooks import Notice
from simulations.waves.http.forms import FormLimits, Parts

_LIMITS = FormLimits(files=2, fields=32, field_bytes=1024 * 1024)
_FILES = ("input", "file")


def routes(service: Service) -> list[Route]:
    """Return the pages' routes."""
    pages = _Pages(service)
    return [
        *api_routes(service, "/v2/batch", POST=pages.create, GET=pages.list_them),
        *api_routes(service, "/v2/batch/{id}", GET=pages.get),
    ]


@define
class _Pages:
    _service: Service
    _batching: Batching = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._batching = Batching(self._service)

    async def create(self, request: Request, account: Account) -> Json:
        """Begin a batch, or with dry_run say that one could be. Raises Refusal, BadInput, BodyTooLarge."""
        if not account.plan.may_batch:
            account.books.refused["plan"] += 1
            raise Refusal(402, "The batch API is available for Scale and Enterprise plans")
        parts = await read_form_parts(request, largest=LARGEST + 2 * 1024 * 1024, limits=_LIMITS)
        content, webhook_url = _file_of(parts, account), parts.fields.get("webhook_url", ("",))[-1]
        if webhook_url and not is_webhook_url(webhook_url):
            raise invalid("webhook_url must be an HTTPS URL")
        lines = read_lines(content, strict=self._service.options.batch_check == "file")
        if parts.fields.get("dry_run", ("",))[-1].lower() in ("true", "1"):
            return Json({"status": "VALIDATED"})
        if account.live_batches(trio.current_time()) >= account.plan.batches:
            account.books.refused["batch_concurrency"] += 1
            raise batch_refusal()
        batch = self._batching.begin(account, lines, webhook_url=webhook_url)
        if webhook_url:
            page = partial(batch.page, output_url=self._service.batch_url(batch))
            self._service.post.tell(Notice(account=account, url=webhook_url, page=page), at=batch.ends)
        return Json(page_of(self._service, batch), self._service.options.create_status)

    async def get(self, request: Request, account: Account) -> Json:
        """One batch."""
        batch = account.batches.get(request.path_params["id"])
        if batch is None:
            raise plain_refusal(404, "Batch not found")
        return Json(page_of(self._service, batch))

    async def list_them(self, request: Request, account: Account) -> Json:
        """The newest first."""
        query, now = request.query_params, trio.current_time()
        status = query.get("status")
        if status is not None and status not in get_args(BatchStatus):
            raise invalid(f"status must be one of {', '.join(get_args(BatchStatus))}")
        after, before = (_time(query.get(name), name) for name in ("created_after", "created_before"))
        found: Iterable[Batch] = reversed(account.batches.values())
        return Json(
            [
                page_of(self._service, batch)
                for batch in found
                if status in (None, batch.status(now))
                and (after is None or batch.created > after)
                and (before is None or batch.created < before)
            ]
        )


def _file_of(parts: Parts, account: Account) -> bytes:
    """Return the file of a form. Raises BadInput, Refusal."""
    found = [parts.files[name] for name in _FILES if name in parts.files]
    if not found:
        raise invalid("input must be a file")
    if len(found[0].content) > LARGEST:
        account.books.refused["too_large"] += 1
        raise Refusal(413, f"The file is larger than {LARGEST // 1_000_000} MB", code=INVALID)
    return found[0].content


def _time(text: str | None, name: str) -> float | None:
    """Return a time in ISO 8601 as Unix seconds; without a zone it is UTC."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
    except ValueError:
        raise invalid(f"{name} must be a time in ISO 8601") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
