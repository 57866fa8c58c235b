"""A signed request again, in other clothes: whatever is left of its signature, it comes once; bodies cost little."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from orchestrator.events import RequestRefused
from orchestrator.port.guests import Guests
from orchestrator.serve.door import Door
from orchestrator.serve.gate import Announced
from orchestrator.settings import LineSettings
from tests.port.peers import answers_in, read_until_end
from tests.serve.desk import PUBLIC, WALL, Desk, desk, settings_of

SECRET = "0123456789abcdef0123456789abcdef"
FORM = {"CallSid": "CA1", "From": "+15550100", "To": "+15550199"}
BODY = urlencode(FORM).encode()
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def closed(carrier: str, monkeypatch: pytest.MonkeyPatch, secret: str = SECRET) -> Desk:
    """Return a desk with one line that asks for the secret."""
    monkeypatch.setenv("LINE_SECRET", secret)
    return desk(settings_of(LineSettings(carrier=carrier, secret_env="LINE_SECRET")))  # type: ignore[arg-type]


def signed(text: str, digest: str) -> str:
    """Return an HMAC by the secret in base64."""
    return base64.b64encode(hmac.digest(SECRET.encode(), text.encode(), digest)).decode()


def plivo(text: str, nonce: str) -> dict[str, str]:
    """Return Plivo's headers for a URL with its fields behind it."""
    return {"x_plivo_signature_v3": signed(f"{text}.{nonce}", "sha256"), "x_plivo_signature_v3_nonce": nonce}


async def test_plivos_field_cannot_move_into_the_nonce(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field that ends in a dot and more, and a nonce that takes it over, have one signature: it comes once."""
    at = closed("plivo", monkeypatch)
    headers = plivo(f"{PUBLIC}/plivo?From1To2.x", "n1")
    assert (await at.post("/plivo", b"From=1&To=2.x", **headers))[0] == 200
    moved = {**headers, "x_plivo_signature_v3_nonce": "x.n1"}
    assert (await at.post("/plivo", b"From=1&To=2", **moved))[0] == 403
    assert at.told(RequestRefused)[-1].reason == "it came before"


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_plivo_covers_no_body_of_a_get(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """What is added to a signed GET is not read, and as a POST it is refused."""
    at = closed("plivo", monkeypatch)
    body = b'{"From": "666"}' if "json" in kind else b"From=666"
    head = f"Host: h\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    headers = plivo(f"{PUBLIC}/plivo?From=1", "n1")
    head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    assert (await at.post("/plivo?From=1", body, content_type=kind, **headers))[0] == 403
    status, answer = await at.ask(f"GET /plivo?From=1 HTTP/1.1\r\n{head}\r\n".encode() + body)
    assert status == 200
    assert b'{"caller":"1"}'.hex().encode() in answer


async def test_telnyx_signature_written_otherwise_is_a_replay(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last letter of its base64 has four bits that stand for nothing."""
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    at = closed("telnyx", monkeypatch, base64.b64encode(key.public_key().public_bytes_raw()).decode())
    stamp = str(int(WALL))
    right = base64.b64encode(key.sign(f"{stamp}|".encode() + BODY)).decode()
    other = right[:-3] + LETTERS[LETTERS.index(right[-3]) + 1] + "=="
    assert base64.b64decode(other) == base64.b64decode(right)
    assert (await at.post("/telnyx", BODY, telnyx_timestamp=stamp, telnyx_signature_ed25519=right))[0] == 200
    assert (await at.post("/telnyx", BODY, telnyx_timestamp=stamp, telnyx_signature_ed25519=other))[0] == 403
    assert at.told(RequestRefused)[-1].reason == "it came before"


async def test_twilios_webhook_is_no_other_by_a_websocket_key(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header that is not signed tells two handshakes apart, not two webhooks."""
    at = closed("twilio", monkeypatch)
    signature = signed(f"{PUBLIC}/twilio" + "".join(name + FORM[name] for name in sorted(FORM)), "sha1")
    assert (await at.post("/twilio", BODY, x_twilio_signature=signature))[0] == 200
    assert (await at.post("/twilio", BODY, x_twilio_signature=signature, sec_websocket_key="other"))[0] == 403


@pytest.mark.parametrize("carrier", ["twilio", "plivo"])
async def test_what_bears_no_time_is_remembered_for_good(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, carrier: str
) -> None:
    """A day later it is still a replay."""
    at = closed(carrier, monkeypatch)
    fields = "".join(name + FORM[name] for name in sorted(FORM))
    headers = {"x_twilio_signature": signed(f"{PUBLIC}/twilio{fields}", "sha1")}
    if carrier == "plivo":
        headers = plivo(f"{PUBLIC}/plivo?{fields}", "n1")
    assert (await at.post(f"/{carrier}", BODY, **headers))[0] == 200
    autojump_clock.jump(86_400)
    assert (await at.post(f"/{carrier}", BODY, **headers))[0] == 403


async def test_vonages_token_without_a_name_comes_once(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However its scheme, its spaces and its signature are written."""
    at = closed("vonage", monkeypatch)
    parts = [{"alg": "HS256"}, {"iat": int(WALL), "payload_hash": hashlib.sha256(BODY).hexdigest()}]
    text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    mark = signed(text, "sha256").translate(str.maketrans("+/", "-_"))
    shown = [f"Bearer {text}.{mark}", f"bearer  {text}.{mark}", f"Bearer {text}.{mark[:9]} {mark[9:]}"]
    shown += [f"Bearer {text}.{mark.rstrip('=')}"]
    assert [(await at.post("/vonage", BODY, authorization=each))[0] for each in shown] == [200, 403, 403, 403]
    assert {event.reason for event in at.told(RequestRefused)} == {"it came before"}


@pytest.mark.parametrize("secret", ["", "LINE_SECRET"])
async def test_a_form_of_very_many_fields_is_not_taken_apart(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    """A thousand are enough for anybody, on open lines too."""
    monkeypatch.setenv("LINE_SECRET", SECRET)
    at = desk(settings_of(LineSettings(carrier="twilio", secret_env=secret)))
    assert (await at.post("/twilio", b"&".join([b"a=b"] * 1001), x_twilio_signature="x"))[0] == 403
    assert at.told(RequestRefused)[-1].reason == "its form has too many fields"
    status, _ = await at.post("/twilio", b"&".join([b"a=b"] * 1000), x_twilio_signature="x")
    assert status == (403 if secret else 200)
    assert len([event for event in at.told(RequestRefused) if "too many" in event.reason]) == 1


async def test_an_open_line_does_not_push_out_the_tokens_of_another(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many webhooks it is sent."""
    monkeypatch.setenv("LINE_SECRET", SECRET)
    lines = (LineSettings(carrier="plivo", secret_env="LINE_SECRET"), LineSettings(carrier="exotel"))
    at = desk(settings_of(*lines))
    guarded, open_to_all = at.streams.lines
    at.gate.announce("t1", Announced(guarded))
    for number in range(10_001):
        at.gate.announce(str(number), Announced(open_to_all))
    assert await at.upgrade("/plivo/t1") == 101


@pytest.mark.parametrize(("size", "status"), [(64 * 1024, 200), (64 * 1024 + 1, 413)])
async def test_a_large_body_is_not_read(autojump_clock: MockClock, size: int, status: int) -> None:
    """Webhooks are small; more is refused by its head."""
    at = desk(settings_of(LineSettings(carrier="twilio")))
    guests = Guests(most=9, per_address=9)
    door = Door(settings=at.settings.serve, guests=guests, context=None, emit=at.events.append, now=at.now)
    near, far = memory_stream_pair()

    async def serve() -> None:
        await door.serve(far, peer="192.0.2.1", draining=trio.Event(), app=at.app, upgrade=at.streams.take)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        await near.send_all(f"POST /twilio HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n".encode())
        await near.send_all(b"a" * size)
        await near.send_eof()
        (answer,) = answers_in(await read_until_end(near))
    assert answer[0] == status
