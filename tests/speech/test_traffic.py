"""What goes over one link: requests in order, frames in, a bug as it is; the peer is played by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Complete, SpeechRequest, VoiceFrame
from orchestrator.settings import ProviderSettings
from orchestrator.speech.traffic import carry
from tests.speech.fake_links import FakeLink, complete
from tests.speech.wire import request


async def carried(
    link: FakeLink, *, take: Callable[[VoiceFrame | None], None], stuck: Callable[[], None] = pytest.fail
) -> ProviderFault:
    """Carry one request, and what the link has to say."""
    sender, requests = trio.open_memory_channel[SpeechRequest](1)
    sender.send_nowait(request("Hi."))
    codec = WavesCodec(ProviderSettings(), "sk_test")
    return await carry(link, codec, requests=requests, take=take, stuck=stuck)


async def test_requests_go_out_and_frames_come_in_until_the_peer_ends_it(autojump_clock: MockClock) -> None:
    """The fault that ended it is returned, not raised."""
    link, taken = FakeLink(0.0), list[VoiceFrame | None]()

    async def answer() -> None:
        await wait_all_tasks_blocked()
        link.say("{}", complete("a"))
        link.hang_up()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(answer)
        fault = await carried(link, take=taken.append)
    assert (fault.kind, fault.message) == (FaultKind.RETRY, "closed with 1000")
    assert taken == [None, Complete("a")]
    assert [sent["text"] for sent in link.sent] == ["Hi."]


async def test_a_bug_is_raised_as_it_is(autojump_clock: MockClock) -> None:
    """Out of no group, for its name is told."""

    def take(frame: VoiceFrame | None) -> None:
        raise ZeroDivisionError(str(frame))

    link = FakeLink(0.0)
    link.say("{}")
    with pytest.raises(ZeroDivisionError, match="None"):
        await carried(link, take=take)


async def test_a_peer_that_reads_no_more_is_told_of(autojump_clock: MockClock) -> None:
    """After 2 s."""
    link, times = FakeLink(0.0, stuck=True), list[float]()

    def stuck() -> None:
        times.append(trio.current_time())
        link.hang_up()

    await carried(link, take=lambda frame: pytest.fail(str(frame)), stuck=stuck)
    assert times == [2.0]
