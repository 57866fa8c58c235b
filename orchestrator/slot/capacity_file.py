"""Reads the capacity table that ships beside this file; what it says for a provider is capacity.py's."""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.errors import SettingsError
from orchestrator.slot.capacity import CapacityTable

SHIPPED = Path(__file__).with_name("capacity.json")


def load_capacity(path: Path = SHIPPED) -> CapacityTable:
    """Return the table in a file that `talkingstick capacity --json` was written to, by default the one that ships.

    Raises SettingsError, with what would help, where there is none or it is none.
    """
    remedy = f"make one with: talkingstick capacity --json > {path.name}"
    try:
        return CapacityTable.of_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"{path}: the capacity table can't be read ({error.strerror}); {remedy}") from None
    except (ValueError, AttributeError) as error:  # AttributeError: JSON, but no object
        raise SettingsError(f"{path}: is no capacity table ({error}); {remedy}") from None
