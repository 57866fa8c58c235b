"""The service over real sockets and a broken network: whatever comes or fails is one AvatarFault, in bounded time."""

from __future__ import annotations

import json
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
import trio
import trio.testing

from orchestrator.adapters.avatars.sync import SyncService
from orchestrator.errors import AvatarFault, FaultKind
from orchestrator.ports import BatchLine
from tests.adapters.avatars.sync_api import (
    GENERATION,
    KEY,
    REQUEST,
    FakeSync,
    Talk,
    http,
    saying,
    served,
    service_at,
    service_of,
)

BODY = json.dumps(GENERATION).encode()
Ask = Callable[[SyncService], Awaitable[Any]]


async def create(service: SyncService) -> Any:
    """Ask for a video."""
    return await service.create(REQUEST, idempotency_key="k")


async def get(service: SyncService) -> Any:
    """Ask for a generation."""
    return await service.get("g1")


async def batch(service: SyncService) -> Any:
    """Ask for a batch."""
    return await service.create_batch([BatchLine(request_id=str(index), request=REQUEST) for index in range(20)])


async def checked_batch(service: SyncService) -> Any:
    """Have a batch checked."""
    lines = [BatchLine(request_id=str(index), request=REQUEST) for index in range(20)]
    return await service.create_batch(lines, dry_run=True)


async def fault_of(ask: Ask, service: SyncService) -> AvatarFault:
    """Return what asking fails with."""
    with pytest.raises(AvatarFault) as failed:
        await ask(service)
    assert KEY not in f"{failed.value} {failed.value!r} {service!r}"
    assert "Traceback" not in str(failed.value)
    return failed.value


async def test_an_answer_comes_over_a_socket() -> None:
    """The usual case, with a created status as well."""
    for status in ("200 OK", "201 Created"):
        async with served(saying(http(status, BODY))) as address, service_at(address) as service:
            made = await service.create(REQUEST, idempotency_key="k")
            assert (made.id, made.status, made.input) == ("0b7e-1", "PENDING", REQUEST.input)


GARBAGE = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a cut body": b"HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n" + BODY[:20],
    "a cut chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40\r\n{",
    "a huge head": b"HTTP/1.1 200 OK\r\nx: " + b"a" * 300_000,
    "no JSON": http("200 OK", b"<html>we'll be back</html>"),
    "no body": http("204 No Content", b""),
    "deep JSON": http("200 OK", b"[" * 100_000),
    "no UTF-8": http("200 OK", b'{"id": "\xff"}'),
    "another shape": http("200 OK", b'["PENDING"]'),
    "no id": http("200 OK", b'{"status": "PENDING"}'),
    "bad gzip": http("200 OK", b"not gzip", "content-encoding: gzip"),
    "a bomb": http("200 OK", zlib.compress(b" " * 10_000_000), "content-encoding: deflate"),
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("ask", [create, batch, get, checked_batch])
async def test_garbage_is_a_fault(ask: Ask, answer: bytes) -> None:
    """Worth another try; after a create nobody knows what it did, so that the list has to be asked first."""
    async with served(saying(answer)) as address, service_at(address) as service:
        fault = await fault_of(ask, service)
    assert (fault.kind, fault.uncertain) == (FaultKind.RETRY, ask in (create, batch))


async def test_a_refusal_counts_although_its_body_is_cut() -> None:
    """Its status has been said."""
    cut = b"HTTP/1.1 422 No\r\ncontent-length: 500\r\n\r\n{"
    async with served(saying(cut)) as address, service_at(address) as service:
        fault = await fault_of(create, service)
    assert (fault.kind, fault.uncertain) == (FaultKind.REQUEST, False)
    assert fault.message == "the video service answered Unprocessable Entity [422]"


async def endless(stream: trio.SocketStream, _request: bytes) -> None:
    """Answer for ever."""
    await stream.send_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        await stream.send_all(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


async def endless_refusal(stream: trio.SocketStream, _request: bytes) -> None:
    """Refuse for ever."""
    await stream.send_all(b"HTTP/1.1 400 No\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        await stream.send_all(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


async def test_an_endless_answer_is_left() -> None:
    """Eight megabytes are more than any list has; of a refusal its beginning is enough."""
    async with served(endless) as address, service_at(address) as service:
        fault = await fault_of(create, service)
        assert (fault.kind, fault.uncertain) == (FaultKind.RETRY, True)
        assert "more than 8000000 bytes" in fault.message
    async with served(endless_refusal) as address, service_at(address) as service:
        fault = await fault_of(create, service)
        assert (fault.kind, len(fault.message)) == (FaultKind.REQUEST, 406)


async def silent(stream: trio.SocketStream, _request: bytes) -> None:
    """Take a request and say nothing."""
    await trio.sleep_forever()


async def dripping(stream: trio.SocketStream, _request: bytes) -> None:
    """Answer a byte every two seconds."""
    for byte in http("200 OK", BODY):
        await stream.send_all(bytes([byte]))
        await trio.sleep(2)


@pytest.mark.parametrize("talk", [silent, dripping])
@pytest.mark.parametrize("ask", [create, get])
async def test_a_slow_answer_is_given_up(talk: Talk, ask: Ask, autojump_clock: trio.testing.MockClock) -> None:
    """After `request_within` as a whole, however often a byte comes."""
    autojump_clock.autojump_threshold = 0.05  # real sockets: their bytes get a moment to arrive
    async with served(talk) as address, service_at(address, within=20.0) as service:
        began = trio.current_time()
        fault = await fault_of(ask, service)
        assert 20.0 <= trio.current_time() - began < 22.0
    assert (fault.kind, fault.uncertain) == (FaultKind.RETRY, ask is create)


async def test_a_long_poll_may_take_longer(autojump_clock: trio.testing.MockClock) -> None:
    """By as much as the service was asked to wait."""
    autojump_clock.autojump_threshold = 0.05
    async with served(silent) as address, service_at(address, within=5.0) as service:
        began = trio.current_time()
        with pytest.raises(AvatarFault):
            await service.get("g1", wait=10)
        assert 15.0 <= trio.current_time() - began < 16.0


async def test_nobody_at_home_is_certain() -> None:
    """Nothing was sent: the same request may go out again without a look at the list."""
    async with served(silent) as address:
        pass
    async with service_at(address) as service:
        fault = await fault_of(create, service)
    assert (fault.kind, fault.uncertain) == (FaultKind.RETRY, False)
    assert "ConnectError" in fault.message


@pytest.mark.parametrize(
    ("error", "uncertain"),
    [
        (httpx2.ConnectError("refused"), False),
        (httpx2.ConnectTimeout("slow"), False),
        (httpx2.PoolTimeout("no place"), False),
        (httpx2.ProxyError("no way"), False),
        (httpx2.UnsupportedProtocol("ftp"), False),
        (httpx2.LocalProtocolError("bad header"), False),
        (httpx2.InvalidURL("no"), False),
        (UnicodeError("label too long"), False),
        (httpx2.WriteTimeout("slow"), True),
        (httpx2.WriteError("gone"), True),
        (httpx2.ReadTimeout("slow"), True),
        (httpx2.ReadError("gone"), True),
        (httpx2.CloseError("gone"), True),
        (httpx2.RemoteProtocolError("what?"), True),
        (httpx2.DecodingError("what?"), True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_only_what_may_have_been_sent_is_uncertain(error: Exception, uncertain: bool) -> None:
    """The HTTP client's failures, one by one; its words may name the key, ours do not."""
    error.args = (f"{error.args[0]} {KEY}",)
    async with service_of(FakeSync(error)) as service:
        fault = await fault_of(create, service)
        assert (fault.kind, fault.uncertain) == (FaultKind.RETRY, uncertain)
        assert not (await fault_of(get, service)).uncertain
    assert fault.message.startswith("api.sync.so: ")


async def test_nothing_is_tried_twice() -> None:
    """When to try again is the queue's to say."""
    for answer in (httpx2.ReadError("gone"), httpx2.ConnectError("no"), httpx2.Response(503), httpx2.Response(429)):
        fake = FakeSync(answer)
        async with service_of(fake) as service:
            await fault_of(create, service)
        assert len(fake.asked) == 1


async def test_a_cancel_goes_through() -> None:
    """And leaves no connection behind that the next request would trip over."""
    answers = [silent, saying(http("200 OK", BODY))]

    async def talk(stream: trio.SocketStream, request: bytes) -> None:
        await answers.pop(0)(stream, request)

    async with served(talk) as address, service_at(address) as service:
        with trio.move_on_after(0.1) as scope:
            await create(service)
        assert scope.cancelled_caught
        assert (await get(service)).id == "0b7e-1"


async def test_redirects_of_the_api_are_not_followed() -> None:
    """The key would go elsewhere, and a POST become a GET."""
    fake = FakeSync(httpx2.Response(302, headers={"location": "https://elsewhere.example/"}))
    async with service_of(fake) as service:
        fault = await fault_of(create, service)
    assert (fault.kind, fault.uncertain, len(fake.asked)) == (FaultKind.RETRY, False, 1)
