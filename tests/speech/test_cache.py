"""The phrase cache: what is kept, and for how long; what fails there is told once, and is a miss."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from orchestrator.events import PhraseStored
from orchestrator.settings import CacheSettings
from orchestrator.speech import cache as cache_module
from orchestrator.speech.cache import MemoryPhrases, PhraseStoreError
from orchestrator.speech.phrase import Phrase
from tests.speech.kept import RATE, key, opened, phrase


async def test_a_stored_phrase_is_there_at_once_and_in_the_store() -> None:
    """It is told without its text; the store is not asked again."""
    told = opened()
    async with told.cache.claim(key()) as claim:
        assert claim.phrase is None
        assert await claim.store(phrase())
    assert told.cache.peek(key()) == await told.cache.find(key()) == told.store.kept[key()] == phrase()
    assert told.store.reads == [key()]
    (event,) = told.events
    assert isinstance(event, PhraseStored)
    assert (event.voice, event.language, event.characters, event.seconds) == ("avery", "en", 19, 1.0)


async def test_what_only_the_store_has_is_found_and_then_in_memory() -> None:
    """`peek` knows nothing of it before."""
    told = opened()
    told.store.kept[key()] = phrase()
    assert told.cache.peek(key()) is None
    assert await told.cache.find(key()) == phrase()
    assert told.cache.peek(key()) == phrase()
    assert told.events == []


@pytest.mark.parametrize("pcm", [b"", bytes(16000), b"\1\0" * 8000])
async def test_silence_is_never_kept(pcm: bytes) -> None:
    """Nothing, digital zero, and one step of noise; the claim stays with whoever made it."""
    told = opened()
    async with told.cache.claim(key()) as claim:
        assert not await claim.store(Phrase(pcm=pcm, rate=RATE))
        assert claim.phrase is None
    assert told.cache.peek(key()) is None
    assert told.store.kept == {}
    assert told.failures == ["a phrase in the voice avery is all silence"]


async def test_a_store_that_fails_is_told_once_and_everything_goes_on() -> None:
    """What was made lives in memory; once it can be written again, a new failure is news."""
    told = opened()
    told.store.trouble = PhraseStoreError("d: No space left on device")
    for text in ("a", "b", "c"):
        async with told.cache.claim(key(text)) as claim:
            assert await claim.store(phrase())
        assert told.cache.peek(key(text)) == phrase()
    assert told.failures == ["d: No space left on device"]
    trouble, told.store.trouble = told.store.trouble, None
    async with told.cache.claim(key("d")) as claim:
        await claim.store(phrase())
    told.store.trouble = trouble
    assert await told.cache.find(key("e")) is None
    assert len(told.failures) == 2


async def test_memory_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not used for longest goes; what alone is too large is not kept there."""
    monkeypatch.setattr(cache_module, "_IN_MEMORY", 3 * 16000)
    told = opened()
    for text in "abc":
        async with told.cache.claim(key(text)) as claim:
            await claim.store(phrase())
    assert told.cache.peek(key("a")) is not None
    for text, seconds in (("d", 1.0), ("large", 4.0)):
        async with told.cache.claim(key(text)) as claim:
            await claim.store(phrase(seconds))
    assert [told.cache.peek(key(text)) is not None for text in ("a", "b", "c", "d", "large")] == [
        True, False, True, True, False,
    ]  # fmt: skip
    assert await told.cache.find(key("large")) == phrase(4.0)


async def test_after_a_day_the_store_is_asked_again(autojump_clock: MockClock) -> None:
    """It knows how old a phrase is."""
    told = opened()
    async with told.cache.claim(key()) as claim:
        await claim.store(phrase())
    for _ in range(24):
        await trio.sleep(3601)
    assert told.cache.peek(key()) is None
    del told.store.kept[key()]
    assert await told.cache.find(key()) is None


def test_memory_phrases_have_an_age_and_a_size() -> None:
    """As those on disk."""
    now = 0.0
    store = MemoryPhrases(CacheSettings(megabytes=0.1, days=2), wall=lambda: now)
    for text in ("a", "b"):
        store.write(key(text), phrase(3.0))
    assert store.read(key("a")) is not None
    store.write(key("c"), phrase(3.0))
    assert [store.read(key(text)) is not None for text in "abc"] == [True, False, True]
    with pytest.raises(PhraseStoreError, match="larger than all of the cache"):
        store.write(key("d"), phrase(7.0))
    now = 2 * 86_400 + 1
    assert store.read(key("a")) is None
