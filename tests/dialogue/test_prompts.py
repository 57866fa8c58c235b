"""Claims about prompts: in order, the apology first, and the wish to leave waits for the bot's own words only."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from orchestrator.dialogue.bot import Say
from orchestrator.dialogue.prompts import Prompt, Prompts


def test_prompts_come_in_order_except_for_what_is_put_first() -> None:
    """Then there is none."""
    prompts = Prompts()
    for hook in ("a", "b"):
        prompts.put(Prompt(hook))
    prompts.put_first(Prompt("c"))
    taken = [prompts.next_nowait() for _ in range(4)]
    assert [prompt and prompt.hook for prompt in taken] == ["c", "a", "b", None]


def test_who_wants_to_leave_says_its_own_words_and_answers_nothing_more() -> None:
    """Then it may leave."""
    prompts = Prompts()
    prompts.put(Prompt("reply"))
    prompts.put(Prompt("say", say=Say("goodbye")))
    prompts.leave(transfer_to="1")
    assert not prompts.may_leave
    assert prompts.next_nowait() == Prompt("say", say=Say("goodbye"))
    assert prompts.may_leave
    assert prompts.next_nowait() is None
    assert prompts.transfer_to == "1"


@pytest.mark.parametrize("news", ["put", "leave", "stir"])
async def test_news_wake_whoever_waits(news: str, autojump_clock: MockClock) -> None:
    """At once; without news, when the time is over."""
    prompts = Prompts()
    began = trio.current_time()
    assert not await prompts.wait_news(within=5)
    assert trio.current_time() - began == 5
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.testing.wait_all_tasks_blocked)
        nursery.start_soon(_later, lambda: prompts.put(Prompt("a")) if news == "put" else getattr(prompts, news)())
        assert await prompts.wait_news(within=5)
    assert trio.current_time() - began == 6


async def _later(do: object) -> None:
    await trio.sleep(1)
    assert callable(do)
    do()
