"""Speech: what a provider is asked for and answers, over which connection, and voices of this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import Any, Protocol

from attrs import frozen

from orchestrator.errors import ProviderFault


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


Message = Any
"""What goes over a connection, as the codec has it: text or bytes on a wire. A simulation without one passes requests
and frames as they are."""


class VoiceCodec(Protocol):
    """A provider's wire format, pure: requests to messages, messages to frames."""

    def address(self) -> str:
        """The WebSocket URL to dial."""

    def headers(self) -> dict[str, str]:
        """The upgrade's headers, with the key; never logged."""

    def encode(self, request: SpeechRequest) -> Message:
        """The message that asks for `request`."""

    def decode(self, message: Message) -> VoiceFrame | None:
        """What a message says, None for one that says nothing. Raises ProviderFault for garbage."""


class Connection(Protocol):
    """One open connection to a provider, message by message. One task sends, one receives."""

    async def send(self, message: Message) -> None:
        """Send one message. Raises ProviderFault(RETRY) when the peer is gone. Never cancel it to use it again."""

    async def receive(self) -> Message:
        """Wait for the next message. Raises ProviderFault with what the close means when the peer is gone."""


Dial = Callable[[str, Mapping[str, str]], AbstractAsyncContextManager[Connection]]
"""Open a connection to an address with these headers; raises ProviderFault with what a refusal means. Leaving the
context closes it, and returns when the close is complete."""


@frozen
class Spoken:
    """Sound with its words: PCM at `rate`, and per word (character offset, length, start s, end s)."""

    pcm: bytes
    rate: int
    words: tuple[tuple[int, int, float, float], ...] = ()


class Standing(Enum):
    """How the provider stands with us, as far as is known."""

    UP = "up"
    """Requests bring sound."""
    DOUBTFUL = "doubtful"
    """The last request brought none, or nothing was heard since it was out: one request at a time may find out."""
    OUT = "out"
    """No link can be opened, or request after request brings no sound."""
    FINAL = "final"
    """It refuses for good, and is asked again every `provider.ask_again` seconds."""


class LocalVoice(Protocol):
    """The voice that speaks where the provider can't."""

    def name_in(self, language: str) -> str:
        """Return how transcripts and events call the voice that speaks `language`."""

    def speaks(self, language: str) -> bool:
        """Whether it has a voice for that language ("auto": for English)."""

    async def speak(self, text: str, *, language: str, rate: int, speed: float = 1.0) -> Spoken:
        """Return `text` as sound at `rate` samples a second. Raises ProviderFault(REQUEST) if it cannot."""


class Speaker(Protocol):
    """A voice of this machine: text to sound, blocking; run it in a lane of one."""

    def speak(self, text: str, *, voice: str, rate: int, speed: float = 1.0) -> Spoken:
        """Return `text` as sound at `rate` samples a second."""
