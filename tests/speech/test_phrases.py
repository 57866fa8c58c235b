"""Which phrases are had ready, when, and what becomes of those that fail."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.events import PhraseFailed, PhraseStored, SlotGranted
from orchestrator.ports import Sound, SpeechRequest, Standing, VoiceFrame
from orchestrator.settings import (
    AdmissionSettings,
    CacheSettings,
    LadderSettings,
    Settings,
)
from orchestrator.speech.cache import MemoryPhrases
from orchestrator.speech.phrases import spoken_text, usual_texts
from orchestrator.speech.reply import VoiceChoice
from tests.speech.phrase_world import LONG, RATE, SHORT, ScriptedLink, ScriptedVoice, world

# --- which ---


def test_the_usual_texts_are_those_that_may_be_needed_at_once() -> None:
    """By language; "auto" is English; what is switched off is not needed, what has no text has none."""
    settings = Settings(
        ladder=LadderSettings(
            fillers={"en": ("Hm.", "Well."), "de": ("Moment.",)}, words={"en": ("Hm.",)}, apologies={"en": ("Sorry.",)}
        ),
        admission=AdmissionSettings(refusals={"en": ("Busy.",)}, goodbyes={"en": ("Bye.",), "de": ("Ciao.",)}),
        cache=CacheSettings(phrases=("Hello.",)),
    )
    english = ("Hm.", "Well.", "Sorry.", "Busy.", "Bye.", "Hello.")
    assert usual_texts(settings, "en") == usual_texts(settings, "auto") == english
    assert usual_texts(settings, "de") == ("Moment.", "Ciao.")
    assert usual_texts(settings, "fr") == ()
    calm = evolve(settings, ladder=LadderSettings(on=False), admission=evolve(settings.admission, on=False))
    assert usual_texts(calm, "en") == ("Bye.", "Hello.")
    some = evolve(settings, ladder=evolve(settings.ladder, rungs=("filler",)))
    assert usual_texts(some, "en") == ("Hm.", "Well.", "Busy.", "Bye.", "Hello.")


async def test_what_is_wanted_is_there_soon_and_asked_for_once(autojump_clock: MockClock) -> None:
    """Shortest first; wanted again, or written with other spaces, it is the same phrase; silence is no phrase."""
    async with world() as account:
        account.want(LONG, "Please hold the line.", SHORT)
        account.want(SHORT, "  Please hold\nthe line. ", "…", " ")
        assert await account.phrases.wait_ready(30)
        assert account.voice.texts[:2] == [SHORT, "Please hold the line."]
        assert " ".join(account.voice.texts[2:]) == LONG
        assert [request.id for _, request in account.voice.asked[:2]] == ["phrase-1", "phrase-2"]
        assert account.ready("Please  hold the line.") is not None
        assert account.ready("Something else.") is None
        assert account.phrases.statistics().wanted == account.phrases.statistics().ready == 3
        assert [event.characters for event in account.of(PhraseStored)] == [
            len(t) for t in (SHORT, "Please hold the line.", LONG)
        ]


async def test_what_the_cache_has_is_not_asked_for(autojump_clock: MockClock) -> None:
    """A second run with the same store."""
    store = MemoryPhrases(CacheSettings(), wall=trio.current_time)
    async with world(store=store) as account:
        account.want(SHORT)
        assert await account.phrases.wait_ready(30)
        made = account.ready(SHORT)
    async with world(store=store) as account:
        account.want(SHORT)
        assert await account.phrases.wait_ready(0.1)
        assert account.ready(SHORT) == made
        assert account.voice.asked == []


async def test_voices_languages_speeds_and_rates_are_phrases_of_their_own(autojump_clock: MockClock) -> None:
    """The request says which."""
    async with world() as account:
        asha = VoiceChoice(voice="asha", language="hi", speed=1.2)
        account.want(SHORT)
        account.phrases.want([SHORT], voice=asha, rate=RATE)
        assert await account.phrases.wait_ready(30)
        told = [(ask.voice, ask.language, ask.speed, ask.rate) for _, ask in account.voice.asked]
        assert told == [("avery", "en", 1.0, RATE), ("asha", "hi", 1.2, RATE)]


def test_phrases_are_known_by_what_is_spoken() -> None:
    """As replies ask for it."""
    assert spoken_text(" Hello,\n  there!  ") == "Hello, there!"
    assert spoken_text("…") == spoken_text("") == ""


# --- what fails ---


async def test_failures_that_may_pass_are_tried_again_after_growing_pauses(autojump_clock: MockClock) -> None:
    """Told at the third in a row; the others do not wait for it."""
    voice = ScriptedVoice(faults=deque([ProviderFault(FaultKind.RETRY, "a hiccup")] * 4))
    async with world(voice) as account:
        account.want(SHORT)
        assert await account.phrases.wait_ready(60)
        times = [at for at, _ in voice.asked]
        pauses = [later - earlier for earlier, later in pairwise(times)]
        assert pauses == pytest.approx([2, 4, 8, 16], abs=0.5)
        assert [event.error for event in account.of(PhraseFailed)] == [
            "a phrase in the voice avery can't be made: a hiccup"
        ]


async def test_a_phrase_that_is_refused_for_good_is_told_once_and_left_alone(autojump_clock: MockClock) -> None:
    """Others are made all the same, and nobody waits for it."""
    voice = ScriptedVoice(faults=deque([ProviderFault(FaultKind.REQUEST, "no such voice")]))
    async with world(voice) as account:
        account.want(SHORT, "Please hold the line.")
        began = trio.current_time()
        assert not await account.phrases.wait_ready(600)
        assert trio.current_time() - began < 5
        await trio.sleep(3000)
        assert voice.texts == [SHORT, "Please hold the line."]
        assert len(account.of(PhraseFailed)) == 1
        assert account.phrases.statistics().refused == 1


async def test_nothing_is_asked_of_a_provider_that_is_out(autojump_clock: MockClock) -> None:
    """Whoever waits does so no longer than he said; when it is back, what was wanted comes."""
    async with world(ScriptedVoice(gone=True)) as account:
        account.want(SHORT)
        assert not await account.phrases.wait_ready(300)
        assert account.pool.standing is Standing.OUT
        assert account.voice.asked == []
        assert len(account.of(SlotGranted)) <= 1
        account.voice.gone = False
        assert await account.phrases.wait_ready(20)


async def test_after_a_final_fault_everything_waits_for_the_provider_to_be_back(autojump_clock: MockClock) -> None:
    """It is told once, nobody waits in vain, and what failed so is made, too, when the provider is up again."""
    voice = ScriptedVoice(faults=deque([ProviderFault(FaultKind.FINAL, "no such key")]))
    async with world(voice) as account:
        account.want(SHORT, "Please hold the line.")
        began = trio.current_time()
        assert not await account.phrases.wait_ready(600)
        assert trio.current_time() - began < 1
        await trio.sleep(29)
        assert voice.texts == [SHORT]
        assert [event.error[-11:] for event in account.of(PhraseFailed)] == ["no such key"]
        await trio.sleep(2)
        assert await account.phrases.wait_ready(30)
        assert account.ready(SHORT) is not None
        assert voice.texts[1:] == ["Please hold the line.", SHORT]


async def test_silence_is_a_failure(autojump_clock: MockClock) -> None:
    """And is asked for again."""
    voice = ScriptedVoice()
    quiet = deque([True])
    answer = ScriptedLink._answer

    def silent(link: ScriptedLink, request: SpeechRequest) -> list[tuple[float, VoiceFrame]]:
        frames = answer(link, request)
        if not quiet:
            return frames
        quiet.pop()
        return [(at, Sound(f.id, bytes(len(f.pcm))) if isinstance(f, Sound) else f) for at, f in frames]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ScriptedLink, "_answer", silent)
        async with world(voice) as account:
            account.want(SHORT)
            assert await account.phrases.wait_ready(30)
            assert voice.texts == [SHORT, SHORT]
