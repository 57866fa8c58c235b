"""What the pages of pronunciation dictionaries keep, answer and reject."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from smallestai.waves import PronunciationItem
from smallestai.waves.errors import BadRequestError, UnauthorizedError

from simulations.waves.http import dictionaries
from simulations.waves.http.refusals import BASES
from tests.simulations.waves.http.pages_client import THEIRS, Json, asking, make_provider, official_client

PATH = "/waves/v1/pronunciation-dicts"
MYSQL = {"word": "mysql", "pronunciation": "my-sequel"}
GOODBYE = {"word": "goodbye", "pronunciation": "goodbai"}


@pytest.mark.parametrize("base", BASES)
async def test_a_dictionary_lives_from_its_making_to_its_deletion(base: str, autojump_clock: object) -> None:
    """Made, listed, given other items and deleted, it is shown as published each time."""
    path = f"{base}/pronunciation-dicts"
    async with asking(dictionaries.routes(make_provider())) as client:
        await trio.sleep(1.5)
        made = (await client.post(path, json={"items": [MYSQL]})).json()
        assert made == {"id": made["id"], "items": [MYSQL], "createdAt": "2026-09-01T00:00:01.500Z"}
        assert re.fullmatch("[0-9a-f]{24}", made["id"])
        assert (await client.get(path)).json() == [made]
        changed = await client.put(path, json={"id": made["id"], "items": [MYSQL, GOODBYE]})
        assert changed.json() == {"id": made["id"], "items": [MYSQL, GOODBYE]}
        assert (await client.get(path)).json() == [{**made, "items": [MYSQL, GOODBYE]}]
        gone = await client.request("DELETE", path, json={"id": made["id"]})
        assert gone.json() == {"id": made["id"], "deleted": True}
        assert (await client.get(path)).json() == []


async def test_nobody_reaches_the_dictionaries_of_others() -> None:
    """Another account neither sees nor changes nor deletes them."""
    routes = dictionaries.routes(make_provider())
    async with asking(routes) as ours, asking(routes, key=THEIRS) as theirs:
        made = (await ours.post(PATH, json={"items": [MYSQL]})).json()
        assert (await theirs.get(PATH)).json() == []
        assert (await theirs.put(PATH, json={"id": made["id"], "items": []})).status_code == 404
        assert (await theirs.request("DELETE", PATH, json={"id": made["id"]})).status_code == 404
        assert (await ours.get(PATH)).json() == [made]


async def test_an_account_has_so_many_dictionaries_and_no_more() -> None:
    """Each may be as large as a body: without a limit one client could fill the memory."""
    routes = dictionaries.routes(make_provider())
    async with asking(routes) as ours, asking(routes, key=THEIRS) as theirs:
        made = [await ours.post(PATH, json={"items": [MYSQL]}) for _ in range(dictionaries.MOST_DICTIONARIES)]
        assert {answer.status_code for answer in made} == {200}
        assert (await ours.post(PATH, json={"items": [MYSQL]})).status_code == 400
        assert (await theirs.post(PATH, json={"items": [MYSQL]})).status_code == 200
        assert (await ours.request("DELETE", PATH, json={"id": made[0].json()["id"]})).status_code == 200
        assert (await ours.post(PATH, json={"items": [MYSQL]})).status_code == 200


def required(*path: str | int, expected: str = "string") -> Json:
    """Return the issue of a field that is not there."""
    lead = {"code": "invalid_type", "expected": expected, "received": "undefined"}
    return {**lead, "path": list(path), "message": "Required"}


def wrong(*path: str | int, expected: str, received: str) -> Json:
    """Return the issue of a value of the wrong type."""
    message = f"Expected {expected}, received {received}"
    return {
        "code": "invalid_type",
        "expected": expected,
        "received": received,
        "path": list(path),
        "message": message,
    }


@pytest.mark.parametrize(
    ("method", "body", "issues"),
    [
        ("POST", {"items": [{"pronunciation": "x"}]}, [required("items", 0, "word")]),
        ("POST", {"items": [MYSQL, {"word": 3}]}, [
            wrong("items", 1, "word", expected="string", received="number"),
            required("items", 1, "pronunciation"),
        ]),
        ("POST", {}, [required("items", expected="array")]),
        ("POST", {"items": "mysql"}, [wrong("items", expected="array", received="string")]),
        ("POST", {"items": [None]}, [wrong("items", 0, expected="object", received="null")]),
        ("PUT", {"items": []}, [required("id")]),
        ("PUT", {"id": 7}, [
            wrong("id", expected="string", received="number"),
            required("items", expected="array"),
        ]),
        ("DELETE", {}, [required("id")]),
        ("DELETE", [], [wrong(expected="object", received="array")]),
    ],
)  # fmt: skip
async def test_a_wrong_body_is_told_what_is_wrong(method: str, body: object, issues: list[Json]) -> None:
    """One issue for each thing that is wrong, with its place, in the published shape."""
    async with asking(dictionaries.routes(make_provider())) as client:
        answer = await client.request(method, PATH, json=body)
    assert answer.status_code == 400
    assert answer.json() == {"error": "Invalid request body", "details": issues}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"items": ["' + b"x" * 2**20 + b'"]}'])
async def test_what_is_no_body_is_rejected(body: bytes) -> None:
    """Broken JSON, none, and a megabyte of it get a 400."""
    async with asking(dictionaries.routes(make_provider())) as client:
        answer = await client.post(PATH, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Invalid request body"


def any_json() -> st.SearchStrategy[Any]:
    """Return any JSON that looks a little like a request."""
    names = st.sampled_from(("id", "items", "word", "pronunciation", "other"))
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    return st.recursive(leaves, lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(names, deeper))


@settings(max_examples=200, deadline=None)
@given(method=st.sampled_from(("POST", "PUT", "DELETE")), body=any_json())
def test_no_body_breaks_a_page(method: str, body: object) -> None:
    """Whatever JSON comes, it is taken, rejected or has no dictionary."""

    async def ask() -> int:
        async with asking(dictionaries.routes(make_provider())) as client:
            return (await client.request(method, PATH, content=json.dumps(body))).status_code

    assert trio.run(ask, clock=trio.testing.MockClock()) in (200, 400, 404)


async def test_the_official_client_manages_dictionaries() -> None:
    """Each of its four calls gets what it reads, its errors their own classes."""
    routes = dictionaries.routes(make_provider())
    async with official_client(routes) as client, official_client(routes, key="sk_nobody") as stranger:
        item = PronunciationItem(**MYSQL)
        made = await client.waves.create_pronunciation_dict(items=[item])
        assert made.items == [item]
        changed = await client.waves.update_pronunciation_dict(id=made.id, items=[item, item])
        assert (changed.id, changed.items) == (made.id, [item, item])
        [kept] = await client.waves.get_pronunciation_dicts()
        assert (kept.id, kept.created_at) == (made.id, made.created_at)
        gone = await client.waves.delete_pronunciation_dict(id=made.id)
        assert (gone.id, gone.deleted) == (made.id, True)
        with pytest.raises(BadRequestError):
            await client.waves.create_pronunciation_dict(items=[{"word": "x"}])
        with pytest.raises(UnauthorizedError):
            await stranger.waves.get_pronunciation_dicts()
