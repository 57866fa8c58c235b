"""Answers pronunciation dictionaries: `{base}/pronunciation-dicts`, kept for each account in memory and never applied.

Speech sounds the same with and without them: the voices here have no phonemes to put a pronunciation into.
"""

from __future__ import annotations

import json
from typing import Any

import trio
from attrs import field, frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulations.waves.accounts import Account
from simulations.waves.checks import Issue, missing, type_name
from simulations.waves.http.pages import BodyTooLarge, account_routes, object_id, read_body, stamp
from simulations.waves.http.refusals import Json
from simulations.waves.provider import Provider

_LARGEST_BODY = 64 * 1024
MOST_DICTIONARIES = 100
"""Of one account. Neither limit is published: they keep memory bounded."""
_PAIR = ("word", "pronunciation")

_Dictionary = dict[str, Any]
"""`id`, `items` and `createdAt`, as it is shown."""


class _Invalid(Exception):
    """The body is not what the page takes."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__(issues)
        self.issues = issues


def routes(provider: Provider) -> list[Route]:
    """Return the pages' routes, with no dictionaries yet."""
    pages = _Dictionaries(provider)
    return account_routes(
        provider,
        "/pronunciation-dicts",
        GET=pages.show,
        POST=pages.create,
        PUT=pages.update,
        DELETE=pages.delete,
    )


@frozen
class _Dictionaries:
    """The pages and what they keep."""

    _provider: Provider
    _by_account: dict[Account, dict[str, _Dictionary]] = field(factory=dict, init=False)

    async def show(self, _request: Request, account: Account) -> Response:
        """List the account's dictionaries."""
        return Json(list(self._of(account).values()))

    async def create(self, request: Request, account: Account) -> Response:
        """Make a dictionary."""
        try:
            body = await _read(request, needs=("items",))
        except _Invalid as problem:
            return _invalid(problem.issues)
        if len(self._of(account)) >= MOST_DICTIONARIES:
            return Json({"error": "Pronunciation dictionary limit exceeded"}, 400)
        made = {"id": object_id(self._provider.ids), "items": body["items"], "createdAt": stamp(trio.current_time())}
        self._of(account)[made["id"]] = made
        return Json(made)

    async def update(self, request: Request, account: Account) -> Response:
        """Give a dictionary other items."""
        try:
            body = await _read(request, needs=("id", "items"))
        except _Invalid as problem:
            return _invalid(problem.issues)
        kept = self._of(account).get(body["id"])
        if kept is None:
            return _not_found()
        kept["items"] = body["items"]
        return Json({"id": kept["id"], "items": kept["items"]})

    async def delete(self, request: Request, account: Account) -> Response:
        """Delete a dictionary."""
        try:
            body = await _read(request, needs=("id",))
        except _Invalid as problem:
            return _invalid(problem.issues)
        gone = self._of(account).pop(body["id"], None)
        return _not_found() if gone is None else Json({"id": gone["id"], "deleted": True})

    def _of(self, account: Account) -> dict[str, _Dictionary]:
        return self._by_account.setdefault(account, {})


def _invalid(issues: list[Issue]) -> Json:
    return Json({"error": "Invalid request body", "details": issues}, 400)


def _not_found() -> Json:
    """Return the answer to the id of no dictionary: it is not published, and neither is the status."""
    return Json({"error": "Pronunciation dictionary not found"}, 404)


# --- what a body must hold ---


async def _read(request: Request, *, needs: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of the JSON body that the page needs, items with their pair only. Raises _Invalid."""
    try:
        body = json.loads(await read_body(request, largest=_LARGEST_BODY))
    except (ValueError, RecursionError, BodyTooLarge):
        body = None
    if not isinstance(body, dict):
        raise _Invalid([_wrong([], "object", value=body)])
    issues = [issue for name in needs for issue in _CHECKS[name](body)]
    if issues:
        raise _Invalid(issues)
    fields = {name: body[name] for name in needs}
    if "items" in fields:
        fields["items"] = [{name: item[name] for name in _PAIR} for item in body["items"]]
    return fields


def _check_id(body: dict[str, Any]) -> list[Issue]:
    return _check_string(body, "id", path=[])


def _check_items(body: dict[str, Any]) -> list[Issue]:
    if "items" not in body:
        return [missing("items", "array")]
    if not isinstance(body["items"], list):
        return [_wrong(["items"], "array", value=body["items"])]
    issues: list[Issue] = []
    for number, item in enumerate(body["items"]):
        path: list[str | int] = ["items", number]
        if isinstance(item, dict):
            issues += [issue for name in _PAIR for issue in _check_string(item, name, path=path)]
        else:
            issues.append(_wrong(path, "object", value=item))
    return issues


def _check_string(values: dict[str, Any], name: str, *, path: list[str | int]) -> list[Issue]:
    if name not in values:
        return [{**missing(name), "path": [*path, name]}]
    return [] if isinstance(values[name], str) else [_wrong([*path, name], "string", value=values[name])]


def _wrong(path: list[str | int], expected: str, *, value: Any) -> Issue:
    received = type_name(value)
    message = f"Expected {expected}, received {received}"
    return {"code": "invalid_type", "expected": expected, "received": received, "path": path, "message": message}


_CHECKS = {"id": _check_id, "items": _check_items}
