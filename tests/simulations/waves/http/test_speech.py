"""Speech over HTTP, plain and as server-sent events: the sound, its pace and its headers, on every path."""

from __future__ import annotations

import wave
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx2
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from smallestai.waves.helpers.tts import CONTENT_EXPIRY_HEADER, EXPIRE_CONTENT_HEADER
from trio.testing import MockClock

from simulations.voices import voice_named
from simulations.waves.checks import OUTPUT_FORMATS
from simulations.waves.http import speech
from simulations.waves.http.clones import Clone
from simulations.waves.http.refusals import BASES, MODELS
from simulations.waves.synthesis import Synthesizer
from tests.simulations.waves.http.pages_client import OURS, THEIRS, UNAUTHORIZED, asking, make_provider, official_client
from tests.simulations.waves.http.visitor import LIVE, TTS, Visitor, ask, asked, audio_of, served, visiting
from tests.simulations.waves.peer import TEN, spelling_voice, wanted

WHOLE_PATHS = [TTS, "/api/v1/tts", *(f"{base}/{model}/get_speech" for base in BASES for model in MODELS)]
EVENT_PATHS = [LIVE, "/api/v1/tts/live", *(f"{base}/{model}/stream" for base in BASES for model in MODELS)]
PACE: dict[str, Any] = {"ttfb": 0.2, "rtf": 0.3}


# --- plain ---


@pytest.mark.parametrize("path", WHOLE_PATHS)
async def test_the_sound_comes_when_all_of_it_is_made(autojump_clock: MockClock, path: str) -> None:
    """Headerless PCM by default, after ttfb + rtf * audio, under a content type that is always the same."""
    provider = make_provider(retired=(), **PACE)
    answer = await asked(provider, path, ask(TEN))
    assert answer.status == 200
    assert answer.at == pytest.approx(0.2 + 0.3 * 0.5)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.body == (await spelling_voice(wanted(TEN))).pcm
    assert provider.accounts.first.books.uses[0] == pytest.approx((0.0, 0.35))


@pytest.mark.parametrize(
    ("path", "rate"),
    [(TTS, 44100), ("/waves/v1/lightning-v3.1/get_speech", 44100), ("/api/v1/lightning/get_speech", 24000)],
)
async def test_the_usual_rate_is_that_of_the_model(autojump_clock: MockClock, path: str, rate: int) -> None:
    """44100 samples a second of the current models, 24000 of the older ones."""
    answer = await asked(make_provider(), path, {"text": TEN, "voice_id": "emily"})
    assert len(answer.body) == rate  # half a second


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100])
@pytest.mark.parametrize("text", ["Hello.", "A longer text, which takes its time. And one more sentence!"])
async def test_the_sound_is_as_long_as_its_text_says(autojump_clock: MockClock, rate: int, text: str) -> None:
    """The tone's own length, sample by sample, in every format."""
    provider, voice = make_provider(), voice_named("tone")
    provider.synthesizer = Synthesizer(options=provider.options, voice=voice)
    pcm = (await voice(wanted(text, rate=rate, speed=1.5))).pcm
    fields = ask(text, sample_rate=rate, speed=1.5)
    for output_format, length in (("pcm", len(pcm)), ("ulaw", len(pcm) // 2), ("alaw", len(pcm) // 2)):
        answer = await asked(provider, TTS, {**fields, "output_format": output_format})
        assert (answer.status, len(answer.body)) == (200, length)
    answer = await asked(provider, TTS, {**fields, "output_format": "wav"})
    with wave.open(BytesIO(answer.body)) as file:
        assert (file.getframerate(), file.readframes(file.getnframes())) == (rate, pcm)
    assert audio_of((await asked(provider, LIVE, fields)).body) == pcm


async def test_the_headers_name_session_and_request(autojump_clock: MockClock) -> None:
    """UUIDs of the provider's own, the client's ids back, or empty, on either kind of answer."""
    provider, own = make_provider(), set()
    for path in (TTS, LIVE):
        named = await asked(provider, path, ask("a", session_id="s-1", request_id="r.1"))
        nameless = await asked(provider, path, ask("a"))
        for answer in (named, nameless):
            own |= {UUID(answer.headers[name]) for name in ("x-session-id", "x-request-id")}
        assert (named.headers["x-external-session-id"], named.headers["x-external-request-id"]) == ("s-1", "r.1")
        assert (nameless.headers["x-external-session-id"], nameless.headers["x-external-request-id"]) == ("", "")
    assert [each.version for each in own] == [4] * 8


async def test_who_wants_content_to_expire_is_told_what_became_of_it(autojump_clock: MockClock) -> None:
    """By the headers that the vendor's client sends and reads; without the wish nothing is said."""
    provider = make_provider()
    answer = await asked(provider, TTS, ask("a"), **{EXPIRE_CONTENT_HEADER.replace("-", "_"): "true"})
    assert answer.headers[CONTENT_EXPIRY_HEADER] == "not-entitled"
    assert CONTENT_EXPIRY_HEADER not in (await asked(provider, TTS, ask("a"))).headers


# --- events ---


@pytest.mark.parametrize("path", EVENT_PATHS)
async def test_events_come_as_the_sound_is_made(autojump_clock: MockClock, path: str) -> None:
    """One event a chunk of 20 ms, each when its last sample is made, then the end; PCM whatever was asked for."""
    provider, times, body = make_provider(retired=(), **PACE), [], b""
    async with visiting(provider) as visitor:
        await visitor.send(path, ask(TEN, output_format="mp3"))
        status, headers = await visitor.head()
        async for at, data in visitor.pieces():
            times.append(at)
            body += data
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert times == pytest.approx([*(0.2 + 0.3 * 0.02 * (n + 1) for n in range(25)), 0.35])
    assert audio_of(body) == (await spelling_voice(wanted(TEN))).pcm


async def test_one_connection_serves_one_request_after_the_other(autojump_clock: MockClock) -> None:
    """Of both kinds and with refusals between: the slot is free when the answer is there."""
    provider = make_provider(**PACE)
    async with visiting(provider) as visitor:
        for path in (TTS, LIVE, TTS):
            await visitor.send(path, ask(TEN))
            assert (await visitor.answer()).status == 200
            await visitor.send(path, {})
            assert (await visitor.answer()).status == 400
    assert provider.accounts.first.books.completed == 3


# --- who and what is refused ---


async def test_wrong_requests_are_told_what_is_wrong_as_seen_live(autojump_clock: MockClock) -> None:
    """A list of issues at once, without a slot; the books count an error."""
    provider = make_provider()
    for path in (TTS, LIVE):
        answer = await asked(provider, path, {"text": "a", "voice_id": "", "output_format": "mulaw"})
        assert (answer.status, answer.at) == (400, 0.0)
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        voice, output_format = answer.json["error"]
        assert voice == {"code": "custom", "path": ["voice_id"], "message": "Invalid Voice ID"}
        assert output_format["options"] == ["wav", "ulaw", "alaw", "pcm", "mp3"]
    books = provider.accounts.first.books
    assert (books.errors, books.requests, books.max_in_flight) == (2, 0, 0)


async def test_without_its_encoder_mp3_is_a_wrong_request(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says what there is instead; events carry PCM anyway."""
    monkeypatch.setattr(speech, "kept_formats", lambda: OUTPUT_FORMATS[:-1])
    provider = make_provider()
    answer = await asked(provider, TTS, ask("a", output_format="mp3"))
    assert answer.status == 400
    assert [issue["path"] for issue in answer.json["error"]] == [["output_format"]]
    assert "wav, ulaw, alaw, pcm" in answer.json["error"][0]["message"]
    assert (await asked(provider, LIVE, ask("a", output_format="mp3"))).status == 200


async def test_unknown_voices_are_refused_unless_the_option_lets_them_speak(autojump_clock: MockClock) -> None:
    """Known are the voices of every model and the account's own clones, nobody else's."""
    provider = make_provider()
    provider.clones.add(
        provider.accounts.all[1],
        Clone(id="1", voice="voice_a", name="A", model="lightning-v3.1", file_name="a.wav", created=""),
    )
    for key, voice, status in [
        (OURS, "emily", 200),
        (OURS, "meher", 200),
        (OURS, "en-gb+f2", 400),
        (OURS, "voice_a", 400),
        (THEIRS, "voice_a", 200),
    ]:
        async with asking(speech.routes(provider), key=key) as client:
            assert (await client.post(TTS, json=ask("a", voice_id=voice))).status_code == status
    provider = make_provider(unknown_voices=True)
    assert (await asked(provider, TTS, ask("a", voice_id="en-gb+f2"))).status == 200


@pytest.mark.parametrize("path", [*WHOLE_PATHS, *EVENT_PATHS])
async def test_a_wrong_key_is_nobody_s(autojump_clock: MockClock, path: str) -> None:
    """401 before anything else is looked at."""
    provider = make_provider()
    for key in ("", "sk_wrong"):
        answer = await asked(provider, path, b"[", key=key)
        assert (answer.status, answer.json) == (401, UNAUTHORIZED)
    assert provider.accounts.snapshot(0.0)["refused_auth"] == 2


@pytest.mark.parametrize("base", BASES)
async def test_retired_and_unknown_models(autojump_clock: MockClock, base: str) -> None:
    """410 with the published body for the models that the options name, 404 where there never was one."""
    provider = make_provider(retired=("lightning-v2", "lightning"))
    for model, status in [("lightning-v2", 410), ("lightning", 410), ("lightning-large", 200), ("tortoise", 404)]:
        for path in ("get_speech", "stream"):
            answer = await asked(provider, f"{base}/{model}/{path}", ask("a"))
            assert answer.status == status
            if status == 410:
                assert answer.json == {
                    "status": "error",
                    "error_code": "MODEL_DEPRECATED",
                    "message": "This model is retired. Please migrate to lightning-v3.1 via "
                    "/waves/v1/lightning-v3.1/get_speech.",
                    "recommended_endpoint": "/waves/v1/lightning-v3.1/get_speech",
                }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["text", "voice_id", "model", "sample_rate", "speed", "language", "output_format", "session_id", "word_timestamps"]
)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=20) | st.dictionaries(FIELDS, JSON, max_size=3), st.sampled_from([TTS, LIVE]))
def test_whatever_is_asked_is_spoken_or_refused(change: Any, path: str) -> None:
    """Nothing but 200 and 400 comes back, and no slot is left taken."""

    async def main() -> None:
        provider = make_provider(ttfb=0.0, rtf=0.0)
        fields = change if isinstance(change, bytes) else {**ask("ab"), **change}
        answer = await asked(provider, path, fields)
        assert answer.status in (200, 400)
        assert answer.status == 200 or isinstance(answer.json["error"], list)
        books = provider.accounts.first.books
        assert books.in_flight(trio.current_time()) == 0
        assert books.requests == books.completed == (answer.status == 200)

    trio.run(main, clock=MockClock(autojump_threshold=0))


# --- other people's clients ---


async def test_the_vendor_s_own_client_is_served(autojump_clock: MockClock) -> None:
    """Unmodified but for its address: the whole sound, and its own error classes."""
    provider = make_provider()
    async with official_client(speech.routes(provider)) as client:
        sound = client.waves.synthesize_tts(text=TEN, voice_id="magnus", sample_rate=8000, output_format="pcm")
        assert b"".join([piece async for piece in sound]) == (await spelling_voice(wanted(TEN))).pcm


@pytest.mark.realtime
async def test_it_speaks_over_a_real_port(caplog: pytest.LogCaptureFixture) -> None:
    """Plain and as events to httpx2, over a loopback socket; a client that leaves frees the slot."""
    provider = make_provider(ttfb=0.05, rtf=0.05, settle=0.01)
    with trio.fail_after(10):
        async with served(provider) as address, httpx2.AsyncClient(base_url=address, trust_env=False) as client:
            client.headers["authorization"] = f"Bearer {OURS}"
            assert len((await client.post(TTS, json=ask(TEN, output_format="ulaw"))).content) == 4000
            assert len(audio_of((await client.post(LIVE, json=ask(TEN))).content)) == 8000
            leaving = Visitor(await trio.open_tcp_stream("127.0.0.1", int(address.rpartition(":")[2])))
            async with leaving.stream:
                await leaving.send(LIVE, ask("A sentence that nobody hears to its end. " * 5))
                assert (await leaving.head())[0] == 200
            answer = await client.post(TTS, json=ask("a"))
            while answer.status_code == 429:
                answer = await client.post(TTS, json=ask("a"))
    books = provider.accounts.first.books
    assert (answer.status_code, books.completed, books.abandoned) == (200, 3, 1)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
