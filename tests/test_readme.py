"""Claims about README.md: the configurations that it shows are ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.dialogue.bot_loading import load_bot
from orchestrator.port.routes import AUDIO_ECHO, bots_of
from orchestrator.settings_file import load_settings

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```toml\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_there_are_configurations() -> None:
    """The pattern finds them."""
    assert len(BLOCKS) >= 2


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_each_configuration_loads_and_its_bots_exist(block: str, tmp_path: Path) -> None:
    """With their options; what has to be filled in (keys, accounts) is not looked at."""
    path = tmp_path / "talkingstick.toml"
    path.write_text(block, "utf-8")
    settings = load_settings(path)
    wanted = [(settings.bot.use, settings.bot.options)]
    wanted += [(bot.name, dict(bot.options)) for line in settings.serve.lines for bot in bots_of(line, settings.bot)]
    for name, options in wanted:
        assert name == AUDIO_ECHO or load_bot(name, options).name == name
