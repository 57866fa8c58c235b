"""The command `waves-server`: its options mean what they say, mistakes are named without a key, Ctrl-C ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import httpx2
import pytest
import trio
from websockets.exceptions import ConnectionClosed
from websockets.trio.client import connect

from orchestrator.commands_waves import (
    ChoiceOptions,
    FaultOptions,
    LimitOptions,
    RecognitionOptions,
    ServerOptions,
    SpeedOptions,
)
from orchestrator.errors import SettingsError
from orchestrator.port.listener import PortTaken
from simulations.waves.accounts import Plan
from simulations.waves.command import faults_of, plans_of, run, told, waves_options
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import LIVE, ask, next_frame, spelling_voice


def options(**more: Any) -> ServerOptions:
    """Return the options of a command on a free port."""
    return ServerOptions(port=0, voice="tone", **more)


# --- what the options mean ---


def test_without_options_it_is_the_provider_of_the_reference_workload() -> None:
    """The command's defaults are the provider's own."""
    assert waves_options(options()) == WavesOptions()


def test_every_option_of_the_provider_has_one_of_the_command() -> None:
    """But the delay of simulated links. Each reaches the provider under its own name."""
    found = waves_options(
        ServerOptions(
            port=0,
            seed=3,
            limits=LimitOptions(
                slots=2, links=7, requests_per_minute=60, api_key="yes", idle_timeout=5.0, send_within=2.0
            ),
            speed=SpeedOptions(
                ttfb=0.5, rtf=0.0, ttfb_cv=0.3, rtf_cv=0.2, jitter="uniform", cold=1.0, slow_at=9.0, slow_for=8.0,
                slow_factor=2.0, chunk_ms=100,
            ),
            choices=ChoiceOptions(
                close_after_complete="no", clamp_backoff="yes", backoff_holds_slot="yes", idle_context_holds_slot="no",
                context_idle=4.0, settle=0.0, links_refusal="1013", error_shape="nested", retry_after=0.0,
                retired="lightning, lightning-v3.1", unknown_voices="yes",
            ),
        )
    )  # fmt: skip
    assert found == WavesOptions(
        seed=3, slots=2, links=7, requests_per_minute=60, api_key="yes", idle_timeout=5.0, send_within=2.0, ttfb=0.5,
        rtf=0.0, ttfb_cv=0.3, rtf_cv=0.2, jitter="uniform", cold=1.0, slow_at=9.0, slow_for=8.0, slow_factor=2.0,
        chunk_ms=100, close_after_complete=False, clamp_backoff=True, backoff_holds_slot=True,
        idle_context_holds_slot=False, context_idle=4.0, settle=0.0, links_refusal="1013", error_shape="nested",
        retry_after=0.0, retired=("lightning", "lightning-v3.1"), unknown_voices=True,
    )  # fmt: skip
    usual = WavesOptions()
    unchanged = {
        each.name
        for each in attrs.fields(WavesOptions)
        if getattr(found, each.name) == getattr(usual, each.name) and each.name != "transport"
    }
    assert unchanged == set()


def test_a_profile_is_both_speeds_and_single_ones_go_before_it() -> None:
    """Also a speed of 0; sockets come with the slots."""
    found = waves_options(options(speed=SpeedOptions(profile="mid", rtf=0.0), limits=LimitOptions(slots=3)))
    assert (found.ttfb, found.rtf, found.links) == (0.15, 0.0, 15)


@pytest.mark.parametrize(
    ("said", "retired"), [("none", ()), ("", ()), (" lightning ,lightning-v2", ("lightning", "lightning-v2"))]
)
def test_retired_models_are_named_or_none(said: str, retired: tuple[str, ...]) -> None:
    """Separated by commas."""
    assert waves_options(options(choices=ChoiceOptions(retired=said))).retired == retired


@pytest.mark.parametrize("said", ["lightning_v2", "lightning-v2,none", "no"])
def test_a_model_that_does_not_exist_is_not_retired_in_silence(said: str) -> None:
    """Nobody would notice that it answers."""
    with pytest.raises(SettingsError, match=r"^--retired: there is no model .*expected lightning, "):
        waves_options(options(choices=ChoiceOptions(retired=said)))


def test_accounts_are_named_with_their_keys_and_plans() -> None:
    """What is left out is as the other options say; sockets come with the slots."""
    limits = LimitOptions(
        slots=2, links=9, requests_per_minute=30, account=("a=sk_a", "b=sk_b:slots=3", "my desk=c:rpm=60,links=4")
    )
    assert plans_of(limits) == {
        "sk_a": Plan(slots=2, links=9, requests_per_minute=30, name="a"),
        "sk_b": Plan(slots=3, links=15, requests_per_minute=30, name="b"),
        "c": Plan(slots=2, links=4, requests_per_minute=60, name="my desk"),
    }
    assert plans_of(LimitOptions(api_key="sk_a")) == {}


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        (["sk_secret"], "--account: expected NAME=KEY or NAME=KEY:slots=1,links=5,rpm=60"),
        (["sk_secret:slots=2"], "--account: expected NAME=KEY or NAME=KEY:slots=1,links=5,rpm=60"),
        (["=sk_secret"], "--account: expected NAME=KEY or NAME=KEY:slots=1,links=5,rpm=60"),
        (["a="], "--account: expected NAME=KEY or NAME=KEY:slots=1,links=5,rpm=60"),
        (["a=sk_secret:slotz=2"], "--account a: expected NAME=KEY or NAME=KEY:slots=1,links=5,rpm=60"),
        (["a=sk_secret:slots=0"], "--account a: slots: expected a whole number from 1 to 1000"),
        (["a=sk_secret:links=x"], "--account a: links: expected a whole number from 1 to 5000"),
        (["a=sk_secret:rpm="], "--account a: rpm: expected a whole number from 1 to 1000000"),
        (["a=sk_secret", "a=sk_secret2"], "--account a: name: there is an account a already"),
        (["a=sk_secret", "b=sk_secret"], "--account b: key: has an account already"),
        (["a=sk_first"], "--account a: key: has an account already"),
        (["account 1=sk_secret"], "--account account 1: name: there is an account account 1 already"),
        (["a=sk secret"], "--account a: key: expected 1 to 500 letters, digits and signs without blanks"),
    ],
)
def test_a_wrong_account_is_named_without_its_key(accounts: list[str], message: str) -> None:
    """With what would be right."""
    with pytest.raises(SettingsError) as caught:
        plans_of(LimitOptions(api_key="sk_first", account=tuple(accounts)))
    assert str(caught.value) == message


def test_a_name_that_looks_like_a_key_is_not_shown() -> None:
    """Somebody mixed up the two."""
    with pytest.raises(SettingsError) as caught:
        plans_of(LimitOptions(account=("sk_secret=name",)))
    assert "sk_secret" not in str(caught.value)


def test_options_do_not_show_keys() -> None:
    """Whoever logs them tells none."""
    assert "sk_" not in repr(ServerOptions(port=0, limits=LimitOptions(api_key="sk_1", account=("a=sk_2",))))


def test_a_wrong_key_is_named_without_itself() -> None:
    """It could not be sent in a header."""
    with pytest.raises(SettingsError, match=r"^--api-key: key: expected"):
        plans_of(LimitOptions(api_key="a b"))
    with pytest.raises(SettingsError, match=r"^--api-key: key: expected"):  # "$UNSET" must not let everybody in
        plans_of(LimitOptions(api_key=""))


def test_faults_come_from_the_line_and_from_a_script(tmp_path: Path) -> None:
    """Both together."""
    script = tmp_path / "faults.toml"
    script.write_text('[[fault]]\nname = "gone"\nat = 60\nseconds = 5\n')
    found = faults_of(options(faults=FaultOptions(fault=("stall:seconds=3,at=1", "refuse:count=2"), script=script)))
    assert [(fault.name, fault.at, fault.count) for fault in found] == [
        ("stall", 1, 1),
        ("refuse", 0, 2),
        ("gone", 60, 1),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"faults": FaultOptions(fault=("stal",))},
        {"faults": FaultOptions(script=Path("no/such.toml"))},
        {"recognition": RecognitionOptions(transcript=Path("no/such.txt"))},
        {"limits": LimitOptions(account=("a",))},
    ],
)
async def test_what_is_wrong_is_told_before_anything_is_served(wrong: dict[str, Any]) -> None:
    """The command line makes exit status 2 of it."""
    with pytest.raises(SettingsError), trio.fail_after(5):
        await run(options=options(**wrong))


# --- what it says ---


async def test_it_says_where_it_is_and_what_it_allows() -> None:
    """One line: the addresses, the limits, the books."""
    server = WavesServer(WavesOptions(slots=2, requests_per_minute=60, api_key="sk_1"), spelling_voice)
    server.address = "ws://127.0.0.1:80"
    (line,) = told(server, [])
    assert line == (
        "Waves server on ws://127.0.0.1:80 and http://127.0.0.1:80 (slots: 2, sockets: 10, 60 requests a minute); "
        "its books: http://127.0.0.1:80/books"
    )


async def test_it_names_several_accounts_and_faults() -> None:
    """A line each, and no key."""
    given = options(
        limits=LimitOptions(account=("a=sk_a", "b=sk_b:slots=2")),
        faults=FaultOptions(fault=("stall:at=9,seconds=2", "other_user:at=9,random=true")),
    )
    server = WavesServer(waves_options(given), spelling_voice, plans=plans_of(given.limits))
    server.address = "ws://localhost:80"
    assert list(told(server, faults_of(given))) == [
        "Waves server on ws://localhost:80 and http://localhost:80 (accounts: a, b); its books: http://localhost:80/books",
        "account a: slots: 1, sockets: 5",
        "account b: slots: 2, sockets: 10",
        "fault stall at=9 seconds=2",
        "fault other_user at=9 seconds=2 random=true",
    ]


# --- as it runs ---


async def test_a_taken_port_is_named() -> None:
    """The command line makes exit status 1 of it."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    async with listener:
        with pytest.raises(PortTaken, match=f"port {port} is taken"), trio.fail_after(5):
            await run(options=attrs.evolve(options(), port=port))


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command as a process; yield it with its first line."""
    command = [sys.executable, "-m", "orchestrator", "waves-server", "--port", "0", "--voice", "tone", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            yield process, process.stderr.readline()
        finally:
            process.kill()


@pytest.mark.realtime
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_command_serves_until_ctrl_c(host: str) -> None:
    """One line says the addresses; Ctrl-C ends it with status 130 and without a traceback, also beside open sockets."""
    arguments = f"--host {host} --slots 2 --api-key sk_1 --fault no_audio:count=1,at=0 --settle 9".split()
    with started(*arguments) as (process, line):
        assert "slots: 2, sockets: 10" in line
        assert "sk_1" not in line
        words = line.split()
        assert words[3].startswith("ws://")
        assert words[5].startswith("http://")
        took = trio.run(use_then_interrupt, words[3], words[5], process)
        assert process.stderr is not None
        assert (process.returncode, process.stderr.read()) == (130, "fault no_audio\n")
    assert took < 5  # a second, and slack


@pytest.mark.realtime
def test_sigterm_is_no_failure() -> None:
    """It is how a service manager ends a server: status 0, as of `serve`."""
    with started() as (process, _):
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=10)
    assert (process.returncode, rest) == (0, "")


async def use_then_interrupt(sockets: str, pages: str, process: subprocess.Popen[str]) -> float:
    """Press Ctrl-C beside a request that is spoken, one that hangs and half a one; return the seconds to the end."""
    host, _, port = sockets.removeprefix("ws://").rpartition(":")
    headers = {"Authorization": "Bearer sk_1"}
    with trio.fail_after(20):
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(pages + "/waves/v1/health")).json()["status"] == "ok"
        half = await trio.open_tcp_stream(host, int(port))
        await half.send_all(b"POST /waves/v1/tts HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
        async with connect(sockets + LIVE, proxy=None, compression=None, additional_headers=headers) as socket:
            await socket.send(ask("This one hangs."))
            await socket.send(ask("Hello, this is a sentence. " * 8))
            assert (await next_frame(socket))["status"] == "chunk"
            began = trio.current_time()
            process.send_signal(signal.SIGINT)
            await trio.to_thread.run_sync(process.wait)
            took = trio.current_time() - began
            with suppress(ConnectionClosed):
                while True:
                    await socket.recv()
        await half.aclose()
    return took
