"""What a simulated caller is like, and the plan that follows: which moves it makes, in order. Pure.

What it says is scripts.py's, carrying a plan out on a telephone is callers.py's.
"""

from __future__ import annotations

from random import Random

from attrs import frozen

from simulations.demo.scripts import Keys, Script


@frozen(kw_only=True)
class Traits:
    """What a caller is like; times in seconds."""

    voice: str
    speed: float = 1.0
    thinking: tuple[float, float] = (0.7, 1.2)
    """For how long the bot is quiet before the caller speaks: least and most."""
    patience: float = 7.0
    """How long the caller waits for the bot to begin before it speaks anyway."""
    attention: float = 25.0
    """How long the caller lets the bot speak before it talks over it."""
    barge_in: float = 0.15
    """Probability that a reply is interrupted."""
    sure_to_interrupt: bool = False
    """Interrupts the reply to its first or second line, or else the next reply that can be, and never leaves midway."""
    hang_up: float = 0.2
    """Probability that the caller leaves in the middle of the call."""


@frozen
class Speak:
    """Say `text`."""

    text: str


@frozen
class Press:
    """Press keys."""

    digits: str


@frozen
class Listen:
    """Let the bot speak until it has been quiet for `quiet` seconds."""

    quiet: float


@frozen(kw_only=True)
class Interrupt:
    """Listen, but say `text` once the bot has spoken for `after` seconds and still sounds; then listen to the answer.

    `once`: only listen if the caller has interrupted before.
    """

    after: float
    text: str
    quiet: float
    once: bool


@frozen
class HangUp:
    """End the call; where `after` is not None, once the bot has spoken for so many seconds."""

    after: float | None = None


Move = Speak | Press | Listen | Interrupt | HangUp


def plan(script: Script, *, traits: Traits, rng: Random) -> tuple[Move, ...]:
    """Return all that the caller is going to do; every random number of the call is drawn here."""
    sure_from = rng.randrange(2) if traits.sure_to_interrupt else len(script.lines)
    leaves = not traits.sure_to_interrupt and rng.random() < traits.hang_up
    last = rng.randrange(len(script.lines)) if leaves else len(script.lines)
    moves: list[Move] = [Listen(rng.uniform(*traits.thinking))]
    for number, line in enumerate(script.lines[: last + 1]):
        moves.append(Press(line.digits) if isinstance(line, Keys) else Speak(line))
        moves.append(_answer(script, traits, rng=rng, to_be_sure=number >= sure_from))
    if leaves:
        return (*moves[:-1], HangUp(rng.uniform(0.5, 2.5)))
    farewell = (Listen(traits.thinking[0]),) if rng.random() < 0.5 else ()
    return (*moves, Speak(script.goodbye), *farewell, HangUp())


def _answer(script: Script, traits: Traits, *, rng: Random, to_be_sure: bool) -> Move:
    """Decide how the bot's answer is taken: heard out or interrupted."""
    quiet = rng.uniform(*traits.thinking)
    drawn = rng.random() < traits.barge_in
    if not (drawn or to_be_sure):
        return Listen(quiet)
    text = rng.choice(script.interjections)
    # early where it must succeed: a short answer would be over
    after = rng.uniform(0.5, 3.0) if drawn and not to_be_sure else rng.uniform(0.4, 0.9)
    return Interrupt(after=after, text=text, quiet=quiet, once=not drawn)
