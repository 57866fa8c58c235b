"""Says which voices an account may speak with, over every kind of link; pools and clones are kept elsewhere."""

from __future__ import annotations

from simulations.waves.accounts import Account
from simulations.waves.asks import Knows, any_voice
from simulations.waves.http.voice_pool import VOICE_NAMES
from simulations.waves.provider import Provider


def known_voices(provider: Provider, account: Account) -> Knows:
    """Return who says whether there is a voice of a name: any will do by option, else the pools' and its own clones."""
    if provider.options.unknown_voices:
        return any_voice
    return lambda name: name in VOICE_NAMES or provider.clones.has(account, name)
