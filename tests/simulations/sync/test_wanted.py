"""What a request asks for: whatever comes, it is read, or refused in words."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.sync.wanted import BadInput, is_good_key, is_webhook_url, read_wanted
from tests.simulations.sync.peer import wanted

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("model", "input", "options", "segments", "webhookUrl", "outputFileName")
ITEM_FIELDS = ("type", "url", "assetId", "refId", "provider")


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.dictionaries(st.sampled_from(ITEM_FIELDS), JSON))
def test_no_body_breaks_it(change: dict[str, Any], item: dict[str, Any]) -> None:
    """Strange values in any place."""
    body = wanted()
    body["input"][0].update(item)
    for each in ({**body, **change}, change, body, item):
        read = None
        with suppress(BadInput):
            read = read_wanted(each)
        assert read is None or (read.visual and read.sounds)


def test_segments_need_names_for_several_sounds() -> None:
    """Each sound its own, and each segment one of them."""
    body = wanted()
    body["input"] = [body["input"][0], *({"type": "audio", "url": "https://a.test/a", "refId": n} for n in ("a", "b"))]
    with pytest.raises(BadInput, match="several sounds need segments"):
        read_wanted(body)
    body["segments"] = [{"startTime": 0, "endTime": 1, "audioInput": {"refId": "a"}}]
    assert len(read_wanted(body).segments) == 1
    body["segments"][0]["audioInput"]["refId"] = "c"
    with pytest.raises(BadInput, match="must be that of an input"):
        read_wanted(body)


def test_equal_requests_have_equal_digests() -> None:
    """Of what is made; the whole one hangs on where the end is told, too."""
    one, other = read_wanted(wanted()), read_wanted(wanted(webhookUrl="https://a.test/hook"))
    assert one.digest == other.digest
    assert one.whole_digest != other.whole_digest
    assert one.digest != read_wanted(wanted(1)).digest


def test_keys_and_webhooks_are_as_published() -> None:
    """1 to 128 characters of a few kinds; HTTPS, or this machine."""
    assert [is_good_key(key) for key in ("a", "A.b_c~1-", "x" * 128, "", "x" * 129, "a/b", "ä")] == [True] * 3 + [
        False
    ] * 4
    assert is_webhook_url("https://a.test/x")
    assert is_webhook_url("http://127.0.0.1:80/x")
    assert not any(map(is_webhook_url, ("http://a.test/", "https://", "ftp://localhost/", "https://[")))
