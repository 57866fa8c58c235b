"""The vendor's own Python SDK, unmodified but for its base address, against the simulated provider on a real port."""

from __future__ import annotations

import base64
import io
import sys
import wave
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import httpx
import pytest
import trio
from smallestai import SmallestAI
from smallestai.core.api_error import ApiError
from smallestai.environment import SmallestAIEnvironment
from smallestai.waves import BadRequestError, UnauthorizedError
from smallestai.waves.helpers import stream_speech_to_text
from smallestai.waves.speech_to_text.types.close_stream import CloseStream
from smallestai.waves.tts.types.tts_request_message import TtsRequestMessage
from smallestai.waves.tts.types.tts_response_message import TtsResponseMessage
from smallestai.waves.types.pronunciation_item import PronunciationItem

from simulations.voices import tone, voice_named
from simulations.waves.accounts import Plan
from simulations.waves.options import WavesOptions
from simulations.waves.server import WavesServer, open_waves_server
from tests.simulations.waves.clients import streaming_face

pytestmark = [
    pytest.mark.realtime,
    # The SDK asks `websockets` for names of its old client, at the first use of each of its own sockets.
    pytest.mark.filterwarnings("ignore:websockets.* is deprecated:DeprecationWarning"),
]

FIRST = "Good morning, this is the first of them."
SECOND = "And here comes another one."
RATE = 24000
KEY = "sk_ours"
QUICK = WavesOptions(ttfb=0.02, rtf=0.02, settle=0.01, slots=4, unknown_voices=False)
PACED = WavesOptions(ttfb=0.02, rtf=0.3, settle=0.01, slots=1)
"""Slow enough for others to ask while the first is spoken: that takes 0.9 s."""

Result = TypeVar("Result")


def sound_of(text: str) -> bytes:
    """Return what the provider's voice makes of a text."""
    return tone(text, voice="magnus", rate=RATE).pcm


@asynccontextmanager
async def provider(options: WavesOptions) -> AsyncIterator[WavesServer]:
    """Yield a provider on a port, with the one account of KEY."""
    server = WavesServer(options, voice_named("tone"), plans={KEY: Plan(name="ours", slots=options.slots)})
    async with open_waves_server(server):
        yield server


async def in_thread(work: Callable[[WavesServer], Result], server: WavesServer) -> Result:
    """Return what the blocking SDK does in a thread; the provider runs in this loop meanwhile."""
    with trio.fail_after(10):
        return await trio.to_thread.run_sync(work, server, abandon_on_cancel=True)


@contextmanager
def sdk(server: WavesServer, *, key: str = KEY) -> Iterator[SmallestAI]:
    """Yield the SDK's client, pointed at the provider."""
    http = server.address.replace("ws://", "http://")
    environment = SmallestAIEnvironment(atoms=http, waves=http, waves_ws=server.address, payment=http)
    with httpx.Client(timeout=10, trust_env=False) as connections:  # the SDK never closes its own
        yield SmallestAI(api_key=key, environment=environment, httpx_client=connections)


def synthesize(client: SmallestAI, *, voice: str = "magnus", output_format: str = "pcm") -> bytes:
    """Return the sound of FIRST, asked for over HTTP."""
    return b"".join(
        client.waves.synthesize_tts(text=FIRST, voice_id=voice, sample_rate=RATE, output_format=output_format)
    )


def message(**names: str) -> TtsRequestMessage:
    """Return what the SDK's socket client sends to have FIRST spoken, with no wait before `complete`."""
    fields = {"text": FIRST, "voice_id": "magnus", "sample_rate": RATE, "complete_backoff_ms": 0, **names}
    return TtsRequestMessage.model_validate(fields)


def sound_in(frames: Iterable[TtsResponseMessage]) -> bytes:
    """Return the sound of those frames that have some."""
    return b"".join(base64.b64decode(frame.data.audio) for frame in frames if frame.data and frame.data.audio)


async def test_a_synthesis_over_http_has_all_its_sound() -> None:
    """Raw samples, and WAV with a header that tells their number: exactly what the voice speaks."""

    def work(server: WavesServer) -> None:
        with sdk(server) as client:
            assert synthesize(client) == sound_of(FIRST)
            with wave.open(io.BytesIO(synthesize(client, output_format="wav"))) as file:
                assert file.getframerate() == RATE
                assert file.readframes(file.getnframes()) == sound_of(FIRST)

    async with provider(QUICK) as server:
        await in_thread(work, server)


async def test_the_streaming_face_hears_a_text_and_a_stream_of_words() -> None:
    """One text, and words as they come with one flush at the end: all the sound of each, and an end to it.

    Each waits for its `complete`, which comes 4 s after the sound: both wait at the same time.
    """
    texts = {"whole": FIRST, "words": f"{FIRST} {SECOND}"}
    heard = {}

    async def speak(server: WavesServer, way: str) -> None:
        command = [sys.executable, streaming_face.__file__, server.address, KEY, way, texts[way]]
        heard[way] = (await trio.run_process(command, capture_stdout=True)).stdout

    with trio.fail_after(20):
        async with provider(QUICK) as server, trio.open_nursery() as nursery:
            for way in texts:
                nursery.start_soon(speak, server, way)

    assert heard == {way: sound_of(text) for way, text in texts.items()}


async def test_the_socket_client_gets_its_ids_back_and_is_closed_after_complete() -> None:
    """Each frame carries the client's own names, `complete` is the last of them, and the close is no error."""

    def work(server: WavesServer) -> None:
        with sdk(server) as client, client.waves.tts.connect() as socket:
            socket.synthesize_streaming_tts(message(session_id="s.1", request_id="r-1"))
            frames = list(socket)
        assert {(frame.external_session_id, frame.external_request_id) for frame in frames} == {("s.1", "r-1")}
        assert [frame.status for frame in frames[-2:]] == ["chunk", "complete"]
        assert sound_in(frames) == sound_of(FIRST)

    async with provider(QUICK) as server:
        await in_thread(work, server)


async def test_voices_and_clones_are_what_the_sdk_can_read() -> None:
    """The fields by which the SDK names a voice are there; a clone that it made is found again, and speaks."""

    def work(server: WavesServer) -> None:
        with sdk(server) as client:
            voices = {voice.voice_id: voice for voice in client.waves.get_voices(model="lightning-v3.1").voices or ()}
            assert voices["magnus"].display_name == "Magnus"
            made = client.waves.create_voice_clone(display_name="Mine", file=("me.wav", bytes(2000), "audio/wav")).data
            assert made is not None
            assert made.voice_id in [each.voice_id for each in client.waves.list_voice_clones().data or ()]
            assert len(synthesize(client, voice=made.voice_id or "")) == len(sound_of(FIRST))

    async with provider(QUICK) as server:
        await in_thread(work, server)


async def test_dictionaries_are_kept_until_they_are_deleted() -> None:
    """What the SDK created it finds again, changes and deletes, with a body in the DELETE."""

    def work(server: WavesServer) -> None:
        with sdk(server) as client:
            made = client.waves.create_pronunciation_dict(items=[PronunciationItem(word="SQL", pronunciation="sequel")])
            changed = [PronunciationItem(word="SQL", pronunciation="squeal")]
            assert client.waves.update_pronunciation_dict(id=made.id, items=changed).items == changed
            assert [each.id for each in client.waves.get_pronunciation_dicts()] == [made.id]
            assert client.waves.delete_pronunciation_dict(id=made.id).deleted
            assert client.waves.get_pronunciation_dicts() == []

    async with provider(QUICK) as server:
        await in_thread(work, server)


async def test_speech_is_recognized_until_the_stream_is_closed() -> None:
    """Sound goes in, transcripts come out; the last event says that it is the last, then the socket ends."""

    def work(server: WavesServer) -> None:
        spoken = tone(FIRST, voice="magnus", rate=16000).pcm
        with sdk(server) as client, stream_speech_to_text(client, language="en", sample_rate=16000) as socket:
            for start in range(0, len(spoken), 1600):
                socket.send_audio_chunk_out(spoken[start : start + 1600])
            socket.send_close_stream(CloseStream(type="close_stream"))
            events = list(socket)
        assert any(event.is_final and event.transcript for event in events)
        assert [event.is_last for event in events].index(True) == len(events) - 1

    async with provider(QUICK) as server:
        await in_thread(work, server)


async def test_refusals_are_the_errors_that_the_sdk_knows() -> None:
    """A wrong key and wrong requests raise the SDK's own classes, with the provider's words in them."""

    def work(server: WavesServer) -> None:
        with sdk(server, key="sk_wrong") as stranger:
            with pytest.raises(UnauthorizedError):
                synthesize(stranger)
            with pytest.raises(UnauthorizedError):
                stranger.waves.get_voices(model="lightning-v3.1")
        with sdk(server) as client:
            with pytest.raises(BadRequestError, match="invalid_enum_value"):
                synthesize(client, output_format="mulaw")
            with pytest.raises(BadRequestError, match="Invalid Voice ID"):
                synthesize(client, voice="nobody")

    async with provider(QUICK) as server:
        await in_thread(work, server)
        assert server.snapshot()["requests"] == 0


async def test_of_two_clients_of_one_account_exactly_one_is_served() -> None:
    """While one is spoken to, the other is refused as documented, over HTTP and WebSocket alike; the books agree."""

    def work(server: WavesServer) -> None:
        with sdk(server) as one, sdk(server) as other, one.waves.tts.connect() as served:
            served.synthesize_streaming_tts(message())
            begun = served.recv()
            with pytest.raises(ApiError, match="Concurrency limit reached") as refusal:
                synthesize(other)
            assert refusal.value.status_code == 429
            with other.waves.tts.connect() as refused:
                refused.synthesize_streaming_tts(message())
                told = refused.recv().model_dump()
            assert (told["status"], told["message"]) == ("error", "Concurrency limit reached")
            assert sound_in([begun, *served]) == sound_of(FIRST)

    async with provider(PACED) as server:
        await in_thread(work, server)
        books = server.snapshot()

    assert (books["requests"], books["completed"], books["refused_concurrency"]) == (1, 1, 2)
    assert (books["in_flight"], books["max_in_flight"]) == (0, 1)
