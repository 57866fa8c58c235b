"""No bytes on disk ever give a wrong phrase."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.settings import CacheSettings
from orchestrator.speech import phrase_files
from orchestrator.speech.cache import PhraseStoreError
from orchestrator.speech.phrase_files import PhraseFiles
from tests.speech.kept import key, phrase
from tests.speech.test_phrase_files import Wall, only


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_on_disk_never_give_a_wrong_phrase(data: st.DataObject) -> None:
    """Cut, changed, longer, another's, or anything: it is the phrase that was written or none, and then it is gone."""
    with tempfile.TemporaryDirectory() as folder:
        files = PhraseFiles(CacheSettings(), directory=Path(folder), wall=Wall())
        files.write(key(), phrase(0.02))
        path = only(files)
        whole = path.read_bytes()
        damaged = data.draw(
            st.one_of(
                st.integers(0, len(whole)).map(lambda size: whole[:size]),
                st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)).map(
                    lambda at: whole[: at[0]] + bytes([at[1]]) + whole[at[0] + 1 :]
                ),
                st.binary(min_size=1, max_size=99).map(lambda more: whole + more),
                st.binary(max_size=99).map(lambda more: whole[:22] + more),
                st.binary(max_size=300),
            )
        )
        path.write_bytes(damaged)
        if damaged == whole:
            assert files.read(key()) == phrase(0.02)
            return
        with pytest.raises(PhraseStoreError, match="it is removed"):
            files.read(key())
        assert files.read(key()) is None
        assert not path.exists()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(name=st.sampled_from(["key", "made", "rate", "words", "all"]), value=JSON)
def test_any_header_with_a_right_checksum_never_gives_a_wrong_phrase(name: str, value: Any) -> None:
    """Somebody may have written it on purpose: there is no other error than that it is damaged."""
    header: Any = {"key": {}, "made": 1e9, "rate": 8000, "words": []}
    phrase_key = json.loads(json.dumps(files_key()))
    header["key"] = phrase_key
    header = value if name == "all" else header | {name: value}
    text, pcm = json.dumps(header).encode(), phrase(0.02).pcm
    content = text + pcm
    lengths = len(text).to_bytes(8, "big") + len(pcm).to_bytes(8, "big")
    with tempfile.TemporaryDirectory() as folder:
        files = PhraseFiles(CacheSettings(), directory=Path(folder), wall=Wall())
        path = Path(folder) / f"{key().digest}.phrase"
        path.write_bytes(phrase_files._MAGIC + lengths + hashlib.sha256(content).digest() + content)
        try:
            found = files.read(key())
        except PhraseStoreError:
            found = None
        if found is not None:
            assert (found.pcm, found.rate) == (pcm, 8000)
            assert name in ("made", "words")


def files_key() -> dict[str, Any]:
    """Return the usual key as a header has it."""
    return attrs.asdict(key())
