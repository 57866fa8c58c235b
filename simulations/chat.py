"""`talkingstick chat`: a bot in the terminal, text in and text out, through the real conversation without its sound."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import trio

from orchestrator.adapters.telephony.text import TextLeg
from orchestrator.app import Surroundings, open_orchestrator, run_clock
from orchestrator.dialogue.bot_loading import LoadedBot, load_bot
from orchestrator.dialogue.transcript import BotEntry, Transcript
from orchestrator.dialogue.transcript_files import CallHeader, write_transcript
from orchestrator.events import BotFailed, CallFailed, CallState, CallStateChanged, Event, ReplyEnded
from orchestrator.ports import CallFacts
from orchestrator.settings import Settings
from orchestrator.testing import instant_voice
from simulations.reports.table import printable

_HELP = "Type what you say; /press 12# presses keys, Ctrl-D hangs up."
_DIGITS = re.compile(r"[0-9*#A-D]+")
_TAKES_UP = 0.02
"""Seconds within which a conversation takes up what was typed."""


async def run(*, bot: str, out: Path | None) -> int:
    """Chat until either side hangs up; return 1 if the bot failed. Raises BotLoadError, and OSError for `out`."""
    loaded = load_bot(bot)
    _make(out)
    return await Chat(loaded).run(out)


def _make(folder: Path | None) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)


class Chat:
    """One call whose line is the terminal."""

    def __init__(self, bot: LoadedBot) -> None:
        self._bot = bot
        self._now = run_clock()
        self._leg = TextLeg(CallFacts("1", leg="text"), now=self._now)
        self._transcript = Transcript()
        self._state = CallState.LISTENING
        self._changed = trio.Event()
        self._failed = False

    async def run(self, out: Path | None) -> int:
        """Chat, then write the transcript into `out`, if there is one."""
        started = datetime.now(UTC).isoformat(timespec="milliseconds")
        if sys.stdin.isatty():
            print(_HELP, file=sys.stderr)
        surroundings = Surroundings(emit=self._emit, now=self._now, dial=instant_voice)
        try:
            async with open_orchestrator(Settings(), surroundings) as talkers, trio.open_nursery() as nursery:
                nursery.start_soon(self._read)
                await talkers.serve_leg(self._leg, self._bot, transcript=self._transcript)
                nursery.cancel_scope.cancel()
        finally:
            if out is not None:
                header = CallHeader(call="1", bot=self._bot.name, started=started, seconds=self._now())
                write_transcript(out, "call-1", header=header, transcript=self._transcript)
        if self._leg.transferred_to is not None:
            print(f"(the bot transfers the caller to {printable(self._leg.transferred_to)})")
        return 1 if self._failed else 0

    async def _read(self) -> None:
        """Pass on what is typed, a line after each answer; the end of the input hangs up."""
        while True:
            await self._wait_listening()
            print("> ", end="", flush=True)
            # A thread that waits for the keyboard can't be stopped; it is left behind when the call ends.
            line = await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
            if not sys.stdin.isatty():
                print(printable(line.rstrip("\n")))
            if not line:
                self._leg.hang_up_caller()
            elif line.split()[:1] == ["/press"]:
                self._press(line.removeprefix("/press").strip())
            elif line.strip():
                self._leg.type_line(line.strip())

    def _press(self, digits: str) -> None:
        if _DIGITS.fullmatch(digits):
            self._leg.press(digits)
        else:
            print("keys are 0 to 9, *, # and A to D, as in /press 12#", file=sys.stderr)

    async def _wait_listening(self) -> None:
        await trio.sleep(_TAKES_UP)
        while self._state is not CallState.LISTENING:
            await self._changed.wait()

    def _emit(self, event: Event) -> None:
        match event:
            case CallStateChanged(state=state):
                self._state = state
                self._changed.set()
                self._changed = trio.Event()
            case ReplyEnded():
                self._print_reply()
            case BotFailed(traceback=traceback) | CallFailed(traceback=traceback):
                self._failed = True
                print(traceback, file=sys.stderr)

    def _print_reply(self) -> None:
        entry = self._transcript.entries[-1] if self._transcript.entries else None
        if isinstance(entry, BotEntry) and (said := " ".join((entry.heard + entry.cut + entry.unspoken).split())):
            print(f"bot: {printable(said)}")
