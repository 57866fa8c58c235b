"""Kills a program in the middle of its work; what it leaves behind is for the tests that ask for it."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap


def kill_when_ready(program: str) -> None:
    """Run a program (indented or not) until it says ready; then it is killed with -9."""
    waits = textwrap.dedent(program) + '\nprint("ready", flush=True)\ninput()\n'
    with subprocess.Popen([sys.executable, "-c", waits], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
