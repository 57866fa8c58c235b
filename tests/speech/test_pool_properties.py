"""DESIGN 5.1: whoever is cancelled wherever, the provider never sees one request too many and no slot is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import pytest
import trio
from attrs import define, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.ports import Complete
from simulations.waves.server import WavesServer
from tests.simulations.waves.peer import provider
from tests.speech.wire import Account, connected, in_virtual_time, request

TEXT = "abcd efghi jk"


@define(eq=False)
class Blow(trio.abc.Instrument):
    """Cancels `scope` at the task's step number `step`: before it runs, as what it waited for came, or just after."""

    task: trio.lowlevel.Task
    scope: trio.CancelScope
    step: int
    before: bool
    taken: int = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task:
            self.taken += 1
            if self.before and self.taken == self.step:
                self.scope.cancel()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task and not self.before and self.taken == self.step:
            self.scope.cancel()


@contextmanager
def cancelled_at(step: int, *, before: bool) -> Iterator[trio.CancelScope]:
    """Cancel the block at the calling task's step number `step` from here."""
    with trio.CancelScope() as scope:
        blow = Blow(trio.lowlevel.current_task(), scope, step, before)
        trio.lowlevel.add_instrument(blow)
        try:
            yield scope
        finally:
            trio.lowlevel.remove_instrument(blow)


@frozen
class Setup:
    """What the provider does and what our side believes of it."""

    close: bool = True
    reuse: str = "auto"
    slots: int = 1
    settle: float = 0.05
    rtf: float = 0.1
    clamp: bool = False
    """Whether `complete` comes 4 s late; then slots are freed by quiet."""

    def server(self) -> WavesServer:
        """Return the provider."""
        return provider(
            slots=self.slots,
            close_after_complete=self.close,
            settle=self.settle,
            rtf=self.rtf,
            chunk_ms=100.0,
            clamp_backoff=self.clamp,
        )

    @asynccontextmanager
    async def connected(self, server: WavesServer) -> AsyncIterator[Account]:
        """Run an account at the provider."""
        freed_by = "quiet" if self.clamp else "complete"
        links = 5 * self.slots
        async with connected(
            server, slots=self.slots, links=links, link_reuse=self.reuse, slot_freed_by=freed_by
        ) as account:
            yield account


setups = pytest.mark.parametrize(
    "setup",
    [
        Setup(close, reuse, clamp=clamp)
        for close in (True, False)
        for reuse in ("auto", "never")
        for clamp in (False, True)
    ],
)


async def check_whole(setup: Setup, server: WavesServer, account: Account) -> None:
    """Check the provider's books, and that as many as there are slots are served at the same time at once."""
    await trio.sleep(5)
    queue = account.scheduler.queue
    assert (queue.granted, queue.waiting, server.snapshot()["in_flight"]) == (0, 0, 0)
    async with trio.open_nursery() as nursery:
        for number in range(setup.slots):
            nursery.start_soon(_check_served, account, f"last-{number}")
        await trio.sleep(0.01)
        assert queue.granted == setup.slots
    books = server.snapshot()
    assert books["max_in_flight"] <= setup.slots
    assert books["refused_concurrency"] == books["refused_links"] == books["errors"] == 0
    assert books["max_open"] <= books["links"]


async def _check_served(account: Account, name: str) -> None:
    with trio.fail_after(5):
        frames = await account.speak(TEXT, name=name)
    assert frames[-1] == Complete(name)
    assert {frame.id for frame in frames} == {name}


async def _check_served_after(seconds: float, account: Account) -> None:
    await trio.sleep(seconds)
    await _check_served(account, "next")


async def cancel_at(setup: Setup, step: int, *, before: bool) -> bool:
    """Cancel one piece at one step of its borrower; return whether it was still going on."""
    server = setup.server()
    async with setup.connected(server) as account:
        await account.pool.wait_ready()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_check_served_after, 0.001, account)
            with cancelled_at(step, before=before) as scope:
                await account.speak(TEXT)
        await check_whole(setup, server, account)
    return scope.cancelled_caught


@setups
@pytest.mark.parametrize("before", [True, False])
def test_a_cancel_at_any_checkpoint_of_a_piece_loses_nothing(setup: Setup, before: bool) -> None:
    """Each of a borrower's steps in turn, from joining the queue to the last frame; another already waits behind it."""
    ends = []

    async def at(step: int) -> None:
        ends.append(await cancel_at(setup, step, before=before))

    while not ends or ends[-1]:
        in_virtual_time(partial(at, len(ends) + 1))
    assert len(ends) > 8  # slot, link, frames: it is really cut at many places


@frozen
class Borrower:
    """A call that asks for pieces one after the other, each cut at a step, or after a time, or never."""

    starts: float
    cuts: list[tuple[int, bool] | float | None]


borrowers = st.builds(
    Borrower,
    st.floats(0, 0.5),
    st.lists(st.none() | st.floats(0, 1.2) | st.tuples(st.integers(1, 24), st.booleans()), min_size=1, max_size=3),
)


async def borrow(borrower: Borrower, account: Account, *, name: str) -> None:
    """Ask for the borrower's pieces; whatever it gets must be its own, and in the end complete where it was not cut."""
    await trio.sleep(borrower.starts)
    for number, cut in enumerate(borrower.cuts):
        piece = f"{name}-{number}"
        if isinstance(cut, tuple):
            with cancelled_at(cut[0], before=cut[1]):
                await _take(account, name=piece)
        else:
            with trio.move_on_after(float("inf") if cut is None else cut):
                await _take(account, name=piece)


async def _take(account: Account, *, name: str) -> None:
    async with account.borrowed(name) as (lease, grant), lease.ask(request(TEXT, name=name), grant) as frames:
        async for frame in frames:
            assert frame.id == name


@given(
    st.builds(
        Setup,
        st.booleans(),
        st.sampled_from(("auto", "never")),
        st.integers(1, 2),
        st.sampled_from((0.0, 0.05, 0.09)),
        st.sampled_from((0.0, 0.1, 0.9)),
        st.booleans(),
    ),
    st.lists(borrowers, min_size=1, max_size=5),
)
@settings(max_examples=25, deadline=None)
def test_several_borrowers_cut_anywhere_lose_nothing(setup: Setup, crowd: list[Borrower]) -> None:
    """Any slots, both ways of links and of freeing, any mix of cuts, a provider that settles sooner than we assume."""

    async def scenario() -> None:
        server = setup.server()
        async with setup.connected(server) as account:
            async with trio.open_nursery() as nursery:
                for number, borrower in enumerate(crowd):
                    nursery.start_soon(partial(borrow, borrower, account, name=f"call-{number}"))
            await check_whole(setup, server, account)

    in_virtual_time(scenario)
