"""Every fault by its name: what it does, which figures it takes beside its times, what it strikes; values only.

Words: a request is one text to speak, a connection one TCP connection (or memory stream) of any client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import Factory, frozen

Strikes = Literal["request", "opening", "connections", "account"]
"""The next request (or its answer); the opening of the next socket or page; all connections at once; who may do what
on the account."""

TIMES = ("at", "count", "every")
"""The figures that every fault takes."""
BY_ITSELF = 60.0
"""Mean seconds between two strikes of a fault that options or a script name without saying when."""
HELP = f"""NAME or NAME:KEY=VALUE,... such as stall:seconds=3,every=300. When it strikes: `at` (seconds from the start),
`count` (how often then; of requests the next ones), `every` (again and again, a Poisson process with this mean in
seconds; alone, it strikes only so). With none of them it strikes at once and then about every {BY_ITSELF:g} s; ordered
by POST /faults just once. Other keys are the fault's own."""

WEBSOCKET, EVENTS, PLAIN = "WebSocket", "server-sent events", "plain HTTP"


@frozen(kw_only=True)
class Entry:
    """One fault: `does` in a line, `figures` that it takes with their defaults, and which links it can strike."""

    does: str
    strikes: Strikes
    figures: Mapping[str, float | bool | str | None] = Factory(dict)
    links: tuple[str, ...] = (WEBSOCKET,)
    """Of what strikes requests: over which kinds of link it is possible."""


_AFTER = {"after": 0.5}
_ALL = (WEBSOCKET, EVENTS, PLAIN)
_FRAMED = (WEBSOCKET, EVENTS)

CATALOGUE: Mapping[str, Entry] = {
    "refuse": Entry(does="the request is refused for concurrency", strikes="account"),
    "other_user": Entry(
        does="another user of the first account holds a slot for `seconds` (or `hold`), as soon as one is free; with "
        "`share` again and again, for that part of the time; with `random=true` each hold has a length of its own, "
        "exponentially distributed, with `seconds` as the mean",
        strikes="account",
        figures={"seconds": 2.0, "share": None, "random": False},
    ),
    "close_before": Entry(does="the connection is cut before the sound", strikes="request", links=_ALL),
    "close_during": Entry(
        does="the connection is cut after `after` seconds of sound", strikes="request", figures=_AFTER, links=_ALL
    ),
    "close_after": Entry(
        does="the connection is cut after the sound, before `complete`", strikes="request", links=_ALL
    ),
    "half_close": Entry(
        does="nothing more is sent after `after` seconds of sound but the end of the stream; reading goes on",
        strikes="request",
        figures=_AFTER,
    ),
    "stall": Entry(
        does="nothing is sent for `seconds` after `after` seconds of sound",
        strikes="request",
        figures={"seconds": 3.0, **_AFTER},
        links=_ALL,
    ),
    "no_audio": Entry(
        does="the request is accepted and nothing is sent; it holds its slot until the client leaves",
        strikes="request",
        links=_ALL,
    ),
    "empty": Entry(does="`complete` comes without any sound", strikes="request", links=_ALL),
    "complete_late": Entry(
        does="`complete` comes `seconds` late", strikes="request", figures={"seconds": 3.0}, links=_ALL
    ),
    "complete_twice": Entry(does="`complete` comes twice", strikes="request", links=_FRAMED),
    "complete_never": Entry(does="`complete` does not come", strikes="request", links=_ALL),
    "error": Entry(
        does="an error frame with `message` comes after `after` seconds of sound, and nothing more",
        strikes="request",
        figures=_AFTER,
        links=_FRAMED,
    ),
    "error_nested": Entry(
        does="the same with `error.message`: the other published shape",
        strikes="request",
        figures=_AFTER,
        links=_FRAMED,
    ),
    "garbage": Entry(
        does="random bytes that are no frame are put on the wire after `after` seconds of sound",
        strikes="request",
        figures=_AFTER,
        links=_ALL,
    ),
    "binary": Entry(
        does="a binary message of random bytes comes after `after` seconds of sound", strikes="request", figures=_AFTER
    ),
    "not_json": Entry(
        does="a message that is no JSON comes after `after` seconds of sound",
        strikes="request",
        figures=_AFTER,
        links=_FRAMED,
    ),
    "oversized": Entry(
        does="a message of `megabytes` comes after `after` seconds of sound",
        strikes="request",
        figures={"megabytes": 10.0, **_AFTER},
        links=_FRAMED,
    ),
    "wrong_ids": Entry(does="the frames carry request ids that nobody asked for", strikes="request"),
    "error_500": Entry(does="the next request or socket is answered with HTTP 500", strikes="opening"),
    "slow_handshake": Entry(
        does="the next socket is let in `seconds` late", strikes="opening", figures={"seconds": 5.0}
    ),
    "unauthorized": Entry(
        does="no key is good any more, for `seconds` (0: for good); open sockets go on",
        strikes="opening",
        figures={"seconds": 0.0},
    ),
    "stop_reading": Entry(
        does="nothing is read from any connection for `seconds`", strikes="connections", figures={"seconds": 3.0}
    ),
    "restart": Entry(
        does="every connection is cut at once, and every new one for `seconds`; then the provider is cold",
        strikes="connections",
        figures={"seconds": 5.0},
    ),
    "gone": Entry(
        does="nothing is read, answered or let in for `seconds`; connections that were open are dead afterwards",
        strikes="connections",
        figures={"seconds": 60.0},
    ),
}


def _of_requests(link: str) -> tuple[str, ...]:
    return tuple(name for name, entry in CATALOGUE.items() if entry.strikes == "request" and link in entry.links)


WEBSOCKET_REQUEST_FAULTS = _of_requests(WEBSOCKET)
"""What a WebSocket asks for at each synthesis: `spoiled(faults.strike(*WEBSOCKET_REQUEST_FAULTS), steps)`."""
SSE_REQUEST_FAULTS = _of_requests(EVENTS)
"""The same for server-sent events."""
HTTP_REQUEST_FAULTS = _of_requests(PLAIN)
"""The same for a request that is answered with plain sound."""
ENGINE_FAULTS = ("other_user", "unauthorized", "stop_reading", "restart", "gone")
"""What happens by itself at its time: the engine carries it out."""
