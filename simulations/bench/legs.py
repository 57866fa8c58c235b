"""Measures the telephony legs on real sockets: what an echo costs and a bot that talks all the time, on each kind of
leg, how late an echo comes back, how exactly our own clock lets frames out, and the memory of a leg."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial

import numpy as np
import trio
from attrs import define, field

from simulations.bench.figures import Figure, Tell
from simulations.bench.leg_server import Kind, LegServer, LegUsage, leg_server

ECHO_LEGS = 75
TALKING_LEGS = 50
_ECHO_SECONDS = 30.0
_TALK_SECONDS = 60.0
_FRAME = 0.02
_CHARACTER = 0.75 / 8000
"""Seconds of mu-law in a character of base64."""
_WARM = 2.0
"""Seconds at the start that count for nothing."""
_ECHO_CORES = 0.65
_TALKING_CORES = 1.0
"""Cores for 100 legs: a frame each way every 20 ms is two wake-ups a frame where our clock paces, one for an echo."""
_KIB_A_LEG = 60.0


def measure_echo(tell: Tell) -> Iterator[Figure]:
    """Yield the cost, the round trip and the memory of echoes on Twilio-like legs."""
    trips, cores, kib = _measured("echo", legs=ECHO_LEGS, seconds=_ECHO_SECONDS, tell=tell)
    name = f"cores for 100 echoes, {ECHO_LEGS} Twilio legs"
    yield Figure(bench="echo", name=name, value=cores, unit="cores", limit=_ECHO_CORES)
    yield Figure(bench="echo", name="round trip of an echo, p50", value=_ms(trips, 50), unit="ms", limit=5)
    yield Figure(bench="echo", name="round trip of an echo, p99", value=_ms(trips, 99), unit="ms", limit=5)
    yield Figure(bench="echo", name="memory of a leg that echoes", value=kib, unit="KiB", limit=_KIB_A_LEG)


def measure_pacing(tell: Tell) -> Iterator[Figure]:
    """Yield how far frames of local-clock legs are off t0 + 20n ms, and the cost and memory of both kinds of leg."""
    late, cores, kib = _measured("clock", legs=TALKING_LEGS, seconds=_TALK_SECONDS, tell=tell)
    for percentile, limit in ((50, 5.0), (99, 5.0), (100, 100.0)):
        name = f"a frame off t0 + 20n, {TALKING_LEGS} legs, " + ("worst" if percentile == 100 else f"p{percentile}")
        yield Figure(bench="pacing", name=name, value=_ms(late, percentile), unit="ms", limit=limit)
    yield Figure(bench="pacing", name="cores for 100 local-clock legs", value=cores, unit="cores", limit=_TALKING_CORES)
    yield Figure(bench="pacing", name="memory of a local-clock leg", value=kib, unit="KiB", limit=_KIB_A_LEG)
    _, cores, kib = _measured("remote", legs=TALKING_LEGS, seconds=_TALK_SECONDS, tell=tell)
    yield Figure(
        bench="pacing", name="cores for 100 remote-buffer legs", value=cores, unit="cores", limit=_TALKING_CORES
    )
    yield Figure(bench="pacing", name="memory of a remote-buffer leg", value=kib, unit="KiB", limit=_KIB_A_LEG)


def _ms(seconds: list[float], percentile: float) -> float:
    return 1000 * float(np.percentile(seconds, percentile))


def _measured(kind: Kind, *, legs: int, seconds: float, tell: Tell) -> tuple[list[float], float, float]:
    """Return the times that matter for a kind of leg, its cores for 100 legs, and the KiB of one."""
    tell(f"{legs} legs, {kind}, {seconds:g} s")
    with leg_server(kind) as server:
        return trio.run(partial(_calls, server, kind=kind, legs=legs, seconds=seconds))


async def _calls(server: LegServer, *, kind: Kind, legs: int, seconds: float) -> tuple[list[float], float, float]:
    """Call from all phones, spread over one frame's time, and ask the server before and after what it took."""
    phones = [_Phone() for _ in range(legs)]
    streams: list[trio.SocketStream] = []
    async with trio.open_nursery() as nursery:
        await _one(server, kind)  # what the first call loads is no leg's
        empty = server.usage()
        for phone in phones:
            await trio.sleep(_FRAME / legs)
            stream = await trio.open_tcp_stream("127.0.0.1", server.port)
            nursery.start_soon(partial(_CALLS[kind], phone, stream, nursery=nursery))
            streams.append(stream)
        await trio.sleep(_WARM)
        before, began = server.usage(), trio.current_time()
        for phone in phones:
            phone.counts = True
        await trio.sleep(seconds)
        after, lasted = server.usage(), trio.current_time() - began
        nursery.cancel_scope.cancel()
    for stream in streams:
        await trio.aclose_forcefully(stream)
    times = [time for phone in phones for time in phone.times()]
    if len(times) < 0.95 * legs * seconds / _FRAME and kind != "remote":
        raise RuntimeError(f"only {len(times)} frames came of {legs} legs in {seconds:g} s")
    cores = 100 * (after.processor - before.processor) / lasted / legs
    return times, cores, _kib(empty, after, legs=legs)


def _kib(before: LegUsage, after: LegUsage, *, legs: int) -> float:
    return 1024 * (after.resident - before.resident) / legs


async def _one(server: LegServer, kind: Kind) -> None:
    stream = await trio.open_tcp_stream("127.0.0.1", server.port)
    with trio.move_on_after(1.0):
        async with trio.open_nursery() as call:
            await _CALLS[kind](_Phone(), stream, nursery=call)
    await trio.aclose_forcefully(stream)


# --- the phones ---


@define
class _Phone:
    """What one phone saw: when it sent frames that are not back, how long those took that are, and when frames came.

    What it was sent ahead it plays, and returns the marks in it, as Twilio does.
    """

    counts: bool = False
    said: bytes = b""
    """What the task that sends is to send next."""
    over: float = 0.0
    """When all that came has been played."""
    marks: deque[tuple[float, bytes]] = field(factory=deque)
    sent: deque[float] = field(factory=deque)
    trips: list[float] = field(factory=list)
    arrivals: list[float] = field(factory=list)

    def take(self, message: bytes, now: float) -> None:
        """Take a message of the bot."""
        if b'"mark"' in message:
            self.marks.append((self.over, _frame(message)))
        elif b'"media"' in message:
            self.over = max(self.over, now) + len(message.rpartition(b":")[2]) * _CHARACTER
            if self.sent:
                trip = now - self.sent.popleft()
                self.trips += [trip] if self.counts else []

    def marks_played(self) -> bytes:
        """Return the marks whose sound is over."""
        played = b""
        while self.marks and self.marks[0][0] <= trio.current_time():
            played += self.marks.popleft()[1]
        return played

    def times(self) -> list[float]:
        """Return the round trips, or how far behind its place in the spurt each frame came: the earliest is on time."""
        if self.trips or not self.arrivals:
            return self.trips
        behind = np.array(self.arrivals) - _FRAME * np.arange(len(self.arrivals))
        return list(behind - behind.min())


_HEAD = b"GET /twilio HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
_KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
_START = (
    b'{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1",'
    b'"tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},'
    b'"customParameters":{}},"streamSid":"MZ1"}'
)
_PAYLOAD = b64encode(bytes(range(80, 120)) * 4)


async def _twilio(phone: _Phone, stream: trio.SocketStream, *, nursery: trio.Nursery) -> None:
    """Send a frame of 20 ms each 20 ms, as Twilio does, and take what comes back."""
    await stream.send_all(_HEAD + _KEY + _frame(b'{"event":"connected"}') + _frame(_START))
    nursery.start_soon(_take_messages, phone, stream)
    due, number = trio.current_time(), 0
    while True:
        number += 1
        due += _FRAME
        await trio.sleep_until(due)
        phone.sent.append(trio.current_time())
        said, phone.said = phone.said, b""
        await stream.send_all(said + _frame(_media(number)) + phone.marks_played())


def _media(number: int) -> bytes:
    return (
        b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d",'
        b'"payload":"%s"},"streamSid":"MZ1"}' % (number + 1, number, 20 * number, _PAYLOAD)
    )


def _frame(payload: bytes) -> bytes:
    """Return a client's text frame, masked with zeros: the server has to unmask it all the same."""
    return b"\x81\xfe" + struct.pack("!H", len(payload)) + bytes(4) + payload


async def _take_messages(phone: _Phone, stream: trio.SocketStream) -> None:
    """Take the messages that come, and have pings answered by the task that sends."""
    unread = bytearray()
    while data := await stream.receive_some():
        now = trio.current_time()
        unread += data
        if unread.startswith(b"HTTP"):
            del unread[: unread.index(b"\r\n\r\n") + 4]
        while (whole := _whole(unread)) is not None:
            opcode, payload = whole
            if opcode == 9:
                phone.said += b"\x8a\x80" + bytes(4)
            elif opcode == 1:
                phone.take(payload, now)


def _whole(unread: bytearray) -> tuple[int, bytes] | None:
    """Take one frame off what was read: its opcode and payload; None while it is not whole."""
    if len(unread) < 2:
        return None
    size, start = unread[1], 2
    if size == 126 and len(unread) >= 4:
        (size,), start = struct.unpack_from("!H", unread, 2), 4
    if len(unread) < start + size or (unread[1] == 126 and start == 2):
        return None
    opcode, payload = unread[0] & 0x0F, bytes(unread[start : start + size])
    del unread[: start + size]
    return opcode, payload


async def _asterisk(phone: _Phone, stream: trio.SocketStream, *, nursery: trio.Nursery) -> None:
    """Send a frame of 20 ms each 20 ms, as Asterisk does, and note when those of the bot come."""
    await stream.send_all(b"\x01\x00\x10" + bytes(range(16)))
    nursery.start_soon(_take_frames, phone, stream)
    due = trio.current_time()
    while True:
        due += _FRAME
        await trio.sleep_until(due)
        await stream.send_all(b"\x10\x01\x40" + bytes(320))


async def _take_frames(phone: _Phone, stream: trio.SocketStream) -> None:
    unread = 0
    while data := await stream.receive_some():
        unread += len(data)
        now = trio.current_time()
        while unread >= 323:
            unread -= 323
            if phone.counts:
                phone.arrivals.append(now)


_CALLS: Mapping[Kind, Callable[..., Awaitable[None]]] = {
    "echo": _twilio,
    "remote": _twilio,
    "clock": _asterisk,
}
