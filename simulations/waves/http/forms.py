"""Reads a multipart form with one file in it, all in memory and without threads; what it must hold is the page's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, closing

from attrs import frozen
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from simulations.waves.http.pages import read_body

_LARGEST_FIELD = 16 * 1024
"""Bytes: what clients send is a name or a sentence."""


class BadForm(Exception):
    """The form cannot be read; the message says why."""


@frozen(kw_only=True)
class SentFile:
    """A file as it was sent; `kind` is the declared content type without its parameters, "" where there was none."""

    name: str
    kind: str
    content: bytes

    @property
    def ending(self) -> str:
        """What follows the last dot of its name, in small letters."""
        return self.name.rpartition(".")[2].lower() if "." in self.name else ""


@frozen
class Form:
    """A form's fields and its file, None where there is none."""

    fields: Mapping[str, str]
    file: SentFile | None


class _InMemory(MultiPartParser):
    spool_max_size = 0  # no limit: on a disk a file would need threads, and the body is small by now

    def close(self) -> None:
        """Close every file, those too whose part had no end: nobody else does."""
        for file in self._files_to_close_on_error:
            file.close()


async def read_form(request: Request, *, largest: int) -> Form:
    """Return the form in the request's body of at most `largest` bytes, an empty one where it is of another type.

    Raises BadForm, and BodyTooLarge.
    """
    body = await read_body(request, largest=largest)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return Form({}, None)
    async with aclosing(_once(body)) as chunks:
        parser = _InMemory(request.headers, chunks, max_files=1, max_fields=100, max_part_size=_LARGEST_FIELD)
        with closing(parser):
            try:
                data = await parser.parse()
            except MultiPartException as problem:
                raise BadForm(problem.message) from problem
            file = data.get("file")
            sent = await _sent(file) if isinstance(file, UploadFile) else None
    return Form({name: value for name, value in data.items() if isinstance(value, str)}, sent)


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


async def _sent(file: UploadFile) -> SentFile:
    kind = (file.content_type or "").partition(";")[0].strip().lower()
    return SentFile(name=file.filename or "", kind=kind, content=await file.read())
