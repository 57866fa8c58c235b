"""Keeps what a bot's code does to itself: whatever it raises is its own trouble, and it ends soon after it is told to.

What becomes of that trouble is the callers'.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import trio

from orchestrator.errors import TalkingstickError

GRACE = 0.3
"""Seconds that a bot has to finish what it is at once it is cancelled: Ctrl-C must not wait longer."""

_ENDS = (trio.Cancelled, KeyboardInterrupt)


def part(error: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Part an error into what must go on to whoever cancelled or interrupted us, and the trouble that is left."""
    if isinstance(error, BaseExceptionGroup):
        return error.split(_ENDS)
    return (error, None) if isinstance(error, _ENDS) else (None, error)


@contextmanager
def bot_code(kind: type[TalkingstickError], prefix: str = "") -> Iterator[None]:
    """Raise a `kind` for whatever the body raises, be it no Exception or one in a group; a cancellation goes first."""
    try:
        yield
    except kind:
        raise
    except BaseException as error:  # sys.exit(), asyncio's CancelledError, a GeneratorExit that a nursery wrapped
        passing, trouble = part(error)
        if passing is not None:
            raise passing from passing.__cause__
        assert trouble is not None
        raise kind(f"{prefix}{type(trouble).__name__}: {trouble}") from trouble


@asynccontextmanager
async def grace(seconds: float = GRACE) -> AsyncIterator[trio.CancelScope]:
    """Let the body go on for `seconds` after its task is cancelled, then cancel it in the scope that this gives.

    The body raises nothing.
    """
    patience = trio.CancelScope(shield=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_hurry, patience, seconds)
        with patience:
            yield patience
        nursery.cancel_scope.cancel()


async def _hurry(patience: trio.CancelScope, seconds: float) -> None:
    try:
        await trio.sleep_forever()
    finally:
        patience.deadline = trio.current_time() + seconds
