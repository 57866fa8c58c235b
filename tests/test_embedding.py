"""Claims about talkingstick inside another program: legs of its own, bots as it names them, errors as they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import orchestrator
from bots.echo import Echo
from orchestrator import Bot, CallFacts, Settings, Talk, embedding, events, open_orchestrator
from orchestrator.adapters.voices.local import MachineVoice, Voice
from orchestrator.app import Orchestrator
from orchestrator.dialogue.bot_loading import AnyBot, load_bot
from orchestrator.dialogue.reception import CallRecord
from orchestrator.dialogue.transcript import BotEntry, CallerEntry
from orchestrator.errors import BotLoadError, SettingsError
from orchestrator.lanes import InlineLane
from orchestrator.ports import Connection, Spoken
from orchestrator.settings import CacheSettings, LadderSettings
from orchestrator.testing import instant_voice
from simulations.embedding.own_leg import Bakery, Line, caller
from tests.dialogue.wrong_bots import Coroutine

QUIET = Settings(ladder=LadderSettings(local="none"), cache=CacheSettings(on=False))
"""Without threads, for virtual time has none."""
Caller = Callable[[Line], Any]


def dial(address: str, headers: Mapping[str, str], *, within: float) -> AbstractAsyncContextManager[Connection]:
    """Reach a provider that speaks at once."""
    return instant_voice(address, headers)


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, and a provider in this process."""
    monkeypatch.setenv("WAVES_API_KEY", "sk_test")
    monkeypatch.setattr("orchestrator.app.dial", dial)


async def serve(
    talkers: Orchestrator, bot: AnyBot, caller: Caller, *, hear: Callable[[bytes], object] = len
) -> CallRecord:
    """Have one call on a line of our own."""
    line = Line(CallFacts("call-1"), now=talkers.now, hear=hear)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.run)
        nursery.start_soon(caller, line)
        record = await talkers.serve_leg(line, bot)
        nursery.cancel_scope.cancel()
    return record


async def hang_up_soon(line: Line) -> None:
    """Hear a little, and hang up."""
    await trio.sleep(2)
    line.caller_hangs_up()


async def test_a_call_on_a_line_of_ones_own(autojump_clock: MockClock) -> None:
    """Greeting, answer, a cut that is exact, goodbye; what was cut did not sound."""
    frames: list[bytes] = []
    before = trio.lowlevel.current_statistics().tasks_living
    async with open_orchestrator(QUIET) as talkers:
        await talkers.wait_ready()
        record = await serve(talkers, Bakery, caller, hear=frames.append)
    assert trio.lowlevel.current_statistics().tasks_living == before
    greeting, asked, answer, thanks, goodbye = record.transcript.entries
    assert isinstance(greeting, BotEntry)
    assert greeting.heard == "Good morning, this is the bakery. What can I do for you?"
    assert isinstance(asked, CallerEntry)
    assert asked.text == "Do you have rolls?"
    assert isinstance(answer, BotEntry)
    assert "rolls" in answer.heard
    assert answer.cut.endswith("poppy seeds.")
    assert isinstance(thanks, CallerEntry)
    assert isinstance(goodbye, BotEntry)
    assert goodbye.heard == "You are welcome, goodbye!"
    assert record.reason == "bot"
    silent = frames[int((thanks.start + 0.04) / 0.02) : int(thanks.end / 0.02)]
    assert not any(any(frame) for frame in silent)


@pytest.mark.parametrize(
    ("bot", "name"),
    [
        (Echo, "Echo"),
        ("bots.echo:Echo", "bots.echo:Echo"),
        ("echo", "echo"),
        (load_bot("bots.echo:Echo", {"name": "Bo"}), "bots.echo:Echo"),
    ],
)
async def test_a_bot_is_a_class_a_name_or_loaded(bot: AnyBot, name: str, autojump_clock: MockClock) -> None:
    """Each answers, and events call it by its name."""
    told: list[events.Event] = []
    async with open_orchestrator(QUIET, emit=told.append) as talkers:
        await talkers.wait_ready()
        record = await serve(talkers, bot, hang_up_soon)
    entry = record.transcript.entries[0]
    assert isinstance(entry, BotEntry)
    assert entry.heard.startswith("Hello, this is Bo" if not isinstance(bot, type | str) else "Hello, this is Echo")
    assert [event.bot for event in told if isinstance(event, events.CallStarted)] == [name]
    assert record.reason == "caller"


class Sharing(Bot):
    """Counts how often its class is opened."""

    opened = 0

    @classmethod
    @asynccontextmanager
    async def shared(cls, options: Mapping[str, Any]) -> AsyncIterator[int]:
        """Count."""
        cls.opened += 1
        yield cls.opened

    async def opening(self, talk: Talk) -> AsyncIterator[str]:
        """Tell."""
        yield f"Opened {talk.shared} times."


async def test_calls_of_a_class_share_what_it_opens_once(autojump_clock: MockClock) -> None:
    """By class or by name, as long as it is the same each time."""
    async with open_orchestrator(QUIET) as talkers:
        for _ in range(3):
            record = await serve(talkers, Sharing, hang_up_soon)
    assert Sharing.opened == 1
    entry = record.transcript.entries[0]
    assert isinstance(entry, BotEntry)
    assert entry.heard == "Opened 1 times."


@pytest.mark.parametrize("bot", ["nobody", "nowhere:Bot", Coroutine, Echo()])
async def test_what_can_be_no_bot_is_told_before_the_call(bot: Any, autojump_clock: MockClock) -> None:
    """To whoever serves the leg, and there is no call."""
    told: list[events.Event] = []
    async with open_orchestrator(QUIET, emit=told.append) as talkers:
        with pytest.raises(BotLoadError):
            await talkers.serve_leg(Line(CallFacts("a"), now=talkers.now, hear=len), bot)
    assert not [event for event in told if isinstance(event, events.CallStarted)]


async def test_an_error_of_the_program_comes_out_as_it_is(autojump_clock: MockClock) -> None:
    """Not in groups of groups; a cancel passes, too."""
    with pytest.raises(LookupError, match="our own"):
        async with open_orchestrator(QUIET):
            raise LookupError("our own")
    with trio.move_on_after(1) as patience:
        async with open_orchestrator(QUIET):
            await trio.sleep_forever()
    assert patience.cancelled_caught


async def test_a_key_that_is_missing_is_told(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default settings look for it in WAVES_API_KEY."""
    monkeypatch.delenv("WAVES_API_KEY")
    with pytest.raises(SettingsError, match="WAVES_API_KEY"):
        async with open_orchestrator():
            pass


async def test_the_clock_is_the_runs(autojump_clock: MockClock) -> None:
    """Zero when it was opened."""
    await trio.sleep(7)
    async with open_orchestrator(QUIET) as talkers:
        await trio.sleep(2)
        assert talkers.now() == pytest.approx(2)


class NotedLane(InlineLane):
    """A lane that notes what it ran."""

    def __init__(self) -> None:
        self.ran: list[Any] = []

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """Note it, and run it."""
        self.ran.append(work)
        return await super().run(work, *args)


class Speaker:
    """Says nothing."""

    def speak(self, text: str, *, voice: str, rate: int, speed: float = 1.0) -> Spoken:
        """Return no sound."""
        return Spoken(b"", rate, ())


async def test_the_voice_of_the_machine_is_prepared_and_quiet_at_the_end(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a call needs it; and after an error, too."""
    lane = NotedLane()
    voice = MachineVoice((Voice("noted", Speaker(), {"en": "en"}),), lane)
    monkeypatch.setattr(embedding, "local_voice", lambda settings: voice)

    async def fail() -> None:
        async with open_orchestrator(QUIET):
            await trio.sleep(1)
            assert len(lane.ran) == 1
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert lane.ran[1:] == [int]


def test_a_bot_author_waits_for_no_more_than_a_bot_needs() -> None:
    """What takes long to import is imported when it is asked for; all names are there."""
    program = (
        "import sys, orchestrator; assert not {'numpy', 'cattrs', 'orchestrator.app'} & sys.modules.keys();"
        "from orchestrator import *; print(open_orchestrator.__module__, load_settings.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["orchestrator.embedding", "orchestrator.settings_file"]
    assert all(hasattr(orchestrator, name) for name in orchestrator.__all__)
    assert not hasattr(orchestrator, "nothing")
