"""Calls that wait at Asterisk are fetched for who asks, answered, and served like any other, in both formats."""

from __future__ import annotations

import json

import pytest
import trio
from trio.testing import MockClock

from orchestrator.events import CallEnded, CallFailed, CallStarted, StreamFailed
from orchestrator.settings import LineSettings
from simulations.carriers.asterisk import FakeAsterisk, FakeUlawAsterisk
from tests.serve.waiting_world import HERE, ID, SEEN, Written, world


@pytest.mark.parametrize(
    ("kind", "rate"), [(FakeAsterisk, 8000), (FakeAsterisk, 16_000), (FakeAsterisk, 48_000), (FakeUlawAsterisk, 8000)]
)
@pytest.mark.parametrize("written", ["json", "plain"])
async def test_a_call_is_fetched_and_the_caller_hangs_up(
    autojump_clock: MockClock, written: Written, kind: type[FakeAsterisk], rate: int
) -> None:
    """The bot is that of the called number, its sound is in the format that Asterisk has, and all of it arrives."""
    numbers = {"500": f"{HERE}:Greeting"}
    line = LineSettings(carrier="asterisk", media_url="ws://pbx/media", bot=f"{HERE}:Brief", numbers=numbers)
    async with world(line) as at:
        channel = at.wait(written=written, rate=rate, kind=kind)
        await at.called(channel, {"from": "+4930", "to": "500"})
        with trio.fail_after(1):
            await channel.up.wait()
        await trio.sleep(2)
        assert channel.lost == 0
        assert channel.carrier.playback.sounds
        channel.hang_up()
        await trio.sleep(1.5)
        (started,) = at.desk.told(CallStarted)
        assert (started.bot, started.leg) == (f"{HERE}:Greeting", "asterisk")
        assert [event.reason for event in at.desk.told(CallEnded)] == ["caller"]
    assert not channel.carrier.complaints
    assert not at.desk.told(CallFailed)
    assert not at.desk.told(StreamFailed)
    assert at.asterisk.paths == [f"/media/{ID}"]


@pytest.mark.parametrize("written", ["json", "plain"])
async def test_the_bot_hangs_up(autojump_clock: MockClock, written: Written) -> None:
    """With HANGUP, after its last word was heard."""
    line = LineSettings(carrier="asterisk", media_url="ws://pbx/media", bot=f"{HERE}:Brief")
    async with world(line) as at:
        channel = at.wait(written=written)
        await at.called(channel)
        with trio.fail_after(10):
            await channel.over.wait()
        await trio.sleep(2)
        assert [event.reason for event in at.desk.told(CallEnded)] == ["bot"]
        assert at.desk.streams.guests.here == 0
    assert channel.carrier.hung_up
    assert not channel.carrier.complaints


@pytest.mark.parametrize("after", [0.06, 0.4, 1.9])
async def test_the_channel_is_answered_however_slow_the_dialplan_is(autojump_clock: MockClock, after: float) -> None:
    """Asterisk's own answer comes while CURL() still asks us, and is thrown away: ours comes again."""
    async with world() as at:
        channel = at.wait()
        await at.called(channel, after=after)
        assert not channel.up.is_set()
        with trio.fail_after(0.7):
            await channel.up.wait()


async def test_a_key_interrupts_and_sound_is_flushed(autojump_clock: MockClock) -> None:
    """On a call that we connected to as on any other: by REPORT_QUEUE_DRAINED, FLUSH_MEDIA, CONTINUE_MEDIA."""
    async with world() as at:
        channel = at.wait()
        await at.called(channel)
        await trio.sleep(1)
        loud = channel.carrier.payload(b"\x00\x20\x00\xe0" * 80)
        channel.line.say([loud] * 30, interrupts=True)
        await trio.sleep(1)
        assert channel.carrier.playback.clears
        assert channel.carrier.playback.cleared > 0.1


async def test_what_the_post_says_is_the_calls(autojump_clock: MockClock) -> None:
    """In JSON as in a form, from the query too; neither the token nor the connection's id goes to the bot."""
    line = LineSettings(carrier="asterisk", media_url="ws://pbx/media", bot=f"{HERE}:Greeting")
    SEEN.clear()
    async with world(line) as at:
        channel = at.wait()
        body = json.dumps({"connection_id": ID, "from": "+4930", "to": "500", "n": 7}).encode()
        status, _ = await at.desk.post("/asterisk?tier=gold&token=x", body, content_type="application/json")
        channel.dialled.set()
        await trio.sleep(1)
    assert status == 200
    (facts,) = SEEN
    assert (facts.caller, facts.called) == ("+4930", "500")
    assert facts.parameters["tier"] == "gold"
    assert not {"token", "n"} & set(facts.parameters)


async def test_draining_fetches_no_more_and_ends_calls_with_a_hang_up(autojump_clock: MockClock) -> None:
    """The caller is told good-bye, then HANGUP."""
    async with world() as at:
        channel = at.wait()
        await at.called(channel)
        await trio.sleep(1)
        at.desk.readiness.draining = True
        assert (await at.post(connection_id=ID))[0] == 503
        talkers = at.desk.calls.talkers
        assert talkers is not None
        with trio.fail_after(60):
            await talkers.drain()
            await at.desk.calls.wait_none()
            await channel.over.wait()
        assert channel.carrier.hung_up


async def test_the_echo_answers_too(autojump_clock: MockClock) -> None:
    """Of a line that only sends back what it hears."""
    line = LineSettings(carrier="asterisk", media_url="ws://pbx/media", bot="audio-echo")
    async with world(line) as at:
        channel = at.wait(written="plain")
        await at.called(channel)
        await trio.sleep(1)
        assert channel.up.is_set()
        assert channel.carrier.playback.received == pytest.approx(0.95, abs=0.1)
