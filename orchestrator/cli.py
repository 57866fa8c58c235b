"""The command line: its commands, and which exit status an outcome has. Options are commands.py's.

What a command does is its module's, which is imported by name when the command runs: only so may
`orchestrator` start what is in `simulations`.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from cyclopts import App, CycloptsError, UnusedCliTokensError

from orchestrator.cli_groups import cache, lipsync
from orchestrator.cli_groups import run_by_name as _run
from orchestrator.commands import DemoOptions, Flag, SimulateOptions
from orchestrator.commands_call import CallOptions
from orchestrator.commands_capacity import CapacityOptions
from orchestrator.commands_load import LoadOptions
from orchestrator.commands_probe import ProbeOptions
from orchestrator.commands_serve import ServeOptions
from orchestrator.commands_sync import SyncServerOptions
from orchestrator.commands_waves import ServerOptions
from orchestrator.errors import BotLoadError, SettingsError, TalkingstickError
from orchestrator.redaction import redacted

DEMO_DEFAULTS = DemoOptions()
SIMULATE_DEFAULTS = SimulateOptions()
CAPACITY_DEFAULTS = CapacityOptions()
PROBE_DEFAULTS = ProbeOptions()
PORT_ERRORS = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL)

app = App(
    name="talkingstick",
    help="Voice bots for many phone conversations that share one text-to-speech slot.",
    version=version("talkingstick"),
    backend="trio",
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,  # it would exit by itself, and only where no nursery wrapped the interrupt
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (this process's, by default) and return its exit status.

    0: it ran; 1: it ran, and something failed; 2: wrong use or configuration; 130: Ctrl-C. What we raise on purpose is
    told in lines on standard error, a bug as a traceback.
    """
    try:
        status = app(sys.argv[1:] if arguments is None else list(arguments))
        if sys.stdout is not None:  # it was closed before we began
            sys.stdout.flush()
        return status or 0
    except (Exception, KeyboardInterrupt, BaseExceptionGroup) as error:
        return _exit_status(error)


def _exit_status(error: BaseException) -> int:
    causes = list(_leaves(error))
    if any(isinstance(cause, KeyboardInterrupt) for cause in causes):
        return 130
    if all(isinstance(cause, BrokenPipeError) for cause in causes):
        _discard_output()
        return 1
    if not all(isinstance(cause, (CycloptsError, TalkingstickError, OSError)) for cause in causes):
        raise error
    for cause in causes:
        for line in _told(cause).splitlines():
            print(f"talkingstick: {redacted(line)}", file=sys.stderr)
    return 2 if any(isinstance(cause, (CycloptsError, SettingsError, BotLoadError)) for cause in causes) else 1


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors inside groups of groups: nurseries wrap what their tasks raise."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _told(error: BaseException) -> str:
    match error:
        case SettingsError() | BotLoadError():
            return str(error)
        case CycloptsError(command_chain=chain):
            unused = error.unused_tokens if isinstance(error, UnusedCliTokensError) else None
            message = f'"{unused[0]}" is not expected here.' if unused else str(error)
            return f"{message}\n" + " ".join(["see: talkingstick", *(chain or ()), "--help"])
        case OSError(filename=str(name), strerror=str(reason)):
            return f"{name}: {reason}"
        case OSError(strerror=str(reason)):
            return reason
    return " ".join(str(error).split())


def _discard_output() -> None:
    """Keep the interpreter from flushing into the broken pipe once more when it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def naming_the_port(port: int) -> Iterator[None]:
    """Say of a port that can't be had which option names it."""
    try:
        yield
    except (OSError, ExceptionGroup) as error:
        for cause in _leaves(error):
            if isinstance(cause, OSError) and cause.errno in PORT_ERRORS and cause.filename is None:
                raise OSError(cause.errno, f"--port {port}: {cause.strerror}; choose another port") from None
        raise


@app.command
async def demo(*, options: DemoOptions = DEMO_DEFAULTS) -> int:
    """Let simulated callers talk with bots over one speech slot, in real time and with real sound.

    Writes recordings, transcripts, the event log and report.html, and prints a summary.

    Example: talkingstick demo --calls 8 --seconds 30 --profile mid
    """
    return await _run("simulations.demo.command", **options.keywords())


@app.command
async def chat(bot: str, /, *, out: Path | None = None) -> int:
    """Try a bot in the terminal: you type, it answers in text.

    Example: talkingstick chat bots.echo:Echo

    Parameters
    ----------
    bot
        The bot, as MODULE:CLASS or an installed name.
    out
        The directory for the transcript; without it none is written.
    """
    return await _run("simulations.chat", bot=bot, out=out)


@app.command
async def serve(*, options: ServeOptions) -> int:
    """Answer real calls: from Twilio, Telnyx, Plivo, Vonage, Exotel, jambonz, Asterisk, or over a WebSocket of yours.

    Says what to enter at the carrier, logs one JSON object a line on standard error. GET /readyz says whether calls can
    be answered. SIGTERM lets calls end and leaves, SIGHUP reads the configuration again, Ctrl-C ends at once.

    Example: talkingstick serve --config talkingstick.toml

    Example: talkingstick serve --config talkingstick.toml --host 0.0.0.0 --port 8443
    """
    return await _run("orchestrator.serve.command", options=options)


@app.command
def simulate(scenario: str | None = None, /, *, options: SimulateOptions = SIMULATE_DEFAULTS) -> int:
    """Run the same program in virtual time: simulated callers, a simulated provider, hours in seconds.

    Prints what it came to; the same seed gives the same story. Exits 1 if anything was broken that must always hold.

    Example: talkingstick simulate reference --calls 6 --hours 2 --seeds 10 --profile mid

    Parameters
    ----------
    scenario
        One that ships (see --list), or the path of a TOML file.
    """
    # Not on Trio as the others: a simulated world brings its own.
    status: int = importlib.import_module("simulations.simulate").run(scenario=scenario, options=options)
    return status


@app.command
def capacity(*, options: CapacityOptions = CAPACITY_DEFAULTS) -> int:
    """Say how many calls fit inside a service level: a table over speeds, talk shares and slots, or your own figures.

    Searches in virtual time on all cores; broken off, the same command goes on where it was.

    Example: talkingstick capacity --ttfb 0.12 --rtf 0.25 --talk-share 0.4 --slots 2
    """
    status: int = importlib.import_module("simulations.capacity.command").run(options=options)
    return status


@app.command
async def waves_server(*, options: ServerOptions) -> int:
    """Serve a simulated speech provider on a loopback port, with limits that it enforces; its books: GET /books.

    Example: talkingstick waves-server --port 8090 --slots 2 --ttfb 0.2 --rtf 0.3
    """
    with naming_the_port(options.port):
        return await _run("simulations.waves.command", options=options)


@app.command
async def sync_server(*, options: SyncServerOptions) -> int:
    """Serve a simulated lip-sync service on a loopback port, with plans that it enforces; its books: GET /books.

    Example: talkingstick sync-server --port 8092 --plan creator --speed 20 --fault other_user:hold=60,share=0.3
    """
    with naming_the_port(options.port):
        return await _run("simulations.sync.command", options=options)


@app.command
async def probe(*, options: ProbeOptions = PROBE_DEFAULTS) -> int:
    """Ask an account what it allows and how fast it is, and print that as settings to paste.

    Speaks a few short texts, and says before how many at most. Nothing else should use the account meanwhile.

    Example: talkingstick probe --config talkingstick.toml

    Example: talkingstick probe --address ws://127.0.0.1:8090 --voice avery --most-slots 2
    """
    return await _run("orchestrator.probe.command", options=options)


app.command(cache)
app.command(lipsync)


@app.command
async def call(*, options: CallOptions) -> int:
    """Call a number through a line's carrier: once it is answered, the bot of the line talks.

    A server with the same configuration must be running where the carrier finds it (serve.public_url).

    Example: talkingstick call --config talkingstick.toml --line /twilio --to +4930123456 --from +4930654321
    """
    return await _run("orchestrator.call_command", options=options)


@app.command
async def load(*, options: LoadOptions) -> int:
    """Call a running server, ours or anybody's, as a phone company would, with many simulated callers at a time.

    Reports how fast the bot answers and falls silent, gaps, late and lost frames. Exits 1 if a call
    failed, or none was answered.

    Example: talkingstick load --url ws://127.0.0.1:8080/twilio --as twilio --calls 50 --ramp 5/s --seconds 120

    Example: talkingstick load --url audiosocket://127.0.0.1:9092 --as audiosocket --echo --json
    """
    return await _run("simulations.load.command", options=options)


@app.command
async def check(*, config: Path, online: Flag = False) -> int:
    """Say what a configuration means, and what is wrong with it.

    Example: talkingstick check --config talkingstick.toml --online

    Parameters
    ----------
    config
        The configuration, a TOML file.
    online
        Also open one WebSocket to the provider with the key, within 4 seconds, and close it again.
    """
    return await _run("orchestrator.check", config=config, online=online)
