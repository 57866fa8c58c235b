"""Decides which line and which bot a request or a call belongs to, and which addresses are ours; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from orchestrator.settings import BotSettings, LineSettings, ServeSettings

AUDIO_ECHO = "audio-echo"
"""The bot that is none: what is heard is sent back."""
SIGNED = ("twilio", "plivo", "telnyx", "vonage")
"""Carriers that sign their webhooks; to the others a shared token is given."""
SYNC_HOOK = "/hooks/sync"
"""Where the video service tells of the end of videos."""
OWN_PATHS = ("/healthz", "/readyz", SYNC_HOOK)
"""Paths of the port itself."""
_RATES: Mapping[str, Sequence[int]] = {
    "twilio": (8000,),
    "plivo": (8000, 16_000),
    "vonage": (8000, 16_000, 24_000),
    "exotel": (8000, 16_000, 24_000),
}
"""Samples a second that carriers have, as they publish it; AudioSocket and the others have all that can be set."""
_NAME_LENGTH = 256
"""Of a call's id; as long as REST APIs have them."""


@frozen
class Choice:
    """A bot by name, with the options of its constructor."""

    name: str
    options: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others; options are compared by what they look like."""
        return self.name, repr(sorted(self.options.items()))


@frozen
class Place:
    """A line that a path leads to; `token` is what stands behind the line's own path."""

    line: LineSettings
    token: str = ""


def path_of(line: LineSettings) -> str:
    """Return where on the port a line is."""
    return line.path or f"/{line.carrier}"


def place_of(path: str, lines: Sequence[LineSettings]) -> Place | None:
    """Return the line that a request's path belongs to: its own path, or one segment more."""
    above, _, token = path.rpartition("/")
    for line in lines:
        if line.carrier != "audiosocket":
            if path_of(line) == path:
                return Place(line)
            if token and path_of(line) == above:
                return Place(line, token)
    return None


def audiosocket_line(lines: Sequence[LineSettings]) -> LineSettings | None:
    """Return the line that AudioSocket's port belongs to."""
    return next((line for line in lines if line.carrier == "audiosocket"), None)


def usual_bot(line: LineSettings, default: BotSettings) -> Choice:
    """Return who answers on a line when nothing more is known of the call."""
    return Choice(line.bot, line.options) if line.bot else Choice(default.use, default.options)


def bots_of(line: LineSettings, default: BotSettings) -> list[Choice]:
    """Return everyone who may answer on a line, each once, the usual one first."""
    found = {usual_bot(line, default).key: usual_bot(line, default)}
    for name in (*line.numbers.values(), *line.uuids.values()):
        choice = _named(name, line, default=default)
        found.setdefault(choice.key, choice)
    return list(found.values())


def bot_for(line: LineSettings, default: BotSettings, *, called: str = "", call: str = "") -> Choice:
    """Return who answers a call: by AudioSocket's UUID (the longest beginning that fits), else by the called number."""
    name = ""
    if line.carrier == "audiosocket":
        beginnings = [each for each in line.uuids if call.lower().startswith(each.lower())]
        name = line.uuids[max(beginnings, key=len)] if beginnings else ""
    if not name and called:
        numbers = {number_key(number): bot for number, bot in line.numbers.items()}
        name = numbers.get(number_key(called), "")
    return _named(name, line, default=default) if name else usual_bot(line, default)


def _named(name: str, line: LineSettings, *, default: BotSettings) -> Choice:
    """A bot that a number or a UUID names: the options are those that were written for it."""
    for choice in (Choice(line.bot, line.options), Choice(default.use, default.options)):
        if choice.name == name:
            return choice
    return Choice(name, {})


def only_echoes(lines: Sequence[LineSettings], default: BotSettings) -> bool:
    """Return whether there are lines, and every call on them is only sent back what it says: no provider is needed."""
    names = [choice.name for line in lines for choice in bots_of(line, default)]
    return bool(names) and set(names) == {AUDIO_ECHO}


def number_key(number: str) -> str:
    """Return what makes a called number the same number: +49 30 1, 0049301 and sip:+49301@host are one."""
    user = re.sub(r"^(sips?|tel):", "", number.strip(), flags=re.IGNORECASE).partition("@")[0].partition(";")[0]
    digits = re.sub(r"[\s().-]", "", user)
    if re.fullmatch(r"\+?\d+", digits):
        return digits.removeprefix("+").removeprefix("00")
    return user.lower()


def call_name(name: str, taken: Set[str]) -> str:
    """Return a call's id as it goes into logs: printable, not too long, and nobody else's just now.

    Two calls of one name would share their place in the queue for the slot.
    """
    plain = re.sub(r"[^!-~]", "_", name)[:_NAME_LENGTH] or "call"
    again, free = 1, plain
    while free in taken:
        again += 1
        free = f"{plain}.{again}"
    return free


def caller_address(peer: str, forwarded_for: str, *, forwarded: bool) -> str:
    """Return who a request is from: whom the proxy in front names last, where there is one; others may be made up."""
    last = forwarded_for.rpartition(",")[2].strip()
    return last if forwarded and last else peer


def public_url(settings: ServeSettings, target: str, *, stream: bool = False, host: str = "") -> str:
    """Return a target (path and query) as it is known outside: https, or wss for a stream.

    Without `public_url` it is put together from the request's Host, which nobody vouches for.
    """
    base = settings.public_url or f"{'https' if settings.certificate else 'http'}://{host or own_host(settings)}"
    if stream:
        base = "ws" + base.removeprefix("http")
    return base + target


def own_path(settings: ServeSettings, path: str) -> str:
    """Return a path without the one that a proxy puts before it (`public_url` with a path) where it is there."""
    before = urlsplit(settings.public_url).path
    return path.removeprefix(before) if before and path.startswith(before + "/") else path


def own_host(settings: ServeSettings) -> str:
    """Return host and port as this machine knows them."""
    host = settings.host or "localhost"
    return f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}"


def _mistakes_in(line: LineSettings, where: str) -> Iterator[str]:
    if line.secret_env and line.secret_file:
        yield f"{where}: has secret_env and secret_file; expected one of them"
    if line.media_url and line.carrier != "asterisk":
        yield f"{where}.media_url: only Asterisk has calls that wait to be fetched; leave it out for {line.carrier}"
    rates = _RATES.get(line.carrier, (line.rate,))
    if line.rate not in rates:
        yield f"{where}.rate = {line.rate}: {line.carrier} does not have it; expected {' or '.join(map(str, rates))}"
    if not re.fullmatch(r"[A-Za-z0-9_-]*", line.account):  # "AC...", as documentation has it
        expected = f"expected {line.carrier}'s name of the account, of letters, digits, _ and -"
        yield f'{where}.account = "{line.account}": {expected}'


def mistakes(settings: ServeSettings) -> list[str]:
    """Return what cannot be right about the lines as they stand together, a line each."""
    found, seen = [], dict[str, int]()
    for index, line in enumerate(settings.lines):
        where, path = f"serve.lines[{index}]", path_of(line)
        if line.carrier == "audiosocket":
            if settings.audiosocket_port < 0:
                found.append(f"{where}: AudioSocket calls at a port of its own; set serve.audiosocket_port")
            path = "audiosocket"
        elif path in OWN_PATHS:
            found.append(f"{where}.path = {path!r}: is the port's own; choose another")
        if path in seen:
            found.append(f"{where}: is where serve.lines[{seen[path]}] is ({path}); give one of them another path")
        above = path.rpartition("/")[0]
        if above in seen:
            taken = f"{path} is taken for a token behind {above}, where serve.lines[{seen[above]}] is"
            found.append(f"{where}: can't be reached ({taken}); give it another path")
        seen.setdefault(path, index)
        found += _mistakes_in(line, where)
    if settings.audiosocket_port >= 0 and audiosocket_line(settings.lines) is None:
        found.append('serve.audiosocket_port: there is no line with carrier = "audiosocket"; expected one')
    if settings.audiosocket_port > 0 and settings.audiosocket_port == settings.port:
        found.append("serve.audiosocket_port: is serve.port; expected another one")
    return found
