"""`POST /v2/generate`: begins a generation, or answers what its Idempotency-Key began before."""

from __future__ import annotations

from functools import partial

import trio
from attrs import define
from starlette.requests import Request
from starlette.routing import Route

from simulations.sync.account import Account
from simulations.sync.generation import Generation
from simulations.sync.http.door import Json, api_routes
from simulations.sync.http.forms import read_create
from simulations.sync.refusals import Refusal, server_error, unknown_outcome
from simulations.sync.service import Service
from simulations.sync.wanted import Wanted, is_good_key
from simulations.sync.webhooks import Notice


def routes(service: Service) -> list[Route]:
    """Return the page's route."""
    return api_routes(service, "/v2/generate", kind="create", POST=_Page(service).create)


@define
class _Page:
    _service: Service

    async def create(self, request: Request, account: Account) -> Json:
        """Begin it. Raises Refusal, BadInput, BodyTooLarge."""
        service, options = self._service, self._service.options
        wanted = await read_create(service, request, account=account)
        key = self._key(request, account)
        known = service.studio.known(account, wanted, key=key) if key else None
        if known is not None:
            return self._answer(known, status=options.replay_status)
        unknown = service.faults.strike("idempotency_unknown") if key else None
        if unknown is not None and not unknown.accepted:
            raise unknown_outcome("")
        generation = self._begin(account, wanted, key=key)
        if unknown is not None:
            raise unknown_outcome(generation.id if unknown.tells_id else "")
        if service.faults.strike("error_after_accept") is not None:
            raise server_error(500, request_id=service.new_id())
        return self._answer(generation, status=options.create_status)

    def _key(self, request: Request, account: Account) -> str:
        """Return the request's Idempotency-Key, "" where there is none. Raises Refusal."""
        keys = request.headers.getlist("idempotency-key")
        if not keys or not self._service.options.idempotency:
            return ""
        if len(keys) > 1 or not is_good_key(keys[0]):
            account.books.refused["invalid"] += 1
            raise Refusal(400, "Idempotency-Key is not valid", code="INVALID_IDEMPOTENCY_KEY")
        return keys[0]

    def _begin(self, account: Account, wanted: Wanted, *, key: str) -> Generation:
        service = self._service
        generation = service.studio.begin_alone(account, wanted, key=key)
        told = service.options.webhook_of_rejected or generation.end.status != "REJECTED"
        if wanted.webhook_url and told:
            page = partial(generation.page, output_url=service.output_url(generation))
            service.post.tell(Notice(account=account, url=wanted.webhook_url, page=page), at=generation.ends)
        return generation

    def _answer(self, generation: Generation, *, status: int) -> Json:
        url = self._service.output_url(generation)
        return Json(generation.page(trio.current_time(), output_url=url), status)
