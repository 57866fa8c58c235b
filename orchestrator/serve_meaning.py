"""Says in plain words what the lines of `[serve]` mean: what to enter at the carrier, who may call, who answers.

The settings beside the lines are settings_meaning.py's; what can't be right port/routes.py's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from orchestrator.port.routes import AUDIO_ECHO, SIGNED, path_of, public_url
from orchestrator.settings import LineSettings, ServeSettings, Settings

_HOW_TO_ENTER: Mapping[str, str] = {
    "twilio": 'enter {webhook} at the number as "A call comes in" (webhook, POST)',
    "telnyx": "enter {webhook} as the voice URL of the TeXML application (POST)",
    "plivo": "enter {webhook} as the answer URL of the application (POST)",
    "vonage": "enter {webhook} as the answer URL of the application",
    "exotel": "enter {webhook} as the URL of the Voicebot applet",
    "jambonz": "enter {webhook} as the calling webhook of the application (POST), or {stream} in a listen verb",
    "asterisk": "enter {stream} as `uri` of a websocket_client connection, with `protocols = media`",
    "generic": "connect a WebSocket to {stream}",
}
_HOW_TO_FETCH = (
    "from the dialplan or your ARI program, post connection_id=MEDIA_WEBSOCKET_CONNECTION_ID to {webhook}: "
    "the call is fetched that waits at {waiting}"
)

_REST_NEEDS: Mapping[str, str] = {
    "twilio": "account",
    "plivo": "account",
    "telnyx": "key_env",
    "vonage": "key_env",
    "jambonz": "key_env",
}
"""What a line that has a secret needs besides, for its carrier's REST API."""


def where(serve: ServeSettings) -> Iterator[str]:
    """Yield what is to be entered at the carrier, a line of text for each of the lines."""
    for line in serve.lines:
        if line.carrier == "audiosocket":
            port = serve.audiosocket_port or "PORT"
            yield f"{line.carrier}: in the dialplan AudioSocket(${{UUID}},{serve.host or 'HOST'}:{port})"
            continue
        webhook = public_url(serve, path_of(line))
        stream = public_url(serve, path_of(line), stream=True)
        how = _HOW_TO_FETCH if line.media_url else _HOW_TO_ENTER[line.carrier]
        yield f"{line.carrier}: " + how.format(webhook=webhook, stream=stream, waiting=line.media_url)


def describe_lines(settings: Settings) -> Iterator[str]:
    """Yield what the lines mean; of secrets only where they come from."""
    for index, (line, entered) in enumerate(zip(settings.serve.lines, where(settings.serve), strict=True)):
        yield f"* line {index}: {entered}"
        yield f"    {_who_answers(line, settings)}; {_who_may_call(line)}."
        if line.carrier == "twilio" and _closed(line):
            yield "    A stream that markup of your own brings, not our webhook, has the same signature in every call:"
            yield "    whoever has seen it once can bring streams. Let our webhook answer."


def notes(settings: Settings) -> Iterator[str]:
    """Yield what is allowed and yet hardly meant."""
    serve = settings.serve
    if not serve.lines:
        return
    over_web = [line for line in serve.lines if line.carrier != "audiosocket"]
    if any(_closed(line) for line in over_web) and not serve.public_url:
        yield (
            "! serve.public_url is missing: signatures cover the address that the carrier knows, and are checked "
            "against what a request says of its host."
        )
    if any(line.carrier not in ("asterisk", "generic") for line in over_web) and not _is_tls(serve):
        yield "! Carriers bring streams to wss:// only: set serve.public_url to https://, or serve.certificate."
    if serve.certificate_key and not serve.certificate:
        yield "! serve.certificate_key is set, but serve.certificate is not: there is no TLS."
    if serve.forwarded and not serve.public_url:
        yield "! serve.forwarded is set without serve.public_url: only the proxy knows the address outside."
    for index, line in enumerate(serve.lines):
        yield from (f"! serve.lines[{index}] ({line.carrier}): {note}" for note in _notes_on(line, serve))


def _notes_on(line: LineSettings, serve: ServeSettings) -> Iterator[str]:
    if line.carrier == "audiosocket":
        if not _is_loopback(serve.host):
            yield "AudioSocket has no secret: everybody who reaches its port may call. Keep it in your own network."
    elif not _closed(line):
        yield "has no secret: everybody who reaches the port may call. Set secret_env or secret_file."
    if line.uuids and line.carrier != "audiosocket":
        yield "uuids are AudioSocket's: they choose no bot here."
    if line.hand_over and line.carrier not in ("twilio", "telnyx", "plivo"):
        yield "hand_over is markup that this carrier does not have: it is not used."
    if line.rate != 8000 and line.carrier == "telnyx":
        yield "rate is not used: telnyx's streams have 8000 samples a second."
    yield from _notes_on_control(line)


def _notes_on_control(line: LineSettings) -> Iterator[str]:
    has_key = bool(line.key_env or line.key_file)
    if has_key and not _closed(line):
        yield "has a REST key but no secret: the key is not used, as anybody could have any call ended with it."
    missing = _REST_NEEDS.get(line.carrier, "")
    if missing and _closed(line) and not (has_key or getattr(line, missing)):
        yield f"{missing} is not set: without the carrier's REST API calls can't be handed over to a number."


def _who_answers(line: LineSettings, settings: Settings) -> str:
    name = line.bot or settings.bot.use
    told = "it sends back what it hears" if name == AUDIO_ECHO else f"the bot {name} answers"
    others = [f"{number}: {bot}" for number, bot in (*line.numbers.items(), *line.uuids.items())]
    return told + (f" ({', '.join(others)})" if others else "")


def _who_may_call(line: LineSettings) -> str:
    if line.carrier == "audiosocket" or not _closed(line):
        return "everybody may call"
    place = f"file {line.secret_file}" if line.secret_file else line.secret_env
    how = "whoever signs with" if line.carrier in SIGNED else "whoever brings"
    return f"{how} the secret from {place} may call"


def _closed(line: LineSettings) -> bool:
    return bool(line.secret_env or line.secret_file)


def _is_tls(serve: ServeSettings) -> bool:
    return serve.public_url.startswith("https://") if serve.public_url else bool(serve.certificate)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
