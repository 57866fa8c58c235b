"""`talkingstick check`: says what a configuration means; a bot, a key or a provider that is not there is named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from orchestrator import check
from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.dialogue.bot import Bot
from orchestrator.errors import AvatarFault, FaultKind, ProviderFault, SettingsError
from orchestrator.ports import Connection, Lane
from orchestrator.settings import LipsyncSettings, ProviderSettings
from orchestrator.video_answers import VideoAccount
from simulations.sync.options import SyncOptions
from simulations.sync.server import SyncServer, open_sync_server
from simulations.voices import voice_named
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer, open_waves_server

KEY = "sk_live_0123456789"
BOT = '[bot]\nuse = "tests.test_check:Desk"\n'


class Desk(Bot):
    """A bot with one option."""

    def __init__(self, name: str = "desk") -> None:
        self.name = name


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a test writes its configuration; the key is there."""
    monkeypatch.setenv("WAVES_API_KEY", KEY)
    return tmp_path / "talkingstick.toml"


def write(config: Path, text: str) -> None:
    """Write the configuration, before anything runs that could wait for it."""
    config.write_text(text, "utf-8")


async def test_a_right_configuration_is_described(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0; the key is told by its place."""
    write(config, BOT + '[bot.options]\nname = "Asha"\n[slot]\npatience = 0.4\n')
    assert await check.run(config=config, online=False) == 0
    out = capsys.readouterr().out
    assert "* A first piece may wait 0.4 s" in out
    assert "key: from WAVES_API_KEY (set)" in out
    assert out.endswith("all right\n")
    assert "0123456789" not in out


async def test_it_says_what_needs_a_restart(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By naming what does not."""
    write(config, BOT)
    await check.run(config=config, online=False)
    line = next(line for line in capsys.readouterr().out.splitlines() if "SIGHUP" in line)
    assert "takes over provider.slots, provider.links, bot.weight, admission.*, log.level; the rest needs one" in line


async def test_a_cache_that_cannot_be_written_is_pointed_out(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file stands where the directory should be: calls can be answered all the same."""
    config.with_name("phrases").write_text("")
    write(config, BOT + f'[cache]\ndirectory = "{config.with_name("phrases")}"\n')
    assert await check.run(config=config, online=False) == 0
    assert "! The phrase cache can't be written to" in capsys.readouterr().out


async def test_a_directory_that_is_still_to_be_made_is_fine(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Below one that can be written to."""
    write(config, BOT + f'[cache]\ndirectory = "{config.with_name("new") / "phrases"}"\n')
    assert await check.run(config=config, online=False) == 0
    assert "can't be written" not in capsys.readouterr().out


async def test_a_voice_that_is_not_installed_is_pointed_out(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where none was chosen; one that was chosen must be there."""
    monkeypatch.setattr(check, "installed_voice", lambda choice, lane: None)
    write(config, BOT)
    assert await check.run(config=config, online=False) == 0
    assert "! No voice of this machine is installed" in capsys.readouterr().out

    def missing(choice: str, lane: Lane) -> None:
        raise SettingsError(f"ladder.local = {choice!r}: is not installed")

    monkeypatch.setattr(check, "installed_voice", missing)
    write(config, BOT + '[ladder]\nlocal = "piper"\n')
    with pytest.raises(SettingsError, match=r"ladder\.local = 'piper'"):
        await check.run(config=config, online=False)


async def test_everything_that_is_missing_is_told_at_once(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot that can't be imported and a key that isn't there, after the description."""
    monkeypatch.delenv("WAVES_API_KEY")
    write(config, '[bot]\nuse = "no_such_module:Desk"\n')
    with pytest.raises(SettingsError) as caught:
        await check.run(config=config, online=True)
    bot, key = str(caught.value).splitlines()
    assert "no_such_module" in bot
    assert key.startswith("environment variable WAVES_API_KEY: is not set")
    assert "Speech comes from" in capsys.readouterr().out


async def test_lines_are_told_and_looked_through(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to enter where; what is missing for a call is an error, and no secret is shown."""
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "0123456789abcdef")
    line = '[[serve.lines]]\ncarrier = "twilio"\nsecret_env = "TWILIO_AUTH_TOKEN"\n'
    write(config, BOT + '[serve]\npublic_url = "https://bots.example.com"\n' + line)
    assert await check.run(config=config, online=False) == 0
    out = capsys.readouterr().out
    assert "enter https://bots.example.com/twilio" in out
    assert "whoever signs with the secret from TWILIO_AUTH_TOKEN may call" in out
    assert "0123456789abcdef" not in out
    wrong = '[serve]\ncertificate = "none.pem"\n' + line.replace("AUTH_TOKEN", "NO_TOKEN") + 'bot = "no_such:Bot"\n'
    write(config, BOT + wrong)
    with pytest.raises(SettingsError) as caught:
        await check.run(config=config, online=False)
    told = str(caught.value)
    assert "TWILIO_NO_TOKEN: is not set" in told
    assert "no_such" in told
    assert "serve.certificate = 'none.pem': cannot be read" in told


async def test_what_serve_takes_is_all_right(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The echo is no bot that could be imported, and needs no key."""
    monkeypatch.delenv("WAVES_API_KEY")
    write(config, '[bot]\nuse = "audio-echo"\n[[serve.lines]]\ncarrier = "generic"\n')
    assert await check.run(config=config, online=False) == 0
    assert capsys.readouterr().out.endswith("all right\n")
    write(config, '[bot]\nuse = "audio-echo"\n')
    with pytest.raises(SettingsError, match="audio-echo"):
        await check.run(config=config, online=False)


async def test_a_bot_that_is_missing_is_told_once(config: Path) -> None:
    """Though it is that of the lines, too."""
    write(config, '[bot]\nuse = "ecko"\n[[serve.lines]]\ncarrier = "generic"\n')
    with pytest.raises(SettingsError, match=r"did you mean echo\?$") as caught:
        await check.run(config=config, online=False)
    assert len(str(caught.value).splitlines()) == 1


async def test_an_option_that_the_bot_does_not_take_is_named(config: Path) -> None:
    """As it would fail in the first call."""
    write(config, BOT + '[bot.options]\nnmae = "Asha"\n')
    with pytest.raises(SettingsError, match=r"tests\.test_check:Desk.*options.*'nmae'"):
        await check.run(config=config, online=False)


async def test_a_provider_that_takes_the_key_is_reported_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Over a real socket, with the simulated provider at the other end."""
    async with open_waves_server(WavesServer(WavesOptions(api_key=KEY), voice_named("tone"))) as server:
        write(config, BOT + f'[provider]\naddress = "{server.address}"\n')
        assert await check.run(config=config, online=True) == 0
    assert "accepts the key" in capsys.readouterr().out


async def test_a_provider_that_refuses_the_key_is_reported_with_the_keys_place(config: Path) -> None:
    """401 is final; the message has the status and where the key came from, not the key."""
    async with open_waves_server(WavesServer(WavesOptions(api_key="sk_another"), voice_named("tone"))) as server:
        write(config, BOT + f'[provider]\naddress = "{server.address}"\n')
        with pytest.raises(ProviderFault, match=r"401.*\(key: from WAVES_API_KEY\)") as caught:
            await check.run(config=config, online=True)
    assert caught.value.kind is FaultKind.FINAL
    assert "0123456789" not in str(caught.value)


async def test_a_provider_that_is_not_there_is_reported(config: Path) -> None:
    """Nobody listens on the port."""
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))
        write(config, BOT + f'[provider]\naddress = "ws://127.0.0.1:{unused.getsockname()[1]}"\n')
        with pytest.raises(ProviderFault, match="cannot be reached"):
            await check.run(config=config, online=True)


class Nobody:
    """A connection that is open and silent."""

    async def send(self, message: str) -> None:
        """Take it, and wait."""
        await trio.sleep_forever()

    async def receive(self) -> str:
        """Wait."""
        await trio.sleep_forever()
        raise AssertionError


async def test_a_provider_that_never_answers_is_given_up_after_five_seconds(autojump_clock: MockClock) -> None:
    """Whatever the dialler's own patience is."""

    @asynccontextmanager
    async def dial(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        await trio.sleep_forever()
        yield Nobody()

    began = trio.current_time()
    with pytest.raises(ProviderFault, match="did not answer within 4 s"):
        await check.reach(WavesCodec(ProviderSettings(), KEY), dial)
    assert trio.current_time() - began == pytest.approx(4.0)


async def test_a_provider_that_dawdles_over_the_close_is_reachable(autojump_clock: MockClock) -> None:
    """It took the key: how long it takes to leave is no fault of the configuration."""
    seen = list[tuple[str, str]]()

    @asynccontextmanager
    async def dial(address: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
        seen.append((address, headers["Authorization"]))
        yield Nobody()
        await trio.sleep_forever()

    codec = WavesCodec(ProviderSettings(), KEY)
    await check.reach(codec, dial)
    assert seen == [(codec.address(), f"Bearer {KEY}")]


async def test_online_the_video_service_is_asked_too(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it takes the key, over a real socket; if not, with the key's place and never the key."""
    monkeypatch.setenv("SYNC_API_KEY", KEY)
    waves = open_waves_server(WavesServer(WavesOptions(api_key=KEY), voice_named("tone")))
    right, wrong = (open_sync_server(SyncServer(SyncOptions(api_key=key))) for key in (KEY, "sk_another"))
    async with waves as voices, right as takes, wrong as refuses:

        def settings(address: str) -> str:
            return BOT + f'[provider]\naddress = "{voices.address}"\n[lipsync]\non = true\naddress = "{address}"\n'

        write(config, settings(takes.address))
        assert await check.run(config=config, online=True) == 0
        assert f"  {takes.address} accepts the key.\n" in capsys.readouterr().out
        write(config, settings(refuses.address))
        with pytest.raises(AvatarFault, match=r"401.*\(key: from SYNC_API_KEY\)") as caught:
            await check.run(config=config, online=True)
    assert "0123456789" not in str(caught.value)
    assert refuses.address in str(caught.value)


async def test_a_video_service_that_says_nothing_is_given_up_after_four_seconds(
    config: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long its requests may take otherwise."""

    async def listing(self: SyncService, **_asked: object) -> tuple[()]:
        await trio.sleep_forever()
        return ()

    monkeypatch.setattr(SyncService, "listing", listing)
    account = VideoAccount(settings=LipsyncSettings(), key=KEY, secret="", webhook_url="", store=config)
    began = trio.current_time()
    with pytest.raises(AvatarFault, match="did not answer within 4 s"):
        await check.reach_videos(account)
    assert trio.current_time() - began == pytest.approx(4.0)


async def test_videos_are_told_and_what_they_lack_is_an_error(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a key and a secret that are not there; and whether the queue can be kept where it is to be."""
    monkeypatch.delenv("SYNC_API_KEY", raising=False)
    monkeypatch.setenv("HOOK", "whsec_0123456789")
    videos = f'[lipsync]\non = true\nstore = "{config}/lipsync.db"\nwebhook_secret_env = "HOOK"\n'
    write(config, BOT + videos)
    with pytest.raises(SettingsError) as raised:
        await check.run(config=config, online=False)
    assert "environment variable SYNC_API_KEY: is not set; put the video service's key there" in str(raised.value)
    monkeypatch.setenv("SYNC_API_KEY", KEY)
    assert await check.run(config=config, online=False) == 0
    out = capsys.readouterr().out
    assert "* videos: key from SYNC_API_KEY (set)" in out
    assert "! serve.public_url is missing: the video service can't tell of ends, and is polled." in out
    assert f"! The queue of videos can't be written to {config} (lipsync.store): none are accepted." in out
    assert "0123456789" not in out
