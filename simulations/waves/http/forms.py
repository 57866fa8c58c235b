"""Reads a multipart form with its files, all in memory and without threads; what it must hold is the page's."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing, closing

from attrs import Factory, frozen
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


@frozen(kw_only=True)
class FormLimits:
    """How much there may be in a form; `field_bytes` of one field."""

    files: int = 1
    fields: int = 100
    field_bytes: int = _LARGEST_FIELD


@frozen
class Parts:
    """What a form holds: the values of each field, and the file of each name, the last where there are several, as
    there are of the names that are `repeated`."""

    fields: Mapping[str, tuple[str, ...]] = Factory(dict)
    files: Mapping[str, SentFile] = Factory(dict)
    repeated: Collection[str] = ()


async def read_form(request: Request, *, largest: int) -> Form:
    """Return the form in the request's body of at most `largest` bytes, an empty one where it is of another type.

    Raises BadForm, and BodyTooLarge.
    """
    parts = await read_parts(request, largest=largest)
    return Form({name: values[-1] for name, values in parts.fields.items()}, parts.files.get("file"))


async def read_parts(request: Request, *, largest: int, limits: FormLimits = FormLimits()) -> Parts:
    """Return all parts of such a form. Raises BadForm, and BodyTooLarge."""
    body = await read_body(request, largest=largest)
    if not is_form(request):
        return Parts()
    async with aclosing(_once(body)) as chunks:
        parser = _InMemory(
            request.headers,
            chunks,
            max_files=limits.files,
            max_fields=limits.fields,
            max_part_size=limits.field_bytes,
        )
        with closing(parser):
            try:
                data = await parser.parse()
            except MultiPartException as problem:
                raise BadForm(problem.message) from problem
            items = data.multi_items()
            files = {name: await _sent(value) for name, value in items if isinstance(value, UploadFile)}
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in items:
        if isinstance(value, str):
            fields[name] = (*fields.get(name, ()), value)
    sent = Counter(name for name, value in items if isinstance(value, UploadFile))
    return Parts(fields, files, repeated=[name for name, count in sent.items() if count > 1])


def is_form(request: Request) -> bool:
    """Say whether the request's body is declared as such a form."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


async def _sent(file: UploadFile) -> SentFile:
    kind = (file.content_type or "").partition(";")[0].strip().lower()
    return SentFile(name=file.filename or "", kind=kind, content=await file.read())
