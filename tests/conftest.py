"""How hypothesis runs here: without a deadline for one example, for the machine may be busy with other tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("talkingstick", deadline=None)
settings.load_profile("talkingstick")
