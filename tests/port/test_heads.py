"""The ASGI scope of a request, and which targets are none."""

from __future__ import annotations

import h11
import pytest

from orchestrator.port.heads import Refused, http_scope, read_request


def head_of(target: str, *, method: str = "GET", host: str | None = "here:81", version: str = "1.1") -> h11.Request:
    """Return a request's head."""
    headers = [("X-It", "a"), ("x-it", "b"), *([("Host", host)] if host is not None else [])]
    return h11.Request(method=method, target=target, headers=headers, http_version=version)


def test_a_scope_is_what_asgi_demands() -> None:
    """Every key of an `http` scope, in the types of the specification."""
    assert http_scope(head_of("/a%20b/%C3%A9?q=%20&r", method="Post"), client=("10.0.0.1", 5)) == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/a b/é",
        "raw_path": b"/a%20b/%C3%A9",
        "query_string": b"q=%20&r",
        "root_path": "",
        "headers": [(b"x-it", b"a"), (b"x-it", b"b"), (b"host", b"here:81")],
        "client": ("10.0.0.1", 5),
        "server": ("here", 81),
        "state": {},
    }


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", b""),
        ("//a//b", "//a//b", b""),
        ("/a?b?c", "/a", b"b?c"),
        ("/%ff", "/\N{REPLACEMENT CHARACTER}", b""),
        ("http://there/a?b", "/a", b"b"),
        ("https://there", "/", b""),
    ],
)
def test_a_target_is_a_path_or_a_whole_address(target: str, path: str, query: bytes) -> None:
    """What a proxy asks is understood; a path stays as it is, with empty parts, but for its quoting."""
    scope = http_scope(head_of(target), client=("", 0))
    assert (scope["path"], scope["query_string"]) == (path, query)
    assert read_request(head_of(target), "").path == path


@pytest.mark.parametrize("target", ["*", "a:443", "http:///a", "http://[/", "ftp://there/a", "a/b"])
def test_any_other_target_is_refused(target: str) -> None:
    """It gets a 400, as a request and as an upgrade."""
    for read in (lambda: http_scope(head_of(target), client=("", 0)), lambda: read_request(head_of(target), "")):
        with pytest.raises(Refused) as refused:
            read()
        assert refused.value.response.status == 400


@pytest.mark.parametrize(
    ("host", "server"),
    [("there", ("there", 80)), ("[::1]:8080", ("::1", 8080)), ("", None), (None, None), ("a:b", 400), ("[a", 400)],
)
def test_the_server_is_whom_the_peer_asked(host: str | None, server: tuple[str, int] | int | None) -> None:
    """Host and port, 80 without one; what is no host is refused."""
    head = head_of("/", host=host, version="1.0")
    if isinstance(server, int):
        with pytest.raises(Refused):
            http_scope(head, client=("", 0))
    else:
        assert http_scope(head, client=("", 0))["server"] == server
