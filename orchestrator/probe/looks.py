"""Looks whether what says nothing holds a slot, a back-off before `complete` or an idle context: with all slots taken
by such requests, is another one refused? When it is looked at is experiments.py's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.probe.account import Account, try_open
from orchestrator.probe.counting import slots_of
from orchestrator.probe.findings import late_complete
from orchestrator.probe.line import Line
from orchestrator.probe.plan import SHORT
from orchestrator.probe.seen import Asked, Hold, Look

_BACKOFF, _LONGER_BACKOFF = 2.0, 6.0
"""Seconds by which `complete` is to come late where that is looked at; the longer where others use the account."""
_AGAIN = (0.5, 1.5, 3.5)
"""Seconds after which a request that was refused is asked again where others use the account: they may be done by
then, while what is looked at still holds its slots."""
_QUIET = 0.3
"""Seconds without sound after which all sound has come."""
_MOST_LOOKS = 2
"""Where others use the account; one that was disturbed counts."""
_NOT_FILLED = Look(Hold.UNSURE, "it is not known how many requests fill the account")


async def try_backoff(account: Account) -> None:
    """Whether a request is refused between the last sound of others and their `complete`."""
    await _look(account, _look_beside_backoff, looks=account.seen.backoff)
    account.tell(f"a back-off before `complete`, as to the slot: {account.seen.backoff[-1].hold.value}")


async def try_context(account: Account) -> None:
    """Whether a request is refused beside contexts that are open and have said everything."""
    await _look(account, _look_beside_contexts, looks=account.seen.context)
    account.tell(f"an idle context, as to the slot: {account.seen.context[-1].hold.value}")


async def _look(account: Account, experiment: Callable[[Account, int], Awaitable[Look]], *, looks: list[Look]) -> None:
    """Look until it is clear: one that was served shows a free slot, one that was refused may be others' doing."""
    slots = slots_of(account.seen)
    if slots is None:
        looks.append(_NOT_FILLED)
        return
    while len(looks) < _MOST_LOOKS:
        look = await experiment(account, slots)
        if look.hold is not Hold.FREE and not look.reason:
            await account.speak_alone()  # is served where it was our own doing
        looks.append(look)
        if look.hold is Hold.FREE or look.reason or (look.hold is Hold.HELD and not account.seen.refused_alone):
            return


Pair = tuple[Line, Asked]


async def _look_beside_backoff(account: Account, slots: int) -> Look:
    backoff = _LONGER_BACKOFF if account.seen.refused_alone else _BACKOFF
    backoff = 0.0 if late_complete(account.seen) else backoff
    async with account.lines() as lines:
        pairs = await _fill(account, lines, slots=slots, ask=partial(account.ask, backoff=backoff))
        if isinstance(pairs, Look):
            return pairs
        for line, asked in pairs:
            while not asked.over and trio.current_time() < asked.last_sound_at + _QUIET:
                await line.wait(lambda asked=asked: asked.over, within=_QUIET)  # type: ignore[misc]
        if any(asked.over for _, asked in pairs):
            return Look(Hold.UNSURE, f"`complete` came at once although it was to come {backoff:g} s late")
        look = await _ask_one_more(account, lines, pairs=pairs)
        for line, asked in pairs:
            await account.wait_end(line, asked)
        return look


async def _look_beside_contexts(account: Account, slots: int) -> Look:
    async with account.lines() as lines:
        pairs = await _fill(account, lines, slots=slots, ask=partial(account.ask, context=True))
        if isinstance(pairs, Look):
            return pairs
        for line, asked in pairs:
            await account.wait_end(line, asked)
            await line.wait(lambda line=line: not line.is_open, within=_QUIET)  # type: ignore[misc]
        if not all(line.is_open for line, _ in pairs):
            return Look(Hold.UNSURE, "the WebSocket was closed although its context was open")
        look = await _ask_one_more(account, lines, pairs=pairs, idle=True)
    account.note_cut()
    return look


async def _fill(
    account: Account, lines: list[Line], *, slots: int, ask: Callable[[Line, str], Asked]
) -> list[Pair] | Look:
    """Ask for a short text over so many WebSockets at once, one more being open; say why that fails."""
    await account.wait_settled()
    for _ in range(slots + 1):
        if isinstance(refusal := await try_open(account, lines), ProviderFault):
            return Look(Hold.UNSURE, f"too few WebSockets: {refusal.message}")
    pairs = [(line, ask(line, account.text(SHORT))) for line in lines[:slots]]
    for line, asked in pairs:
        await account.wait_answered(line, asked)
    refused = [asked.fault for _, asked in pairs if asked.fault is not None and not asked.served]
    if any(fault.kind is FaultKind.REQUEST for fault in refused):
        return Look(Hold.UNSURE, refused[0].message)
    if refused:
        account.seen.refused_alone += 1
        return Look(Hold.UNSURE)
    return pairs


async def _ask_one_more(account: Account, lines: list[Line], *, pairs: list[Pair], idle: bool = False) -> Look:
    """Ask for a short text beside requests that may hold all slots, as long as they do so (`idle`: contexts)."""
    began, refusals = trio.current_time(), 0
    for delay in (0.0, *(_AGAIN if account.seen.refused_alone else ())):
        await trio.sleep_until(began + delay)
        line = lines[-1] if lines[-1].is_open else await account.open(lines)
        asked = account.ask(line, account.text(SHORT))
        await account.wait_answered(line, asked)
        if asked.served:
            await account.wait_end(line, asked)
            return Look(Hold.FREE)
        if not all(line.is_open and (idle or not other.over) for line, other in pairs):
            break
        refusals += 1
    return Look(Hold.HELD, refusals=refusals) if refusals else Look(Hold.UNSURE)
