"""Recordings over HTTP: one transcript of all that was said, or why there is none."""

from __future__ import annotations

import io
import json
import wave

import pytest
from trio.testing import MockClock

from orchestrator.audio import silence
from simulations.waves.pulse import page
from tests.simulations.waves.pulse.peer import LINES, RATE, Served, speech

UNIFIED = "/waves/v1/stt/?model=pulse&language=en"


def wav(pcm: bytes, *, rate: int = RATE, channels: int = 1, width: int = 2) -> bytes:
    """Return a WAV file."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(pcm)
    return target.getvalue()


CROOKED = wav(b"")[:16] + b"\xff" + wav(b"")[17:]
"""Its first chunk claims to be longer than the file."""
TWO = wav(silence(0.5, RATE) + speech(1.0) + silence(1.0, RATE) + speech(1.0) + silence(0.1, RATE))
"""Two utterances, 3.6 s."""


async def test_a_recording_is_transcribed_as_a_whole(autojump_clock: MockClock) -> None:
    """Every utterance is the next line, and the script goes on with the next recording."""
    served = Served()
    status, answer = await served.post(UNIFIED, TWO)
    assert len(answer.pop("request_id")) == 36
    assert (status, answer) == (
        200,
        {
            "status": "success",
            "transcription": " ".join(LINES[:2]),
            "audio_length": 3.6,
            "language": "en",
            "metadata": {"duration": 3.6, "fileSize": len(TWO)},
        },
    )
    _, answer = await served.post("/api/v1/pulse/get_text", wav(speech(1.0, 8000), rate=8000))
    assert answer["transcription"] == LINES[2]


async def test_a_recording_may_come_in_a_form(autojump_clock: MockClock) -> None:
    """The oldest SDKs post one with the options as fields; without a file there is nothing to hear."""
    fields = {"model": "lightning", "language": "en", "word_timestamps": "true", "age_detection": "false"}
    parts = [f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{fields[key]}\r\n' for key in fields]
    file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    headers = {"content-type": "multipart/form-data; boundary=x"}
    form = "".join(parts).encode()
    status, answer = await Served().post(
        "/waves/v1/speech-to-text", form + file + TWO + b"\r\n--x--\r\n", headers=headers
    )
    assert (status, answer["transcription"]) == (200, " ".join(LINES[:2]))
    assert len(answer["words"]) == len(" ".join(LINES[:2]).split())
    status, answer = await Served().post("/waves/v1/speech-to-text", form + b"--x--\r\n", headers=headers)
    assert (status, answer["code"]) == (400, "NoAudio")
    assert (await Served().post("/waves/v1/speech-to-text", b"--x", headers=headers))[0] == 400


async def test_words_lie_where_they_sound(autojump_clock: MockClock) -> None:
    """With word timestamps there are words and sentences; Pulse Pro has no sentences and tells of its work."""
    served = Served()
    _, answer = await served.post(UNIFIED + "&word_timestamps=true&diarize=true", TWO)
    assert [word["word"] for word in answer["words"]] == " ".join(LINES[:2]).split()
    assert {word["speaker"] for word in answer["words"]} == {0}
    assert [item["text"] for item in answer["utterances"]] == list(LINES[:2])
    assert [item["start"] for item in answer["utterances"]] == pytest.approx([0.5, 2.5], abs=0.15)
    _, answer = await served.post("/waves/v1/stt/?model=pulse-pro&word_timestamps=true", TWO)
    assert ("words" in answer, "utterances" in answer) == (True, False)
    assert answer["metadata"]["processing_time_ms"] == pytest.approx(300.0, abs=1.0)
    assert answer["metadata"]["num_chunks"] == 1


async def test_two_channels_and_32_bit_are_heard(autojump_clock: MockClock) -> None:
    """They are brought to what the recogniser takes, at the right length."""
    for options in ({"channels": 2}, {"width": 4}):
        _, answer = await Served().post(UNIFIED, wav(b"\x00\x20" * 2 * RATE, **options))
        assert (answer["transcription"], answer["audio_length"]) == (LINES[0], 1.0)


async def test_nothing_said_is_an_empty_transcript(autojump_clock: MockClock) -> None:
    """Silence takes no line."""
    served = Served()
    assert (await served.post(UNIFIED, wav(silence(2.0, RATE))))[1]["transcription"] == ""
    assert (await served.post(UNIFIED, wav(speech(1.0))))[1]["transcription"] == LINES[0]


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/waves/v1/stt/", TWO, "Missing required query param: model"),
        ("/waves/v1/stt/?model=whisper", TWO, "Supported values: pulse | pulse-pro"),
        ("/waves/v1/stt/?model=pulse-pro&language=hi", TWO, "'en' for pulse-pro"),
        ("/waves/v1/stt/?model=pulse-pro&webhook_url=http://x", TWO, "a webhook is not supported"),
        (UNIFIED.replace("=en", "=klingon"), TWO, "klingon"),
        (UNIFIED, b'{"url": "https://example.com/a.wav"}', "by its address is not supported"),
        (UNIFIED, b"", "NoAudio"),
        (UNIFIED, b"ID3 not a wav", "AudioDecodeError"),
        (UNIFIED, TWO[:30], "AudioDecodeError"),
        (UNIFIED, CROOKED, "AudioDecodeError"),
        (UNIFIED, wav(b"\x80" * 8000, width=1), "8 bit"),
        (UNIFIED, wav(speech(0.1), rate=1), "1 Hz"),
    ],
)
async def test_what_cannot_be_transcribed_is_told(autojump_clock: MockClock, path: str, body: bytes, told: str) -> None:
    """HTTP 400 in the shape that was seen live."""
    status, answer = await Served().post(path, body)
    assert (status, answer["status"]) == (400, "error")
    assert told in json.dumps(answer)


async def test_options_of_streams_are_not_looked_at(autojump_clock: MockClock) -> None:
    """The live endpoint takes any `encoding` in silence: the container says what it is."""
    status, _ = await Served().post(UNIFIED + "&encoding=__bogus__&sample_rate=1", TWO)
    assert status == 200


async def test_a_key_is_needed_where_one_is_set(autojump_clock: MockClock) -> None:
    """401 in the two shapes that were seen live: `message` without a key, `error` with a wrong one."""
    served = Served(api_key="right")
    status, answer = await served.post(UNIFIED, TWO)
    assert (status, list(answer)) == (401, ["message"])
    status, answer = await served.post(UNIFIED, TWO, headers={"authorization": "Bearer wrong"})
    assert (status, list(answer)) == (401, ["error"])
    status, _ = await served.post(UNIFIED, TWO, headers={"authorization": "Bearer right"})
    assert status == 200


async def test_a_recording_that_is_too_large_is_refused(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """413 in the shape that clients know."""
    monkeypatch.setattr(page, "LARGEST", 1000)
    status, answer = await Served().post(UNIFIED, TWO)
    assert (status, list(answer)) == (413, ["error"])
