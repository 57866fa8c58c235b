"""What is not fetched: calls of nobody who may ask, ids that are none, calls that are gone; and each is told."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
import trio
from trio.testing import MockClock

from orchestrator.events import RequestRefused, StreamFailed
from orchestrator.port.routes import mistakes
from orchestrator.settings import LineSettings, ServeSettings
from orchestrator.settings.checks import WrongValue
from tests.serve.test_drain import talkers
from tests.serve.waiting_world import HERE, ID, world


@pytest.mark.parametrize(
    "given", ["", ".", "..", "a/b", "a?b=c", "a#b", "a%2fb", "a b", "\u00e9", "x" * 129, "@evil", "a\r\nb"]
)
async def test_no_connection_id_leads_anywhere_else(autojump_clock: MockClock, given: str) -> None:
    """Nothing is dialled."""
    async with world() as at:
        status, told = await at.post(connection_id=given)
        assert (status, "connection_id" in told["error"]) == (400, True)
        assert at.asterisk.paths == []
        assert [(event.line, event.status) for event in at.desk.told(RequestRefused)] == [("/asterisk", 400)]


async def test_a_wrong_id_and_a_second_connection_are_told(autojump_clock: MockClock) -> None:
    """To who asked, and as an event; the first call goes on."""
    async with world() as at:
        channel = at.wait()
        await at.called(channel)
        for connection, code in ((ID, "409"), ("nobody", "404")):
            status, told = await at.post(connection_id=connection)
            assert status == 502
            assert code in told["error"]
        assert [event.line for event in at.desk.told(StreamFailed)] == ["/asterisk"] * 2
        assert not channel.over.is_set()
        assert at.desk.streams.guests.here == 1


async def test_an_asterisk_that_is_not_there_or_says_nothing_is_told_in_time(autojump_clock: MockClock) -> None:
    """Refused at once, or silent after the connection: 502 within handshake_within."""

    async def nobody(host: str, port: int) -> trio.abc.Stream:
        raise OSError(111, "Connection refused")

    async def silent(host: str, port: int) -> trio.abc.Stream:
        near, far = trio.testing.memory_stream_pair()
        kept.append(far)
        return near

    kept: list[trio.abc.Stream] = []
    async with world(handshake_within=3.0) as at:
        for connect, within, reason in ((nobody, 0.1, "refused"), (silent, 3.1, "within 3 s")):
            at.desk.fetching.connect = connect
            began = trio.current_time()
            status, told = await at.post(connection_id=ID)
            assert status == 502
            assert reason in told["error"]
            assert trio.current_time() - began <= within


async def test_a_call_that_never_starts_ends_in_one_event(autojump_clock: MockClock) -> None:
    """An Asterisk that upgrades and says no MEDIA_START."""
    async with world() as at:
        channel = at.wait()
        channel.carrier.opening = list
        assert (await at.post(connection_id=ID))[0] == 200
        await trio.sleep(8)
        assert [event.error for event in at.desk.told(StreamFailed)] == ["no asterisk call began"]
        assert at.desk.streams.guests.here == 0


async def test_only_who_has_the_token_may_have_calls_fetched(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for the line's streams; without one 401, with a wrong one 403."""
    monkeypatch.setenv("PBX_TOKEN", "right")
    line = LineSettings(carrier="asterisk", media_url="ws://pbx/media", secret_env="PBX_TOKEN", bot=f"{HERE}:Greeting")
    async with world(line) as at:
        at.wait()
        body = urlencode({"connection_id": ID}).encode()
        wanted = (("", 401), ("?token=wrong", 403), ("?token=right", 200))
        assert [(await at.desk.post(f"/asterisk{query}", body))[0] for query, _ in wanted] == [
            each for _, each in wanted
        ]
        assert len(at.desk.told(RequestRefused)) == 2


async def test_a_get_fetches_nothing_and_a_line_without_an_address_neither(autojump_clock: MockClock) -> None:
    """426, as ever; where calls are fetched it says what is wanted, and is told once."""
    async with world() as at:
        status, body = await at.desk.get(f"/asterisk?connection_id={ID}")
        assert (status, b"post connection_id here" in body) == (426, True)
        assert at.asterisk.paths == []
        assert [event.status for event in at.desk.told(RequestRefused)] == [426]
    async with world(LineSettings(carrier="asterisk", bot=f"{HERE}:Greeting")) as at:
        assert (await at.desk.post("/asterisk", urlencode({"connection_id": ID}).encode()))[0] == 426


async def test_limits_hold_for_fetched_calls_too(autojump_clock: MockClock) -> None:
    """One that is too many is a 503, and nothing is dialled."""
    async with world(most_connections=1) as at:
        channel = at.wait()
        await at.called(channel)
        assert (await at.post(connection_id=ID))[0] == 503
        assert len(at.asterisk.paths) == 1


async def test_a_drain_that_begins_during_the_dial_begins_no_call(autojump_clock: MockClock) -> None:
    """Nobody would wait for it: 503 to who asked, the connection is closed, its place is free."""
    async with world() as at:
        channel = at.wait()
        dial, answers = at.desk.fetching.connect, []

        async def slow(host: str, port: int) -> trio.abc.Stream:
            await trio.sleep(1)
            return await dial(host, port)

        async def post() -> None:
            answers.append(await at.post(connection_id=ID))

        at.desk.fetching.connect = slow
        async with trio.open_nursery() as nursery:
            nursery.start_soon(post)
            await trio.sleep(0.5)
            await talkers(at.desk, within=30).drain()
            assert trio.current_time() < 0.6
        ((status, told),) = answers
        assert (status, "draining" in told["error"]) == (503, True)
        await trio.sleep(1)
        assert channel.over.is_set()
        assert at.desk.streams.guests.here == 0


@pytest.mark.parametrize(
    "address",
    [
        "http://pbx/media",
        "ws://",
        "ws://pbx/media/",
        "ws://u:p@pbx/media",
        "ws://pbx/media?a=b",
        "ws://pbx:0/m",
        "pbx:1",
    ],
)
def test_an_address_that_is_none_is_told(address: str) -> None:
    """By the setting's name, and what is expected."""
    with pytest.raises(WrongValue, match=r"media_url = .*ws://127.0.0.1:8088/media"):
        LineSettings(carrier="asterisk", media_url=address)


def test_only_asterisk_has_calls_that_wait() -> None:
    """The line is named."""
    line = LineSettings(carrier="twilio", media_url="wss://pbx/media")
    assert [told for told in mistakes(ServeSettings(lines=(line,))) if "serve.lines[0].media_url" in told]
