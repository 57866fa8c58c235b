"""Makes jobs of bots' wishes for videos: has their sound made, hands them to the queue, and tells how they ended.

How the sound is made is speech/sounds.py's, all that follows the queue's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import attrs
import trio
from attrs import Factory, define, frozen

from orchestrator import events
from orchestrator.dialogue.bot import Say, Video
from orchestrator.dialogue.bot_code import part
from orchestrator.errors import BotError
from orchestrator.lipsync.batch_file import WrongRequestError, is_picture
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.job import Job, JobState
from orchestrator.lipsync.sounds import SoundFiles
from orchestrator.ports import Emit, Now, VideoRequest
from orchestrator.speech.reply import VoiceChoice
from orchestrator.speech.sounds import SoundMaker, check_length

_LONGEST = 1e9
"""Seconds that a deadline may be away: some thirty years, since dates end with the year 9999."""
_MOST_PRIORITY = 1000
"""And the least is as far below 0, as on the command line."""
NO_VIDEOS = "video_reply: no videos are made here; set lipsync.on = true"


class VideoQueue(Protocol):
    """The queue of videos as far as bots need it."""

    async def accept(
        self, request: VideoRequest, *, owner: str, call: str, priority: int, deadline: float | None
    ) -> Job:
        """Put a job into the queue; when this returns it survives us. `deadline` is in Unix seconds."""

    async def wait_ended(self, job_id: str) -> Job:
        """Return a job when it has ended."""


@frozen(kw_only=True)
class VideoWish:
    """What a bot wants: `video` is a file or a URL, `within` the seconds in which it must be ready."""

    video: str
    say: Say
    model: str | None = None
    within: float | None = None
    priority: int = 0


@frozen(kw_only=True)
class VideoMeans:
    """What videos are made with: the queue, the `model` that is usual, where sounds are kept, Unix time.

    `locate` puts `file:` URLs in the place of files that a request names, and raises WrongRequestError, a ValueError,
    for one that can't be sent; it may block.
    """

    queue: VideoQueue
    model: str
    sounds: SoundFiles
    wall: Now
    locate: Callable[[VideoRequest], VideoRequest]


@define(eq=False, kw_only=True, repr=False)
class _Order:
    """A wish on its way, with its deadline in Unix seconds: implements bot.VideoReply."""

    bot: str
    call: str
    say: Say
    request: VideoRequest
    priority: int
    deadline: float | None
    job: str = ""
    _video: Video | None = None
    _queued: trio.Event = Factory(trio.Event)
    _ended: trio.Event = Factory(trio.Event)

    def __repr__(self) -> str:
        return f"VideoReply(job={self.job!r}, ended={self.ended})"

    async def wait_queued(self) -> str:
        """Wait until the queue has it, or it came to nothing."""
        await self._queued.wait()
        return self.job

    async def wait(self) -> Video:
        """Wait for the end."""
        await self._ended.wait()
        assert self._video is not None
        return self._video

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._ended.is_set()

    def accepted(self, job: Job) -> None:
        """The queue has it."""
        self.job = job.id
        self._queued.set()

    def end(self, video: Video) -> None:
        """It is over."""
        self._video = video
        self._queued.set()
        self._ended.set()


class Videos:
    """The wishes of all bots; each is a task in `nursery`, and outlives its call."""

    def __init__(
        self, means: VideoMeans, *, maker: SoundMaker, voice: VoiceChoice, nursery: trio.Nursery, emit: Emit, now: Now
    ) -> None:
        self._means = means
        self._maker = maker
        self._voice = voice
        self._nursery = nursery
        self._emit = emit
        self._now = now

    async def ask(self, wish: VideoWish, *, bot: str, call: str) -> _Order:
        """Have a video made. Raises BotError where the wish can't be carried out as it is."""
        _check(wish)
        if not self._maker.can_say(wish.say.text, voice=self._voice_of(wish.say)):
            raise BotError("video_reply: the text has nothing that can be spoken")
        order = _Order(
            bot=bot,
            call=call,
            say=wish.say,
            request=await self._request(wish),
            priority=wish.priority,
            deadline=None if wish.within is None else self._means.wall() + wish.within,
        )
        self._nursery.start_soon(self._serve, order)
        return order

    async def _request(self, wish: VideoWish) -> VideoRequest:
        """Return what is to be asked for, as yet without the sound."""
        kind = "image" if is_picture(wish.video) else "video"
        request = VideoRequest(model=wish.model or self._means.model, input=({"type": kind, "url": wish.video},))
        try:
            return await self._means.sounds.lane.run(self._means.locate, request)
        except WrongRequestError as error:
            raise BotError(f"video_reply: video {error}") from None

    async def _serve(self, order: _Order) -> None:
        """Carry a wish out; whatever goes wrong with it is told, and nobody else feels it."""
        try:
            await self._carry_out(order)
        except BaseException as error:
            passing, trouble = part(error)
            if trouble is None and not order.job:
                trouble = RuntimeError("the program ended before its sound was made")
            if trouble is not None:
                self._give_up(order, trouble)
            if passing is not None:
                raise passing from passing.__cause__

    async def _carry_out(self, order: _Order) -> None:
        sound = await self._sound(order)
        try:
            audio = {"type": "audio", "url": sound.as_uri()}
            job = await self._means.queue.accept(
                attrs.evolve(order.request, input=(*order.request.input, audio)),
                owner=order.bot,
                call=order.call,
                priority=order.priority,
                deadline=order.deadline,
            )
            order.accepted(job)
            order.end(_video_of(await self._means.queue.wait_ended(job.id)))
        finally:
            if not order.job or order.ended:  # a job that goes on without us needs it
                with trio.CancelScope(shield=True):  # a short one, and else it would lie there for an hour
                    await self._means.sounds.remove(sound)

    async def _sound(self, order: _Order) -> Path:
        left = math.inf if order.deadline is None else order.deadline - self._means.wall()
        try:
            with trio.fail_after(max(0.0, left)):
                voice = self._voice_of(order.say)
                phrase = await self._maker.make(
                    order.say.text, voice=voice, keep=order.say.cached, priority=order.priority
                )
                return await self._means.sounds.keep(phrase.pcm, phrase.rate)
        except trio.TooSlowError:
            raise trio.TooSlowError("its sound could not be made by its deadline") from None

    def _give_up(self, order: _Order, error: BaseException) -> None:
        code = "deadline_passed" if isinstance(error, trio.TooSlowError) else "sound_failed"
        if isinstance(error, LipsyncStoreError):
            code = "not_accepted"
        if not order.job:
            told = f"{type(error).__name__}: {error}"
            self._emit(events.VideoGivenUp(at=self._now(), call=order.call, bot=order.bot, error=told))
        order.end(Video(job=order.job, error=str(error), code=code))

    def _voice_of(self, say: Say) -> VoiceChoice:
        usual = self._voice
        return attrs.evolve(usual, voice=say.voice or usual.voice, language=say.language or usual.language)


def _check(wish: VideoWish) -> None:
    """Raise BotError for what a bot, which nobody checks for types, may not wish."""
    check_length(wish.say.text)
    within, priority, model = wish.within, wish.priority, wish.model
    if within is not None and not (isinstance(within, int | float) and 0 < within <= _LONGEST):
        raise BotError(f"video_reply: deadline = {within!r:.80}: expected seconds from now")
    if type(priority) is not int or abs(priority) > _MOST_PRIORITY:
        most = _MOST_PRIORITY
        raise BotError(f"video_reply: priority = {priority!r:.80}: expected a whole number from -{most} to {most}")
    if not isinstance(model, str | None):
        raise BotError(f"video_reply: model = {model!r:.80}: expected its name")


def _video_of(job: Job) -> Video:
    if job.state is JobState.COMPLETED:
        return Video(job=job.id, url=job.output_url, seconds=job.output_duration)
    return Video(job=job.id, error=job.error or job.state.value, code=job.code or job.state.value)
