"""What the examples share and a program of yours has already: an account, Ctrl-C, a way to show what was said."""

from __future__ import annotations

import argparse
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import trio

from orchestrator import Settings, load_settings
from orchestrator.dialogue.transcript import CallerEntry, Entry
from orchestrator.settings import CacheSettings, ProviderSettings
from simulations.voices import voice_named
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer, open_waves_server


def arguments(about: str | None) -> argparse.ArgumentParser:
    """Return what reads the command line of an example."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--config", type=Path, help="a talkingstick.toml with an account; without it, a simulated one")
    return parser


def heard_file(given: Path | None) -> Path:
    """Return where what the caller hears goes: where the command line says, or in a new temporary directory."""
    return given or Path(mkdtemp(prefix="talkingstick-")) / "heard.wav"


@asynccontextmanager
async def open_provider(config: Path | None) -> AsyncIterator[Settings]:
    """Yield settings that lead to a provider: those in `config`, or to a simulated one on a free port of this machine.

    Raises SettingsError.
    """
    if config is not None:
        yield load_settings(config)
        return
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        key = Path(folder) / "key"
        key.write_text("sk_example", "utf-8")
        async with open_waves_server(WavesServer(WavesOptions.of_profile("fast"), voice_named(None))) as server:
            yield Settings(
                provider=ProviderSettings(address=server.address, key_file=str(key)),
                cache=CacheSettings(directory=f"{folder}/phrases"),
            )


def run(main: Callable[[], Awaitable[None]]) -> int:
    """Run a Trio program until it is over, or until Ctrl-C cancels it; return the exit status."""

    async def until_interrupted() -> int:
        status = 0
        async with trio.open_nursery() as nursery:
            with trio.open_signal_receiver(signal.SIGINT) as signals:

                async def wait() -> None:
                    nonlocal status
                    async for _ in signals:
                        status = 130
                        nursery.cancel_scope.cancel()

                nursery.start_soon(wait)
                await main()
                nursery.cancel_scope.cancel()
        return status

    return trio.run(until_interrupted)


def show(call: str, entries: Iterable[Entry]) -> None:
    """Print what was said in a call, and of the bot's words what the caller heard."""
    for entry in entries:
        if isinstance(entry, CallerEntry):
            print(f"{call} caller: {entry.text}")
        else:
            cut = f" [cut: {entry.cut.strip()}]" if entry.cut.strip() else ""
            print(f"{call} bot:    {entry.heard.strip()}{cut}")
