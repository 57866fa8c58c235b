"""What all links and pages of one simulated provider share; it does nothing itself."""

from __future__ import annotations

import random

from attrs import Factory, define

from simulations.waves.accounts import Accounts
from simulations.waves.faults.faults import Faults
from simulations.waves.http.clones import Clones
from simulations.waves.options import WavesOptions
from simulations.waves.synthesis import Synthesizer


@define(eq=False, kw_only=True)
class Provider:
    """One provider: `ids` draws the names of sessions and requests."""

    options: WavesOptions
    accounts: Accounts
    synthesizer: Synthesizer
    faults: Faults
    ids: random.Random
    clones: Clones = Factory(Clones)
    """The voices that clients made."""
