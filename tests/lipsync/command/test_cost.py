"""`talkingstick lipsync cost`: what the service says that a video costs; nothing is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from orchestrator.commands_lipsync import CostOptions
from orchestrator.errors import AvatarFault, SettingsError
from orchestrator.lipsync.command import run as command
from tests.lipsync.command.bench import open_bench, printed

Capture = pytest.CaptureFixture[str]


async def test_a_length_an_address_and_a_file_are_priced(tmp_path: Path, capsys: Capture) -> None:
    """The file stays here: the length of its sound counts."""
    async with open_bench(tmp_path) as bench:
        web: dict[str, Any] = {
            "video": "https://v.example/v.mp4?seconds=20",
            "audio": "https://v.example/a.mp3?seconds=7",
        }
        files: dict[str, Any] = {"video": str(tmp_path / "face.mp4"), "audio": str(tmp_path / "hello.wav")}
        assert await command.run(options=CostOptions(**bench.account, seconds=30.0, model="sync-3")) == 0
        assert await command.run(options=CostOptions(**bench.account, **web)) == 0
        assert await command.run(options=CostOptions(**bench.account, **files, json=True)) == 0
        with pytest.raises(AvatarFault, match="react-1"):
            await command.run(options=CostOptions(**bench.account, seconds=30.0, model="react-1"))
        assert bench.made() == 0
    by_length, by_address, by_file = capsys.readouterr().out.splitlines()
    assert by_length == "sync-3: 30.0 s, 900 frames: $3.8520"
    assert by_address == "lipsync-2: 7.0 s, 175 frames: $0.2800"
    found = printed(by_file)
    assert (found["model"], found["seconds"], found["frames"], found["credits"]) == ("lipsync-2", 12.0, 360, None)
    assert found["dollars"] > 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "expected --video and --audio, or --seconds"),
        ({"video": "a.mp4"}, "expected --video and --audio, or --seconds"),
        ({"video": "a.mp4", "audio": "a.wav", "seconds": 3.0}, "not both"),
        ({"video": "a.mp4", "audio": "none.wav"}, '"none.wav": can\'t be read'),
        ({"video": "a.mp4", "audio": "https://a.example/a.wav"}, "give both as URLs, or --seconds"),
    ],
)
async def test_wrong_use_asks_nobody(given: dict[str, Any], words: str) -> None:
    """It says what would be right."""
    with pytest.raises(SettingsError) as caught:
        await command.run(options=CostOptions(address="http://127.0.0.1:1", **given))
    assert words in str(caught.value)


async def test_a_service_that_is_not_there_is_told_at_once() -> None:
    """Nobody listens on the port."""
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))
        with trio.fail_after(5), pytest.raises(AvatarFault, match=r"can't be reached: 127\.0\.0\.1 port"):
            await command.run(options=CostOptions(address=f"http://127.0.0.1:{unused.getsockname()[1]}", seconds=3.0))
