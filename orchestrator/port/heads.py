"""What a request's head says and whether it is refused for it; pure: it neither reads nor answers."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

import h11

from orchestrator.port.messages import Limits, Request, Response, Scope

_WEBSOCKET_VERSION = "13"
_PLAIN_HTTP_PORT = 80


class Refused(Exception):
    """The request gets this error, and its connection ends."""

    def __init__(self, status: int, message: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message)
        self.response = Response.refusal(status, message, headers=headers)


def read_request(head: h11.Request, peer: str) -> Request:
    """Return the request that `head` makes, as an upgrade gets it. Raises Refused where its target is no URL."""
    headers: dict[str, str] = {}
    for name, value in head.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    path, query = _split_target(head.target)
    return Request(
        method=head.method.decode("ascii"),
        path=_unquoted(path),
        query=dict(parse_qsl(query.decode("ascii"), keep_blank_values=True)),
        headers=headers,
        peer=peer,
        target=(path + b"?" + query if query else path).decode("latin-1"),
    )


def http_scope(head: h11.Request, *, client: tuple[str, int]) -> Scope:
    """Return the ASGI scope of a request from `client` (IP address, port).

    Raises Refused where its target or its Host is no part of a URL.
    """
    path, query = _split_target(head.target)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": head.http_version.decode("ascii"),
        "method": head.method.decode("ascii").upper(),
        "scheme": "http",
        "path": _unquoted(path),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": list(head.headers),
        "client": client,
        "server": _server(head),
        "state": {},
    }


def asks_upgrade(request: Request) -> bool:
    """Say whether the request asks for a WebSocket. Raises Refused where it asks wrongly."""
    tokens = {token.strip().lower() for token in request.headers.get("connection", "").split(",")}
    if "upgrade" not in tokens or request.headers.get("upgrade", "").strip().lower() != "websocket":
        return False
    if request.method != "GET":
        raise Refused(400, "a WebSocket is asked for with GET")
    if request.headers.get("sec-websocket-version") != _WEBSOCKET_VERSION:
        raise Refused(426, headers={"sec-websocket-version": _WEBSOCKET_VERSION})
    if not request.headers.get("sec-websocket-key"):
        raise Refused(400, "no Sec-WebSocket-Key")
    return True


def check_body(request: Request, limits: Limits) -> None:
    """Raise Refused where the body that the head announces will not be read."""
    if int(request.headers.get("content-length", "0")) > limits.body_bytes:  # h11 has checked that it is a number
        raise Refused(413)
    if request.headers.get("expect", "100-continue").lower() != "100-continue":
        raise Refused(417)


def _split_target(target: bytes) -> tuple[bytes, bytes]:
    """Return path and query, both still quoted, of a path or (as a proxy asks) of a whole address."""
    if target.startswith(b"/"):
        path, _, query = target.partition(b"?")
        return path, query
    try:
        url = urlsplit(target)
    except ValueError as error:
        raise Refused(400) from error
    if url.scheme not in (b"http", b"https") or not url.netloc:
        raise Refused(400)
    return url.path or b"/", url.query


def _unquoted(path: bytes) -> str:
    return unquote_to_bytes(path).decode("utf-8", "replace")


def _server(head: h11.Request) -> tuple[str, int] | None:
    """Return host and port that the peer believes it speaks to."""
    hosts = [value for name, value in head.headers if name == b"host"]  # h11 lets no second one pass
    if not hosts:
        return None
    try:
        url = urlsplit(f"//{hosts[0].decode('latin-1')}")
        host, port = url.hostname, url.port
    except ValueError as error:
        raise Refused(400) from error
    return (host, _PLAIN_HTTP_PORT if port is None else port) if host else None
