"""What all tests of the commands share: a service that is fast is asked soon."""

from __future__ import annotations

import pytest

from orchestrator.lipsync import polling


@pytest.fixture(autouse=True)
def _asks_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service here is hundreds of times as fast as the real one: so soon it is asked about its videos."""
    monkeypatch.setattr(polling, "_FIRST", 0.2)
