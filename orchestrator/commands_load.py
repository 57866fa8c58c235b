"""What `talkingstick load` takes: options with units, ranges and defaults; cli.py reads them from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
from cyclopts import Parameter, Token
from cyclopts.validators import Number

from orchestrator.commands import Assignments, Flag, Seed, number, whole
from orchestrator.settings.serve import Carrier

Url = Annotated[str, Parameter(name="--url")]
LoadCalls = Annotated[int, Parameter(converter=whole, validator=Number(gte=1, lte=5000))]
LoadSeconds = Annotated[float, Parameter(converter=number, validator=Number(gt=0, lte=86_400))]
Within = Annotated[float, Parameter(converter=number, validator=Number(gt=0, lte=120))]
LineRate = Annotated[int | None, Parameter(converter=whole, validator=Number(gte=8000, lte=48_000))]


def per_second(_type: Any, tokens: Sequence[Token]) -> float:
    """Parse calls a second, with or without "/s" behind them."""
    token = tokens[0]
    return number(_type, [attrs.evolve(token, value=token.value.removesuffix("/s"))])


Ramp = Annotated[float, Parameter(converter=per_second, validator=Number(gt=0, lte=1000))]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class LoadOptions:
    """Options of `talkingstick load`."""

    url: Url
    """The server: ws://HOST:PORT/PATH, wss://..., or audiosocket://HOST:PORT; or http(s)://HOST:PORT/PATH of its
    webhook, which each call asks first, as the carrier does, to dial the stream that its markup names."""
    carrier: Annotated[Carrier, Parameter(name="--as")]
    """Which phone company to be; asterisk is its chan_websocket."""
    calls: LoadCalls = 50
    """How many calls at a time, up to 5000; one core carries about 200."""
    ramp: Ramp = 1.0
    """How many calls begin in a second until all are up, such as 1/s."""
    seconds: LoadSeconds = 60.0
    """How long it goes on when all calls have begun, in seconds."""
    scenario: Path | None = None
    """What callers do: a TOML file of turns. Each [[turns]] is one of say = SECONDS, text = "...", wav = "FILE",
    press = "KEYS", pause = SECONDS, listen = true, hang_up = true; with say, text and wav interrupt_after = SECONDS of
    the bot's speech; wait = false goes on without hearing the answer out. Beside them: voice, answer_within, quiet,
    longest, thinking, repeat. The one without this option shows all: simulations/load/scenarios/conversation.toml."""
    echo: Flag = False
    """Speak no turns, but measure the way there and back at a server that echoes what it hears."""
    rate: LineRate = None
    """Samples a second of the line, where the carrier has a choice: vonage 16000 by default, all others 8000."""
    format: Literal["json", "plain"] = "json"
    """How Asterisk's chan_websocket writes its control messages."""
    secret_env: Annotated[str | None, Parameter(show_default=False)] = None
    """The environment variable with what the server knows us by: as twilio the auth token, which signs the upgrade; as
    telnyx the streaming token; else a bearer token. A webhook is asked signed: as telnyx by an Ed25519 key (32 bytes in
    base64), as twilio, plivo and vonage by their secret."""
    signed_url: Annotated[str | None, Parameter(show_default=False)] = None
    """The address that the signature covers, where the server is known by another one than --url; streams that a
    webhook's markup brings to its host are dialled at that of --url."""
    parameter: Assignments = ()
    """KEY=VALUE that the carrier hands over as a custom parameter. May be repeated."""
    header: Assignments = ()
    """NAME=VALUE, a header of the upgrade. May be repeated."""
    insecure: Flag = False
    """Take any certificate of the server's, for tests. Without it, SSL_CERT_FILE=FILE in the environment names a
    self-signed one to trust."""
    connect_within: Within = 10.0
    """Seconds in which a connection must come about."""
    seed: Seed = 1
    """What ids, voices and words are drawn from."""
    json: Flag = False
    """Print the report as one JSON object."""
