"""How hypothesis runs here: without a deadline for one example, for the machine may be busy with other tests; with as
many examples as a whole run has time for. `pytest --hypothesis-profile=long` tries twenty times as many."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("talkingstick", deadline=None, max_examples=50)
settings.register_profile("long", deadline=None, max_examples=1000)
settings.load_profile("talkingstick")
