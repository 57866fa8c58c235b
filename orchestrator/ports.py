"""The interfaces between the shell and the world: legs, voices, connections, slots, lanes and sinks.

Protocols and the values that cross them; nothing here decides or waits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Protocol, TypeVar

from attrs import Factory, frozen

from orchestrator.errors import ProviderFault
from orchestrator.events import Event

T = TypeVar("T")

Emit = Callable[[Event], None]
"""Where events go; never raises, never waits."""

Now = Callable[[], float]
"""The run's clock: seconds since the run began, monotonic."""

# --- telephony ---


@frozen
class CallFacts:
    """What is known of a call when it is answered."""

    id: str
    caller: str = ""
    called: str = ""
    leg: str = ""
    parameters: Mapping[str, str] = Factory(dict)


@frozen
class SpeechStarted:
    """The caller began to make a sound at `at` (run clock)."""

    at: float


@frozen
class UserTurn:
    """The caller's turn is over: what was said, and from when to when (run clock)."""

    text: str
    started: float
    ended: float


@frozen
class Digits:
    """The caller pressed keys: 0-9, *, #, A-D."""

    digits: str


@frozen
class MarkPlayed:
    """Everything written before the mark `name` has sounded to the caller, as of `at` (run clock)."""

    name: str
    at: float


@frozen
class HungUp:
    """The caller ended the call at `at` (run clock)."""

    at: float


LegEvent = SpeechStarted | UserTurn | Digits | MarkPlayed | HungUp


class Leg(Protocol):
    """One telephony leg: how a call's sound gets out, and what the caller does gets in.

    `rate` is the PCM rate in samples a second, `latency` how long a mark takes from the caller's ear to us, in seconds
    (0 where our own clock paces the leg).
    """

    facts: CallFacts
    rate: int
    latency: float

    async def write(self, pcm: bytes) -> None:
        """Hand sound over, mono PCM; wait while the leg holds as much as it wants ahead. Raises LegClosed.

        A cut clears the leg and cancels the write in one step: after a wait the leg must look for that cancel
        (`trio.lowlevel.checkpoint_if_cancelled`) before it takes the sound, or it would sound after the cut.
        """

    def mark(self, name: str) -> None:
        """Ask for MarkPlayed(name) when all that was written before has sounded (at once if nothing is waiting)."""

    def clear(self) -> None:
        """Throw away what has not sounded. Marks before it no longer count, wherever they still turn up."""

    def events(self) -> AsyncIterator[LegEvent]:
        """What the caller's side does, in order; ends after HungUp or our own hang-up."""

    async def hang_up(self) -> None:
        """End the call from our side; harmless when it is over already."""

    async def transfer(self, to: str) -> None:
        """Hand the caller over to another number or address and leave the call."""


class Tap(Protocol):
    """What a leg tells about the sound on it, on the run clock: for recordings."""

    def from_caller(self, at: float, pcm: bytes) -> None:
        """`pcm` of the caller began at `at`."""

    def to_caller(self, at: float, pcm: bytes) -> None:
        """`pcm` of the bot began to sound to the caller at `at`."""


# --- the slot ---


@frozen(kw_only=True)
class Ask:
    """A wish for the slot: `need_in` and `since_ready` are seconds from and until now, `expected` seconds of slot."""

    call: str
    reply: int
    first: bool
    need_in: float
    since_ready: float = 0.0
    expected: float = 0.0


class Grant(Protocol):
    """The slot in somebody's hands. Whoever holds it returns it exactly once; returning it twice is harmless."""

    number: int
    ask: Ask

    def occupy(self) -> None:
        """The request is on its way: from here on the keeper, not the borrower, returns the slot."""

    def free(self, cause: str) -> None:
        """Return the slot; `cause` is "complete", "unused", "settled", "refused" or "failed"."""


class Place(Protocol):
    """A place in the queue: `async with place as grant` waits for the slot, and gives back what was not used of it."""

    def revise(self, need_in: float) -> None:
        """Change when the slot is needed, in seconds from now."""

    def hold(self) -> None:
        """Keep the place without being granted the slot."""

    def resume(self, need_in: float) -> None:
        """End a hold."""

    async def __aenter__(self) -> Grant: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Slots(Protocol):
    """Who hands out the account's slots: this process, or one shared between machines later."""

    def begin_reply(self, call: str, *, weight: float) -> None:
        """Start a reply's accounting."""

    def join(self, ask: Ask) -> Place:
        """Queue up."""

    def back_off(self, seconds: float) -> None:
        """Grant nothing for so long: the account itself refused."""

    def close(self, call: str) -> None:
        """Forget a call that is over."""


# --- speech providers ---


@frozen
class SpeechRequest:
    """One piece as a provider is asked for it. `rate` is the PCM rate wanted; `id` comes back with every frame."""

    id: str
    text: str
    rate: int
    voice: str
    language: str
    speed: float = 1.0


@frozen
class Sound:
    """A run of PCM of the request `id`, at the rate that was asked for."""

    id: str
    pcm: bytes


@frozen
class WordTime:
    """When a word of the request sounds: seconds from the start of that request's audio, as the provider sent it."""

    id: str
    index: int
    word: str
    start: float
    end: float


@frozen
class Complete:
    """The request `id` is done: nothing of it follows."""

    id: str


@frozen
class Failed:
    """The provider refused or gave up: request `id`, or the whole connection where `id` is empty."""

    id: str
    fault: ProviderFault


VoiceFrame = Sound | WordTime | Complete | Failed


class VoiceCodec(Protocol):
    """A provider's wire format, pure: requests to messages, messages to frames."""

    def address(self) -> str:
        """The WebSocket URL to dial."""

    def headers(self) -> dict[str, str]:
        """The upgrade's headers, with the key; never logged."""

    def encode(self, request: SpeechRequest) -> str:
        """The message that asks for `request`."""

    def decode(self, message: str | bytes) -> VoiceFrame | None:
        """What a message says, None for one that says nothing. Raises ProviderFault for garbage."""


class Connection(Protocol):
    """One open connection to a provider, message by message. One task sends, one receives."""

    async def send(self, message: str) -> None:
        """Send one message. Raises ProviderFault(RETRY) when the peer is gone. Never cancel it to use it again."""

    async def receive(self) -> str | bytes:
        """Wait for the next message. Raises ProviderFault with what the close means when the peer is gone."""


Dial = Callable[[str, Mapping[str, str]], AbstractAsyncContextManager[Connection]]
"""Open a connection to an address with these headers; raises ProviderFault with what a refusal means. Leaving the
context closes it, and returns when the close is complete."""

# --- blocking work, local voices ---


class Lane(Protocol):
    """Where blocking work runs: a bounded set of threads in the product, inline in the simulation."""

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work(*args)`; abandoned, not stopped, when the caller is cancelled."""


@frozen
class Spoken:
    """Sound with its words: PCM at `rate`, and per word (character offset, length, start s, end s)."""

    pcm: bytes
    rate: int
    words: tuple[tuple[int, int, float, float], ...] = ()


class Speaker(Protocol):
    """A voice of this machine: text to sound, blocking; run it in a lane of one."""

    def speak(self, text: str, *, voice: str, rate: int, speed: float = 1.0) -> Spoken:
        """Return `text` as sound at `rate` samples a second."""
