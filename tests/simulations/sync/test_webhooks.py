"""Webhooks: what is told, how it is signed, and how often it is sent."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

import attrs
import pytest
import trio

from simulations.sync.javascript import stringify
from simulations.sync.server import made_up_wall
from tests.simulations.sync.peer import EVEN, HOOK, world


def is_signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """Say whether the documented signature is right, over the raw bytes."""
    found = re.fullmatch(r"t=(\d+),v1=(.+)", headers["sync-signature"])
    assert found
    expected = hmac.new(secret.encode(), f"{found[1]}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, found[2])


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1000)])
async def test_the_end_is_told_and_signed(autojump_clock: trio.testing.MockClock, unit: Any, factor: int) -> None:
    """At once, as the page of the generation, in raw UTF-8; the time in the signature is that of the delivery."""
    async with world(attrs.evolve(EVEN, webhook_unit=unit)) as here:
        script = {"name": "elevenlabs", "voiceId": "v", "script": "नमस्ते, wie geht's? 👋"}
        items = [{"type": "video", "url": "https://a.test/v.mp4"}, {"type": "text", "provider": script}]
        made = (await here.create(webhookUrl=HOOK, input=items)).json()["id"]
        await trio.sleep(125)
        ((at, headers, body),) = here.hooks.came
        told = json.loads(body)
        assert (round(at), told["id"], told["status"]) == (120, made, "COMPLETED")
        assert "नमस्ते" in body.decode()
        assert b": " not in body.replace(b"geht's? ", b"")
        assert is_signed(dict(headers), body, here.server.secret)
        assert headers["x-signature-primary"] == hmac.new(here.server.secret.encode(), body, hashlib.sha256).hexdigest()
        stamp = int(headers["sync-signature"].split(",")[0][2:])
        assert stamp == int((made_up_wall() - trio.current_time() + at) * factor)
        page = (await here.client.get(f"/v2/generate/{made}")).json()
        assert told == page
        books = here.server.books
        assert (books.webhooks_due, books.webhooks_sent, books.webhooks_acknowledged) == (1, 1, 1)


async def test_it_is_sent_again_until_it_is_taken(autojump_clock: trio.testing.MockClock) -> None:
    """With waits that grow; what is never taken is given up."""
    async with world(attrs.evolve(EVEN, webhook_retries=3), answers=[500, 404, 200] + [503] * 4) as here:
        await here.create(webhookUrl=HOOK)
        await trio.sleep(200)
        assert [round(at) for at, _, _ in here.hooks.came] == [120, 125, 135]
        await here.create(webhookUrl=HOOK)
        await trio.sleep(400)
        books = here.server.books
        assert (books.webhooks_sent, books.webhooks_acknowledged, books.webhooks_given_up) == (7, 1, 1)


@pytest.mark.parametrize(
    ("name", "times"), [("lost_webhook", []), ("doubled_webhook", [120, 120]), ("late_webhook", [180])]
)
async def test_a_webhook_may_be_lost_doubled_or_late(
    autojump_clock: trio.testing.MockClock, name: str, times: list[int]
) -> None:
    """The next one only."""
    async with world() as here:
        here.order(name, seconds=60.0)
        await here.create(1, webhookUrl=HOOK)
        await trio.sleep(200)
        assert [round(at) for at, _, _ in here.hooks.came] == times
        await here.create(2, webhookUrl=HOOK)
        await trio.sleep(200)
        assert len(here.hooks.came) == len(times) + 1


@pytest.mark.parametrize("told", [True, False])
async def test_a_rejection_is_told_by_option(autojump_clock: trio.testing.MockClock, told: bool) -> None:
    """Whether it is, is not published."""
    async with world(attrs.evolve(EVEN, webhook_of_rejected=told)) as here:
        here.order("job_fails", rejected=True)
        await here.create(webhookUrl=HOOK)
        await trio.sleep(200)
        assert len(here.hooks.came) == told


def test_json_is_as_javascript_writes_it() -> None:
    """No blanks, raw UTF-8, whole numbers without a point; half a pair is escaped."""
    assert stringify({"a": [1.0, 0.5, True, None], "b": "é\n"}) == '{"a":[1,0.5,true,null],"b":"é\\n"}'.encode()
    assert stringify("\ud800") == b'"\\ud800"'
