"""Which simulated carriers there are, by the names that `--as` takes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from simulations.carriers.asterisk import FakeAsterisk
from simulations.carriers.audiosocket import FakeAudioSocket
from simulations.carriers.carrier import Call, Carrier, MakesPlayback
from simulations.carriers.exotel import FakeExotel
from simulations.carriers.generic import FakeGeneric
from simulations.carriers.jambonz import FakeJambonz
from simulations.carriers.playback import Playback
from simulations.carriers.plivo import FakePlivo
from simulations.carriers.telnyx import FakeTelnyx
from simulations.carriers.twilio import FakeTwilio
from simulations.carriers.vonage import FakeVonage

CARRIERS: Mapping[str, type[Carrier]] = {
    kind.name: kind
    for kind in (
        FakeTwilio,
        FakeTelnyx,
        FakePlivo,
        FakeVonage,
        FakeExotel,
        FakeJambonz,
        FakeAsterisk,
        FakeAudioSocket,
        FakeGeneric,
    )
}


def make_carrier(
    name: str,
    call: Call,
    *,
    rate: int | None = None,
    format: Literal["json", "plain"] = "json",
    playback: MakesPlayback = Playback,
) -> Carrier:
    """Return the carrier's side of a call; `format` is how Asterisk's chan_websocket writes. KeyError: no such one."""
    kind = partial(FakeAsterisk, format=format) if name == FakeAsterisk.name else CARRIERS[name]
    return kind(call, rate=rate, playback=playback)
