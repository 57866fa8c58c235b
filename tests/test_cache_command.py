"""`talkingstick cache`: what is in the phrase cache is listed and removed, what is missing is made over the account."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import trio

from orchestrator import cache_command
from orchestrator.cli import main
from orchestrator.commands_cache import ClearOptions, ListOptions, WarmOptions
from orchestrator.dialogue.bot import Bot
from orchestrator.errors import BotLoadError, ProviderFault, SettingsError
from orchestrator.settings import CacheSettings
from orchestrator.speech.phrase_files import PhraseFiles
from simulations.voices import voice_named
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer, open_waves_server
from tests.speech.kept import key, phrase

LADDER = """
[ladder.fillers]
en = ["Let me see."]
hi = ["ज़रा रुकिए।"]
[ladder.words]
[ladder.apologies]
[admission]
on = false
[admission.goodbyes]
en = ["Goodbye."]
"""


class Greeter(Bot):
    """A bot with phrases of its own."""

    def phrases(self) -> Iterable[str]:
        """What it opens with."""
        yield "Hello, this is the desk."


class Broken(Bot):
    """A bot whose phrases fail."""

    def phrases(self) -> Iterable[str]:
        """Fail."""
        raise ZeroDivisionError("by zero")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a test writes its configuration; the key is there, and the default cache is the test's own."""
    monkeypatch.setenv("WAVES_API_KEY", "sk_live_0123456789")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "talkingstick.toml"


def write(config: Path, *, address: str = "ws://127.0.0.1:1", bot: str = "Greeter", more: str = "") -> None:
    """Write a configuration with three phrases."""
    text = f'[bot]\nuse = "tests.test_cache_command:{bot}"\n[provider]\naddress = "{address}"\n{more}\n{LADDER}'
    config.write_text(text, "utf-8")


def instant() -> WavesServer:
    """Return a provider that takes no time."""
    return WavesServer(WavesOptions(ttfb=0.0, rtf=0.0), voice_named("tone"))


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A cache with two phrases, one made ten days ago, and a damaged entry."""
    folder = tmp_path / "filled"
    now = time.time()
    PhraseFiles(CacheSettings(), directory=folder, wall=lambda: now - 10 * 86_400).write(
        key("Old\n\x1b[1m."), phrase(2.0)
    )
    PhraseFiles(CacheSettings(), directory=folder).write(key("One moment, please. " * 5), phrase(1.5))
    (folder / f"{'0' * 64}.phrase").write_bytes(b"talk")
    os.utime(folder / f"{'0' * 64}.phrase", (now - 99 * 86_400, now - 99 * 86_400))
    return folder


async def test_the_list_is_for_people(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line an entry, texts short and harmless; totals at the end."""
    assert await cache_command.run(options=ListOptions(directory=filled)) == 0
    new, old, damaged, total = capsys.readouterr().out.splitlines()
    assert new.split(maxsplit=8)[:7] == ["avery", "en", "8000", "Hz", "1.5", "s", "0.0"]
    assert new.endswith("One moment, please. One moment, pleas...")
    assert old.endswith("Old  [1m.")
    assert "10.0 d" in old
    assert damaged.startswith("(damaged)")
    assert total == f"3 phrase(s), 1 damaged, 3.5 s of sound, 0.06 MB in {filled}"


async def test_the_list_is_for_programs(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object; keys and texts are whole."""
    assert await cache_command.run(options=ListOptions(directory=filled, json=True)) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["schema"], listed["directory"], listed["seconds"]) == (1, str(filled), 3.5)
    new, old, damaged = listed["phrases"]
    assert new["key"]["text"] == "One moment, please. " * 5
    assert old["age_days"] == pytest.approx(10, abs=0.01)
    assert (damaged["key"], damaged["bytes"]) == (None, 4)
    assert listed["bytes"] == sum(entry["bytes"] for entry in listed["phrases"])


async def test_an_empty_cache_is_no_error(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor one that is not there yet: the default one, and that of a configuration."""
    write(config, more=f'[cache]\ndirectory = "{config.parent / "own"}"')
    assert await cache_command.run(options=ListOptions()) == 0
    assert await cache_command.run(options=ClearOptions(config=config)) == 0
    listed, cleared = capsys.readouterr().out.splitlines()
    assert listed == f"0 phrase(s), 0.0 s of sound, 0.00 MB in {config.parent / 'caches' / 'talkingstick'}"
    assert cleared == f"removed 0 phrase(s), 0.00 MB, from {config.parent / 'own'}"


async def test_clear_removes_what_it_is_told_to(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the day it was made on; all of it without a day. What is not ours stays."""
    (filled / "notes.txt").touch()
    assert await cache_command.run(options=ClearOptions(directory=filled, older_than=9.0)) == 0
    assert len(os.listdir(filled)) == 2
    assert await cache_command.run(options=ClearOptions(directory=filled)) == 0
    assert os.listdir(filled) == ["notes.txt"]
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        "removed 2 phrase(s)",
        "removed 1 phrase(s)",
    ]


async def test_warm_makes_what_is_missing_once(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The ladder's, admission's and the bot's; the second time no provider is needed."""
    async with open_waves_server(instant()) as server:
        write(config, address=server.address)
        assert await cache_command.run(options=WarmOptions(config=config, within=20)) == 0
        assert server.snapshot()["requests"] == 3
    out, err = capsys.readouterr()
    folder = config.parent / "caches" / "talkingstick"
    assert out == f"3 of 3 phrase(s) are ready, 3 of them new, in {folder}\n"
    assert err.splitlines()[0].startswith("1 of 3: avery, en, 8 characters, ")
    assert await cache_command.run(options=WarmOptions(config=config, within=20)) == 0
    assert capsys.readouterr() == (f"3 of 3 phrase(s) are ready, 0 of them new, in {folder}\n", "")
    assert {entry.key and entry.key.text for entry in PhraseFiles(CacheSettings(), directory=folder).entries()} == {
        "Let me see.", "Goodbye.", "Hello, this is the desk.",
    }  # fmt: skip


async def test_warm_makes_each_voice_language_and_rate(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bot's own phrases are in the configuration's language alone."""
    async with open_waves_server(instant()) as server:
        write(config, address=server.address)
        folder = config.parent / "here"
        options = WarmOptions(
            config=config,
            directory=folder,
            voice=("avery", "meher"),
            language=("en", "hi"),
            rate=(8000, 16000),
            within=30,
        )
        assert await cache_command.run(options=options) == 0
    found = [entry.key for entry in PhraseFiles(CacheSettings(), directory=folder).entries()]
    assert len(found) == 2 * 2 * (3 + 1)
    assert {(key.voice, key.rate) for key in found if key and key.language == "hi"} == {
        (voice, rate) for voice in ("avery", "meher") for rate in (8000, 16000)
    }


async def test_warm_exits_1_if_a_phrase_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The voice that nobody knows is told; the others' phrases are made."""
    async with open_waves_server(instant()) as server:
        write(config, address=server.address)
        options = WarmOptions(config=config, voice=("avery", "nobody"), within=20)
        assert await cache_command.run(options=options) == 1
    out, err = capsys.readouterr()
    assert out.startswith("3 of 6 phrase(s) are ready, 3 of them new")
    assert "talkingstick: a phrase in the voice nobody can't be made: " in err


async def test_warm_exits_1_if_nothing_can_be_kept(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says why."""
    (config.parent / "file").touch()
    async with open_waves_server(instant()) as server:
        write(config, address=server.address)
        options = WarmOptions(config=config, directory=config.parent / "file" / "cache", within=20)
        assert await cache_command.run(options=options) == 1
    assert "talkingstick: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "bot", "error", "message"),
    [
        ("[cache]\non = false", "Greeter", SettingsError, "cache.on = false: .*expected true"),
        ("[cache]\nmegabytes = 0", "Greeter", SettingsError, "cache.megabytes"),
        ("", "Broken", BotLoadError, r"phrases\(\): ZeroDivisionError: by zero"),
        ("", "Nobody", BotLoadError, "has no class 'Nobody'"),
    ],
)
async def test_warm_says_what_is_wrong_with_the_configuration(
    more: str, bot: str, error: type[Exception], message: str, config: Path
) -> None:
    """Before the provider is asked anything."""
    write(config, bot=bot, more=more)
    with pytest.raises(error, match=message):
        await cache_command.run(options=WarmOptions(config=config))


async def test_warm_gives_up_on_a_provider_that_is_not_there(config: Path) -> None:
    """Nobody listens on the port."""
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))
        write(config, address=f"ws://127.0.0.1:{unused.getsockname()[1]}")
        with trio.fail_after(5), pytest.RaisesGroup(ProviderFault):
            await cache_command.run(options=WarmOptions(config=config))


def test_the_options_reach_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each of the three, under their own names."""
    asked: list[Any] = []

    async def run(*, options: Any) -> int:
        await trio.lowlevel.checkpoint()
        asked.append(options)
        return 0

    monkeypatch.setattr(cache_command, "run", run)
    warm = "cache warm --config c.toml --voice a --voice b --language hi --rate 8000 --rate 16000 --within 60"
    lines = ("cache list", "cache list --config c.toml --directory d --json", "cache clear --older-than 7", warm)
    assert [main(line.split()) for line in lines] == [0, 0, 0, 0]
    assert asked == [
        ListOptions(),
        ListOptions(config=Path("c.toml"), directory=Path("d"), json=True),
        ClearOptions(older_than=7.0),
        WarmOptions(config=Path("c.toml"), voice=("a", "b"), language=("hi",), rate=(8000, 16000), within=60.0),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cache warm", "--config"),
        ("cache warm --config c.toml --rate 4000", 'Invalid value "4000" for --rate. Must be >= 8000.'),
        ("cache warm --config c.toml --language xx", 'Invalid value "xx" for --language. Choose from: auto, en, '),
        ("cache clear --older-than -1", "for --older-than. Must be >= 0."),
        ("cache clear --older-than week", 'Invalid value for --older-than: expected a number, not "week"'),
        ("cache lst", 'Unknown command "lst". Did you mean "list"?'),
    ],
)
def test_wrong_use_says_what_is_wrong(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and where help is."""
    assert main(line.split()) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert message in first
    assert second.startswith("talkingstick: see: talkingstick cache")


@pytest.mark.parametrize("command", ["list", "warm", "clear"])
def test_each_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As every command."""
    assert main(["cache", command, "--help"]) == 0
    assert f"Example: talkingstick cache {command} " in capsys.readouterr().out


@pytest.mark.realtime
def test_ctrl_c_ends_warm_at_once(config: Path) -> None:
    """While the provider does not answer: status 130, not a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        write(config, address=f"ws://127.0.0.1:{listener.getsockname()[1]}")
        command = [sys.executable, "-m", "orchestrator", "cache", "warm", "--config", str(config)]
        root = Path(__file__).parents[1]
        with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=root) as process, listener.accept()[0]:
            process.send_signal(signal.SIGINT)
            began = time.monotonic()
            _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, b"")
    assert time.monotonic() - began < 5
