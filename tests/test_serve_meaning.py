"""What the lines of `[serve]` mean in words: what to enter at the carrier, who may call, what is hardly meant."""

from __future__ import annotations

import pytest

from orchestrator.serve_meaning import describe_lines, notes, where
from orchestrator.settings import CARRIERS, LineSettings, ServeSettings, Settings

PUBLIC = "https://bots.example.com"
CLOSED = LineSettings(carrier="twilio", secret_env="TWILIO_AUTH_TOKEN", account="AC1")


def settings(*lines: LineSettings, **serve: object) -> Settings:
    """Return settings with these lines."""
    return Settings(serve=ServeSettings(**{"public_url": PUBLIC, "lines": lines, **serve}))  # type: ignore[arg-type]


def test_it_says_which_address_to_enter() -> None:
    """For each carrier the one it wants: a webhook, or where to bring a stream."""
    lines = tuple(LineSettings(carrier=carrier) for carrier in CARRIERS)
    told = dict(
        line.split(": ", 1) for line in where(ServeSettings(public_url=PUBLIC, lines=lines, audiosocket_port=9))
    )
    assert set(told) == set(CARRIERS)
    assert f"{PUBLIC}/twilio " in told["twilio"]
    assert "wss://bots.example.com/asterisk " in told["asterisk"]
    assert told["generic"].endswith("wss://bots.example.com/generic")
    assert "AudioSocket(${UUID},127.0.0.1:9)" in told["audiosocket"]


def test_it_says_where_calls_are_fetched_from() -> None:
    """And what has to be posted where."""
    line = LineSettings(carrier="asterisk", media_url="ws://127.0.0.1:8088/media")
    (told,) = where(ServeSettings(public_url=PUBLIC, lines=(line,)))
    assert f"post connection_id=MEDIA_WEBSOCKET_CONNECTION_ID to {PUBLIC}/asterisk: " in told
    assert told.endswith("that waits at ws://127.0.0.1:8088/media")
    assert "websocket_client" not in told


def test_it_says_who_answers_and_who_may_call() -> None:
    """Of the secret only where it comes from."""
    line = LineSettings(carrier="twilio", bot="a:B", numbers={"+1": "c:D"}, secret_file="/run/secrets/twilio")
    text = "\n".join(describe_lines(settings(line, LineSettings(carrier="generic", bot="audio-echo"))))
    assert "the bot a:B answers (+1: c:D); whoever signs with the secret from file /run/secrets/twilio may call" in text
    assert "it sends back what it hears; everybody may call" in text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (settings(LineSettings(carrier="twilio")), "everybody who reaches the port may call"),
        (settings(CLOSED, public_url=""), "serve.public_url is missing"),
        (settings(CLOSED, public_url="http://bots.example.com"), "wss:// only"),
        (settings(CLOSED, certificate_key="k.pem"), "serve.certificate is not"),
        (settings(CLOSED, forwarded=True, public_url="", certificate="c.pem"), "only the proxy knows"),
        (settings(LineSettings(carrier="audiosocket"), host="0.0.0.0"), "AudioSocket has no secret"),
        (settings(LineSettings(carrier="twilio", uuids={"1": "a"})), "uuids are AudioSocket's"),
        (settings(LineSettings(carrier="vonage", hand_over="<Dial/>")), "hand_over is markup"),
        (settings(LineSettings(carrier="telnyx", rate=16000)), "rate is not used"),
        (settings(LineSettings(carrier="jambonz", key_env="REST_KEY")), "a REST key but no secret"),
        (settings(LineSettings(carrier="twilio", secret_env="TOKEN")), "account is not set"),
        (settings(LineSettings(carrier="telnyx", secret_env="TOKEN")), "key_env is not set"),
    ],
)
def test_what_is_hardly_meant_is_pointed_out(given: Settings, told: str) -> None:
    """One line each, with a mark."""
    assert [note for note in notes(given) if note.startswith("! ") and told in note] != []


def test_nothing_is_pointed_out_where_nothing_is_wrong() -> None:
    """With a secret and a public address; or without any line."""
    asterisk = LineSettings(carrier="asterisk", secret_env="ASTERISK_TOKEN", path="/pbx")
    socket = LineSettings(carrier="audiosocket")
    assert list(notes(settings(CLOSED, asterisk, socket, audiosocket_port=9092))) == []
    assert list(notes(Settings())) == []


def test_it_says_that_twilio_signs_streams_of_other_markup_alike() -> None:
    """Only the addresses that our webhook gives differ from call to call."""
    assert "same signature in every call" in "\n".join(describe_lines(settings(CLOSED)))
    assert "same signature" not in "\n".join(describe_lines(settings(LineSettings(carrier="plivo", secret_env="T"))))
