"""Capacity tables and cells for tests, without a simulation behind them."""

from __future__ import annotations

from simulations.capacity.cells import CapacityRun, Cell, CellJob, Found, Speed, Table, Terms


def cell(profile: str = "fast", *, talk_share: float = 0.57, slots: int = 1) -> Cell:
    """One place of a table."""
    return Cell(speed=Speed.of_profile(profile), talk_share=talk_share, slots=slots)


def job(profile: str = "fast", *, terms: Terms | None = None, **place: float) -> CellJob:
    """One number to find."""
    return CellJob(cell=cell(profile, **place), policy="deadline", terms=terms or Terms())  # type: ignore[arg-type]


def run(calls: int, *, limit: int, clear: bool = True) -> CapacityRun:
    """What a run of so many calls says where `limit` fit: more of them wait longer."""
    return CapacityRun(
        calls=calls,
        inside=calls <= limit,
        clear=clear,
        seconds=1200.0,
        turns=300 * calls,
        wait_p95_s=0.5 * (calls / (limit + 0.5)) ** 2,
        gaps_per_100_turns=calls / (limit + 0.5),
    )


def found(calls: int, *, clear: bool = True) -> Found:
    """A number, and the two runs that show it."""
    return Found(calls=calls, runs=tuple(run(tried, limit=calls, clear=clear) for tried in (calls + 1, calls)))


def table(*, shares: tuple[float, ...] = (0.3, 0.57), slots: tuple[int, ...] = (1, 2)) -> Table:
    """A table of the three profiles in which calls fall with the work; without coordination one fits a slot."""
    cells = [
        cell(profile, talk_share=share, slots=count)
        for profile in ("fast", "mid", "slow")
        for share in shares
        for count in slots
    ]
    ours = {
        each: found(int(0.8 * each.slots / (each.talk_share * (each.speed.rtf + each.speed.ttfb / 3))))
        for each in cells
    }
    compared = {each: found(each.slots) for each in cells}
    return Table(terms=Terms(), policy="deadline", found=ours, compared=compared)
