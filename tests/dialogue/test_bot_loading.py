"""Claims about finding a bot: every way to be wrong is told before a caller meets it, by its cause."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bots.echo import Echo
from orchestrator import Bot
from orchestrator.dialogue.bot_loading import load_bot, speaks
from orchestrator.errors import BotLoadError
from tests.dialogue.wrong_bots import Good

HERE = "tests.dialogue.wrong_bots"


@pytest.mark.parametrize(
    ("name", "options", "reasons"),
    [
        (
            "nowhere.at_all:Bot",
            {},
            ["cannot import 'nowhere.at_all'", "ModuleNotFoundError: No module named 'nowhere'"],
        ),
        (":Bot", {}, ["cannot import ''"]),
        (f"{HERE}:Missing", {}, [f"module '{HERE}' has no class 'Missing'", "it has Coroutine, TooFew, Plain"]),
        (f"{HERE}:", {}, ["has no class ''"]),
        (f"{HERE}:a_function", {}, ["is not a class but <built-in function len>"]),
        (f"{HERE}:Coroutine", {}, ["reply(turn, talk) returns instead of yielding", "async generator with `yield`"]),
        (f"{HERE}:TooFew", {}, ["reply(turn, talk) cannot be called so: too many positional arguments"]),
        (f"{HERE}:Plain", {}, ["on_heard(heard) must be `async def` without `yield`"]),
        (f"{HERE}:Yields", {}, ["on_hang_up() must be `async def` without `yield`"]),
        (f"{HERE}:NoFunction", {}, ["opening(talk) cannot be called so", "is not a callable object"]),
        (f"{HERE}:Good", {}, ["cannot be made with the options []: missing a required argument: 'name'"]),
        (f"{HERE}:Good", {"name": "a", "nam": "b"}, ["options ['nam', 'name']", "unexpected keyword argument 'nam'"]),
        ("builtins:dict", {}, ["'builtins:dict' cannot be made"]),
        ("nobody", {}, ["neither package.module:Class nor one of the installed bots (appointments, echo, survey)"]),
    ],
)
def test_what_is_wrong_is_named(name: str, options: dict[str, Any], reasons: list[str]) -> None:
    """With the bot's name."""
    with pytest.raises(BotLoadError) as caught:
        load_bot(name, options)
    assert f"bot {name!r}" in str(caught.value)
    for reason in reasons:
        assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("body", "reason"),
    [("1 / 0", "ZeroDivisionError: division by zero"), ("raise SystemExit(5)", "SystemExit: 5"), ("(", "SyntaxError")],
)
def test_a_module_that_fails_while_it_is_imported_is_told(
    body: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it raises."""
    (tmp_path / "failing_bot.py").write_text(body)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(BotLoadError, match=reason):
        load_bot("failing_bot:Bot")


def test_a_bot_is_found_where_the_user_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed command does not look there by itself."""
    (tmp_path / "my_bot_here.py").write_text("class Mine:\n    pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    assert load_bot("my_bot_here:Mine").kind.__name__ == "Mine"
    del sys.modules["my_bot_here"]


def test_entry_points_and_modules_name_the_same_bot() -> None:
    """Options go to its constructor, one instance a call."""
    bot = load_bot("echo", {"name": "Eve"})
    assert bot.kind is Echo is load_bot("bots.echo:Echo").kind
    first, second = bot.make(), bot.make()
    assert first is not second
    assert first.name == "Eve"


def test_a_bot_speaks_in_the_hooks_of_its_own() -> None:
    """Those of the base class say nothing; without a base class, those that are there."""
    assert [speaks(Echo(), hook) for hook in ("opening", "reply", "on_silence")] == [True, True, False]
    assert [speaks(Good("a"), hook) for hook in ("opening", "reply")] == [False, True]
    assert not any(speaks(Bot(), hook) for hook in ("opening", "reply", "on_digits", "on_heard"))
