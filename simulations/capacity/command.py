"""`talkingstick capacity`: finds how many calls fit, cell by cell on all cores, and reports.

One cell is finding.py's, what is kept for a later time kept.py's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from orchestrator.commands_capacity import CapacityOptions
from orchestrator.errors import SettingsError
from simulations.capacity.cells import COMPARED, SLOTS, TALK_SHARES, Cell, CellJob, Found, Speed, Table, Terms
from simulations.capacity.finding import Assignment, find, say
from simulations.capacity.kept import Kept, program
from simulations.capacity.level import Level
from simulations.capacity.page import page_of
from simulations.capacity.text import told
from simulations.many import JobFailed, run_all
from simulations.reports.charts import ChartsUnavailable, embed
from simulations.waves.options import PROFILES
from simulations.workload import Traits, at_talk_share

_CACHE = Path("talkingstick-capacity.jsonl")


def run(*, options: CapacityOptions) -> int:
    """Make the table; return 1 if a cell could not be done. After Ctrl-C the cells that are done are kept.

    Raises SettingsError, OSError and KeyboardInterrupt.
    """
    cells = cells_for(options)
    terms = Terms(
        level=Level(wait=options.p95_wait, gaps=options.gaps),
        hours=options.hours,
        seed=options.seed,
        lifelike=options.lifelike,
    )
    jobs = [CellJob(cell=cell, policy=policy, terms=terms) for policy in (options.policy, COMPARED) for cell in cells]
    _check_page(options.out)
    found = _find_all(list(dict.fromkeys(jobs)), cache=_cache(options))
    if found is None:
        return 1
    ours, compared = (
        {job.cell: found[job] for job in jobs if job.policy == policy} for policy in (options.policy, COMPARED)
    )
    table = Table(terms=terms, policy=options.policy, found=ours, compared=compared)
    print(as_json(table) if options.json else told(table))
    if options.out is not None:
        options.out.write_text(page_of(table), encoding="utf-8")
        say(f"the page is {options.out}")
    return 0


# --- what is asked for ---


def cells_for(options: CapacityOptions) -> list[Cell]:
    """Return the cells that the options ask for. Raises SettingsError."""
    shares = dict.fromkeys(options.talk_share or TALK_SHARES)
    for share in shares:
        try:
            at_talk_share(Traits(), share)
        except ValueError as error:
            reason = str(error).rpartition(": ")[2]  # the rest is what the option says itself
            raise SettingsError(f"--talk-share {share:g}: {reason}") from None
    slots = dict.fromkeys(options.slots or SLOTS)
    return [
        Cell(speed=speed, talk_share=share, slots=count)
        for speed, share, count in product(_speeds(options), shares, slots)
    ]


def _speeds(options: CapacityOptions) -> list[Speed]:
    profiles = list(dict.fromkeys(options.profile))
    if options.ttfb is None and options.rtf is None:
        return [Speed.of_profile(name) for name in profiles or PROFILES]
    if len(profiles) > 1:
        raise SettingsError("--profile: expected one at most beside --ttfb or --rtf")
    given, missing = ("ttfb", "rtf") if options.rtf is None else ("rtf", "ttfb")
    if None in (options.ttfb, options.rtf) and not profiles:
        raise SettingsError(f"--{given}: expected --{missing} as well, or one --profile to take it from")
    ttfb, rtf = PROFILES[profiles[0]] if profiles else (0.0, 0.0)
    ttfb = ttfb if options.ttfb is None else options.ttfb
    rtf = rtf if options.rtf is None else options.rtf
    known = {speed: name for name, speed in PROFILES.items()}
    return [Speed(ttfb=ttfb, rtf=rtf, profile=known.get((ttfb, rtf)))]


def _check_page(out: Path | None) -> None:
    """Find out now, and not after all the work, if a page can be made. Raises SettingsError and OSError."""
    if out is None:
        return
    try:
        embed({})
    except ChartsUnavailable:
        extra = "pip install 'talkingstick[demo]'"
        raise SettingsError(f"--out {out}: its curves need plotly, which comes with the extra demo: {extra}") from None
    out.touch()


def _cache(options: CapacityOptions) -> Path:
    if options.cache is not None:
        return options.cache
    return _CACHE if options.out is None else options.out.with_suffix(".cells.jsonl")


# --- doing it ---


def _find_all(jobs: Sequence[CellJob], *, cache: Path) -> dict[CellJob, Found] | None:
    """Return what is found for each job, or was kept; None where one failed. Raises SettingsError and OSError."""
    kept, name = Kept(cache), program()
    found = {job: old for job in jobs if (old := kept.get(job.key(name))) is not None}
    cache.open("ab").close()  # find out now, and not when the first number is found, if it can be written
    say(f"{len(jobs)} numbers to find, {len(found)} of them are in {cache}")
    # The longest first, so that no core is left with one of them at the end.
    todo = sorted((job for job in jobs if job not in found), key=lambda job: job.guess, reverse=True)
    done = iter(range(len(found) + 1, len(jobs) + 1))

    def progress(_index: int, part: float) -> None:
        if part >= 1:
            say(f"{next(done)} of {len(jobs)} numbers are found")

    try:
        results = run_all([Assignment(job=job, cache=cache, program=name) for job in todo], find, progress=progress)
    except JobFailed as failure:
        say(f"talkingstick: {todo[failure.index]}: {failure.told}")
        return None
    except KeyboardInterrupt:
        say(f"talkingstick: stopped; what was found is in {cache}, and the same command goes on from there")
        raise
    return found | dict(zip(todo, results, strict=True))


def as_json(table: Table) -> str:
    """Return the table as one JSON object, a cell a line: it is shipped as data, and differences are to be read."""
    return "".join(_lines(table.to_json()))


def _lines(content: Mapping[str, object]) -> Iterator[str]:
    head = {key: value for key, value in content.items() if key != "cells"}
    cells = content["cells"]
    assert isinstance(cells, list)
    yield json.dumps(head)[:-1] + ', "cells": [\n'
    yield ",\n".join(json.dumps(cell) for cell in cells)
    yield "\n]}"
