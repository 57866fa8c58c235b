"""The account's files: an upload is announced, put, and registered as an asset; assets are listed; files are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulations.sync.account import Account
from simulations.sync.generation import iso
from simulations.sync.http.door import Json, api_routes, invalid, plain_refusal
from simulations.sync.http.forms import MEGABYTE, check_size, safe_name
from simulations.sync.http.generations import whole, words
from simulations.sync.media import StoredFile
from simulations.sync.service import Service
from simulations.sync.wanted import is_url, read_json
from simulations.waves.http.pages import BodyTooLarge, read_body

EXPIRES_IN = 3600
"""Seconds that an upload may be put (nothing is published; here it may for ever)."""
_BODY = 64 * 1024
_ENDINGS = {"VIDEO": "video/mp4", "AUDIO": "audio/wav", "IMAGE": "image/png"}


def routes(service: Service) -> list[Route]:
    """Return the pages' routes; where files are put and read, and that is no part of the API, no key is asked for."""
    pages = _Pages(service)
    return [
        *api_routes(service, "/v2/assets/upload", kind="upload", POST=pages.announce),
        *api_routes(service, "/v2/assets", GET=pages.list_them, POST=pages.register),
        *api_routes(service, "/v2/assets/{id}", GET=pages.get),
        Route("/uploads/{id}", pages.put, methods=["PUT"]),
        Route("/media/{id}/{name}", pages.read, methods=["GET"]),
    ]


@define
class _Pages:
    _service: Service

    async def announce(self, request: Request, account: Account) -> Json:
        """Give an address where a file may be put, and the one where it is read then."""
        body = _object(await read_body(request, largest=_BODY))
        name, kind, size = body.get("fileName"), body.get("contentType"), body.get("size")
        if not (isinstance(name, str) and name and isinstance(kind, str) and "/" in kind):
            raise invalid("fileName and contentType must be strings")
        if type(size) is not int or size < 1:
            raise invalid("size must be a positive whole number")
        check_size(self._service, size, account=account)
        file = self._new(account, name, kind=kind, size=size)
        self._service.files.add(file)
        upload = self._service.signed(f"/uploads/{file.id}")
        answer = {"uploadUrl": upload, "url": self._service.address + file.path, "expiresIn": EXPIRES_IN}
        return Json(answer, 201)

    async def put(self, request: Request) -> Response:
        """Take the bytes of an upload that was announced."""
        service = self._service
        file = service.files.get(request.path_params["id"])
        if file is None or request.query_params.get("X-Signature") != service.signature(request.url.path):
            return Response(status_code=403)
        try:
            content = await read_body(request, largest=round(service.options.upload_mb * MEGABYTE))
        except BodyTooLarge:
            return Response(status_code=413)
        service.files.put(file, content)
        return Response()

    async def register(self, request: Request, account: Account) -> Json:
        """Make an asset of a file that was put, or of an address elsewhere."""
        body = _object(await read_body(request, largest=_BODY))
        url, name, kind = body.get("url"), body.get("name") or body.get("fileName"), body.get("type") or "VIDEO"
        if not (isinstance(url, str) and is_url(url)):
            raise invalid("url must be a URL address")
        if not isinstance(kind, str) or kind not in _ENDINGS or not isinstance(name, str | None):
            raise invalid(f"type must be one of {', '.join(_ENDINGS)}")
        file = self._service.files.at(url, address=self._service.address)
        if file is None:
            file = self._new(account, name or url.rpartition("/")[2], kind=_ENDINGS[kind], size=0)
            file.url, file.source = url, "URL"
            self._service.files.add(file)
        elif file.owner != account.name or file.content is None:
            raise invalid("nothing was uploaded there")
        file.is_asset = True
        return Json(self._page(file), 201)

    async def list_them(self, request: Request, account: Account) -> Json:
        """The newest first; sorted by nothing else."""
        query = request.query_params
        limit = whole(query.get("limit", "100"), "limit", bounds=(1, 100))
        types, wanted = words(query.getlist("types")), query.get("searchQuery", "").lower()
        found = [
            file
            for file in self._service.files.assets(account.name)
            if (not types or file.type in types) and wanted in file.name.lower()
        ]
        ids = [file.id for file in found]
        begin = ids.index(query["cursor"]) + 1 if query.get("cursor") in ids else 0
        shown = found[begin : begin + limit]
        more = {"nextCursor": shown[-1].id} if begin + len(shown) < len(found) else {}
        return Json({"items": [self._page(file) for file in shown], **more, "totalCount": len(found)})

    async def get(self, request: Request, account: Account) -> Json:
        """One asset."""
        file = self._service.files.get(request.path_params["id"])
        if file is None or file.owner != account.name or not file.is_asset:
            raise plain_refusal(404, "Asset not found")
        return Json(self._page(file))

    async def read(self, request: Request) -> Response:
        """A file's bytes."""
        file = self._service.files.get(request.path_params["id"])
        if file is None or file.content is None:
            return Response(status_code=404)
        return Response(file.content, media_type=file.kind or "application/octet-stream")

    def _new(self, account: Account, name: str, *, kind: str, size: int) -> StoredFile:
        return StoredFile(
            id=self._service.new_id(),
            owner=account.name,
            name=safe_name(name),
            kind=kind,
            created=self._service.wall(),
            size=size,
        )

    def _page(self, file: StoredFile) -> dict[str, Any]:
        """Return what clients are told of an asset."""
        return {
            "id": file.id,
            "createdAt": iso(file.created),
            "updatedAt": iso(file.created),
            "name": file.name,
            "url": file.url or self._service.address + file.path,
            "size": file.size,
            "format": file.name.rpartition(".")[2].lower() if "." in file.name else None,
            "type": file.type,
            "inputType": file.source,
            "durationSeconds": file.seconds,
            "visibility": "ORGANIZATION",
        }


def _object(body: bytes) -> Mapping[str, Any]:
    found = read_json(body, what="body")
    if not isinstance(found, dict):
        raise invalid("body must be a JSON object")
    return found
