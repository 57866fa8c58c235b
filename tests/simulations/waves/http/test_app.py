"""The app as a whole: what is on no page, what goes wrong in one, and what all pages refuse in the same way."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from trio.testing import MockClock, memory_stream_pair

from orchestrator.port.bridge import serve_connection
from simulations.waves.faults.fault import Fault
from simulations.waves.http.app import create_app
from simulations.waves.http.refusals import BASES, Json, account_of, is_local, model_refusal
from simulations.waves.http.speech import LARGEST_BODY
from tests.simulations.waves.http.pages_client import OURS, THEIRS, make_provider
from tests.simulations.waves.http.visitor import LIVE, TTS, ask, asked, refuse, visiting


def request_of(*, peer: str = "127.0.0.1", **headers: str) -> Request:
    """Return a request as a page gets it."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "client": (peer, 1)})


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tts"),
        ("POST", "/tts/live"),
        ("POST", "/lightning-v3.1/get_speech"),
        ("POST", "/lightning-v3.1/stream"),
        ("GET", "/lightning-v3.1/get_voices"),
        ("GET", "/voice/get-all-models"),
        ("POST", "/voice-cloning"),
        ("GET", "/pronunciation-dicts"),
        ("POST", "/auth/token"),
    ],
)
async def test_every_page_is_there_and_wants_a_key(
    autojump_clock: MockClock, base: str, method: str, path: str
) -> None:
    """Under both bases, with 401 for nobody; another method is not allowed and says which is."""
    provider = make_provider()
    assert (await asked(provider, base + path, b"", key="", method=method)).status == 401
    answer = await asked(provider, base + path, b"", method="PATCH")
    assert (answer.status, answer.json["error"]) == (405, "MethodNotAllowed")
    assert method in answer.headers["allow"]


async def test_what_is_nowhere_is_a_404_in_json(autojump_clock: MockClock) -> None:
    """In the form of the specification's errors."""
    answer = await asked(make_provider(), "/waves/v2/tts", ask("a"))
    assert (answer.status, answer.json) == (404, {"error": "NotFound", "message": "Not Found"})
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_page_that_fails_is_the_500_of_the_specification(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """And whoever runs the server is told why."""

    async def fail(_request: Request) -> Response:
        raise ValueError("broken")

    provider = make_provider()
    app = create_app(provider, more=[Route("/broken", fail, methods=["POST"])])
    async with visiting(provider, app=app) as visitor:
        await visitor.send("/broken", {})
        answer = await visitor.answer()
    assert answer.status == 500
    assert answer.json == {"error": "InternalServerError", "message": "An unexpected error occurred."}
    assert "POST /broken failed" in caplog.text


async def test_faults_at_the_door_refuse_every_page_but_our_own(autojump_clock: MockClock) -> None:
    """One 500 where that was ordered, 401 while no key is good, counted as such; `/books` tells of both."""
    provider = make_provider()
    provider.faults.order(Fault(name="error_500"))
    assert (await asked(provider, "/books", b"", method="GET")).status == 200
    statuses = [(await asked(provider, path, ask("a"))).status for path in (LIVE, LIVE)]
    with provider.faults.gates.lock():
        statuses += [(await asked(provider, path, ask("a"))).status for path in (TTS, "/api/v1/auth/token")]
    assert statuses == [500, 200, 401, 401]
    books = (await asked(provider, "/books", b"", method="GET")).json
    assert (books["refused_auth"], books["faults"]) == (2, {"error_500": 1})


@pytest.mark.parametrize("path", [TTS, "/waves/v1/auth/token"])
async def test_who_leaves_while_it_asks_is_no_failure(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Half a body: no slot is taken, nothing is logged as an error."""
    provider = make_provider()
    near, far = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: serve_connection(far, peer="127.0.0.1", app=create_app(provider), upgrade=refuse))
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {OURS}\r\nContent-Length: 99\r\n\r\n"
        await near.send_all(head.encode() + b'{"text"')
        await trio.testing.wait_all_tasks_blocked()
        await near.aclose()
    assert provider.accounts.first.books.requests == 0
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("path", [TTS, LIVE])
async def test_a_body_that_is_too_large_is_a_413(autojump_clock: MockClock, path: str) -> None:
    """Beyond 1 MiB, in JSON."""
    answer = await asked(make_provider(), path, b" " * (LARGEST_BODY - 2) + b"[]")
    assert answer.status == 400
    answer = await asked(make_provider(), path, b" " * (LARGEST_BODY - 1) + b"[]")
    assert answer.status == 413
    assert answer.headers["content-type"].startswith("application/json")


# --- what pages share ---


@pytest.mark.parametrize(
    ("shown", "account"),
    [
        (f"Bearer {OURS}", "account 1"),
        (f"bearer  {THEIRS} ", "account 2"),
        (f"Basic {OURS}", None),
        (OURS, None),
        ("Bearer", None),
        ("", None),
    ],
)
async def test_an_account_is_known_by_its_key(autojump_clock: MockClock, shown: str, account: str | None) -> None:
    """As a bearer's only; nobody's is counted."""
    provider = make_provider()
    found = account_of(provider, request_of(authorization=shown))
    assert (found.name if found else None) == account
    assert provider.accounts.snapshot(0.0)["refused_auth"] == (account is None)


@pytest.mark.parametrize(
    ("peer", "local"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.1.2.3", False), ("", False), ("host", False)],
)
def test_only_loopback_addresses_are_this_machine(peer: str, local: bool) -> None:
    """Mapped ones, too; what is no address is elsewhere."""
    assert is_local(request_of(peer=peer)) == local


async def test_models_are_there_retired_or_unknown(autojump_clock: MockClock) -> None:
    """By the options; None means that there is one."""
    provider = make_provider()
    statuses = [model_refusal(provider, model) for model in ("lightning-v3.1", "lightning-v2", "echo")]
    assert [refusal and refusal.status_code for refusal in statuses] == [None, 410, 404]


@pytest.mark.parametrize("value", [{"received": "\ud800"}, ["é", "हिन्दी"], None, {"a": [1, 2.5, True]}])
def test_whatever_came_in_as_json_goes_out_as_json(value: Any) -> None:
    """Half a surrogate pair, too; without blanks, as the provider writes it."""
    body = Json(value).body
    assert json.loads(bytes(body)) == value
    assert b": " not in bytes(body)
