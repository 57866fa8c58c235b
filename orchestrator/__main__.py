"""Where the program starts, `talkingstick` or `python -m orchestrator`: Ctrl-C is clean from here on."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; importing it takes a moment in which Ctrl-C may come, too."""
    try:
        from orchestrator.cli import main as run_command_line

        return run_command_line()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
