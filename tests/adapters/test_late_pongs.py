"""A pong that came while we were held up counts, also where nothing tells how much waits to be read: over TLS."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from orchestrator.adapters.telephony.socket import open_carrier_socket
from tests.adapters.carrier_world import REQUEST
from tests.adapters.test_carrier_socket import frame
from tests.adapters.test_carrier_wire import DeafStream

SOUND = frame(2, bytes(320))


class Records(DeafStream):
    """Gives a frame at a time, as TLS does of whoever sends each by itself; no plain socket is under it."""

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return one record."""
        return await super().receive_some(len(SOUND))


@pytest.mark.parametrize("held_up", [0.03, 0.08])
@pytest.mark.parametrize("answered", [True, False])
async def test_a_pong_behind_many_records_counts(autojump_clock: MockClock, held_up: float, answered: bool) -> None:
    """Whoever reads takes longer for each than the connection waits between two looks, or shorter; a peer that did not
    answer is dropped once nothing more was read for two looks."""
    ours, theirs = memory_stream_pair()
    await theirs.send_all(REQUEST % b"")
    async with open_carrier_socket(Records(ours, room=1000)) as socket, trio.open_nursery() as nursery:

        async def read() -> None:
            while await socket.receive():  # noqa: ASYNC110 (what holds us up)
                await trio.sleep(held_up)

        nursery.start_soon(read)
        await trio.sleep(9.9)  # since 5 a ping waits for its answer, until 10
        await theirs.send_all(SOUND * 30 + (frame(0xA, b"") if answered else b""))
        await trio.sleep(30 * held_up)
        assert not socket.over.is_set()
        await trio.sleep(0.3)
        assert socket.over.is_set() is not answered
        nursery.cancel_scope.cancel()
