"""talkingstick inside an asyncio program: asyncio runs the main loop, Trio is its guest in the same thread.

    python -m simulations.embedding.guest_mode [--config talkingstick.toml]

Two calls come in on the asyncio side and share one slot. Ctrl-C ends both loops.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from outcome import Outcome

from orchestrator import CallFacts, open_orchestrator
from orchestrator.app import Orchestrator
from orchestrator.dialogue.reception import CallRecord
from simulations.embedding.own_leg import Bakery, Line
from simulations.embedding.stage import arguments, open_provider, show


class Guest:
    """The Trio side, as asyncio sees it. Everything runs in one thread, but each side calls into the other's loop by
    what that loop offers for it: a token there, futures and queues here."""

    def __init__(self, config: Path | None) -> None:
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[None] = loop.create_future()
        self.ready: asyncio.Future[Orchestrator] = loop.create_future()
        self.over: asyncio.Future[Outcome[None]] = loop.create_future()
        self._scope = trio.CancelScope()
        trio.lowlevel.start_guest_run(
            self._main,
            config,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=self.over.set_result,
        )

    def soon(self, function: Callable[..., Any], *args: Any) -> None:
        """Have Trio's loop call a function that is not async."""
        self._token.run_sync_soon(function, *args)

    async def serve(self, facts: CallFacts, *, hear: Callable[[bytes], None], lines: asyncio.Queue[Line]) -> CallRecord:
        """Hand a call over to Trio, get its line in `lines`, and wait for the call's end."""
        ended: asyncio.Future[CallRecord] = asyncio.get_running_loop().create_future()
        orchestrator = self.ready.result()

        async def serve() -> None:  # this is Trio's
            line = Line(facts, now=orchestrator.now, hear=hear)
            lines.put_nowait(line)
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(line.run)
                    record = await orchestrator.serve_leg(line, Bakery)
                    nursery.cancel_scope.cancel()
                if not ended.done():
                    ended.set_result(record)
            finally:
                ended.cancel()  # harmless when there is a record

        self.soon(self._nursery.start_soon, serve)
        return await ended

    async def stop(self) -> None:
        """End Trio's run, and raise what it raised."""
        await first_of(self.started, self.over)
        if not self.over.done():
            self.soon(self._scope.cancel)
        (await self.over).unwrap()

    async def _main(self, config: Path | None) -> None:  # this is Trio's, too
        self._token = trio.lowlevel.current_trio_token()
        self.started.set_result(None)
        with self._scope:
            async with open_provider(config) as settings, open_orchestrator(settings) as orchestrator:
                await orchestrator.wait_ready()
                async with trio.open_nursery() as self._nursery:
                    self.ready.set_result(orchestrator)
                    await trio.sleep_forever()


async def first_of(*futures: asyncio.Future[Any]) -> None:
    """Wait for one of the futures."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


@asynccontextmanager
async def open_guest(config: Path | None) -> AsyncIterator[Guest]:
    """Start Trio beside asyncio; leaving ends it. Raises what ends it before that."""
    guest = Guest(config)
    try:
        await first_of(guest.ready, guest.over)
        if guest.ready.done():
            yield guest
    finally:
        await guest.stop()


async def hear_out(frames: asyncio.Queue[bytes]) -> None:
    """Take what comes from the bot, until it has spoken and was quiet for 0.8 s."""
    quiet = None
    while quiet is None or quiet < 40:
        if any(await frames.get()):
            quiet = 0
        elif quiet is not None:
            quiet += 1


async def call(guest: Guest, name: str, *texts: str) -> None:
    """Make a call: say each text when the bot has spoken. All of this is asyncio's: so your own telephony could be."""
    frames: asyncio.Queue[bytes] = asyncio.Queue()
    lines: asyncio.Queue[Line] = asyncio.Queue()
    served = asyncio.create_task(guest.serve(CallFacts(name), hear=frames.put_nowait, lines=lines))
    line = await lines.get()
    for text in texts:
        await hear_out(frames)
        guest.soon(line.begin_turn)
        await asyncio.sleep(0.8)
        guest.soon(line.end_turn, text)
    record = await served
    show(name, record.transcript.entries)
    print(f"{name} took {record.seconds:.1f} s and was ended by: {record.reason}.")


async def main(config: Path | None) -> None:
    """Have two calls at a time."""
    async with open_guest(config) as guest:
        print("the calls begin; Ctrl-C ends them", flush=True)
        await asyncio.gather(
            call(guest, "call-1", "Do you have rolls?", "Thank you."),
            call(guest, "call-2", "What about rye bread?", "Thanks a lot."),
        )


if __name__ == "__main__":
    try:
        asyncio.run(main(arguments(__doc__).parse_args().config))
    except KeyboardInterrupt:
        sys.exit(130)
