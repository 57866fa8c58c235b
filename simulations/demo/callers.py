"""Simulated callers: who calls, and the driver that carries a caller's plan out on a telephone.

What a caller does is caller_plan.py's, what it says scripts.py's; putting the next caller on a line is the demo's.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol

import trio
from attrs import define, frozen

from orchestrator.ports import Spoken
from simulations.demo.caller_plan import HangUp, Interrupt, Listen, Move, Press, Speak, Traits, plan
from simulations.demo.scripts import Script, scripts_for
from simulations.voices import Voice, Wanted

PEOPLE = (
    ("Priya Raman", "en-gb+f2"),
    ("Tom Becker", "en-us+m3"),
    ("Hannah Olsen", "en-gb-scotland+f4"),
    ("James Okoro", "en-gb-x-rp+m7"),
    ("Maria Lopez", "en-us+f3"),
    ("Ravi Kapoor", "en-gb+m1"),
    ("Clara Dubois", "en-us-nyc+f1"),
    ("Peter Novak", "en-gb-scotland+m2"),
    ("Mei Tanaka", "en-029+f5"),
    ("Daniel Weber", "en-us+m8"),
)
"""Names with espeak voices that suit them."""


class Phone(Protocol):
    """The caller's end of a line, as adapters/telephony/loopback.py has it."""

    @property
    def call_over(self) -> trio.Event:
        """Set when either side has ended the call."""

    @property
    def rate(self) -> int:
        """The line's PCM rate in samples a second."""

    async def speak(self, pcm: bytes, text: str) -> None:
        """Say `text` in real time; cancelled, the caller stops in mid-word."""

    async def press(self, digits: str) -> None:
        """Press keys."""

    async def wait_bot_speaks(self) -> None:
        """Wait until the bot sounds."""

    async def wait_bot_quiet(self, seconds: float) -> None:
        """Wait until nothing of the bot has sounded for `seconds`."""

    def hang_up(self) -> None:
        """End the call."""


# --- who calls ---


@frozen(kw_only=True)
class Caller:
    """One caller, ready for `run_caller(phone, script=..., traits=..., rng=..., voice=...)`."""

    name: str
    script: Script
    traits: Traits
    rng: Random


def caller(*, seed: int, call: int, bot: str) -> Caller:
    """Return the caller of the run's call number `call` (from 0): the same for the same seed, call and bot.

    Calls in a row have different scripts and voices; every fourth, the first included, is sure to interrupt.
    """
    rng = Random(f"{seed}:{call}")  # a string seeds by its SHA-512, the same in every process
    place = Random(f"{seed}").randrange(1000) + call
    name, voice = PEOPLE[place % len(PEOPLE)]
    scripts = scripts_for(bot)
    traits = Traits(voice=voice, speed=rng.uniform(0.95, 1.15), sure_to_interrupt=call % 4 == 0)
    return Caller(name=name, script=scripts[place % len(scripts)].spoken_by(name), traits=traits, rng=rng)


# --- a call ---


async def run_caller(phone: Phone, *, script: Script, traits: Traits, rng: Random, voice: Voice) -> None:
    """Make a call: carry out the caller's plan on `phone`, until either side ends the call.

    Each line is rendered while the one before it is said and answered.
    """
    moves = plan(script, traits=traits, rng=rng)
    # capacity 0: exactly one rendered line waits for its moment
    renderings, lines = trio.open_memory_channel[Spoken](0)
    async with trio.open_nursery() as call:
        call.start_soon(_leave_when_over, phone, call.cancel_scope)
        driver = _Driver(phone=phone, traits=traits, voice=voice, lines=lines)
        call.start_soon(driver.render, moves, renderings)
        for move in moves:
            await driver.do(move)
        call.cancel_scope.cancel()


async def _leave_when_over(phone: Phone, call: trio.CancelScope) -> None:
    await phone.call_over.wait()
    call.cancel()


@define
class _Driver:
    """Carries moves out, one by one."""

    phone: Phone
    traits: Traits
    voice: Voice
    lines: trio.MemoryReceiveChannel[Spoken]
    has_interrupted: bool = False

    async def render(self, moves: Sequence[Move], renderings: trio.MemorySendChannel[Spoken]) -> None:
        """Render the lines of `moves`, one ahead."""
        for move in moves:
            if isinstance(move, Speak | Interrupt):
                await renderings.send(await self.voice(self._wanted(move.text)))

    def _wanted(self, text: str) -> Wanted:
        return Wanted(text=text, voice=self.traits.voice, rate=self.phone.rate, speed=self.traits.speed)

    async def do(self, move: Move) -> None:
        match move:
            case Speak(text):
                await self.phone.speak((await self.lines.receive()).pcm, text)
            case Press(digits):
                await self.phone.press(digits)
            case Listen(quiet):
                await self.listen(quiet)
            case Interrupt():
                await self.interrupt(move)
            case HangUp(after):
                if after is not None and await self.bot_begins():
                    await self.moment_comes(after, quiet=self.traits.thinking[0])
                self.phone.hang_up()

    async def bot_begins(self) -> bool:
        """Wait until the bot sounds; False when the caller's patience ends first."""
        with trio.move_on_after(self.traits.patience) as waiting:
            await self.phone.wait_bot_speaks()
        return not waiting.cancelled_caught

    async def listen(self, quiet: float) -> None:
        """Let the bot begin and end, within reason."""
        if await self.bot_begins():
            with trio.move_on_after(self.traits.attention):
                await self.phone.wait_bot_quiet(quiet)

    async def interrupt(self, move: Interrupt) -> None:
        """Speak while the bot sounds and hear its answer to that; only hear it out where there is no such moment."""
        line = await self.lines.receive()
        if move.once and self.has_interrupted:
            await self.listen(move.quiet)
        elif await self.bot_begins() and await self.moment_comes(move.after, quiet=move.quiet):
            self.has_interrupted = True
            await self.phone.speak(line.pcm, move.text)
            await self.listen(move.quiet)

    async def moment_comes(self, after: float, *, quiet: float) -> bool:
        """Wait until the bot sounds `after` seconds from now or later; False once it has been quiet for `quiet`."""
        came = False

        async def wait_for_it() -> None:
            nonlocal came
            await trio.sleep(after)
            await self.phone.wait_bot_speaks()
            came = True
            waiting.cancel_scope.cancel()

        async with trio.open_nursery() as waiting:
            waiting.start_soon(wait_for_it)
            await self.phone.wait_bot_quiet(quiet)
            waiting.cancel_scope.cancel()
        return came
