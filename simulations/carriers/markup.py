"""Where a webhook's answer sends the call, as each carrier reads it; what would play nothing of the bot is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

from attrs import Factory, frozen

from simulations.carriers.target import Refused


@frozen(kw_only=True)
class StreamTold:
    """What the markup says: the stream's address, what the carrier hands over on it, samples a second if it says."""

    url: str
    parameters: Mapping[str, str] = Factory(dict)
    rate: int | None = None


def stream_told(carrier: str, body: str) -> StreamTold:
    """Return what the answer to a webhook says. Raises Refused where the carrier would bring no stream."""
    try:
        told = _READERS[carrier](body)
    except (ValueError, ElementTree.ParseError, LookupError, TypeError, AttributeError, StopIteration) as error:
        raise Refused(0, f"the webhook's answer brings no stream as {carrier} reads it ({error!r})") from None
    if urlsplit(told.url).scheme not in ("ws", "wss"):
        raise Refused(0, f"the webhook's answer has no ws:// or wss:// address for the stream: {told.url!r}")
    return told


def _twiml(body: str) -> StreamTold:
    stream = _element(body, "Connect/Stream")
    told = {each.attrib["name"]: each.attrib["value"] for each in stream.iter("Parameter")}
    return StreamTold(url=stream.attrib["url"], parameters=told)


def _texml(body: str) -> StreamTold:
    stream = _element(body, "Connect/Stream").attrib
    if stream.get("bidirectionalMode") != "rtp":
        raise Refused(0, "the markup has no bidirectionalMode=rtp: Telnyx would play nothing of the bot")
    if {stream.get("codec", "PCMU"), stream.get("bidirectionalCodec", "PCMU")} != {"PCMU"}:
        raise Refused(0, "the markup asks for another codec than PCMU, which this Telnyx speaks alone")
    return _twiml(body)


def _plivo(body: str) -> StreamTold:
    stream = _element(body, "Stream")
    if stream.get("bidirectional") != "true":
        raise Refused(0, 'the markup has no bidirectional="true": Plivo would play nothing of the bot')
    kind = stream.get("contentType", "audio/x-l16;rate=8000")
    if kind != "audio/x-mulaw;rate=8000":
        raise Refused(0, f"the markup asks for {kind}; this Plivo speaks audio/x-mulaw;rate=8000 alone")
    pairs = [each.partition("=") for each in stream.get("extraHeaders", "").split(",") if each]
    return StreamTold(url=(stream.text or "").strip(), parameters={name: value for name, _, value in pairs})


def _ncco(body: str) -> StreamTold:
    actions: list[dict[str, Any]] = json.loads(body)
    [endpoint] = next(each["endpoint"] for each in actions if each["action"] == "connect")
    rate = int(endpoint["content-type"].partition("rate=")[2])
    return StreamTold(url=endpoint["uri"], parameters=endpoint.get("headers", {}), rate=rate)


def _listen(body: str) -> StreamTold:
    verbs: list[dict[str, Any]] = json.loads(body)
    verb = next(each for each in verbs if each["verb"] in ("listen", "stream"))
    both_ways = verb["bidirectionalAudio"]
    if not (both_ways["enabled"] and both_ways.get("streaming")):
        raise Refused(0, "the verb has no bidirectionalAudio.streaming: jambonz would drop what the bot says")
    if both_ways["sampleRate"] != verb["sampleRate"]:
        raise Refused(0, "the verb's two rates differ: jambonz would lose marks")
    return StreamTold(url=verb["url"], parameters=verb.get("metadata", {}), rate=verb["sampleRate"])


def _exotel(body: str) -> StreamTold:
    url: str = json.loads(body)["url"]
    parameters = dict(parse_qsl(urlsplit(url).query))
    rate = int(parameters.pop("sample-rate", 8000))
    return StreamTold(url=url, parameters=parameters, rate=rate)


def _element(body: str, path: str) -> ElementTree.Element:
    response = ElementTree.fromstring(body)
    found = response.find(path) if response.tag == "Response" else None
    if found is None:
        raise ValueError(f"no Response/{path}")
    return found


_READERS: Mapping[str, Callable[[str], StreamTold]] = {
    "twilio": _twiml,
    "telnyx": _texml,
    "plivo": _plivo,
    "vonage": _ncco,
    "jambonz": _listen,
    "exotel": _exotel,
}
