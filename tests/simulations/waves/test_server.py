"""Who is let in to the simulated Waves provider, and which options make sense."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock
from websockets.exceptions import InvalidStatus

from simulations.waves.options import PROFILES, WavesOptions
from tests.simulations.waves.peer import (
    LIVE,
    TEN,
    ask,
    dialled,
    frames_until,
    provider,
)


async def test_a_socket_too_many_is_refused_before_the_upgrade(autojump_clock: MockClock) -> None:
    """Socket number links + 1 gets HTTP 429; when one has closed there is room again."""
    server = provider(links=2)
    async with dialled(server):
        async with dialled(server):
            with pytest.RaisesGroup(pytest.RaisesExc(InvalidStatus, match="429")):
                async with dialled(server):
                    pass
        await trio.sleep(0.01)
        async with dialled(server) as socket:
            await socket.send(ask(TEN))
            await frames_until(socket)
    books = server.snapshot()
    assert (books["links"], books["max_open"], books["opened"], books["refused_links"]) == (2, 2, 3, 1)
    assert WavesOptions(slots=3).links == 15


@pytest.mark.parametrize("key", ["", "wrong"])
async def test_a_wrong_key_is_refused_before_the_upgrade(autojump_clock: MockClock, key: str) -> None:
    """With a key set, any other and none is HTTP 401; the right one is let in."""
    server = provider(api_key="right")
    with pytest.RaisesGroup(pytest.RaisesExc(InvalidStatus, match="401")):
        async with dialled(server, key=key):
            pass
    assert (server.snapshot()["refused_auth"], server.snapshot()["opened"]) == (1, 0)
    async with dialled(server, key="right") as socket:
        await socket.send(ask(TEN))
        await frames_until(socket)


@pytest.mark.parametrize("path", ["/waves/v1/tts", "/waves/v1/stt/live", LIVE + "?timeout=0", LIVE + "?timeout=x"])
async def test_a_wrong_address_is_refused_before_the_upgrade(autojump_clock: MockClock, path: str) -> None:
    """Unknown paths and time-outs that are no number get an HTTP error."""
    with pytest.RaisesGroup(pytest.RaisesExc(InvalidStatus, match="40[04]")):
        async with dialled(provider(), path=path):
            pass


def test_profiles_are_those_of_the_reference_workload() -> None:
    """Each profile names its time to first byte and its real-time factor."""
    assert PROFILES == {"fast": (0.1, 0.1), "mid": (0.15, 0.2), "slow": (0.2, 0.3)}
    slow = WavesOptions.of_profile("slow", slots=2)
    assert (slow.ttfb, slow.rtf, slow.slots, slow.links) == (0.2, 0.3, 2, 10)


@pytest.mark.parametrize("wrong", [{"slots": 0}, {"ttfb": -1.0}, {"chunk_ms": 0.0}, {"idle_timeout": 0.0}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    """The constructor names the option."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WavesOptions(**wrong)  # type: ignore[arg-type]
