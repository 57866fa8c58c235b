"""A program that makes videos, for tests: a queue whose videos take two minutes, and a bot that answers with one."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import url2pathname

import attrs
import trio
from attrs import define, field

from orchestrator import Bot, Heard, Talk, Turn, Video, events
from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.app import Surroundings, open_orchestrator, run_clock
from orchestrator.dialogue.videos import VideoMeans
from orchestrator.lanes import InlineLane
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.sounds import SoundFiles, sounds_beside
from orchestrator.ports import Lane, VideoRequest
from orchestrator.testing import instant_voice
from orchestrator.video_answers import locate
from tests.dialogue.calls import Caller, Desk, say, settings
from tests.lipsync.worlds import BEGAN, wall

ADA = "https://example.com/ada.mp4"
MINUTES = 120.0


@define(eq=False)
class Studio:
    """A queue whose videos take two minutes; `sounds` are what jobs said, `ends` how they end."""

    taken: list[Job] = field(factory=list)
    sounds: list[bytes] = field(factory=list)
    ends: dict[str, Any] = field(factory=lambda: {"state": JobState.COMPLETED, "output_url": "https://out/v.mp4"})
    trouble: Exception | None = None

    async def accept(
        self, request: VideoRequest, *, owner: str, call: str, priority: int, deadline: float | None
    ) -> Job:
        """Take a job in."""
        await trio.lowlevel.checkpoint()
        if self.trouble is not None:
            raise self.trouble
        with wave.open(url2pathname(request.files[-1].removeprefix("file:"))) as sound:
            assert sound.getframerate() == 24_000
            self.sounds.append(sound.readframes(10**9))
        given: dict[str, Any] = {"owner": owner, "call": call, "priority": priority, "deadline": deadline}
        job = Job(id=f"j{len(self.taken)}", key="k", request=request, accepted_at=wall(), **given)
        self.taken.append(job)
        return job

    async def wait_ended(self, job_id: str) -> Job:
        """Wait for the end of one."""
        job = next(job for job in self.taken if job.id == job_id)
        await trio.sleep_until(job.accepted_at - BEGAN + MINUTES)
        return attrs.evolve(job, output_duration=4.0, **self.ends)


@define
class Office:
    """The running program, with what it makes videos with."""

    desk: Desk
    studio: Studio
    folder: Path

    @property
    def files(self) -> list[Path]:
        """The sounds that lie there."""
        return list(self.folder.iterdir()) if self.folder.exists() else []


@asynccontextmanager
async def office(tmp_path: Path, *, lane: Lane | None = None) -> AsyncIterator[Office]:
    """Open a program that makes videos, for at most an hour."""
    studio, told, now = Studio(), list[events.Event](), run_clock()
    store = tmp_path / "lipsync.db"
    sounds = SoundFiles(store=store, lane=InlineLane(), wall=wall)
    means = VideoMeans(queue=studio, model="lipsync-2", sounds=sounds, wall=wall, locate=locate)
    given = Surroundings(emit=told.append, now=now, dial=instant_voice, lane=lane or InlineLane(), videos=means)
    with trio.fail_after(3600):
        async with open_orchestrator(settings(), given) as orchestrator:
            yield Office(Desk(orchestrator, now, told), studio, sounds_beside(store))


class Presenter(Bot):
    """Answers with a video, and with words when it has ended; the options are those of the wish."""

    def __init__(self, log: list[Any], **wish: Any) -> None:
        self.log = log
        self.wish = {"video": ADA, "text": "Hello, this is Ada.", **wish}

    async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
        """Answer."""
        yield "One moment. "
        self.log.append(await talk.video_reply(**self.wish))
        yield "It is on its way."

    async def on_heard(self, heard: Heard) -> None:
        """Note it."""
        self.log.append(heard.heard)

    async def on_video(self, video: Video, talk: Talk) -> None:
        """Note it, and say so."""
        self.log.append(video)
        talk.say("Your video is there." if video.url else "There will be no video.")


def staying(seconds: float) -> Caller:
    """A caller who wants a video and stays for so long."""

    async def caller(phone: Phone) -> None:
        await say(phone, "a video, please")
        await trio.sleep(seconds)
        phone.hang_up()

    return caller
