"""A bot answers with a video: its sound is made and queued in the background, and the bot is told the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from orchestrator import Bot, Say, Talk, Turn, Video, VideoReply, events
from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.dialogue.bot_loading import check_bot
from orchestrator.errors import BotLoadError
from orchestrator.lanes import ThreadLane
from orchestrator.lipsync.database import LipsyncStoreError
from orchestrator.lipsync.job import JobState
from tests.dialogue.calls import open_desk, say, saying
from tests.dialogue.studio import ADA, Presenter, office, staying
from tests.lipsync.worlds import BEGAN


async def test_the_bot_is_told_in_its_call_when_the_video_is_there(autojump_clock: MockClock, tmp_path: Path) -> None:
    """The reply goes on at once; on_video may speak; the job has bot and call; the sound's file goes."""
    log: list[Any] = []
    async with office(tmp_path) as there:
        call = await there.desk.call("c1", Presenter, staying(200), options={"log": log})
        assert call.lines == [">a video, please", "One moment. It is on its way.", "Your video is there."]
        handle, first, video, second = log
        assert (first, second) == ("One moment. It is on its way.", "Your video is there.")
        assert video == Video(job="j0", url="https://out/v.mp4", seconds=4.0)
        assert handle.job == await handle.wait_queued() == "j0"
        assert await handle.wait() == video
        (job,) = there.studio.taken
        assert (job.owner, job.call, job.priority, job.deadline) == ("Presenter", "c1", 0, None)
        assert job.request.model == "lipsync-2"
        visual, audio = job.request.input
        assert visual == {"type": "video", "url": ADA}
        assert audio["url"].startswith("file://")
        assert len(there.studio.sounds[0]) > 24_000  # more than half a second of speech
        assert there.files == []
        assert there.desk.of(events.BotFailed) == []


async def test_the_video_outlives_its_call(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Nobody is told then but who waits for it, and the operator by the queue."""
    log: list[Any] = []
    async with office(tmp_path) as there:
        await there.desk.call("c1", Presenter, staying(6), options={"log": log})
        assert [type(each) for each in log[1:]] == [str]
        assert len(there.files) == 1
        assert (await log[0].wait()).url
        await trio.sleep(1)
        assert there.files == []
        assert not any(isinstance(each, Video) for each in log)


async def test_the_wish_is_as_it_was_said(autojump_clock: MockClock, tmp_path: Path) -> None:
    """A picture of ours, another model, a deadline from now on, a priority, another voice."""
    picture = tmp_path / "ada b.png"
    picture.write_bytes(b"png")
    wish = {"video": picture, "text": Say("Hello.", voice="blofeld"), "model": "sync-3", "deadline": 900, "priority": 3}
    async with office(tmp_path) as there:
        await there.desk.call("c1", Presenter, staying(10), options={"log": [], **wish})
        (job,) = there.studio.taken
        assert (job.priority, job.request.model) == (3, "sync-3")
        assert job.deadline is not None
        assert 895 < job.deadline - BEGAN < 910
        assert job.request.input[0] == {"type": "image", "url": picture.as_uri()}


async def test_a_video_that_was_not_made_is_told_with_its_reason(autojump_clock: MockClock, tmp_path: Path) -> None:
    """As the service has it."""
    log: list[Any] = []
    async with office(tmp_path) as there:
        there.studio.ends = {"state": JobState.FAILED, "error": "no face in it", "code": "generation_pipeline_failed"}
        call = await there.desk.call("c1", Presenter, staying(200), options={"log": log})
    assert log[2] == Video(job="j0", error="no face in it", code="generation_pipeline_failed")
    assert call.lines[-1] == "There will be no video."


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"text": " ... "}, "nothing that can be spoken"),
        ({"video": "/nowhere/ada.mp4"}, '"/nowhere/ada.mp4": can\'t be read'),
        ({"video": "ftp://example.com/a.mp4"}, "expected https://"),
        ({"deadline": -1}, "deadline = -1: expected seconds"),
        ({"deadline": float("nan")}, "deadline = nan"),
        ({"deadline": 10**400}, "expected seconds"),
        ({"deadline": "soon"}, "deadline = 'soon': expected seconds"),
        ({"text": "word " * 1001}, "the text has 5005 characters; expected at most 5000"),
        ({"priority": "high"}, "priority = 'high': expected a whole number from -1000 to 1000"),
        ({"priority": 1001}, "priority = 1001"),
        ({"priority": 1.5}, "priority = 1.5"),
        ({"priority": True}, "priority = True"),
        ({"model": 5}, "model = 5: expected its name"),
        ({"text": 7}, "TypeError: a bot says str or Say"),
    ],
)
async def test_a_wish_that_cannot_be_carried_out_fails_the_hook(
    autojump_clock: MockClock, tmp_path: Path, wish: dict[str, Any], error: str
) -> None:
    """Its words name what is wrong; the call goes on."""
    async with office(tmp_path) as there:
        call = await there.desk.call("c1", Presenter, staying(20), options={"log": [], **wish})
        assert call.reason == "caller"
        (failed,) = there.desk.of(events.BotFailed)
        assert (failed.hook, error in failed.error) == ("reply", True)
        assert there.studio.taken == []


async def test_without_the_setting_the_error_names_it(autojump_clock: MockClock) -> None:
    """In the hook that asked, only."""
    async with open_desk() as desk:
        await desk.call("c1", Presenter, staying(20), options={"log": []})
        (failed,) = desk.of(events.BotFailed)
        assert failed.error == "video_reply: no videos are made here; set lipsync.on = true"


async def test_a_queue_that_takes_nothing_is_told_and_hurts_nobody(autojump_clock: MockClock, tmp_path: Path) -> None:
    """The bot learns it as any other end; nothing of the sound is left."""
    log: list[Any] = []
    async with office(tmp_path) as there:
        there.studio.trouble = LipsyncStoreError("/x/lipsync.db: the disk is full")
        await there.desk.call("c1", Presenter, staying(20), options={"log": log})
        video = next(each for each in log if isinstance(each, Video))
        assert video == Video(job="", error="/x/lipsync.db: the disk is full", code="not_accepted")
        assert await log[0].wait_queued() == ""
        (given_up,) = there.desk.of(events.VideoGivenUp)
        assert (given_up.call, given_up.bot, "disk is full" in given_up.error) == ("c1", "Presenter", True)
        assert there.files == []


async def test_a_mistake_of_ours_in_one_video_ends_no_call(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Whatever is raised there."""
    log: list[Any] = []
    async with office(tmp_path) as there:
        there.studio.trouble = ExceptionGroup("of a nursery", [ZeroDivisionError("a mistake")])
        call = await there.desk.call("c1", Presenter, staying(20), options={"log": log})
        assert call.reason == "caller"
        assert len(there.desk.of(events.VideoGivenUp)) == 1


async def test_a_sound_that_is_not_ready_by_the_deadline_is_given_up(autojump_clock: MockClock, tmp_path: Path) -> None:
    """While calls need the slot, say: here the deadline is too soon for anything."""
    log: list[Any] = []
    async with office(tmp_path) as there:
        await there.desk.call("c1", Presenter, staying(20), options={"log": log, "deadline": 1e-6})
        video = next(each for each in log if isinstance(each, Video))
    assert (video.code, video.error) == ("deadline_passed", "its sound could not be made by its deadline")


class Clumsy(Presenter):
    """Fails when it is told, or takes for ever."""

    async def on_video(self, video: Video, talk: Talk) -> None:
        """Break the contract."""
        if self.wish["text"] == "raise":
            raise LookupError("no such thing")
        await trio.sleep_forever()


@pytest.mark.parametrize(("text", "error"), [("raise", "LookupError: no such thing"), ("wait", "not done within 8 s")])
async def test_a_hook_that_fails_or_takes_too_long_is_an_event(
    autojump_clock: MockClock, tmp_path: Path, text: str, error: str
) -> None:
    """And the call goes on: the caller is answered after it."""

    async def caller(phone: Phone) -> None:
        await say(phone, "a video, please")
        await trio.sleep(150)
        await say(phone, "another one")
        await trio.sleep(10)
        phone.hang_up()

    async with office(tmp_path) as there:
        call = await there.desk.call("c1", Clumsy, caller, options={"log": [], "text": text})
        (failed,) = there.desk.of(events.BotFailed)
        assert (failed.hook, failed.error) == ("on_video", error)
        assert call.lines[-2:] == [">another one", "One moment. It is on its way."]


async def test_on_video_waits_until_nobody_speaks(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Hooks of one bot never run side by side."""
    log: list[Any] = []

    class Slow(Presenter):
        """Takes two minutes for its reply."""

        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
            """Answer for long."""
            await talk.video_reply(**self.wish)
            for _ in range(20):
                yield "This sentence takes about seven seconds to be spoken, in the voice that tests have. "
            log.append("said")

    async with office(tmp_path) as there:
        await there.desk.call("c1", Slow, staying(300), options={"log": log})
    assert log[0] == "said"
    assert isinstance(log[2], Video)


class Late(Bot):
    """Sends a summary."""

    async def opening(self, talk: Talk) -> AsyncIterator[str]:
        """Greet."""
        self.talk = talk
        yield "Hello."

    async def on_video(self, video: Video, talk: Talk) -> None:
        """Never told."""
        raise AssertionError

    async def on_hang_up(self) -> None:
        """Wish."""
        await self.talk.video_reply(video=ADA, text="It was nice to talk with you.")


async def test_a_video_for_after_the_call(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Asked for when the caller has hung up: it is made all the same."""

    async with office(tmp_path) as there:
        await there.desk.call("c1", Late, saying(), options={})
        await trio.sleep(10)
        assert len(there.studio.taken) == 1
        assert there.desk.of(events.BotFailed) == []


async def test_a_program_that_ends_leaves_jobs_with_their_sounds_to_the_next_one(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """The queue is durable."""
    async with office(tmp_path) as there:
        await there.desk.call("c1", Presenter, staying(8), options={"log": []})
        assert len(there.studio.taken) == 1
    assert len(there.files) == 1
    assert there.desk.of(events.VideoGivenUp) == []


async def test_a_program_that_ends_tells_what_came_to_nothing(autojump_clock: MockClock, tmp_path: Path) -> None:
    """Of a wish whose sound is still to be made."""
    async with office(tmp_path) as there:
        await there.desk.call("c1", Late, saying(), options={})
    (given_up,) = there.desk.of(events.VideoGivenUp)
    assert "the program ended before" in given_up.error
    assert there.files == []


class Plain(Bot):
    """A bot of plain generators, whose hooks run in a worker's thread."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def reply(self, turn: Turn, talk: Talk) -> Iterator[str]:
        """Wish."""
        order: VideoReply = trio.from_thread.run(partial(talk.video_reply, video=ADA, text="Hello."))
        self.log.append(order)
        yield "It is on its way."


@pytest.mark.realtime
def test_a_plain_generator_asks_from_its_thread(tmp_path: Path) -> None:
    """By trio.from_thread."""
    log: list[Any] = []

    async def main() -> None:
        async with office(tmp_path, lane=ThreadLane(2)) as there:
            with trio.fail_after(10):
                await there.desk.call("c1", Plain, staying(0.5), options={"log": log})
                assert await log[0].wait_queued() == "j0"

    trio.run(main)


def test_a_hook_of_the_wrong_shape_is_found_before_there_are_calls() -> None:
    """As for every other hook."""

    class Wrong(Bot):
        """Yields where it must listen."""

        async def on_video(self, video: Video, talk: Talk) -> AsyncIterator[str]:  # type: ignore[override]
            """Speak."""
            yield "no"

    with pytest.raises(BotLoadError, match="on_video"):
        check_bot(Wrong, name="wrong")
