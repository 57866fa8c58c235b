"""Pulse's WebSocket as a client sees it: what is sent when, and how a session ends."""

from __future__ import annotations

import numpy as np
import pytest
import trio
from trio.testing import MockClock

from orchestrator import g711
from orchestrator.audio import silence
from tests.simulations.waves.pulse.peer import (
    LINES,
    RATE,
    Served,
    finals,
    frames_to_the_end,
    next_frame,
    say,
    send_sound,
    signal,
    speech,
    texts,
)


async def test_each_utterance_is_the_next_line(autojump_clock: MockClock) -> None:
    """A pause ends an utterance; interim results grow toward its line, and after the last line comes the first."""
    async with Served().dialled() as socket:
        for _ in range(4):
            await say(socket)
        await signal(socket, "close_stream")
        frames = await frames_to_the_end(socket)
    assert texts(finals(frames)) == [*LINES, LINES[0], ""]
    interim = texts([frame for frame in frames if not frame["is_final"]])
    assert interim[:4] == ["One", "One two", "Four,", "Four, five?"]
    assert all(frame["transcript"] == frame["transcription"] for frame in frames)
    assert len({frame["session_id"] for frame in frames}) == 1


async def test_frames_have_the_published_fields(autojump_clock: MockClock) -> None:
    """An interim result has no language and never words; a final has both where they were asked for."""
    async with Served().dialled(word_timestamps="true", diarize="true", sentence_timestamps="true") as socket:
        await say(socket)
        interim = await next_frame(socket)
        while not (final := await next_frame(socket))["is_final"]:
            pass
    session = interim["session_id"]
    assert interim == {
        "type": "transcription",
        "status": "success",
        "session_id": session,
        "transcript": "One",
        "transcription": "One",
        "is_final": False,
        "is_last": False,
    }
    words, utterances = final.pop("words"), final.pop("utterances")
    assert final == {
        "type": "transcription",
        "status": "success",
        "session_id": session,
        "transcript": LINES[0],
        "transcription": LINES[0],
        "is_final": True,
        "is_last": False,
        "from_finalize": False,
        "language": "en",
        "languages": ["en"],
    }
    assert [word["word"] for word in words] == LINES[0].split()
    assert all(word["start"] < word["end"] and 0 < word["confidence"] <= 1 for word in words)
    assert all(word["speaker"] == 0 for word in words)
    assert utterances == [{"text": LINES[0], "start": words[0]["start"], "end": words[-1]["end"], "speaker": 0}]


async def test_word_times_are_of_the_whole_session(autojump_clock: MockClock) -> None:
    """The words of each utterance lie where it sounded in the stream, not from its own start."""
    async with Served().dialled(word_timestamps="true") as socket:
        await send_sound(socket, silence(2.0, RATE))
        await say(socket)
        await say(socket)
        await signal(socket, "close_stream")
        said = [frame["words"] for frame in finals(await frames_to_the_end(socket))]
    assert [(words[0]["start"], words[-1]["end"]) for words in said[:2]] == [
        (pytest.approx(2.0, abs=0.15), pytest.approx(3.0, abs=0.15)),
        (pytest.approx(4.0, abs=0.15), pytest.approx(5.0, abs=0.15)),
    ]
    assert said[2] == []


@pytest.mark.parametrize(
    ("query", "after"),
    [
        ({}, 0.6),
        ({"endpointing": "false"}, 0.8),
        ({"eou_timeout_ms": "300"}, 0.3),
        ({"endpointing_timeout": "400"}, 0.4),
        ({"endpointing": "false", "eou_timeout_ms": "2000"}, 2.0),
    ],
)
async def test_the_options_say_how_long_a_pause_ends_an_utterance(
    autojump_clock: MockClock, query: dict[str, str], after: float
) -> None:
    """The final comes that long after the last sound, and 0.15 s later for the work that it is."""
    async with Served().dialled(**query) as socket, trio.open_nursery() as nursery:
        began = trio.current_time()
        nursery.start_soon(send_sound, socket, speech(1.0) + silence(4.0, RATE))
        while not (await next_frame(socket))["is_final"]:
            pass
        assert trio.current_time() - began == pytest.approx(1.0 + after + 0.15, abs=0.05)
        nursery.cancel_scope.cancel()


async def test_voice_activity_is_told_on_request(autojump_clock: MockClock) -> None:
    """The frames bracket the final, so that it belongs to the turn they name; times count from the first sound."""
    async with Served().dialled(vad_events="true") as socket:
        await send_sound(socket, silence(1.0, RATE))
        await say(socket)
        await signal(socket, "close_stream")
        frames = await frames_to_the_end(socket)
    assert [frame["type"].replace("transcription", "") + str(frame.get("is_final", "")) for frame in frames] == [
        "speech_started",
        *["False"] * 3,
        "True",
        "speech_ended",
        "True",
    ]
    started, ended = frames[0], frames[-2]
    assert set(started) == {"type", "session_id", "timestamp"}
    assert (started["timestamp"], ended["timestamp"]) == (pytest.approx(1.0, abs=0.03), pytest.approx(2.0, abs=0.03))


async def test_without_the_option_there_is_no_voice_activity(autojump_clock: MockClock) -> None:
    """`vad_events` wins over its alias `vad`; the usual is neither."""
    for query in ({}, {"vad_events": "false", "vad": "true"}):
        async with Served().dialled(**query) as socket:
            await say(socket)
            await signal(socket, "close_stream")
            assert {frame["type"] for frame in await frames_to_the_end(socket)} == {"transcription"}


async def test_finalize_flushes_and_the_session_goes_on(autojump_clock: MockClock) -> None:
    """Its final says where it comes from, and comes although nobody paused; with nothing buffered it is empty."""
    async with Served().dialled() as socket:
        await signal(socket, "finalize")
        empty = await next_frame(socket)
        await send_sound(socket, speech(1.0))
        await signal(socket, "finalize")
        while not (first := await next_frame(socket))["is_final"]:
            pass
        await say(socket)
        await signal(socket, "close_stream")
        rest = finals(await frames_to_the_end(socket))
    assert (empty["transcript"], empty["is_final"], empty["from_finalize"]) == ("", True, True)
    assert (first["transcript"], first["from_finalize"], first["is_last"]) == (LINES[0], True, False)
    assert [(frame["transcript"], frame["from_finalize"], frame["is_last"]) for frame in rest] == [
        (LINES[1], False, False),
        ("", False, True),
    ]


@pytest.mark.parametrize("kind", ["close_stream", "end"])
async def test_close_stream_flushes_and_closes(autojump_clock: MockClock, kind: str) -> None:
    """What is buffered comes as the last final, then the server closes normally; older clients say `end`."""
    served = Served()
    async with served.dialled(path="/api/v1/pulse/get_text") as socket:
        await send_sound(socket, speech(1.0))
        await signal(socket, kind)
        frames = await frames_to_the_end(socket)
        assert socket.close_code == 1000
    assert (frames[-1]["transcript"], frames[-1]["is_final"], frames[-1]["is_last"]) == (LINES[0], True, True)
    assert [frame["is_last"] for frame in frames].count(True) == 1
    assert served.counts == {
        "sessions": 0,
        "max_open": 1,
        "opened": 1,
        "refused": 0,
        "utterances": 1,
        "audio_seconds": 1.0,
    }


async def test_full_transcript_grows_from_final_to_final(autojump_clock: MockClock) -> None:
    """On request each final carries all finals of the session; interim results do not."""
    async with Served().dialled(full_transcript="true") as socket:
        await say(socket)
        await say(socket)
        await signal(socket, "close_stream")
        frames = await frames_to_the_end(socket)
    assert [frame["full_transcript"] for frame in finals(frames)] == [LINES[0], *[" ".join(LINES[:2])] * 2]
    assert all("full_transcript" not in frame for frame in frames if not frame["is_final"])


async def test_max_words_makes_several_finals(autojump_clock: MockClock) -> None:
    """An utterance with more words is cut; only its last piece may be the session's last."""
    async with Served().dialled(max_words="2") as socket:
        await send_sound(socket, speech(1.0))
        await signal(socket, "close_stream")
        said = finals(await frames_to_the_end(socket))
    assert [(frame["transcript"], frame["is_last"]) for frame in said] == [("One two", False), ("three.", True)]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"format": "false"}, "one two three"),
        ({"punctuate": "false"}, "One two three"),
        ({"capitalize": "false"}, "one two three."),
    ],
)
async def test_punctuation_and_capitals_can_be_left_out(
    autojump_clock: MockClock, query: dict[str, str], text: str
) -> None:
    """Each by itself, or both by `format`."""
    async with Served().dialled(**query) as socket:
        await send_sound(socket, speech(1.0))
        await signal(socket, "close_stream")
        assert (await frames_to_the_end(socket))[-1]["transcript"] == text


@pytest.mark.parametrize("encoding", ["linear16", "linear32", "mulaw", "alaw"])
async def test_every_encoding_is_heard(autojump_clock: MockClock, encoding: str) -> None:
    """Also where messages cut samples in two."""
    pcm = speech(1.0, 8000) + silence(1.0, 8000)
    encoded = {
        "linear16": pcm,
        "linear32": (np.frombuffer(pcm, "<i2").astype("<i4") << 16).tobytes(),
        "mulaw": g711.encode(pcm, "ulaw"),
        "alaw": g711.encode(pcm, "alaw"),
    }[encoding]
    async with Served().dialled(encoding=encoding, sample_rate="8000", vad_events="true") as socket:
        for start in range(0, len(encoded), 801):
            await socket.send(encoded[start : start + 801])
        await signal(socket, "close_stream")
        frames = await frames_to_the_end(socket)
    assert texts(finals(frames)) == [LINES[0], ""]
    assert [frame["timestamp"] for frame in frames if "timestamp" in frame] == pytest.approx([0.0, 1.0], abs=0.03)


async def test_the_oldest_path_has_its_own_frames_and_names(autojump_clock: MockClock) -> None:
    """`/api/v1/asr` knows a text and whether the turn is over."""
    async with Served().dialled(path="/api/v1/asr", audioSampleRate="8000", speechEndThreshold="300") as socket:
        await send_sound(socket, speech(1.0, 8000) + silence(0.5, 8000), rate=8000)
        frames = [await next_frame(socket)]
        while not frames[-1]["isEndOfTurn"]:
            frames.append(await next_frame(socket))
    assert frames[0] == {"text": "One", "isEndOfTurn": False}
    assert frames[-1] == {"text": LINES[0], "isEndOfTurn": True}
