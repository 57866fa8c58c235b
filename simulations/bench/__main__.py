"""The command `python -m simulations.bench`: which benchmarks run, how they are told, which exit status they have."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from simulations.bench import cuts, hostile, legs, local, most, replies, slots, speech, streams, vandals, worlds
from simulations.bench.figures import Figure, Tell
from simulations.many import JobFailed

Bench = Callable[[Tell], Iterator[Figure]]
BENCHES: Mapping[str, Bench] = {
    "queue": slots.measure,
    "chunker": speech.measure_chunker,
    "joiner": speech.measure_joiner,
    "local": local.measure,
    "reply": replies.measure_speaking,
    "barge-in": replies.measure_barge_in,
    "direct": worlds.measure_direct,
    "wire": worlds.measure_wire,
    "growth": worlds.measure_growth,
    "memory": worlds.measure_memory,
    "streams": streams.measure,
    "echo": legs.measure_echo,
    "pacing": legs.measure_pacing,
    "cut": cuts.measure,
    "most": most.measure,
    "vandals": vandals.measure,
    "hostile": hostile.measure,
}
"""The quick ones first; the last seven take as long as they take on the wall clock."""

_ABOUT = """\
Measures what the program costs, in processor time of one core and in memory, and holds each figure against its limit.

  queue     a round of the queue for the slot with 100 and with 10,000 tickets, and their ratio
  chunker   cutting text into pieces, a clause, in a short reply and in an endless one
  joiner    trimming and joining sound, a second of it
  local     a second of speech of each voice of this machine that is installed
  reply     speaking a reply, a clause: fed, cut, played, marked as heard, in a short reply and in an endless one
  barge-in  deciding whether a reply is cut, and noting what was heard of it, in short and endless replies
  direct    nine calls of an hour of the reference workload, without a wire
  wire      the same on the wire: the real WebSocket protocol
  growth    a call-hour in runs of 2 to 18 call-hours; the dearest may cost 1.6 times the cheapest (linear: 1)
  memory    the most that nine calls of two hours take, and what the second hour adds
  streams   60 real-time streams at the simulated provider, on real sockets: its processor time for a second of one,
            and how late chunks are
  echo      75 Twilio-like legs that echo, on real sockets: cores for 100 of them, their round trip, their memory
  pacing    50 legs whose bots talk for a minute: how far frames of our own clock are off their times, cores for 100
            legs and memory, of local-clock and of remote-buffer legs
  cut       50 calls whose bots talk and whose callers cut in: from the leg's word that the caller speaks to the clear
            on the wire
  most      Twilio-like legs that echo on one core, more and more of them: how many until echoes are 20 ms late
  vandals   200 sockets that misbehave at the simulated provider and vanish: the memory and the sockets that it does
            not get back, and how much longer an honest client waits from chunk to chunk
  hostile   500 hostile connections to a running serve: echoes of ten honest calls beside them, memory, and how soon
            Ctrl-C ends it

Without --only all of them run, which takes some minutes. Limits hold on an idle machine: run nothing beside it."""
_EXAMPLE = """\
exit status: 0 all inside their limits, 1 one is not, 2 wrong use, 130 Ctrl-C
example: python -m simulations.bench --only queue --only joiner"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line's benchmarks (this process's, by default) and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m simulations.bench",
        description=_ABOUT,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", action="append", choices=BENCHES, metavar="NAME", help="run this one; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    names = given.only or list(BENCHES)
    try:
        return _run({name: BENCHES[name] for name in BENCHES if name in names}, as_json=given.json)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except JobFailed as failure:
        print(failure.told, file=sys.stderr)
        return 1


def _run(benches: Mapping[str, Bench], *, as_json: bool) -> int:
    figures: list[Figure] = []
    for name, bench in benches.items():
        for figure in bench(partial(_tell, name)):
            figures.append(figure)
            if not as_json:
                print(figure.line(), flush=True)
    inside = all(figure.inside for figure in figures)
    if as_json:
        found = {"schema": 1, "inside": inside, "figures": [figure.to_json() for figure in figures]}
        print(json.dumps(found, indent=1))
    return 0 if inside else 1


def _tell(name: str, line: str) -> None:
    """Print one line of progress."""
    print(f"{name}: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
