"""`talkingstick call`: dials out through a line's carrier; the bot of the line talks once the call is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

import httpx2
from attrs import frozen

from orchestrator.adapters.telephony.rest import control_of, why_no_control
from orchestrator.commands_call import CallOptions
from orchestrator.errors import SettingsError
from orchestrator.port.routes import path_of
from orchestrator.ports import CarrierControl
from orchestrator.serve.lines import open_lines
from orchestrator.settings import LineSettings, Settings
from orchestrator.settings_file import load_settings, read_api_key, read_secret

_TO = re.compile(r"\+?[0-9][0-9 ().-]{1,30}|(?:sips?|tel):[^\s<>\"]{1,200}", re.IGNORECASE)


@frozen(kw_only=True)
class Outgoing:
    """A line that can call: by which control, and where its carrier asks what to do with an answered call."""

    line: LineSettings
    control: CarrierControl
    answer_url: str


async def run(*, options: CallOptions, transport: httpx2.AsyncBaseTransport | None = None) -> int:
    """Dial and print the carrier's id of the call; return 0.

    Raises SettingsError with what is missing or wrong, and CarrierFault where the carrier refuses or can't be reached.
    """
    settings = load_settings(options.config)
    to, caller = _number(options.to, "--to"), _number(options.caller, "--from") if options.caller else ""
    parameters = _parameters(options.parameter)
    outgoing = open_outgoing(settings, options.line, transport=transport)
    answer_url = outgoing.answer_url
    call = await outgoing.control.dial(to, caller=caller, answer_url=answer_url, parameters=parameters)
    if options.json:
        print(json.dumps({"call": call, "carrier": outgoing.line.carrier, "to": to, "answer_url": answer_url}))
    else:
        print(f"{outgoing.line.carrier} calls {to}: {call}")
    return 0


def open_outgoing(settings: Settings, name: str, *, transport: httpx2.AsyncBaseTransport | None = None) -> Outgoing:
    """Return the line of that path or carrier, ready to call.

    Raises SettingsError that says what is missing, or what else the server would refuse that is to answer the call.
    """
    serve = settings.serve
    index, line = _line(serve.lines, name)
    where = f"serve.lines[{index}]"
    open_lines(settings)
    if not serve.public_url:
        raise SettingsError("serve.public_url is not set: the carrier must find this server; such as https://host")
    key = read_api_key(line, where)
    if missing := why_no_control(line, key):
        raise SettingsError(f"{where}: {missing}")
    secret = read_secret(line, where)
    url = serve.public_url.rstrip("/") + path_of(line)
    control = control_of(line, key, webhook=url, token=secret, transport=transport)
    assert control is not None, "nothing is missing"
    return Outgoing(line=line, control=control, answer_url=url)


def _line(lines: Sequence[LineSettings], name: str) -> tuple[int, LineSettings]:
    by_path = [(index, line) for index, line in enumerate(lines) if name in (path_of(line), path_of(line).lstrip("/"))]
    found = by_path or [(index, line) for index, line in enumerate(lines) if line.carrier == name]
    if len(found) == 1:
        return found[0]
    there = ", ".join(path_of(line) for line in lines) or "none; add [[serve.lines]]"
    problem = "is more than one line" if found else "is no line"
    raise SettingsError(f"--line {name}: {problem} of this configuration; expected a path ({there})")


def _number(given: str, option: str) -> str:
    if not _TO.fullmatch(given.strip()):
        raise SettingsError(f'{option} "{given}": expected a number such as +4930123456, or an address such as sip:a@b')
    return given.strip() if ":" in given else re.sub(r"[ ().-]", "", given)


def _parameters(assignments: Sequence[str]) -> Mapping[str, str]:
    pairs = [assignment.partition("=") for assignment in assignments]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise SettingsError(f'--parameter "{name}": expected KEY=VALUE')
    return {name: value for name, _, value in pairs}
