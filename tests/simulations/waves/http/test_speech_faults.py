"""Faults that strike speech over HTTP: what a client sees of each, and what the books say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h11
import pytest
import trio
from trio.testing import MockClock

from simulations.waves.books import Books
from simulations.waves.faults.catalogue import CATALOGUE, HTTP_REQUEST_FAULTS, SSE_REQUEST_FAULTS
from simulations.waves.faults.fault import Fault
from simulations.waves.provider import Provider
from tests.simulations.waves.http.pages_client import make_provider
from tests.simulations.waves.http.visitor import LIVE, TTS, Answer, Visitor, ask, asked, audio_of, visiting
from tests.simulations.waves.peer import TEN, spelling_voice, wanted

TWENTY = TEN * 2
"""One second of sound: at this pace it takes 1.2 s."""
PACE: dict[str, Any] = {"ttfb": 0.2, "rtf": 1.0, "settle": 0.05}
PATHS = [TTS, LIVE]


def faulty(name: str, **figures: float) -> Provider:
    """Return a provider whose next request meets a fault, in the middle of TWENTY where it has a place."""
    provider = make_provider(**PACE)
    provider.faults.order(Fault(name=name, **{"after": 0.5, **figures}))  # type: ignore[arg-type]  # all are floats
    return provider


def books_of(provider: Provider) -> Books:
    """Return the books of the account that asks."""
    return provider.accounts.first.books


async def received(provider: Provider, path: str) -> tuple[int, bytes, float]:
    """Return status, body up to the cut and when it came, of a request whose answer is cut off."""
    pieces = []

    async def read(visitor: Visitor) -> None:
        async for _, data in visitor.pieces():
            pieces.append(data)

    async with visiting(provider) as visitor:
        await visitor.send(path, ask(TWENTY))
        status, _ = await visitor.head()
        with pytest.raises(h11.RemoteProtocolError):
            await read(visitor)
        return status, b"".join(pieces), trio.current_time()


async def whole_sound() -> bytes:
    """Return the sound of TWENTY."""
    return (await spelling_voice(wanted(TWENTY))).pcm


def sound_in(answer: Answer, path: str) -> bytes:
    """Return the sound of either kind of answer."""
    return answer.body if path == TTS else audio_of(answer.body)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("name", "seconds", "at"), [("close_before", 0.0, 0.22), ("close_during", 0.5, 0.7), ("close_after", 1.0, 1.2)]
)
async def test_a_connection_is_cut(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, path: str, name: str, seconds: float, at: float
) -> None:
    """Before, in the middle of and after the sound: what was made until then is there, the end never comes.

    The books count it as abandoned; the slot settles, unless all sound was made; nothing is logged as a failure.
    """
    provider = faulty(name)
    status, body, ended = await received(provider, path)
    books, whole = books_of(provider), await whole_sound()
    assert status == 200
    assert ended == pytest.approx(at)
    sound = body if path == TTS else audio_of(body + b'data: {"status":"200","done":true}\n\n')
    assert sound == whole[: round(seconds * 16000)]
    assert (books.abandoned, books.completed) == (1, 0)
    assert books.audio_seconds == pytest.approx(seconds)
    assert books.uses[0][1] == pytest.approx(1.2 if name == "close_after" else at + 0.05)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    assert provider.faults.snapshot() == {name: 1}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("name", "slot_until"), [("no_audio", 30.05), ("complete_never", 1.2)])
async def test_an_answer_that_never_ends_is_held_until_the_client_leaves(
    autojump_clock: MockClock, path: str, name: str, slot_until: float
) -> None:
    """No sound at all, or no end behind it; the slot is held as long as sound may come."""
    provider = faulty(name)
    async with visiting(provider) as visitor:
        await visitor.send(path, ask(TWENTY))
        body = b""
        with trio.move_on_after(30.0):
            await visitor.head()
            async for _, data in visitor.pieces():
                body += data
        assert trio.current_time() == 30.0
    books = books_of(provider)
    if path == LIVE and name == "complete_never":
        assert audio_of(body + b'data: {"status":"200","done":true}\n\n') == await whole_sound()
    else:
        assert body == b""
    assert (books.requests, books.abandoned) == (1, 1)
    assert books.uses[0] == pytest.approx((0.0, slot_until))


@pytest.mark.parametrize("path", PATHS)
async def test_a_stall_delays_what_follows(autojump_clock: MockClock, path: str) -> None:
    """Three seconds between two chunks, and everything is there."""
    provider, times = faulty("stall", seconds=3.0), []
    async with visiting(provider) as visitor:
        await visitor.send(path, ask(TWENTY))
        await visitor.head()
        async for at, _ in visitor.pieces():
            times.append(at)
    assert times[-1] == pytest.approx(4.2)
    if path == LIVE:
        assert [times[24], times[25]] == pytest.approx([0.7, 3.72])
    assert books_of(provider).completed == 1


@pytest.mark.parametrize("path", PATHS)
async def test_a_late_end_is_late_and_the_slot_is_not(autojump_clock: MockClock, path: str) -> None:
    """The slot is free when the sound is made, the end comes three seconds later."""
    provider = faulty("complete_late", seconds=3.0)
    answer = await asked(provider, path, ask(TWENTY))
    assert sound_in(answer, path) == await whole_sound()
    assert answer.at == pytest.approx(4.2)
    assert books_of(provider).uses[0] == pytest.approx((0.0, 1.2))


@pytest.mark.parametrize("path", PATHS)
async def test_an_empty_answer_is_complete(autojump_clock: MockClock, path: str) -> None:
    """200 and no sound."""
    provider = faulty("empty")
    answer = await asked(provider, path, ask(TWENTY))
    assert (answer.status, sound_in(answer, path)) == (200, b"")
    assert (books_of(provider).completed, books_of(provider).audio_seconds) == (1, 0.0)


async def test_the_end_may_come_twice(autojump_clock: MockClock) -> None:
    """Two last events; it is one request that was completed."""
    provider = faulty("complete_twice")
    answer = await asked(provider, LIVE, ask(TWENTY))
    assert answer.body.count(b'data: {"status":"200","done":true}\n\n') == 2
    assert books_of(provider).completed == 1


@pytest.mark.parametrize(("name", "where"), [("error", ["message"]), ("error_nested", ["error", "message"])])
async def test_an_error_ends_the_events(autojump_clock: MockClock, name: str, where: list[str]) -> None:
    """In either published shape, after half a second of sound; before any sound it is a 500."""
    provider = faulty(name)
    answer = await asked(provider, LIVE, ask(TWENTY))
    *sound, last = answer.body.decode().strip().split("\n\n")
    said = json.loads(last.removeprefix("data: "))
    assert (len(sound), said["status"]) == (25, "error")
    assert answer.at == pytest.approx(0.7)
    for field in where:
        said = said[field]
    assert isinstance(said, str)
    books = books_of(provider)
    assert (books.errors, books.completed, books.abandoned) == (1, 0, 0)
    assert (await asked(faulty(name, after=0.0), LIVE, ask(TWENTY))).status == 500


@pytest.mark.parametrize("path", PATHS)
async def test_garbage_is_bytes_among_the_sound(autojump_clock: MockClock, path: str) -> None:
    """Bytes that are no event, or no sound; all that is right is there beside them."""
    provider = faulty("garbage")
    answer = await asked(provider, path, ask(TWENTY))
    assert b"\xff" in answer.body
    clean = (await asked(make_provider(**PACE), path, ask(TWENTY))).body
    at = next(n for n, (one, other) in enumerate(zip(answer.body, clean, strict=False)) if one != other)
    assert answer.body[:at] + answer.body[at + len(answer.body) - len(clean) :] == clean
    assert len(answer.body) > len(clean)


@pytest.mark.parametrize(("name", "figures"), [("not_json", {}), ("oversized", {"megabytes": 2.0})])
async def test_a_message_that_is_no_chunk_is_an_event(
    autojump_clock: MockClock, name: str, figures: dict[str, float]
) -> None:
    """One more event than there should be, nothing else is touched."""
    answer = await asked(faulty(name, **figures), LIVE, ask(TWENTY))
    clean = (await asked(make_provider(**PACE), LIVE, ask(TWENTY))).body.decode()
    more = answer.body.decode()
    [odd] = [event for event in more.split("\n\n") if event not in clean]
    assert more.replace(odd + "\n\n", "") == clean
    assert odd.startswith("data: ")
    assert len(odd) > 1_900_000 or name == "not_json"


def test_every_fault_of_requests_over_http_is_tested() -> None:
    """This file knows every name that the catalogue lists for HTTP."""
    text = Path(__file__).read_text("utf-8")
    assert all(f'"{name}"' in text for name in {*HTTP_REQUEST_FAULTS, *SSE_REQUEST_FAULTS})
    assert CATALOGUE.keys() >= {*HTTP_REQUEST_FAULTS, *SSE_REQUEST_FAULTS}
