"""Says in lines what was ordered to go wrong, for a service that starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from simulations.waves.faults.fault import Fault


def fault_lines(faults: Sequence[Fault]) -> Iterator[str]:
    """Yield a line for each fault, with the figures that are not as usual."""
    for fault in faults:
        figures = attrs.asdict(fault, filter=lambda field, value: field.name != "name" and value != field.default)
        if fault.every is not None and not fault.count:
            del figures["count"]  # no strike but those of `every`: it would read like never
        yield f"fault {fault.name}" + "".join(f" {name}={_shown(value)}" for name, value in figures.items())


def _shown(value: float | bool | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:g}"
