"""JSON as JavaScript writes it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from simulations.sync.javascript import stringify


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1.0, 2.5, True, None]}, b'{"a":[1,2.5,true,null]}'),
        ({"a": math.inf, "b": [-math.inf, math.nan]}, b'{"a":null,"b":[null,null]}'),
        ("\u00e9\ud800", b'"\xc3\xa9\\ud800"'),
    ],
)
def test_it_is_what_json_stringify_returns(value: Any, text: bytes) -> None:
    """Compact, whole numbers without a point, null for what is not finite, half a surrogate pair escaped."""
    assert stringify(value) == text
