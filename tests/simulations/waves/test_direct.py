"""Links without a wire: what a client sees and what the provider's books say is the same as over the real protocol."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from unittest import mock

import pytest
import trio
from attrs import Factory, define, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock
from websockets.trio.client import connect

from orchestrator.adapters.voices.waves import WavesCodec
from orchestrator.errors import ProviderFault
from orchestrator.ports import Complete, Connection, Dial, Failed, SpeechRequest, Spoken, VoiceCodec, VoiceFrame
from orchestrator.settings import ProviderSettings
from simulations.plain_voice import lifelike_voice, plain_voice
from simulations.voices import Voice, Wanted
from simulations.waves.direct import DirectCodec, direct_dial
from simulations.waves.memory_dial import memory_dial
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import TEN, provider, spelling_voice
from tests.speech.wire import account


@pytest.fixture(autouse=True, scope="module")
def _roomy_queue() -> Iterator[None]:
    """A client that leaves more than 16 frames unread waits 2 s for its close (websockets' default): not so here."""
    with mock.patch("orchestrator.speech.dialling.connect", partial(connect, max_queue=None)):
        yield


Seen = tuple[float, VoiceFrame | str]


@frozen
class Asking:
    """One request of a client, `pause` seconds after the one before."""

    pause: float
    text: str
    voice: str = "avery"


@define
class Client:
    """What a client does on one link, and what it sees of it; it leaves `stays` seconds after its last request."""

    begins: float
    asks: list[Asking]
    stays: float
    name: str = ""
    seen: list[Seen] = field(factory=list)

    async def run(self, dial: Dial, codec: VoiceCodec) -> None:
        """Open the link, ask and read, leave."""
        await trio.sleep(self.begins)
        try:
            async with dial(codec.address(), codec.headers()) as connection:
                self.note("open")
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.read, connection, codec, nursery.cancel_scope)
                    await self.ask_all(connection, codec)
                    await trio.sleep(self.stays)
                    nursery.cancel_scope.cancel()
        except ProviderFault as fault:
            self.note(f"not opened: {fault.kind.value}")
        self.note("closed")

    async def ask_all(self, connection: Connection, codec: VoiceCodec) -> None:
        """Send each request at its time."""
        for number, asking in enumerate(self.asks):
            await trio.sleep(asking.pause)
            wish = SpeechRequest(f"{self.name}-1-{number}", asking.text, 8000, asking.voice, "en")
            try:
                await connection.send(codec.encode(wish))
            except ProviderFault:  # the reader sees it, too
                return

    async def read(self, connection: Connection, codec: VoiceCodec, leave: trio.CancelScope) -> None:
        """Note every frame, and the end."""
        try:
            while True:
                frame = codec.decode(await connection.receive())
                assert frame is not None
                self.note(f"{frame.fault!r}" if isinstance(frame, Failed) else frame)
        except ProviderFault as fault:
            self.note(f"{fault!r}")
            leave.cancel()

    def note(self, what: VoiceFrame | str) -> None:
        """Note what was seen just now."""
        self.seen.append((trio.current_time(), what))


@frozen
class Setting:
    """A provider and what is asked of it."""

    options: WavesOptions
    voice: Callable[[], Voice] = Factory(lambda: plain_voice)
    word_timestamps: bool = True

    def story(self, clients: list[Client], *, wire: bool) -> WavesServer:
        """Let the clients meet the provider, over the wire or directly, in virtual time; return it as it is then."""
        return trio.run(partial(self._run, clients, wire=wire), clock=MockClock(autojump_threshold=0))

    async def _run(self, clients: list[Client], *, wire: bool) -> WavesServer:
        server = WavesServer(self.options, self.voice())
        asked = ProviderSettings(word_timestamps=self.word_timestamps)
        codec: VoiceCodec = WavesCodec(asked, "sk_test") if wire else DirectCodec()
        async with trio.open_nursery() as serving:
            dial = memory_dial(server, serving) if wire else direct_dial(server, word_timestamps=self.word_timestamps)
            async with trio.open_nursery() as nursery:
                for client in clients:
                    nursery.start_soon(client.run, dial, codec)
            await trio.sleep(2)
            serving.cancel_scope.cancel()
        return server


def uses(server: WavesServer) -> list[float]:
    """Return when each use of a slot began and ended."""
    return [time for use in sorted(server.books.uses) for time in use]


def check_alike(setting: Setting, clients: Callable[[], list[Client]]) -> WavesServer:
    """Check that the wire and a direct link tell the same story; return that provider at its end."""
    over_wire, without = clients(), clients()
    wired, direct = setting.story(over_wire, wire=True), setting.story(without, wire=False)
    for one, other in zip(over_wire, without, strict=True):
        assert [what for _, what in other.seen] == [what for _, what in one.seen]
        assert [at for at, _ in other.seen] == pytest.approx([at for at, _ in one.seen])
    books, expected = direct.books.snapshot(1e6), wired.books.snapshot(1e6)
    assert books == pytest.approx(expected)
    assert uses(direct) == pytest.approx(uses(wired))
    assert books["in_flight"] == books["sockets"] == 0
    return direct


TEXTS = st.sampled_from(["Yes.", "One moment, please.", "Good morning to you, and how are you today?", "word " * 60])
PAUSES = st.integers(0, 40).map(lambda n: 0.0023071067 + n * 0.0371)
"""No two requests come in the same instant, nor one when a sample of another is made."""
ASKS = st.builds(Asking, PAUSES, TEXTS, st.sampled_from(["avery", "magnus", "avery"]))
OPTIONS = st.builds(
    WavesOptions,
    slots=st.integers(1, 2),
    links=st.integers(1, 3),
    ttfb=st.sampled_from([0.0, 0.1, 0.2]),
    rtf=st.sampled_from([0.0, 0.1, 0.3]),
    ttfb_cv=st.sampled_from([0.0, 0.3]),
    chunk_ms=st.sampled_from([None, None, 70.0, 333.0]),
    transport=st.sampled_from([0.0, 0.01, 0.2]),
    close_after_complete=st.booleans(),
    settle=st.sampled_from([0.0, 0.05, 0.4]),
    idle_timeout=st.sampled_from([60.0, 1.70037]),
)


@settings(max_examples=50, deadline=None)
@given(
    options=OPTIONS,
    plans=st.lists(st.tuples(st.integers(0, 60), st.lists(ASKS, max_size=4), st.integers(0, 90)), max_size=4),
    lifelike=st.booleans(),
    word_timestamps=st.booleans(),
)
def test_wire_and_direct_link_tell_the_same_story(
    options: WavesOptions, plans: list[tuple[int, list[Asking], int]], lifelike: bool, word_timestamps: bool
) -> None:
    """Whatever clients ask and whenever they leave: the same frames at the same times, the same books, the same uses.

    No two clients do anything in the same instant: who is first then, is chance on a wire.
    """

    def clients() -> list[Client]:
        return [
            Client(begins * 0.0413 + 0.00137 * place, asks, stays * 0.0457 + 0.00071 * (place + 1), name=str(place + 1))
            for place, (begins, asks, stays) in enumerate(plans)
        ]

    voice = (lambda: lifelike_voice(random.Random("voice"))) if lifelike else plain_voice
    check_alike(Setting(options, voice, word_timestamps), clients)


def test_a_voice_that_fails_ends_its_request_only() -> None:
    """The request fails with an error and frees its slot, the link serves on; on either kind of link."""

    def hoarse() -> Voice:
        failures = [ValueError("no voice today")]

        async def speak(wanted: Wanted) -> Spoken:
            if failures:
                raise failures.pop()
            return await spelling_voice(wanted)

        return speak

    server = check_alike(Setting(WavesOptions(), hoarse), lambda: [Client(0.0, [Asking(0.1, TEN)] * 2, 1.0)])
    books = server.books.snapshot(100)
    assert (books["errors"], books["completed"], books["abandoned"], books["requests"]) == (1, 1, 0, 2)


def test_times_are_the_provider_s_plus_what_messages_take() -> None:
    """Open after two ways; a chunk one way after it was made, which begins one way after it was asked for; the slot is
    held for ttfb + rtf * audio, exactly, and the close takes three ways to be sure of."""
    client = Client(0.0, [Asking(0.5, TEN)], 9.0, name="1")
    options = WavesOptions(ttfb=0.2, rtf=0.3, transport=0.05, chunk_ms=None)
    server = Setting(options, lambda: spelling_voice, word_timestamps=False).story([client], wire=False)
    ends = [0.1, 0.2, 0.4, 0.5]
    asked, done = 0.6, 0.6 + 0.05 + 0.2 + 0.3 * 0.5
    chunks = [asked + 0.05 + 0.2 + 0.3 * end + 0.05 for end in ends]
    assert [at for at, _ in client.seen] == pytest.approx([0.1, *chunks, done + 0.05, done + 0.15, done + 0.15])
    assert uses(server) == pytest.approx([asked + 0.05, done])


async def test_the_real_pool_speaks_over_links_without_a_wire(autojump_clock: MockClock) -> None:
    """Whole pieces, and cuts at any moment: no slot and no link is lost, no request is refused."""
    server = provider(close_after_complete=True, chunk_ms=None)
    async with account(direct_dial(server), codec=DirectCodec(), slots=1, links=5) as opened:
        await opened.pool.wait_ready()
        for after in range(40):
            with trio.move_on_after(after * 0.0061):
                await opened.speak("abcd efghi jk " * 3)
            frames = await opened.speak(TEN, name="whole")
            assert frames[-1] == Complete("whole")
            assert {frame.id for frame in frames} == {"whole"}
        assert opened.scheduler.queue.granted == 0
    books = server.snapshot()
    assert books["max_in_flight"] == 1
    assert books["refused_concurrency"] == books["refused_links"] == books["errors"] == 0
    assert books["sockets"] == 0
    assert books["abandoned"] > 10
    assert books["completed"] + books["abandoned"] == books["requests"]


async def test_sound_that_is_there_at_once_reaches_whoever_reads_it(autojump_clock: MockClock) -> None:
    """A provider that takes no time at all floods nobody, however short its chunks are."""
    server = provider(ttfb=0.0, rtf=0.0, chunk_ms=1.0)
    async with account(direct_dial(server), codec=DirectCodec()) as opened:
        frames = await opened.speak("x" * 240)
    assert len(frames) > 12_000
    assert isinstance(frames[-1], Complete)
