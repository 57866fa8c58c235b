"""A door with few places: settings, a voice of this machine that can be told apart, and what calls are made of."""

from __future__ import annotations

from typing import Any

import trio
from attrs import Factory, define, evolve

from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.ports import Spoken
from orchestrator.settings import AdmissionSettings, LadderSettings, Settings
from tests.dialogue.calls import Caller, hear_out, say, settings

SECONDS = 2.0
"""Of every sentence of the voice of this machine."""
_SAMPLE = b"\x33\x03\xcd\xfc"


@define
class OwnVoice:
    """A ports.LocalVoice that notes what it says."""

    name: str = "own"
    said: list[str] = Factory(list)

    def name_in(self, language: str) -> str:
        """Its only name."""
        return self.name

    def speaks(self, language: str) -> bool:
        """English only."""
        return language == "en"

    async def speak(self, text: str, *, language: str, rate: int, speed: float = 1.0) -> Spoken:
        """Two seconds of a tone."""
        await trio.lowlevel.checkpoint()
        self.said.append(text)
        return Spoken(_SAMPLE * round(SECONDS * rate / 2), rate)


def few_places(calls: int, **admission: Any) -> Settings:
    """Settings with so many places, short sentences and no ladder in the calls themselves."""
    texts: dict[str, Any] = {"refusals": {"en": ("Busy.",)}, "goodbyes": {"en": ("Goodbye.",)}}
    ladder = LadderSettings(on=False, fillers={"en": ("One moment.",)}, words={"en": ("Still here.",)}, word_every=3.0)
    return evolve(settings(ladder=ladder), admission=AdmissionSettings(calls=calls, **{**texts, **admission}))


def lasting(seconds: float) -> Caller:
    """A caller who says one thing, listens, and hangs up after so long."""

    async def caller(phone: Phone) -> None:
        with trio.move_on_after(seconds):
            await say(phone, "hello")
            await hear_out(phone)
            await trio.sleep_forever()
        phone.hang_up()

    return caller


async def patient(phone: Phone) -> None:
    """A caller who waits for whatever comes, for ever."""
    await phone.call_over.wait()
