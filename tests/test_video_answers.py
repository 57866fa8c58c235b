"""Video answers in a program that takes calls: what `[lipsync]` needs, and a video from a bot's wish to its end."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import trio

from orchestrator import Bot, Talk, Turn, Video, events
from orchestrator.app import Surroundings, open_orchestrator, run_clock
from orchestrator.errors import SettingsError
from orchestrator.lanes import ThreadLane
from orchestrator.lipsync.sounds import sounds_beside
from orchestrator.port.bridge import serve_connection
from orchestrator.port.listener import open_port
from orchestrator.settings import LineSettings, LipsyncSettings, ServeSettings, Settings
from orchestrator.testing import instant_voice
from orchestrator.video_answers import VideoAccount, VideoAnswers, video_account, wall
from simulations.sync.options import SyncOptions
from simulations.sync.server import SyncServer, open_sync_server
from tests.dialogue.calls import Desk, say
from tests.dialogue.calls import settings as call_settings
from tests.serve.desk import desk, settings_of

ENVIRONMENT = {"SYNC_API_KEY": "sk_0123456789", "HOOK": "whsec_0123456789", "HOME": "/home/ada"}
SECRET = ENVIRONMENT["HOOK"]


def account_of(lipsync: LipsyncSettings, *, public_url: str = "https://bots.example.com") -> VideoAccount | None:
    """Return the account of a configuration."""
    return video_account(Settings(lipsync=lipsync, serve=ServeSettings(public_url=public_url)), ENVIRONMENT)


def test_an_account_is_what_the_settings_and_the_environment_say() -> None:
    """Its key and its secret are in no repr."""
    account = account_of(LipsyncSettings(on=True, webhook_secret_env="HOOK", store="/var/lib/v.db"))
    assert account is not None
    assert (account.key, account.secret, account.store) == ("sk_0123456789", SECRET, Path("/var/lib/v.db"))
    assert account.webhook_url == "https://bots.example.com/hooks/sync"
    answers = VideoAnswers(account=account, emit=list[Any]().append, now=lambda: 0.0)
    assert "0123456789" not in repr((account, answers, answers.hook(), answers.means()))


def test_without_a_secret_or_an_address_outside_the_service_is_polled() -> None:
    """There is no page without a secret: nobody could be believed there."""
    unsigned = account_of(LipsyncSettings(on=True))
    inside = account_of(LipsyncSettings(on=True, webhook_secret_env="HOOK"), public_url="")
    assert unsigned is not None
    assert inside is not None
    assert (unsigned.webhook_url, inside.webhook_url) == ("", "")
    answers = [VideoAnswers(account=each, emit=print, now=wall) for each in (unsigned, inside)]
    assert [each.hook() is None for each in answers] == [True, False]


def test_off_there_is_none_and_what_is_missing_is_named() -> None:
    """With the setting that names where it should be."""
    assert account_of(LipsyncSettings()) is None
    with pytest.raises(SettingsError, match="NOWHERE: is not set"):
        account_of(LipsyncSettings(on=True, key_env="NOWHERE"))
    with pytest.raises(SettingsError, match="NOWHERE: is not set; put the webhooks' secret there"):
        account_of(LipsyncSettings(on=True, webhook_secret_env="NOWHERE"))


async def test_opening_the_queue_again_makes_no_tls_context_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It takes tens of milliseconds, in which no call would be served: it is made before there are any."""
    account = account_of(LipsyncSettings(on=True, store=str(tmp_path / "v.db")))
    assert account is not None
    told = list[events.Event]()
    answers = VideoAnswers(account=account, emit=told.append, now=run_clock())

    def anew(**_options: Any) -> None:
        raise AssertionError("made while calls are served")

    monkeypatch.setattr(httpx2, "create_ssl_context", anew)
    with trio.move_on_after(0.2):
        await answers.queue.run()
    assert told == []  # no QueueStopped


class Presenter(Bot):
    """Answers with a video, and hangs up when it has ended."""

    def __init__(self, log: list[Video], video: Path) -> None:
        self.log = log
        self.video = video

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """Answer."""
        await talk.video_reply(video=self.video, text="Grüße von Ada.")
        yield "Yes."

    async def on_video(self, video: Video, talk: Talk) -> None:
        """Note it."""
        self.log.append(video)
        talk.hang_up()


@asynccontextmanager
async def answering(tmp_path: Path, *, hooked: bool) -> AsyncIterator[tuple[SyncServer, VideoAnswers, Desk]]:
    """Run a service, and a program with a port, on this machine; the service tells it of ends, or is polled."""
    told, now = list[events.Event](), run_clock()
    options = SyncOptions(api_key=ENVIRONMENT["SYNC_API_KEY"], webhook_secret=SECRET, speed=150.0)
    one = await open_port(host="127.0.0.1", port=0)
    public = f"http://127.0.0.1:{one.number}"
    async with open_sync_server(SyncServer(options, wall=wall)) as server, trio.open_nursery() as nursery:
        lipsync = LipsyncSettings(
            on=True,
            address=server.address,
            plan="creator",
            store=str(tmp_path / "v.db"),
            webhook_secret_env="HOOK" if hooked else "",
        )
        account = account_of(lipsync, public_url=public)
        assert account is not None
        videos = VideoAnswers(account=account, emit=told.append, now=now)
        nursery.start_soon(videos.run)
        port = desk(settings_of(LineSettings(carrier="twilio")), happened=told, sync_hook=videos.hook())
        served = partial(serve_connection, app=port.app, upgrade=port.streams.take)
        nursery.start_soon(one.serve, served)
        given = Surroundings(emit=told.append, now=now, dial=instant_voice, lane=ThreadLane(2), videos=videos.means())
        async with open_orchestrator(call_settings(), given) as orchestrator:
            yield server, videos, Desk(orchestrator, now, told)
        nursery.cancel_scope.cancel()


async def caller(phone: Any) -> None:
    """Want a video, and wait."""
    await say(phone, "a video, please", seconds=0.1)
    await trio.sleep_forever()


@pytest.mark.realtime
@pytest.mark.parametrize("hooked", [True, False], ids=["told", "polled"])
async def test_a_video_from_the_wish_to_the_bot_that_is_told(tmp_path: Path, hooked: bool) -> None:
    """Files of ours are uploaded, the sound is what the bot said, a signed webhook ends it, or a look does."""
    ada = tmp_path / "ada.mp4"
    ada.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(1000))
    log: list[Video] = []
    with trio.fail_after(15):
        async with answering(tmp_path, hooked=hooked) as (server, videos, office):
            call = await office.call("c1", Presenter, caller, options={"log": log, "video": ada})
            assert call.reason == "bot"
            (video,) = log
            assert video.url.startswith(server.address)
            (ended,) = office.of(events.VideoEnded)
            assert (ended.state, ended.told_by) == ("completed", "webhook" if hooked else "poll")
            job = await videos.queue.wait_ended(video.job)
            assert (job.owner, job.call) == ("Presenter", "c1")
            assert {urlsplit(item["url"]).netloc for item in job.request.input} == {urlsplit(server.address).netloc}
            assert office.of(events.RequestRefused) == []
            await trio.sleep(0.1)
            assert list(sounds_beside(videos.account.store).iterdir()) == []


def test_a_sound_is_a_file_that_a_player_can_read(tmp_path: Path) -> None:
    """By the standard library's reader, as made by the program's own means."""

    async def keep() -> Path:
        account = account_of(LipsyncSettings(on=True, store=str(tmp_path / "v.db")))
        assert account is not None
        answers = VideoAnswers(account=account, emit=print, now=wall)
        return await answers.means().sounds.keep(bytes(4800), 24_000)

    with wave.open(str(trio.run(keep))) as sound:
        assert sound.getnframes() / sound.getframerate() == 0.1
