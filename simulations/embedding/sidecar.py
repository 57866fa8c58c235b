"""An application in another process: it holds the call, and talks with `talkingstick serve` through the generic leg.

    python -m simulations.embedding.sidecar [--config talkingstick.toml | --url ws://127.0.0.1:8080/generic]

`Client` is the application, and could be in any language: orchestrator/adapters/telephony/codecs/generic.py says what
goes over the WebSocket. The rest starts a server for it, unless there is one at --url.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import wave
from array import array
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from math import pi, sin
from pathlib import Path
from tempfile import TemporaryDirectory

import trio
from websockets.exceptions import ConnectionClosed
from websockets.trio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from simulations.embedding.stage import arguments, heard_file, open_provider, run

RATE = 16_000
FRAME = 640
"""Bytes of 20 ms."""
VOICE = array("h", [round(9000 * sin(2 * pi * 300 * i / RATE)) for i in range(FRAME // 2)]).tobytes()
"""What the caller's voice is here; `[serve.hearing] lines` says what the words are."""


class Client:
    """One call. `hear` gets each 20 ms that the caller hears."""

    def __init__(self, socket: ClientConnection, *, hear: Callable[[bytes], None]) -> None:
        self._socket = socket
        self._hear = hear
        self._queue = bytearray()
        self._taken = self._played = 0  # bytes
        self._quiet = 1  # frames since the bot spoke
        self._marks: deque[tuple[int, str]] = deque()
        self._speaking = False
        self._ticked = trio.lowlevel.ParkingLot()

    async def run(self) -> None:
        """Make the call, to its end."""
        print("the call begins; Ctrl-C ends it", flush=True)
        await self._say(type="start", call="sidecar-1", rate=RATE, **{"from": "+4930123", "to": "+4930456"})
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._tick)
                nursery.start_soon(self._caller)
                while True:
                    await self._take(await self._socket.recv())
        except* ConnectionClosed:
            print("the call is over")

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._queue += message
            self._taken += len(message)
            return
        match told := json.loads(message):
            case {"type": "mark", "name": name}:
                self._marks.append((self._taken, name))
                await self._return_marks()
            case {"type": "clear"}:
                print(f"clear: {len(self._queue) / 2 / RATE:.1f} s are not played")
                self._taken -= len(self._queue)
                self._queue.clear()
                while self._marks:
                    await self._say(type="marked", name=self._marks.popleft()[1], cleared=True)
                await self._say(type="cleared")
            case _:  # hangup, transfer: the connection is closed next
                print(f"the bot: {told}")

    async def _tick(self) -> None:
        """Every 20 ms: send what the caller says, play what the bot says, tell how far that is."""
        due = trio.current_time()
        while True:
            await self._send(VOICE if self._speaking else bytes(FRAME))
            frame = bytes(self._queue[:FRAME])
            del self._queue[:FRAME]
            self._hear(frame.ljust(FRAME, b"\0"))
            self._quiet = 0 if any(frame) else self._quiet + 1
            self._ticked.unpark_all()
            due += 0.02
            await trio.sleep_until(due)
            self._played += len(frame)
            await self._return_marks()

    async def _return_marks(self) -> None:
        while self._marks and self._marks[0][0] <= self._played:
            await self._say(type="marked", name=self._marks.popleft()[1])

    async def _caller(self) -> None:
        """Speak when the bot has spoken, cut it short, hear it out, and hang up."""
        await self._hear_out()
        await self._speak()
        await self._wait_bot_speaks()
        await trio.sleep(2.0)
        await self._speak()
        await self._hear_out()
        await self._say(type="hangup", reason="caller")  # unless the bot has

    async def _speak(self) -> None:
        print("the caller speaks")
        self._speaking = True
        await trio.sleep(0.8)
        self._speaking = False

    async def _hear_out(self) -> None:
        await self._wait_bot_speaks()
        while self._quiet < 40:
            await self._ticked.park()

    async def _wait_bot_speaks(self) -> None:
        while self._quiet:
            await self._ticked.park()

    async def _say(self, **message: object) -> None:
        await self._send(json.dumps(message))

    async def _send(self, message: str | bytes) -> None:
        await self._socket.send(message)


async def talk(url: str, wav: Path) -> None:
    """Make one call."""
    with wave.open(str(wav), "wb") as heard:
        heard.setparams((1, 2, RATE, 0, "NONE", ""))
        async with connect(url, subprotocols=[Subprotocol("talkingstick.v1")], proxy=None) as socket:
            await Client(socket, hear=heard.writeframes).run()
    print(f"What was heard is in {wav}.")


# --- a server, where there is none ---

SERVED = """
[provider]
address = "{address}"
key_file = "{key_file}"
[cache]
directory = "{folder}/phrases"
[log]
level = "error"
[serve.hearing]
lines = ["Do you have rolls?", "That will do, thank you."]
[serve.recording]
on = true
directory = "{folder}/recordings"
[[serve.lines]]
carrier = "generic"
rate = 16000
bot = "simulations.embedding.own_leg:Bakery"
"""


@asynccontextmanager
async def open_server(config: Path) -> AsyncIterator[str]:
    """Run `talkingstick serve` on a free port, in a process of its own, and yield the address of its generic line."""
    command = [sys.executable, "-m", "orchestrator", "serve", "--config", str(config), "--port", "0"]
    async with trio.open_nursery() as nursery:
        process = await nursery.start(partial(trio.run_process, command, stdout=subprocess.PIPE, check=False))
        told, url = "", None
        async for chunk in process.stdout:
            told += chunk.decode()
            if url := re.search(r"^generic: .* (wss?://\S+)\n", told, re.MULTILINE):
                break
        if url is None:
            raise SystemExit(f"{config}: the server ended, or has no generic line: {told}")
        yield url[1]
        nursery.cancel_scope.cancel()  # ends it by SIGTERM, and waits for that


def show_transcripts(folder: Path) -> None:
    """Print what the server kept of its calls."""
    for transcript in folder.glob("recordings/*.md"):
        print(transcript.read_text("utf-8"))


async def main(*, config: Path | None, url: str | None, wav: Path) -> None:
    """Talk with the server at `url`, or with one that serves `config`, or with one that needs no account."""
    if url is not None:
        await talk(url, wav)
    elif config is not None:
        async with open_server(config) as url:
            await talk(url, wav)
    else:
        async with open_provider(None) as settings:
            with TemporaryDirectory() as folder:
                path, provider = Path(folder) / "talkingstick.toml", settings.provider
                path.write_text(SERVED.format(address=provider.address, key_file=provider.key_file, folder=folder))
                async with open_server(path) as url:
                    await talk(url, wav)
                show_transcripts(Path(folder))


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--url", help="the generic line of a server that runs")
    parser.add_argument("--wav", type=Path, help="where what the caller hears goes; without it, a temporary directory")
    given = parser.parse_args()
    sys.exit(run(partial(main, config=given.config, url=given.url, wav=heard_file(given.wav))))
