"""Many jobs at once: results in order, the first failure or Ctrl-C ends everything, mean and sd of any shape."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.many import JobFailed, Tell, mean_and_sd, run_all


def square(job: int, tell: Tell) -> int:
    """A job that says when it is half done."""
    tell(0.5)
    return job * job


def slow_when_low(job: int, tell: Tell) -> tuple[int, int]:
    """The earlier a job, the later it is done."""
    signal.sigtimedwait([], 0.2 - job / 40)
    return job, os.getpid()


def fail_at_two(job: int, tell: Tell) -> int:
    """One bad job among many that would never end."""
    if job == 2:
        raise ValueError("two is too much")
    signal.pause()
    return job


def die(job: int, tell: Tell) -> int:
    """What the kernel does to a process that takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return job


def unpicklable(job: int, tell: Tell) -> Any:
    """A result that cannot cross to another process."""
    return lambda: job


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_jobs(processes: int) -> None:
    """Here or in other processes; and every job says that it is half done, then done."""
    told: list[tuple[int, float]] = []
    found = run_all([3, 1, 2], square, progress=lambda index, part: told.append((index, part)), processes=processes)
    assert found == [9, 1, 4]
    for index in range(3):
        assert [part for job, part in told if job == index] == [0.5, 1.0]


def test_jobs_share_the_processes_and_the_order_holds() -> None:
    """Six jobs over two processes, neither of them this one; the first job ends after the second."""
    found = run_all(range(6), slow_when_low, processes=2)
    assert [job for job, _ in found] == list(range(6))
    assert len({process for _, process in found} - {os.getpid()}) == 2


def test_no_jobs_are_no_trouble() -> None:
    """As a table without rows asks for."""
    assert run_all([], square) == []


def test_the_first_failure_ends_the_others_at_once_and_is_told_with_its_traceback() -> None:
    """Although another job would go on for ever."""
    with pytest.raises(JobFailed, match="two is too much") as caught:
        run_all([1, 2], fail_at_two, processes=2)
    assert caught.value.index == 1
    assert "in fail_at_two" in caught.value.told
    assert not children()


def test_a_failure_right_here_is_told_like_one_elsewhere() -> None:
    """The job's place and the traceback."""
    with pytest.raises(JobFailed, match="two is too much") as caught:
        run_all([2], fail_at_two)
    assert caught.value.index == 0
    assert "in fail_at_two" in caught.value.told


def test_a_process_that_dies_is_a_failure_and_no_endless_wait() -> None:
    """Its pipe ends."""
    with pytest.raises(JobFailed, match="its process ended before it was done"):
        run_all([1, 2], die, processes=2)
    assert not children()


def test_a_result_that_cannot_cross_over_is_a_failure() -> None:
    """And is told as such."""
    with pytest.raises(JobFailed, match="pickle"):
        run_all([1, 2], unpicklable, processes=2)


def children() -> list[str]:
    """Return the command lines of this process's children that work at jobs."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    numbers = [number for task in tasks.iterdir() for number in (task / "children").read_text().split()]
    lines = [Path(f"/proc/{number}/cmdline").read_bytes().decode() for number in numbers]
    return [line for line in lines if "spawn_main" in line]


def nobody_left(group: int) -> bool:
    """Wait until no process of the group runs; Python's own resource tracker takes a moment to see the end."""
    for _ in range(50):
        if not any(runs_in(group, stat) for stat in Path("/proc").glob("[0-9]*/stat")):
            return True
        time.sleep(0.1)
    return False


def runs_in(group: int, stat: Path) -> bool:
    """Whether this is a process of the group, and no zombie that somebody else is to reap."""
    try:
        state, _parent, its_group, *_ = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it ended while it was looked at
        return False
    return int(its_group) == group and state != "Z"


@pytest.mark.realtime
def test_ctrl_c_ends_every_process_within_a_second_and_says_nothing() -> None:
    """A terminal sends the interrupt to all of them; also while they start."""
    code = (
        "from tests.simulations.test_many import fail_at_two\nfrom simulations.many import run_all\n"
        "if __name__ == '__main__':\n    print('up', flush=True)\n"
        "    try:\n        run_all([1, 3, 4], fail_at_two, processes=2)\n"
        "    except KeyboardInterrupt:\n        exit(130)\n"
    )
    for patience in (0.1, 1.0):
        command = [sys.executable, "-c", code]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == b"up\n"
            time.sleep(patience)
            began = time.monotonic()
            os.killpg(process.pid, signal.SIGINT)
            _, err = process.communicate(timeout=10)
            assert (process.returncode, err) == (130, b"")
            assert time.monotonic() - began < 5.0  # 0.1 s on an idle machine
        assert nobody_left(process.pid)


# --- mean and sd ---


def test_figures_are_taken_key_by_key_and_place_by_place() -> None:
    """Whole numbers and others alike; the sd is the sample's."""
    runs = [
        {"turns": 2, "wait": {"p95": 0.1}, "seconds": [1, 2]},
        {"turns": 4, "wait": {"p95": 0.3}, "seconds": [3, 2]},
    ]
    mean, sd = mean_and_sd(runs)
    assert mean == {"turns": 3.0, "wait": {"p95": 0.2}, "seconds": [2.0, 2.0]}
    assert sd == {"turns": 1.414214, "wait": {"p95": 0.141421}, "seconds": [1.414214, 0.0]}


def test_what_is_no_number_in_every_run_is_none() -> None:
    """Text, null in one of them, truth, a key that one lacks, lists of different length."""
    one = {"policy": "fifo", "p95": None, "wire": True, "groups": {"chat": 1}, "seconds": [1, 2]}
    two = {"policy": "fifo", "p95": 0.2, "wire": True, "seconds": [1]}
    assert mean_and_sd([one, two])[0] == {"policy": None, "p95": None, "wire": None, "groups": None, "seconds": None}


def test_a_single_run_has_a_mean_and_no_sd() -> None:
    """One value says nothing of its spread."""
    assert mean_and_sd([{"turns": 2}]) == ({"turns": 2.0}, {"turns": None})


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_mean_and_sd_are_those_of_the_textbook(values: Sequence[float]) -> None:
    """For any numbers, rounded to the millionth."""
    mean, sd = mean_and_sd([{"deep": {"x": value}} for value in values])
    assert mean["deep"]["x"] == pytest.approx(sum(values) / len(values), abs=2e-6)
    assert sd["deep"]["x"] == pytest.approx(statistics.stdev(values), abs=2e-6)
