"""G.711: one byte a sample, back again within its quantisation, by both laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.g711 import Law, decode, encode

LAWS: list[Law] = ["ulaw", "alaw"]
SAMPLES = st.lists(st.integers(-32768, 32767), max_size=50).map(lambda samples: np.array(samples, "<i2").tobytes())
EVERY_BYTE = bytes(range(256))


@pytest.mark.parametrize("law", LAWS)
@given(pcm=SAMPLES)
def test_a_byte_stands_for_a_sample_and_nearly_its_value(law: Law, pcm: bytes) -> None:
    """Half a step off at most: steps grow with the level, to 1/16 of it; mu-law clips the last 2 % of full scale."""
    data = encode(pcm, law)
    was, now = np.frombuffer(pcm, "<i2").astype(int), np.frombuffer(decode(data, law), "<i2").astype(int)
    assert len(data) == len(was) == len(now)
    assert np.all(np.abs(was - now) <= np.abs(was) / 32 + 16)


@pytest.mark.parametrize("law", LAWS)
def test_what_was_decoded_encodes_to_itself(law: Law) -> None:
    """Sound that passes several times loses nothing more; mu-law has two zeros, which become one."""
    pcm = decode(EVERY_BYTE, law)
    assert decode(encode(pcm, law), law) == pcm


@pytest.mark.parametrize(("law", "zero", "loudest"), [("ulaw", b"\xff", b"\x80"), ("alaw", b"\xd5", b"\xaa")])
def test_the_bytes_are_those_of_the_standard(law: Law, zero: bytes, loudest: bytes) -> None:
    """Silence and positive full scale as G.711 has them on the line."""
    assert encode(b"\0\0", law) == zero
    assert encode((32767).to_bytes(2, "little"), law) == loudest
