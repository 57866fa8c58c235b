"""Where the program starts: Ctrl-C is clean from the first import on."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

import orchestrator


def test_the_package_imports_nothing_before_it_is_asked() -> None:
    """It is imported before anybody can catch a Ctrl-C: a quarter of a second's imports would show its traceback."""
    code = "import sys; before = set(sys.modules); import orchestrator; print(*sorted(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(found.stdout.split()) <= {"__future__", "orchestrator"}


def test_every_public_name_is_there() -> None:
    """And no other, neither to be had nor shown."""
    assert dir(orchestrator) == sorted(orchestrator.__all__)
    for name in orchestrator.__all__:
        assert getattr(orchestrator, name).__name__ == name
    with pytest.raises(AttributeError, match="'Nobody'"):
        getattr(orchestrator, "Nobody")  # noqa: B009 (a type checker knows that there is none)


@pytest.mark.realtime
@pytest.mark.parametrize("module", ["attrs", "orchestrator.commands"])
def test_ctrl_c_while_modules_are_imported_says_nothing(module: str) -> None:
    """Status 130, whatever was imported just then."""
    told = [sys.executable, "-X", "importtime", "-m", "orchestrator", "--help"]
    with subprocess.Popen(told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.rpartition("|")[2].strip() == module:
                break
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=10)
    assert process.returncode == 130
    assert all(line.startswith("import time:") for line in rest.splitlines())
