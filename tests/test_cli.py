"""The command line: each command gets its options, each outcome its exit status, each mistake a line that helps."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from orchestrator import commands_waves as waves
from orchestrator.cli import main
from orchestrator.commands import SimulateOptions
from orchestrator.errors import BotLoadError, FaultKind, ProviderFault, SettingsError

COMMANDS = ("demo", "chat", "serve", "simulate", "capacity", "waves-server", "probe", "cache", "call", "check")
Asked = list[dict[str, Any]]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Asked]:
    """Put a stand-in for a command's module in its place; it notes its options, then raises or returns."""

    def put(module: str, *, outcome: int | BaseException = 0) -> Asked:
        asked: Asked = []

        async def run(**options: Any) -> int:
            asked.append(options)
            await trio.lowlevel.checkpoint()
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        replacement = types.ModuleType(module)
        replacement.run = run  # type: ignore[attr-defined]  # a module takes any attribute
        monkeypatch.setitem(sys.modules, module, replacement)
        return asked

    return put


def test_demo_gets_its_defaults(stand_in: Callable[..., Asked]) -> None:
    """What the issue names as defaults; the voice is espeak where the extra is installed."""
    asked = stand_in("simulations.demo.command")
    assert main(["demo"]) == 0
    (options,) = asked
    assert options.pop("voice") is None
    assert options == {
        "calls": 4, "seconds": 60.0, "seed": 1, "bot": None, "out": Path("talkingstick-demo"), "profile": "fast",
        "close_after_complete": True, "config": None, "json": False, "table": True,
    }  # fmt: skip


def test_demo_gets_every_option(stand_in: Callable[..., Asked]) -> None:
    """Each option reaches the command under its own name."""
    asked = stand_in("simulations.demo.command", outcome=1)
    line = "demo --calls 8 --seconds 2.5 --seed -3 --bot a.b:C --out d --profile slow --voice tone --no-table --json"
    assert main([*line.split(), "--close-after-complete", "no", "--config", "c.toml"]) == 1
    assert asked == [
        {
            "calls": 8, "seconds": 2.5, "seed": -3, "bot": "a.b:C", "out": Path("d"), "profile": "slow",
            "voice": "tone", "close_after_complete": False, "config": Path("c.toml"), "json": True, "table": False,
        },
    ]  # fmt: skip


def test_the_server_gets_its_defaults(stand_in: Callable[..., Asked]) -> None:
    """Only the port must be said."""
    asked = stand_in("simulations.waves.command")
    assert main(["waves-server", "--port", "8090"]) == 0
    assert asked == [{"options": waves.ServerOptions(port=8090)}]


def test_the_server_gets_its_options(stand_in: Callable[..., Asked]) -> None:
    """Of every group; those that may be repeated in their order."""
    asked = stand_in("simulations.waves.command")
    line = (
        "--port 0 --host localhost --voice tone --seed -3 --slots 2 --requests-per-minute 60 --account a=sk_1:slots=3"
    )
    line += " --account b=sk_2 --profile mid --rtf 0 --jitter uniform --close-after-complete no --links-refusal 1013"
    line += " --retry-after 2 --fault stall:seconds=3,every=300 --fault refuse --script f.toml --transcript t.txt"
    assert main(["waves-server", *line.split(), "--ears", "--ears-model", "m"]) == 0
    limits = waves.LimitOptions(slots=2, requests_per_minute=60, account=("a=sk_1:slots=3", "b=sk_2"))
    assert asked[0]["options"] == waves.ServerOptions(
        port=0,
        host="localhost",
        voice="tone",
        seed=-3,
        limits=limits,
        speed=waves.SpeedOptions(profile="mid", rtf=0.0, jitter="uniform"),
        choices=waves.ChoiceOptions(close_after_complete="no", links_refusal="1013", retry_after=2.0),
        faults=waves.FaultOptions(fault=("stall:seconds=3,every=300", "refuse"), script=Path("f.toml")),
        recognition=waves.RecognitionOptions(transcript=Path("t.txt"), ears=True, model=Path("m")),
    )


def simulated(monkeypatch: pytest.MonkeyPatch, line: str) -> tuple[str | None, SimulateOptions]:
    """Return what `talkingstick simulate` is called with for such a command line."""
    asked: list[tuple[str | None, SimulateOptions]] = []

    def run(*, scenario: str | None, options: SimulateOptions) -> int:
        asked.append((scenario, options))
        return 0

    replacement = types.ModuleType("simulations.simulate")
    replacement.run = run  # type: ignore[attr-defined]  # as above
    monkeypatch.setitem(sys.modules, "simulations.simulate", replacement)
    assert main(["simulate", *shlex.split(line)]) == 0
    (found,) = asked
    return found


def test_simulate_leaves_to_the_scenario_what_is_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the seed has a default of its own; it runs outside Trio, for a world brings its own."""
    assert simulated(monkeypatch, "reference") == ("reference", SimulateOptions())
    assert simulated(monkeypatch, "--list") == (None, SimulateOptions(list=True))
    assert SimulateOptions().seed == 1


def test_simulate_gets_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that may be repeated in their order; each of two that exclude each other by its own name."""
    line = "rush_hour --calls 8 --hours 2.5 --seed -3 --seeds 4 --profile slow --ttfb 0.3 --rtf 0 --slots 2 --json"
    line += " --talk-share 0.4 --policy retry --no-wire --lifelike --bot a.b:C --out d"
    line += " --provider settle=0.2 --set 'a.b=x y' --set c=1 --provider slots=3"
    assert simulated(monkeypatch, line) == (
        "rush_hour",
        SimulateOptions(
            calls=8, hours=2.5, seed=-3, seeds=4, profile="slow", ttfb=0.3, rtf=0.0, slots=2, json=True, talk_share=0.4,
            policy="retry", wire=False, lifelike=True, bot="a.b:C", out=Path("d"), provider=("settle=0.2", "slots=3"),
            set=("a.b=x y", "c=1"),
        ),
    )  # fmt: skip
    assert simulated(monkeypatch, "x --wire --ideal")[1] == SimulateOptions(wire=True, lifelike=False)


def test_chat_and_check_get_their_options(stand_in: Callable[..., Asked]) -> None:
    """The bot goes by position, the rest by name."""
    chat, check = stand_in("simulations.chat"), stand_in("orchestrator.check")
    assert main(["chat", "bots.echo:Echo", "--out", "d"]) == 0
    assert main(["check", "--config", "c.toml", "--online"]) == 0
    assert chat == [{"bot": "bots.echo:Echo", "out": Path("d")}]
    assert check == [{"config": Path("c.toml"), "online": True}]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("demo --calls 0", 'Invalid value "0" for --calls. Must be >= 1.'),
        ("demo --calls 51", 'Invalid value "51" for --calls. Must be <= 50.'),
        ("demo --calls 4.5", 'Invalid value for --calls: "4.5" is no whole number'),
        ("demo --seconds 0", 'Invalid value "0.0" for --seconds. Must be > 0.'),
        ("demo --seconds nan", 'Invalid value for --seconds: expected a number, not "nan"'),
        ("demo --profile quick", 'Invalid value "quick" for --profile. Choose from: "fast", "mid", "slow".'),
        ("demo --close-after-complete maybe", "for --close-after-complete. Choose from:"),
        ("demo --cals 4", "Unknown option: --cals. Did you mean --calls?"),
        ("demo four", '"four" is not expected here.'),
        ("dmo", 'Unknown command "dmo". Did you mean "demo"?'),
        ("waves-server", "--port"),
        ("waves-server --port 70000", "for --port. Must be <= 65535."),
        ("waves-server --port 0 --host 0.0.0.0", 'for --host. Choose from: "127.0.0.1", "localhost".'),
        ("waves-server --port 0 --slots 0", 'Invalid value "0" for --slots. Must be >= 1.'),
        ("waves-server --port 0 --links-refusal 1000", 'for --links-refusal. Choose from: "429", "1008", "1013".'),
        ("waves-server --port 0 --clamp-backoff maybe", 'for --clamp-backoff. Choose from: "yes", "no".'),
        ("waves-server --port 0 --retry-after nan", 'for --retry-after: expected a number, not "nan"'),
        ("simulate reference --calls 0", 'Invalid value "0" for --calls. Must be >= 1.'),
        ("simulate reference --seeds 1.5", 'Invalid value for --seeds: "1.5" is no whole number'),
        ("simulate reference --hours 0", 'Invalid value "0.0" for --hours. Must be > 0.'),
        ("simulate reference --hours nan", 'Invalid value for --hours: expected a number, not "nan"'),
        ("simulate reference --rtf nan", 'Invalid value for --rtf: expected a number, not "nan"'),
        ("simulate reference --ttfb fast", 'Invalid value for --ttfb: expected a number, not "fast"'),
        ("capacity --p95-wait inf", 'Invalid value for --p95-wait: expected a number, not "inf"'),
        ("simulate reference --talk-share 1", 'Invalid value "1.0" for --talk-share. Must be < 1.'),
        ("simulate reference --policy lifo", 'for --policy. Choose from: "deadline", "fifo", "turn", "retry".'),
        ("simulate reference --set a=1 b=2", '"b=2" is not expected here.'),
        ("chat", "BOT"),
        ("check", "--config"),
    ],
)
def test_wrong_use_is_told_with_the_option_and_what_would_be_right(
    line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, a line about it and one that points to the help; nothing on standard output."""
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith("talkingstick: ")
    assert message in first
    assert second.startswith("talkingstick: see: talkingstick ")


@pytest.mark.parametrize(
    ("error", "status", "lines"),
    [
        (SettingsError("a = 1: wrong\nb = 2: wrong"), 2, ["a = 1: wrong", "b = 2: wrong"]),
        (BotLoadError("no.such:Bot: no module no"), 2, ["no.such:Bot: no module no"]),
        (ProviderFault(FaultKind.FINAL, "HTTP 401:\n key"), 1, ["HTTP 401: key"]),
        (OSError(errno.ENOSPC, "No space left on device"), 1, ["No space left on device"]),
        (PermissionError(errno.EACCES, "Permission denied", "d/report.html"), 1, ["d/report.html: Permission denied"]),
        (ExceptionGroup("", [ExceptionGroup("", [SettingsError("a = 1: wrong")])]), 2, ["a = 1: wrong"]),
    ],
)
def test_what_we_raise_on_purpose_is_told_without_a_traceback(
    error: Exception, status: int, lines: list[str], stand_in: Callable[..., Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    """Configuration is 2, everything else 1; nurseries' groups are looked into."""
    stand_in("simulations.demo.command", outcome=error)
    assert main(["demo"]) == status
    assert capsys.readouterr().err.splitlines() == [f"talkingstick: {line}" for line in lines]


def test_a_bug_is_not_hidden(stand_in: Callable[..., Asked]) -> None:
    """Also not behind an error of ours in the same group."""
    stand_in("simulations.demo.command", outcome=ExceptionGroup("", [SettingsError("x"), ZeroDivisionError("y")]))
    with pytest.raises(ExceptionGroup):
        main(["demo"])


@pytest.mark.parametrize("number", [errno.EADDRINUSE, errno.EACCES])
def test_a_port_that_cannot_be_had_is_named(
    number: int, stand_in: Callable[..., Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    """Trio's error says neither port nor option."""
    stand_in("simulations.waves.command", outcome=ExceptionGroup("", [OSError(number, os.strerror(number))]))
    assert main(["waves-server", "--port", "8090"]) == 1
    assert capsys.readouterr().err == f"talkingstick: --port 8090: {os.strerror(number)}; choose another port\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), BaseExceptionGroup("", [KeyboardInterrupt(), OSError("x")])])
def test_ctrl_c_is_no_failure_to_explain(
    error: BaseException, stand_in: Callable[..., Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 130, and not a word."""
    stand_in("simulations.demo.command", outcome=error)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == ""


def test_help_of_every_command_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """And without arguments the commands are listed."""
    assert main([]) == 0
    overview = capsys.readouterr().out
    for command in COMMANDS:
        assert command in overview
        assert main([command, "--help"]) == 0
        assert f"Example: talkingstick {command} " in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A number, and nothing else."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip().replace(".", "").isdigit()


# --- as a process ---


def start(code: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start the command line in a process of its own, its demo replaced by `code`, an async function's body."""
    script = (
        "import sys, types, trio\nfrom orchestrator.cli import main\n"
        f"async def run(**options):\n    {code}\n"
        "module = types.ModuleType('simulations.demo.command'); module.run = run\n"
        "sys.modules['simulations.demo.command'] = module\nsys.exit(main(['demo']))\n"
    )
    return subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, **options)


@pytest.mark.realtime
def test_ctrl_c_ends_the_process_without_a_traceback() -> None:
    """A real signal, while the loop sleeps."""
    with start("print('up', flush=True); await trio.sleep_forever()", stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, b"")


@pytest.mark.realtime
def test_a_reader_that_leaves_ends_the_process_without_a_traceback() -> None:
    """As in `talkingstick demo --json | head -1`: neither a traceback nor the interpreter's own complaint at exit."""
    reader, writer = os.pipe()
    os.close(reader)
    with start("print('x' * 100_000); return 0", stdout=writer) as process:
        os.close(writer)
        _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (1, b"")
