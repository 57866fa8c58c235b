"""What a `[[serve.lines]]` may say, beyond the types of its settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.errors import SettingsError
from orchestrator.settings_file import load_settings


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("0a0b", True),
        ("0A0B0000-1", True),
        ("0a0b0000-1111-2222-3333-444455556666", True),
        ("", False),
        ("zzz", False),
        ("0a0b00001", False),
        ("0a0b-", False),
        ("0a0b0000-1111-2222-3333-4444555566667", False),
    ],
)
def test_bots_are_chosen_by_what_a_uuid_can_begin_with(tmp_path: Path, key: str, right: bool) -> None:
    """Hex digits, and dashes where a UUID has them: another key would choose no bot, ever."""
    text = f'[[serve.lines]]\ncarrier = "audiosocket"\nuuids = {{ "{key}" = "echo" }}'
    path = tmp_path / "a.toml"
    path.write_text(text, "utf-8")
    if right:
        assert load_settings(path).serve.lines[0].uuids == {key: "echo"}
        return
    told = f'serve.lines[0].uuids = {{"{key}": "echo"}}: expected UUIDs or beginnings of one as keys'
    with pytest.raises(SettingsError, match=re.escape(told)):
        load_settings(path)
