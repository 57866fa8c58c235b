"""Lays a capacity table out as text: a line for each speed and talk share, columns for each number of slots."""

from __future__ import annotations

from collections.abc import Sequence

from simulations.capacity.cells import COMPARED, RULE_OF_THUMB, Cell, Found, Speed, Table

UNCLEAR = "~"
"""Before a number of calls whose runs took all their time: it is what the figures say, but one more or less may fit."""


def told(table: Table) -> str:
    """Return the table with what it means above it."""
    lines = [f"Calls that fit: {table.terms.level}.", *_notes(table), "", *_aligned([*_heads(table), *_rows(table)])]
    return "\n".join(lines)


def slot_counts(table: Table) -> list[int]:
    """Return the numbers of slots that the table has, in its order."""
    return list(dict.fromkeys(cell.slots for cell in table.found))


def places(table: Table) -> list[Cell]:
    """Return one cell for each speed and talk share of the table, in its order."""
    found: dict[tuple[Speed, float], Cell] = {}
    for cell in table.found:
        found.setdefault((cell.speed, cell.talk_share), cell)
    return list(found.values())


def calls_told(found: Found) -> str:
    """Return the number of calls, marked where it is not clear."""
    return f"{'' if found.clear else UNCLEAR}{found.calls}"


def _notes(table: Table) -> list[str]:
    notes = [
        f"{table.policy} is who gets the slot{' (ours)' if table.policy == 'deadline' else ''}; beside it {COMPARED}"
        " (no coordination, whole sentences: even a lone call waits until its first sentence is complete), and the"
        f" published rule of thumb, {RULE_OF_THUMB} calls a slot."
    ]
    if not all(found.clear for found in [*table.found.values(), *table.compared.values()]):
        notes.append(f"{UNCLEAR}: close to the limit; one call more or less may fit.")
    return notes


def _heads(table: Table) -> list[list[str]]:
    slots = slot_counts(table)
    names = ["speed", "talk share", *(table.policy, COMPARED, "rule") * len(slots)]
    return [["", "", *(head for count in slots for head in (f"{count} slot{'s' * (count > 1)}", "", ""))], names]


def _rows(table: Table) -> list[list[str]]:
    return [[str(place.speed), f"{place.talk_share:g}", *numbers(table, place)] for place in places(table)]


def numbers(table: Table, place: Cell) -> list[str]:
    """Return what a line of the table holds: for each number of slots ours, the compared policy's, and the rule's."""
    line: list[str] = []
    for slots in slot_counts(table):
        cell = Cell(speed=place.speed, talk_share=place.talk_share, slots=slots)
        line += [calls_told(table.found[cell]), calls_told(table.compared[cell]), str(RULE_OF_THUMB * slots)]
    return line


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
