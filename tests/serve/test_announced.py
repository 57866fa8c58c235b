"""A stream must be of the call that its webhook announced."""

from __future__ import annotations

import pytest
from trio.testing import MockClock
from trio_websocket import ConnectionClosed

from orchestrator.events import CallStarted, StreamFailed
from tests.serve.desk import open_desk, settings_of
from tests.serve.test_gate import token_in
from tests.serve.test_streams import LINE, messages_of, start


@pytest.mark.parametrize(("announced", "served"), [("CA1", True), ("", True), ("CA2", False)])
async def test_a_token_is_good_for_its_own_call_only(autojump_clock: MockClock, announced: str, served: bool) -> None:
    """Another one's stream is ended, and told; where the webhook named no call, any may come."""
    async with open_desk(settings_of(LINE)) as at:
        _, answer = await at.post("/twilio", b"From=%2B15550100&To=%2B15550199&CallSid=" + announced.encode())
        async with at.websocket(f"/twilio/{token_in(answer)}") as socket:
            await socket.send_message(start("CA1"))
            if served:
                assert await messages_of(socket, seconds=3)
            else:
                with pytest.raises(ConnectionClosed):
                    await socket.get_message()
        assert [event.call for event in at.told(CallStarted)] == (["CA1"] if served else [])
        assert ["another call" in event.error for event in at.told(StreamFailed)] == ([] if served else [True])
