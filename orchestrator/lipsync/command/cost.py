"""`talkingstick lipsync cost`: asks the service what a video would cost; nothing is made, and nothing is uploaded."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from orchestrator.adapters.avatars.sync import Cost, SyncService
from orchestrator.commands_lipsync import CostOptions
from orchestrator.errors import SettingsError
from orchestrator.lipsync.batch_file import WrongRequestError, is_url, short_request
from orchestrator.lipsync.command.jobs import print_json
from orchestrator.lipsync.command.service import reached_service, settings_of
from orchestrator.lipsync.command.sources import located, path_at, seconds_of
from orchestrator.ports import VideoRequest

_FRAMES_A_SECOND = 25.0
"""Of the estimate that looks at the input (published: prices are at 25)."""


@frozen
class Question:
    """What is to be priced: a request whose input is on the web, or so many seconds of a model."""

    model: str
    request: VideoRequest | None = None
    seconds: float = 0.0


async def cost(options: CostOptions) -> int:
    """Print how long the video would be and what it would cost; return 0. Raises SettingsError, AvatarFault."""
    settings = settings_of(options)
    question = question_of(options, options.model or settings.model)
    async with reached_service(settings) as service:
        found = await _asked(service, question)
    seconds = question.seconds or found.frames / _FRAMES_A_SECOND
    if options.json:
        print_json(
            model=question.model,
            seconds=round(seconds, 3),
            frames=found.frames,
            dollars=found.dollars,
            credits=found.credits,
        )
    else:
        in_credits = "" if found.credits is None else f", {found.credits:g} credits"
        print(f"{question.model}: {seconds:.1f} s, {found.frames:g} frames: ${found.dollars:.4f}{in_credits}")
    return 0


async def _asked(service: SyncService, question: Question) -> Cost:
    if question.request is not None:
        return await service.cost(question.request)
    return await service.estimate(question.model, question.seconds)


def question_of(options: CostOptions, model: str) -> Question:
    """Return what is to be priced. Raises SettingsError."""
    if options.seconds is not None:
        if options.video or options.audio:
            raise SettingsError("cost: expected --seconds, or --video and --audio; not both")
        return Question(model, seconds=options.seconds)
    if not (options.video and options.audio):
        raise SettingsError("cost: expected --video and --audio, or --seconds")
    try:
        if is_url(options.video) and is_url(options.audio):
            asked = {"video": options.video, "audio": options.audio}
            return Question(model, located(short_request(asked, model=model), Path.cwd()))
        # The service can't see a file of ours: the video is as long as its sound.
        if is_url(options.audio):
            raise WrongRequestError("--video is a file here and --audio is not: give both as URLs, or --seconds")
        return Question(model, seconds=seconds_of(path_at(options.audio, Path.cwd())))
    except WrongRequestError as wrong:
        raise SettingsError(f"cost: {wrong}") from None
