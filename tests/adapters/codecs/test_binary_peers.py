"""What others wrote for the same wires, and our simulated carriers, understand what we write, and we them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from orchestrator.adapters.telephony.codecs.audiosocket import AudioSocketCodec
from orchestrator.adapters.telephony.codecs.chan_websocket import ChanWebSocketCodec
from orchestrator.adapters.telephony.codecs.generic import GenericCodec
from orchestrator.adapters.telephony.codecs.jambonz import JambonzCodec
from orchestrator.adapters.telephony.codecs.vonage import VonageCodec
from orchestrator.ports import (
    Answered,
    CarrierCodec,
    CarrierEvent,
    Key,
    MarkBack,
    MarksAfterClear,
    Media,
    WireMessage,
)
from simulations.carriers.carrier import Call
from simulations.carriers.catalogue import make_carrier

CONNECTED = '{"event":"websocket:connected","content-type":"audio/l16;rate=16000","call":"c"}'
SOUND = b"\x10\x00\xf0\xff" * 320


async def test_pipecats_vonage_serializer_writes_what_we_write() -> None:
    """The same clear; its sound, of whatever length, is ours before we cut it into frames."""
    vonage: Any = pytest.importorskip("pipecat.serializers.vonage", reason="pipecat-ai is not installed")
    frames: Any = pytest.importorskip("pipecat.frames.frames")
    pytest.importorskip("soxr")
    serializer = vonage.VonageFrameSerializer()
    codec = VonageCodec()
    codec.receive(CONNECTED)
    cleared = await serializer.serialize(frames.InterruptionFrame())
    assert [json.loads(str(message)) for message in codec.clear()] == [json.loads(cleared)]
    sent = await serializer.serialize(frames.OutputAudioRawFrame(SOUND, sample_rate=16_000, num_channels=1))
    assert b"".join(message for message in codec.media(SOUND) if isinstance(message, bytes)) == sent


@pytest.mark.parametrize(
    "text", ['{"event":"websocket:dtmf","digit":"#"}', '{"event":"websocket:dtmf","dtmf":{"digit":5}}']
)
async def test_pipecats_vonage_serializer_reads_keys_as_we_do(text: str) -> None:
    """Both shapes of them."""
    vonage: Any = pytest.importorskip("pipecat.serializers.vonage", reason="pipecat-ai is not installed")
    frame = await vonage.VonageFrameSerializer().deserialize(text)
    codec = VonageCodec()
    codec.receive(CONNECTED)
    assert list(codec.receive(text)) == [Key(frame.button.value)]


NODE = shutil.which("node")
MODULES = os.environ.get("JAMBONZ_SDK", "")
"""A node_modules with @jambonz/sdk in it (`npm install @jambonz/sdk`)."""
SDK_SCRIPT = """
const { EventEmitter } = require("events");
const { AudioStream } = require(process.argv[1] + "/@jambonz/sdk/dist/websocket/index.cjs");
const ws = new EventEmitter();
const out = { wrote: [], read: [] };
ws.readyState = 1;
ws.send = (data) => out.wrote.push(typeof data === "string" ? data : data.toString("hex"));
const given = JSON.parse(process.argv[2]);
const stream = new AudioStream(ws, JSON.parse(given.start), { debug() {}, info() {} });
for (const kind of ["dtmf", "mark", "playDone"]) stream.on(kind, (what) => out.read.push([kind, what]));
stream.sendMark("g1-1"); stream.killAudio(); stream.disconnect(); stream.sendAudio(Buffer.from(given.sound, "hex"));
for (const text of given.texts) ws.emit("message", Buffer.from(text), false);
out.rate = stream.sampleRate; out.call = stream.callSid;
console.log(JSON.stringify(out));
"""


@pytest.mark.skipif(not (NODE and Path(MODULES, "@jambonz/sdk").is_dir()), reason="JAMBONZ_SDK names no node_modules")
def test_jambonzs_own_sdk_writes_and_reads_what_we_do() -> None:
    """@jambonz/sdk plays the bot, as we do: the same commands, the same sound, the same meaning of what comes."""
    texts = [
        '{"event":"dtmf","dtmf":"5","duration":1600}',
        '{"type":"mark","data":{"name":"g1-1","event":"playout"}}',
        '{"type":"mark","data":{"name":"g1-2","event":"cleared"}}',
    ]
    start = '{"callSid":"c-1","sampleRate":16000,"mixType":"mono","from":"1","to":"2"}'
    given = json.dumps({"start": start, "texts": texts, "sound": SOUND.hex()})
    done = subprocess.run([str(NODE), "-e", SDK_SCRIPT, MODULES, given], capture_output=True, text=True, check=True)
    sdk = json.loads(done.stdout)
    codec = JambonzCodec()
    [answered] = codec.receive(start)
    assert isinstance(answered, Answered)
    assert (codec.rate, answered.facts.id) == (sdk["rate"], sdk["call"])
    sound = [message.hex() for message in codec.media(SOUND) if isinstance(message, bytes)]
    commands = [*codec.mark("g1-1"), codec.clear()[-1], *codec.hang_up()]
    assert [json.loads(str(command)) for command in commands] == [json.loads(text) for text in sdk["wrote"][:3]]
    assert sound == sdk["wrote"][3:]
    assert [event for text in texts for event in codec.receive(text)] == [
        Key(sdk["read"][0][1]["digit"]),
        MarkBack(sdk["read"][1][1]["name"]),
        MarkBack(sdk["read"][2][1]["name"], cleared=sdk["read"][2][1]["event"] == "cleared"),
    ]


CODECS: list[tuple[str, CarrierCodec, Literal["json", "plain"]]] = [
    ("vonage", VonageCodec(), "json"),
    ("jambonz", JambonzCodec(), "json"),
    ("asterisk", ChanWebSocketCodec(), "json"),
    ("asterisk", ChanWebSocketCodec(), "plain"),
    ("audiosocket", AudioSocketCodec(rate=16_000), "json"),
    ("generic", GenericCodec(), "json"),
]


@pytest.mark.parametrize(
    ("name", "codec", "written"), CODECS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_whole_call_with_a_simulated_carrier(
    name: str, codec: CarrierCodec, written: Literal["json", "plain"]
) -> None:
    """Start, sound and keys in; words with marks, a barge-in, more words, the end out: and no complaint."""
    call = Call(call="c" * 32, stream="5" * 32, parameters={"tier": "gold"})
    carrier = make_carrier(name, call, rate=16_000, format=written)
    tone = b"\x00\x20\x00\xe0" * 160

    def sent(messages: Sequence[WireMessage], now: float) -> list[CarrierEvent]:
        answers = [answer for message in messages for answer in carrier.receive(message, now)]
        return [event for answer in [*answers, *carrier.due(now)] for event in codec.receive(answer)]

    [answered] = [event for message in carrier.opening() for event in codec.receive(message)]
    assert isinstance(answered, Answered)
    assert codec.rate == 16_000
    caller = [*carrier.media(carrier.payload(tone)), *carrier.press("7")]
    assert [event for message in caller for event in codec.receive(message)] == [Media(tone), Key("7")]

    has_marks = codec.most_marks > 0
    sent([*codec.media(tone * 9), *codec.mark("old-1"), *codec.media(tone * 9), *codec.fill(), *codec.mark("old-2")], 0)
    assert sent((), 0.3) == [MarkBack("old-1")] * has_marks
    back = sent(codec.clear(), 0.3)
    if codec.marks_after_clear is MarksAfterClear.RETURNED:
        assert MarkBack("old-2", cleared=True) in back
    else:
        assert not any(isinstance(event, MarkBack) for event in back)
    sent([*codec.media(tone[:100] * 7), *codec.fill(), *codec.mark("new-1")], 1.0)
    assert sent((), 1.5) == [MarkBack("new-1")] * has_marks
    sent(codec.hang_up(), 2.0)
    assert carrier.hung_up or not codec.hang_up()
    assert dict(carrier.complaints) == {}
    assert carrier.dropped == ""
