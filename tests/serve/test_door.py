"""AudioSocket's port: peers are counted by address, calls kept apart, and nobody is taken while draining."""

from __future__ import annotations

import logging
from functools import partial

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from orchestrator.adapters.telephony.codecs.audiosocket import AudioSocketCodec
from orchestrator.port.guests import Guests
from orchestrator.serve.door import Door
from orchestrator.settings import LineSettings
from tests.serve.desk import Desk, desk, settings_of
from tests.serve.test_sync_hook import DONE, Ears, port, said, signature

START = b"\x01\x00\x10" + bytes(16)
FRAME = b"\x10\x01\x40" + bytes(320)


def door(at: Desk, *, per_address: int = 10) -> Door:
    """Return the door of a desk."""
    guests = Guests(most=100, per_address=per_address)
    return Door(settings=at.settings.serve, guests=guests, context=None, emit=at.events.append, now=at.now)


async def connect(at: Desk, through: Door, nursery: trio.Nursery) -> trio.abc.Stream:
    """Call as Asterisk does."""
    near, far = memory_stream_pair()
    call = at.streams.take_audiosocket
    nursery.start_soon(partial(through.serve_call, far, peer="192.0.2.1", draining=trio.Event(), call=call))
    return near


async def test_a_bug_in_one_call_ends_that_call(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and calls that come later are served."""
    at = desk(settings_of(LineSettings(carrier="audiosocket"), audiosocket_port=0))
    through = door(at)

    def buggy(codec: AudioSocketCodec, pcm: bytes) -> list[bytes]:
        raise ValueError("a bug")

    async with trio.open_nursery() as nursery:
        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
            patch.setattr(AudioSocketCodec, "media", buggy)
            near = await connect(at, through, nursery)
            await near.send_all(START + FRAME)
            assert await near.receive_some() == b""
            await trio.sleep(2)
        assert "a call ended by a failure of ours" in caplog.text
        near = await connect(at, through, nursery)
        await near.send_all(START + FRAME)
        assert bytes(await near.receive_some())[:3] == FRAME[:3]
        await near.aclose()


async def test_no_proxy_stands_before_audiosocket(autojump_clock: MockClock) -> None:
    """Its peers are counted by their own addresses, whatever stands before the other port."""
    at = desk(settings_of(LineSettings(carrier="audiosocket"), audiosocket_port=0, forwarded=True))
    through = door(at, per_address=2)
    async with trio.open_nursery() as nursery:
        calls = []
        for _ in range(3):
            calls.append(await connect(at, through, nursery))
            await trio.sleep(0.01)
        assert await calls[-1].receive_some(1) == b""
        for call in calls[:-1]:
            await call.send_all(START + FRAME)
            assert await call.receive_some(1) == b"\x10"
            await call.aclose()


@pytest.mark.parametrize(("size", "status"), [(256 * 1024, 200), (256 * 1024 + 1, 413)])
async def test_news_of_a_video_may_be_as_long_as_its_script(autojump_clock: MockClock, size: int, status: int) -> None:
    """What the page for it reads comes in here: nothing is refused before it, nor more let in."""
    at, (near, far) = port(Ears()), memory_stream_pair()
    empty = len(said({**DONE, "script": ""}))
    body = said({**DONE, "script": "x" * (size - empty)})
    head = (
        f"POST /hooks/sync HTTP/1.1\r\nHost: x\r\nSync-Signature: {signature(body)}\r\nContent-Length: {size}\r\n\r\n"
    )
    async with trio.open_nursery() as nursery:
        serve = partial(door(at).serve, app=at.app, upgrade=at.streams.take)
        nursery.start_soon(partial(serve, far, peer="192.0.2.1", draining=trio.Event()))
        nursery.start_soon(near.send_all, head.encode() + body)
        answer = bytes(await near.receive_some())
        await near.aclose()
    assert answer.startswith(b"HTTP/1.1 %d " % status)


async def test_no_call_is_taken_while_draining(autojump_clock: MockClock) -> None:
    """Not even one that would only hear itself."""
    at = desk(settings_of(LineSettings(carrier="audiosocket"), audiosocket_port=0))
    at.readiness.draining = True
    async with trio.open_nursery() as nursery:
        near = await connect(at, door(at), nursery)
        assert await near.receive_some(1) == b""
