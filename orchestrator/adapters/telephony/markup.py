"""Decides what a carrier's webhook is answered: the document that brings the call's stream to us, in its own language.

Who may ask, and which call it is, is the port's affair. All escaping is the standard library's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree

from attrs import frozen

from orchestrator.errors import CarrierFault, SettingsError
from orchestrator.ports import StreamTarget
from orchestrator.settings import LineSettings
from orchestrator.settings.serve import Carrier

_XML, _JSON = "text/xml; charset=utf-8", "application/json"
_PLIVO_WRAPPED = "talkingstick"
"""The extra header that codecs/plivo.py unwraps."""
_PLIVO_BYTES, _VONAGE_BYTES, _EXOTEL_BYTES, _EXOTEL_PARAMETERS = 512, 512, 256, 3
"""What these carriers take of custom parameters, as they publish it."""
_WHO = ("caller", "called")
"""What Exotel's start says by itself, and what a caller can make too long for Plivo and Vonage."""
_PLAIN_RATE = 8000


@frozen
class Document:
    """An answer to a webhook."""

    body: str
    content_type: str


def answer(line: LineSettings, target: StreamTarget) -> Document | None:
    """Return what the webhook of `line` answers, so that the call's stream comes to `target`; None for stacks that
    have no webhook: their configuration says where calls go.

    Raises CarrierFault if the parameters are more than the carrier takes, SettingsError if `hand_over` is no XML.
    """
    write = _DOCUMENTS.get(line.carrier)
    parameters = {_printable(name): _printable(value) for name, value in target.parameters.items()}
    return write(line, StreamTarget(url=target.url, parameters=parameters)) if write else None


def _printable(text: str) -> str:
    """Return `text` without what neither XML nor a URL can carry."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


# --- XML: Twilio, Telnyx, Plivo ---


def _twiml(line: LineSettings, target: StreamTarget) -> Document:
    """After the stream comes what `hand_over` has; with nothing there, the call ends when the bot leaves it."""
    response = ElementTree.Element("Response")
    stream = ElementTree.SubElement(ElementTree.SubElement(response, "Connect"), "Stream", url=target.url)
    _add_parameters(stream, target.parameters)
    response.extend(_verbs(line.hand_over))
    return _xml(response)


def _texml(line: LineSettings, target: StreamTarget) -> Document:
    """Telnyx plays nothing that is sent to it unless its mode is `rtp`; both directions have one codec."""
    response = ElementTree.Element("Response")
    stream = ElementTree.SubElement(ElementTree.SubElement(response, "Connect"), "Stream", url=target.url)
    stream.attrib |= {"track": "inbound_track", "codec": "PCMU", "bidirectionalMode": "rtp"}
    stream.attrib |= {"bidirectionalCodec": "PCMU", "bidirectionalSamplingRate": str(_PLAIN_RATE)}
    _add_parameters(stream, target.parameters)
    response.extend(_verbs(line.hand_over))
    return _xml(response)


def _plivo_xml(line: LineSettings, target: StreamTarget) -> Document:
    """Parameters go as one extra header: Plivo takes letters and digits only, so that they are hexadecimal JSON."""
    response = ElementTree.Element("Response")
    stream = ElementTree.SubElement(response, "Stream", bidirectional="true", keepCallAlive="true")
    narrow = line.rate == _PLAIN_RATE
    stream.set("contentType", "audio/x-mulaw;rate=8000" if narrow else f"audio/x-l16;rate={line.rate}")
    if target.parameters:
        given = _with_room(_PLIVO_BYTES, target.parameters, write=_plivo_headers)
        stream.set("extraHeaders", _at_most(_PLIVO_BYTES, _plivo_headers(given), carrier="Plivo"))
    stream.text = target.url
    response.extend(_verbs(line.hand_over))
    return _xml(response)


def _plivo_headers(parameters: Mapping[str, str]) -> str:
    return f"{_PLIVO_WRAPPED}={_compact(dict(parameters)).encode().hex()}"


def _add_parameters(stream: ElementTree.Element, parameters: Mapping[str, str]) -> None:
    for name, value in parameters.items():
        ElementTree.SubElement(stream, "Parameter", name=name, value=value)


def _verbs(hand_over: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(f"<Response>{hand_over}</Response>")
    except ElementTree.ParseError as error:
        raise SettingsError(f"serve.lines.hand_over is {hand_over!r}, which is no XML: {error}") from None


def _xml(response: ElementTree.Element) -> Document:
    written = ElementTree.tostring(response, encoding="unicode")
    return Document(f'<?xml version="1.0" encoding="UTF-8"?>\n{written}', _XML)


# --- JSON: Exotel, Vonage, jambonz ---


def _exotel(line: LineSettings, target: StreamTarget) -> Document:
    """Rate and parameters are the query of the stream's address: Exotel hands it over as custom parameters."""
    parts = urlsplit(target.url)
    given = [(name, value) for name, value in target.parameters.items() if name not in _WHO]
    query = [*parse_qsl(parts.query), *given]
    if len(query) > _EXOTEL_PARAMETERS:
        raise CarrierFault(f"the call has {len(query)} parameters; Exotel takes {_EXOTEL_PARAMETERS}")
    if line.rate != _PLAIN_RATE:
        query.append(("sample-rate", str(line.rate)))
    written = _at_most(_EXOTEL_BYTES, urlencode(query), carrier="Exotel")
    return _json({"url": urlunsplit(parts._replace(query=written))})


def _ncco(line: LineSettings, target: StreamTarget) -> Document:
    """Vonage repeats the headers in its first message."""
    headers = _with_room(_VONAGE_BYTES, target.parameters, write=_compact)
    _at_most(_VONAGE_BYTES, _compact(headers), carrier="Vonage")
    endpoint = {"type": "websocket", "uri": target.url, "headers": headers}
    endpoint["content-type"] = f"audio/l16;rate={line.rate}"
    return _json([{"action": "connect", "endpoint": [endpoint]}])


def _listen(line: LineSettings, target: StreamTarget) -> Document:
    """Only `streaming` plays sound from us as it comes; one rate both ways keeps jambonz's marks exact."""
    both_ways = {"enabled": True, "streaming": True, "sampleRate": line.rate}
    verb = {"verb": "listen", "url": target.url, "sampleRate": line.rate, "mixType": "mono", "passDtmf": True}
    return _json([verb | {"metadata": dict(target.parameters), "bidirectionalAudio": both_ways}])


def _json(value: object) -> Document:
    return Document(json.dumps(value), _JSON)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _with_room(
    most: int, parameters: Mapping[str, str], *, write: Callable[[Mapping[str, str]], str]
) -> Mapping[str, str]:
    """Return the parameters; without who calls whom where they are too long as written: the webhook told it, too."""
    if len(write(parameters)) <= most:
        return dict(parameters)
    return {name: value for name, value in parameters.items() if name not in _WHO}


def _at_most(most: int, written: str, *, carrier: str) -> str:
    if len(written) > most:
        raise CarrierFault(f"the call's parameters are {len(written)} bytes as {carrier} has them; it takes {most}")
    return written


_DOCUMENTS: Mapping[Carrier, Callable[[LineSettings, StreamTarget], Document]] = {
    "twilio": _twiml,
    "telnyx": _texml,
    "plivo": _plivo_xml,
    "exotel": _exotel,
    "vonage": _ncco,
    "jambonz": _listen,
}
