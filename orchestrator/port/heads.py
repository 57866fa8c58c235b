"""What a request's head says and whether it is refused for it; pure: it neither reads nor answers."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import h11

from orchestrator.port.messages import Limits, Request, Response

_WEBSOCKET_VERSION = "13"


class Refused(Exception):
    """The request gets this error, and its connection ends."""

    def __init__(self, status: int, message: str = "", **headers: str) -> None:
        super().__init__(status, message)
        response = Response.refusal(status, message)
        self.response = attrs.evolve(response, headers={**response.headers, **headers})


def read_request(head: h11.Request, peer: str) -> Request:
    """Return the request that `head` makes, without its body. Raises Refused where its target is no URL."""
    headers: dict[str, str] = {}
    for name, value in head.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    try:
        target = urlsplit(head.target.decode("latin-1"))
    except ValueError as error:
        raise Refused(400) from error
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    method = head.method.decode("latin-1")
    return Request(method=method, path=unquote(target.path), query=query, headers=headers, peer=peer)


def asks_upgrade(request: Request) -> bool:
    """Say whether the request asks for a WebSocket. Raises Refused where it asks wrongly."""
    tokens = {token.strip().lower() for token in request.headers.get("connection", "").split(",")}
    if "upgrade" not in tokens or request.headers.get("upgrade", "").strip().lower() != "websocket":
        return False
    if request.method != "GET":
        raise Refused(400, "a WebSocket is asked for with GET")
    if request.headers.get("sec-websocket-version") != _WEBSOCKET_VERSION:
        raise Refused(426, **{"sec-websocket-version": _WEBSOCKET_VERSION})
    if not request.headers.get("sec-websocket-key"):
        raise Refused(400, "no Sec-WebSocket-Key")
    return True


def check_body(request: Request, limits: Limits) -> None:
    """Raise Refused where the body that the head announces will not be read."""
    if int(request.headers.get("content-length", "0")) > limits.body_bytes:  # h11 has checked that it is a number
        raise Refused(413)
    if request.headers.get("expect", "100-continue").lower() != "100-continue":
        raise Refused(417)
