"""What a capacity table is made of: its cells, what was found for each, and the JSON of both. Values only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs
from attrs import Factory, frozen

from simulations.capacity.level import Level
from simulations.reports.latencies import GAP_SECONDS
from simulations.scenario import PolicyName
from simulations.waves.options import PROFILES

SCHEMA = 1
TALK_SHARES = (0.3, 0.45, 0.57)
SLOTS = (1, 2)
RULE_OF_THUMB = 4
"""Calls for each slot, at any speed: what the vendor advises."""
COMPARED: PolicyName = "retry"
"""The policy whose calls are told beside ours."""

_PIECE = 3.0
"""Seconds of sound of a request, roughly: ours makes two or three of a reply of six seconds."""


@frozen(kw_only=True)
class Speed:
    """How fast a provider is; `profile` is None where no profile is so fast."""

    ttfb: float
    rtf: float
    profile: str | None = None

    @classmethod
    def of_profile(cls, name: str) -> Speed:
        """Return the speed of a profile. Raises KeyError for an unknown one."""
        ttfb, rtf = PROFILES[name]
        return cls(ttfb=ttfb, rtf=rtf, profile=name)

    def __str__(self) -> str:
        return self.profile or f"{self.ttfb:g}/{self.rtf:g}"


@frozen(kw_only=True)
class Cell:
    """One place of the table."""

    speed: Speed
    talk_share: float
    slots: int

    def __str__(self) -> str:
        return f"{self.speed}, talk share {self.talk_share:g}, {self.slots} slot{'s' * (self.slots > 1)}"


@frozen(kw_only=True)
class Terms:
    """What holds for all cells of a table."""

    level: Level = Factory(Level)
    hours: float = 2.0
    """Virtual time of a run that stays unclear, at most; with more than ten calls less, in proportion."""
    seed: int = 1
    lifelike: bool = False


@frozen(kw_only=True)
class CellJob:
    """One number to find: how many calls fit into `cell` under `policy`."""

    cell: Cell
    policy: PolicyName
    terms: Terms

    def key(self, program: str) -> dict[str, Any]:
        """Return all that the number depends on, as JSON; `program` names the sources of what is run."""
        key: dict[str, Any] = attrs.asdict(self)
        return key | {"program": program}

    @property
    def guess(self) -> int:
        """About how many calls will fit. Without coordination two already get into each other's way."""
        if self.policy == COMPARED:
            return self.cell.slots
        share, work = self.cell.talk_share, self.cell.speed.rtf + self.cell.speed.ttfb / _PIECE
        idle = min(0.7, 0.44 - 0.5 * share + work) / math.sqrt(self.cell.slots)  # of each slot, off a first table
        return max(1, round((1 - idle) * self.cell.slots / (share * work))) if work > 0 else 1

    def __str__(self) -> str:
        return f"{self.cell}, {self.policy}"


@frozen(kw_only=True)
class CapacityRun:
    """One verdict: so many calls are `inside` the level or not. Lengths in seconds, without the warm-up.

    `clear` says that the sequential test decided; else time was up, and the figures themselves did.
    """

    calls: int
    inside: bool
    clear: bool
    seconds: float
    turns: int
    wait_p95_s: float | None
    gaps_per_100_turns: float | None

    def __str__(self) -> str:
        wait = "no waits" if self.wait_p95_s is None else f"p95 wait {self.wait_p95_s:.2f} s"
        gaps = "" if self.gaps_per_100_turns is None else f", {self.gaps_per_100_turns:.1f} gaps in 100 turns"
        place = "inside" if self.inside else "outside"
        doubt = "" if self.clear else " (not clear)"
        calls = "1 call is" if self.calls == 1 else f"{self.calls} calls are"
        return f"{calls} {place}{doubt} after {self.seconds / 60:.0f} minutes: {wait}{gaps}"


@frozen(kw_only=True)
class Found:
    """How many calls fit, and the runs that say so, in order."""

    calls: int
    runs: tuple[CapacityRun, ...]

    @property
    def clear(self) -> bool:
        """Whether both the number and the next were clear verdicts."""
        beside = [run for run in self.runs if run.calls in (self.calls, self.calls + 1)]
        return all(run.clear for run in beside)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"calls": self.calls, "runs": [attrs.asdict(run) for run in self.runs]}

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> Found:
        """Read what `to_json` returned. Raises KeyError and TypeError where it is something else."""
        return cls(calls=found["calls"], runs=tuple(CapacityRun(**run) for run in found["runs"]))


@frozen(kw_only=True)
class Table:
    """A whole table: the cells with what was found under `policy`, and with COMPARED beside it."""

    terms: Terms
    policy: PolicyName
    found: Mapping[Cell, Found]
    compared: Mapping[Cell, Found]

    def to_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints, and that ships beside slot/."""
        level = {
            "wait_p95_s": self.terms.level.wait,
            "gaps_per_100_turns": self.terms.level.gaps,
            "gap_s": GAP_SECONDS,
        }
        return {
            "schema": SCHEMA,
            "level": level,
            "policy": self.policy,
            "hours": self.terms.hours,
            "seed": self.terms.seed,
            "lifelike": self.terms.lifelike,
            "rule_of_thumb_per_slot": RULE_OF_THUMB,
            "cells": [self._cell(cell) for cell in self.found],
        }

    def _cell(self, cell: Cell) -> dict[str, Any]:
        speed = {"profile": cell.speed.profile, "ttfb": cell.speed.ttfb, "rtf": cell.speed.rtf}
        place = {**speed, "talk_share": cell.talk_share, "slots": cell.slots}
        return {
            **place,
            **self.found[cell].to_json(),
            "rule_of_thumb": RULE_OF_THUMB * cell.slots,
            COMPARED: self.compared[cell].to_json(),
        }
