"""Reads the file of a batch, line by line, and begins its generations, so many at a time; its pages are http/'s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heapreplace
from typing import Any

import trio
from attrs import define, frozen

from simulations.sync.account import Account
from simulations.sync.generation import Batch, End, Generation, Line
from simulations.sync.service import Service
from simulations.sync.wanted import BadInput, Wanted, read_json, read_wanted

LINES = (20, 500)
"""How many lines a file must and may have (published; older pages say 1000)."""
LARGEST = 5_000_000
"""Bytes of the file (published)."""
_ENDPOINT = "/v2/generate"
_JOBS_AFTER = 2.0
"""Seconds until the generations are begun (assumed)."""
_MOST_TOLD = 20
"""Problems of a file that are told."""
_UNREAD = Wanted(model="lipsync-2", input=({"type": "video", "url": ""}, {"type": "audio", "url": ""}))
"""Stands for a payload that can't be read."""


@frozen(kw_only=True)
class Asked:
    """One line of a file; `wrong` says why its payload can't be made."""

    request_id: str
    wanted: Wanted
    wrong: str = ""


def read_lines(content: bytes, *, strict: bool) -> list[Asked]:
    """Return the lines of a file. Raises BadInput; for a wrong payload only where it is read strictly."""
    try:
        texts = [text for text in content.decode("utf-8-sig").split("\n") if text.strip()]  # U+2028 ends no line
    except UnicodeDecodeError:
        raise BadInput(["the file must be JSONL in UTF-8"]) from None
    least, most = LINES
    if not least <= len(texts) <= most:
        raise BadInput([f"the file must have {least} to {most} lines, not {len(texts)}"])
    lines = [_read(text, number) for number, text in enumerate(texts, 1)]
    problems = list(_problems(lines, strict=strict))
    if problems:
        raise BadInput(problems[:_MOST_TOLD])
    return [line for line in lines if isinstance(line, Asked)]


def _read(text: str, number: int) -> Asked | str:
    """Return a line, or what is wrong with it."""
    where = f"line {number}: "
    try:
        line = read_json(text, what="the line")
    except BadInput as wrong:
        return where + wrong.problems[0]
    if not isinstance(line, dict):
        return where + "must be an object"
    request_id, payload = line.get("request_id"), line.get("payload")
    if not (isinstance(request_id, str) and request_id):
        return where + "request_id must be a string"
    if line.get("endpoint") != _ENDPOINT:
        return f"{where}endpoint must be {_ENDPOINT}"
    if not isinstance(payload, dict):
        return where + "payload must be an object"
    try:
        return Asked(request_id=request_id, wanted=read_wanted(payload))
    except BadInput as wrong:
        return Asked(request_id=request_id, wanted=_UNREAD, wrong="; ".join(wrong.problems))


def _problems(lines: Sequence[Asked | str], *, strict: bool) -> Iterator[str]:
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if isinstance(line, str):
            yield line
            continue
        if line.request_id in seen:
            yield f"line {number}: request_id {line.request_id} is not unique"
        seen.add(line.request_id)
        if strict and line.wrong:
            yield f"line {number}: {line.wrong}"


@define(eq=False)
class Batching:
    """Begins the batches of one service."""

    _service: Service

    def begin(self, account: Account, lines: Sequence[Asked], *, webhook_url: str) -> Batch:
        """Begin a batch, and keep it."""
        now, options = trio.current_time(), self._service.options
        jobs_at = now + _JOBS_AFTER / options.speed
        free = [jobs_at] * min(options.batch_at_a_time, len(lines))
        heapify(free)
        made = []
        for line in lines:
            generation = self._begun(account, line, at=free[0])
            heapreplace(free, generation.ends)
            made.append(Line(request_id=line.request_id, generation=generation))
        batch = Batch(
            id=self._service.new_id(),
            created=self._service.wall(),
            jobs_at=jobs_at,
            lines=tuple(made),
            webhook_url=webhook_url,
        )
        account.add_batch(batch, now=now)
        account.books.batches += 1
        account.books.batch_generations += len(lines)
        return batch

    def _begun(self, account: Account, line: Asked, *, at: float) -> Generation:
        generation = self._service.studio.begin_in_batch(account, line.wanted, at=at)
        if line.wrong:
            generation.end = End(status="FAILED", error=line.wrong, code="generation_input_validation_failed")
        return generation


def page_of(service: Service, batch: Batch) -> Mapping[str, Any]:
    """Return what clients are told of a batch now."""
    return batch.page(trio.current_time(), output_url=service.batch_url(batch))
