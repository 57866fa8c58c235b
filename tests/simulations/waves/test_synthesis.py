"""How the provider speaks, whatever the link: its time to first byte, and what its voice is asked for."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from orchestrator.ports import Spoken
from simulations.voices import Voice, Wanted
from simulations.waves.asks import Ask
from simulations.waves.books import Books
from simulations.waves.contexts import LARGEST, first_part
from simulations.waves.options import WavesOptions
from simulations.waves.schedule import Made
from simulations.waves.synthesis import Synthesis, Synthesizer
from tests.simulations.waves.peer import spelling_voice

ASK = Ask(text="a", voice="avery", rate=8000)
BOOKS = Books(slots=1, links=5)


def synthesizer(voice: Voice = spelling_voice, **options: Any) -> Synthesizer:
    """Return a provider's, which makes sound in no time."""
    return Synthesizer(options=WavesOptions(rtf=0.0, **options), voice=voice)


async def first_bytes(count: int, **options: Any) -> list[float]:
    """Return the times to first byte of as many requests."""
    speaks = synthesizer(**options)
    made = [await speaks.begin(ASK, "a", books=BOOKS).next_made() for _ in range(count)]
    return [one.at for one in made if one is not None]


async def test_the_time_to_first_byte_is_lognormal(autojump_clock: MockClock) -> None:
    """With the mean and the coefficient of variation that were asked for, the same for the same seed."""
    drawn = await first_bytes(3000, ttfb=0.2, ttfb_cv=0.3)
    assert statistics.fmean(drawn) == pytest.approx(0.2, rel=0.02)
    assert statistics.stdev(drawn) == pytest.approx(0.06, rel=0.05)
    assert min(drawn) > 0
    again, other = [await first_bytes(9, ttfb=0.2, ttfb_cv=0.3, seed=seed) for seed in (0, 1)]
    assert drawn[:9] == again != other


async def test_without_variation_it_is_exact(autojump_clock: MockClock) -> None:
    """Not one draw shows."""
    assert set(await first_bytes(20, ttfb=0.15)) == {0.15}


async def test_the_voice_is_asked_part_by_part_with_the_client_s_own_id(autojump_clock: MockClock) -> None:
    """A part is rendered when what lies before it is sent; parts have no blanks around the cut."""
    asked: list[Wanted] = []

    async def noting(wanted: Wanted) -> Spoken:
        asked.append(wanted)
        return await spelling_voice(wanted)

    ask = Ask(text="", voice="liam", rate=16000, speed=1.5, request="7-1-1")
    synthesis = synthesizer(noting).begin(ask, "word " * 60, books=BOOKS)
    made = await synthesis.next_made()
    assert len(asked) == 1
    while made is not None:
        made = await synthesis.next_made()
    assert asked == [
        Wanted(text=text, voice="liam", rate=16000, speed=1.5, request="7-1-1")
        for text in (("word " * 50).strip(), "word " * 10)
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("short", ["short"]),
        (" kept as it is ", [" kept as it is "]),
        ("x" * (LARGEST + 3), ["x" * LARGEST, "xxx"]),
        ("ab. " * 100, [("ab. " * 62).strip(), "ab. " * 38]),
        (" " * 300 + "a", ["", "a"]),
    ],
)
def test_a_text_falls_into_parts_without_the_blanks_between(text: str, parts: list[str]) -> None:
    """What fits is one part, untouched."""
    found, rest = [], text
    while rest:
        part, rest = first_part(rest)
        found.append(part)
    assert found == parts


async def test_a_request_takes_the_time_that_its_moment_asks_for(autojump_clock: MockClock) -> None:
    """Cold at first and after a restart; slow in the slow time, which counts from the provider's start."""
    await trio.sleep(1000.0)
    speaks = Synthesizer(
        options=WavesOptions(ttfb=0.25, rtf=0.5, cold=1.0, slow_at=10.0, slow_for=5.0, slow_factor=2.0),
        voice=spelling_voice,
    )

    async def taken() -> tuple[float, float]:
        synthesis = speaks.begin(ASK, "ab", books=BOOKS)
        made = [one async for one in all_of(synthesis)]
        assert len(made) == 5  # of 20 ms: 100 ms in all
        return made[0].at - trio.current_time() - (synthesis.ends - made[0].at) / 4, synthesis.ends - made[0].at

    assert await taken() == pytest.approx((1.25, 0.04))
    assert await taken() == pytest.approx((0.25, 0.04))
    await trio.sleep(10.0)
    assert await taken() == pytest.approx((0.5, 0.08))
    speaks.restart()
    assert await taken() == pytest.approx((2.5, 0.08))
    await trio.sleep(5.0)
    assert await taken() == pytest.approx((0.25, 0.04))


async def all_of(synthesis: Synthesis) -> AsyncIterator[Made]:
    """Yield all that is made."""
    while (made := await synthesis.next_made()) is not None:
        yield made
