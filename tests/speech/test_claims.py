"""Who misses a phrase makes it alone: the others wait for it, whatever is cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.speech.kept import Told, at_each_checkpoint, key, opened, phrase


async def make(told: Told, log: list[str], name: str, *, takes: float = 1.0, fails: bool = False) -> None:
    """Want the phrase, make it if need be, and note which of both it was."""
    async with told.cache.claim(key()) as claim:
        if claim.phrase is not None:
            log.append(f"{name} has it at {trio.current_time():g}")
            await trio.sleep(10)  # to play it: nobody waits for that
            return
        log.append(f"{name} makes it")
        await trio.sleep(takes)
        if not fails:
            await claim.store(phrase())


@asynccontextmanager
async def wanted_by(told: Told, log: list[str], **makers: dict[str, Any]) -> AsyncIterator[dict[str, trio.CancelScope]]:
    """Run makers in a fixed order; yield a scope for each."""
    scopes = {name: trio.CancelScope() for name in makers}

    async def scoped(name: str) -> None:
        with scopes[name]:
            await make(told, log, name, **makers[name])

    async with trio.open_nursery() as nursery:
        for name in makers:
            nursery.start_soon(scoped, name)
            await wait_all_tasks_blocked()
        yield scopes


async def test_concurrent_misses_of_a_phrase_are_made_once(autojump_clock: MockClock) -> None:
    """The others have it the moment that it is there, all of them."""
    told, log = opened(), list[str]()
    async with wanted_by(told, log, a={}, b={}, c={}):
        pass
    assert log == ["a makes it", "b has it at 1", "c has it at 1"]


async def test_whoever_fails_passes_the_claim_on(autojump_clock: MockClock) -> None:
    """In the order of coming; a cut is a failure, too, and who left the queue is passed over."""
    told, log = opened(), list[str]()
    async with wanted_by(told, log, a={"fails": True}, b={"takes": 100}, c={}, d={}) as scopes:
        await trio.sleep(0.5)
        scopes["c"].cancel()
        await trio.sleep(1)
        scopes["b"].cancel()
    assert log == ["a makes it", "b makes it", "d makes it"]
    assert told.cache.peek(key()) is not None


async def test_an_error_passes_the_claim_on_and_goes_to_its_own_task() -> None:
    """Nothing is left behind for the next."""
    told = opened()
    with pytest.raises(ZeroDivisionError):
        async with told.cache.claim(key()):
            raise ZeroDivisionError
    async with told.cache.claim(key()) as claim:
        assert claim.phrase is None
        assert await claim.store(phrase())


async def test_who_gives_way_does_so_the_moment_somebody_else_comes(autojump_clock: MockClock) -> None:
    """Also where somebody waited already; what is not inside goes on."""
    told, log = opened(), list[str]()
    async with trio.open_nursery() as nursery, told.cache.claim(key()) as claim:
        with claim.giving_way() as alone:
            await trio.sleep(1)
        assert not alone.cancelled_caught
        with claim.giving_way() as scope:
            nursery.start_soon(make, told, log, "b")
            await trio.sleep_forever()
        assert scope.cancelled_caught
        await wait_all_tasks_blocked()
        assert claim.awaited is True
        with claim.giving_way() as scope:
            await trio.sleep_forever()
        assert scope.cancelled_caught
        assert log == []
    assert log == ["b makes it"]


@pytest.mark.parametrize("first", [True, False])
def test_a_cancel_at_any_checkpoint_of_a_claim_loses_nothing(first: bool) -> None:
    """Whether it makes the phrase or waits for another's: the others get it, and no desk is left behind."""

    async def scenario(scope: trio.CancelScope) -> None:
        told, log = opened(), list[str]()

        async def cut() -> None:
            with scope:
                await make(told, log, "cut")

        async with trio.open_nursery() as nursery:
            for maker in (cut, None) if first else (None, cut):
                if maker is None:
                    nursery.start_soon(make, told, log, "other")
                else:
                    nursery.start_soon(maker)
                await wait_all_tasks_blocked()
            with trio.fail_after(30):
                async with told.cache.claim(key()) as claim:
                    if claim.phrase is None:
                        await claim.store(phrase())
        assert told.cache.peek(key()) == phrase()
        assert sum("other" in line for line in log) == 1
        assert told.cache._desks == {}

    assert at_each_checkpoint(scenario) >= 4
