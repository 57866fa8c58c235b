"""The pages that tell of generations: one (with long polling), the list of them, how many, where the video is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, get_args

import trio
from attrs import define
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from orchestrator.ports.avatars import GenerationStatus
from simulations.sync.account import Account
from simulations.sync.generation import Generation
from simulations.sync.http.door import Json, api_routes, invalid, plain_refusal
from simulations.sync.service import Service

STATUSES = (*get_args(GenerationStatus), "CANCELED", "TIMED_OUT")
"""The last two only old pages know: nothing has them."""
_WAITS = (1, 10)
_WAIT = 5
"""Seconds of a long poll that does not say (published)."""


def routes(service: Service) -> list[Route]:
    """Return the pages' routes."""
    pages = _Pages(service)
    return [
        *api_routes(service, "/v2/generations/count", GET=pages.count),
        *api_routes(service, "/v2/generations/{id}/download", GET=pages.download),
        *api_routes(service, "/v2/generations", GET=pages.list_them),
        *api_routes(service, "/v2/generate", GET=pages.list_them),
        *api_routes(service, "/v2/generate/{id}", GET=pages.get),
    ]


@define
class _Pages:
    _service: Service

    async def get(self, request: Request, account: Account) -> Json:
        """One, at its end or after a while where `wait` asks for that."""
        generation = _found(request, account)
        query, headers = request.query_params, {}
        wait = _wait(request)
        if wait is not None:
            headers = {
                "retry-after": "2",
                "x-sync-wait-mode": "long_poll",
                "x-sync-wait-timeout-seconds": str(wait),
            }
            with trio.move_on_after(wait):
                await trio.sleep_until(generation.ends)
        page = self._page(generation)
        if query.get("include") == "progress":
            page["progress_percent"] = generation.progress(trio.current_time())
        return Json(page, headers=headers)

    async def list_them(self, request: Request, account: Account) -> Json:
        """Those that are asked for: the newest first where there is a limit; without one in no order that is
        promised, and all of them."""
        query = request.query_params
        found = self._matching(request, account)
        if "limit" not in query:
            if "cursor" in query:
                raise invalid("cursor needs limit")
            return Json([self._page(each) for each in found])
        limit = whole(query["limit"], "limit", bounds=(1, 100))
        found.reverse()
        if "cursor" in query:
            found = _behind(found, query["cursor"], account=account)
        return Json([self._page(each) for each in found[:limit]])

    async def count(self, request: Request, account: Account) -> Json:
        """How many there are of those that are asked for; the answer's shape is not published."""
        return Json({"count": len(self._matching(request, account))})

    async def download(self, request: Request, account: Account) -> Response:
        """The video's address, as text."""
        generation = _found(request, account)
        if generation.status(trio.current_time()) != "COMPLETED":
            raise plain_refusal(404, "The generation has no output")
        return PlainTextResponse(self._service.output_url(generation))

    def _matching(self, request: Request, account: Account) -> list[Generation]:
        """Return those that the filters of a request let through, the oldest first."""
        now, query = trio.current_time(), request.query_params
        statuses, ids = words(query.getlist("status")), words(query.getlist("ids"))
        sources = [word.lower() for word in words(query.getlist("source"))]
        strange = [status for status in statuses if status not in STATUSES]
        if strange:
            raise invalid(f"each value in status must be one of {', '.join(STATUSES)}")
        hidden = () if self._service.options.batch_in_list else ("batch",)
        return [
            each
            for each in ([] if "projectId" in query else account.generations.values())  # nothing is in a project
            if each.source not in hidden
            and (not statuses or each.status(now) in statuses)
            and (not ids or each.id in ids)
            and (not sources or each.source in sources)
        ]

    def _page(self, generation: Generation) -> dict[str, Any]:
        return generation.page(trio.current_time(), output_url=self._service.output_url(generation))


def words(values: Sequence[str]) -> list[str]:
    """Return the words of a parameter, however they are spelt: repeated, with commas, or as JSON, an array or a word.

    Raises BadInput.
    """
    found: list[str] = []
    for value in values:
        try:
            listed = json.loads(value) if value[:1] in ("[", '"') else value.split(",")
        except (ValueError, RecursionError):
            raise invalid(f"{value[:100]} is no JSON") from None
        found += [str(word).strip() for word in (listed if isinstance(listed, list) else [listed])]
    return [word for word in found if word]


def _found(request: Request, account: Account) -> Generation:
    generation = account.generations.get(request.path_params["id"])
    if generation is None:
        raise plain_refusal(404, "Generation not found")
    return generation


def _wait(request: Request) -> int | None:
    """Return the seconds of a long poll, None where none is asked for."""
    query = request.query_params
    if query.get("wait") != "true":
        return None
    if "include" in query:
        raise invalid("include can't be combined with wait")
    return whole(query.get("timeout", str(_WAIT)), "timeout", bounds=_WAITS)


def whole(text: str, name: str, *, bounds: tuple[int, int]) -> int:
    """Return a parameter that is a whole number. Raises BadInput."""
    least, most = bounds
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise invalid(f"{name} must be a whole number from {least} to {most}")
    return int(text)


def _behind(found: list[Generation], cursor: str, *, account: Account) -> list[Generation]:
    """Return those that are older than the one of the cursor, which need not match the filters any more."""
    if cursor not in account.generations:
        raise invalid("cursor is the id of no generation")
    places = {each: place for place, each in enumerate(account.generations)}
    return [each for each in found if places[each.id] < places[cursor]]
