"""Tells how much memory a process has resident, now or at most; what may be much is decided elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

MEGABYTE = 2**20
_STATUS = Path("/proc/self/status")


def resident_megabytes() -> float:
    """Return what is resident now; where nothing tells, the most that ever was."""
    return _told("VmRSS:") if _STATUS.exists() else _peak_of_usage()


def resident_megabytes_of(process: int) -> float:
    """Return what another process has resident now; 0 where the system has no /proc to tell."""
    status = Path(f"/proc/{process}/status")
    return _told("VmRSS:", status) if status.exists() else 0.0


def peak_megabytes() -> float:
    """Return the most that this process ever had resident."""
    # Linux hands the peak in `getrusage` down from the parent process
    return _told("VmHWM:") if _STATUS.exists() else _peak_of_usage()


def _told(name: str, status: Path = _STATUS) -> float:
    (line,) = (line for line in status.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024 / MEGABYTE


def _peak_of_usage() -> float:
    import resource  # where there is one: Windows has none

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / MEGABYTE
