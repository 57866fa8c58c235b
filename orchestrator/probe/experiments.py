"""The experiments of a probe, in their order: each asks an account for as little as shows one thing; what it means is
findings.py's, which texts and how many plan.py's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from orchestrator.errors import FaultKind, ProviderFault
from orchestrator.ports import Dial, VoiceCodec
from orchestrator.probe.account import Account, GivenUp, try_open
from orchestrator.probe.asking import ProbeCodec
from orchestrator.probe.counting import maybe_more_slots
from orchestrator.probe.line import Line, LineState
from orchestrator.probe.looks import try_backoff, try_context
from orchestrator.probe.plan import LINKS_PER_SLOT, LONGER, MOST_ROUNDS, SHORT, Budget
from orchestrator.probe.seen import Asked, Links, Round, Seen, Try
from orchestrator.settings import ProviderSettings

WITHIN = 55.0
"""Seconds that all of it takes at most."""
DELAYS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""Seconds after requests were cut at which another is asked, until one is served."""

_REFUSED_WITHIN = 0.15
"""Seconds in which a WebSocket is refused after it was opened, or twice as long as it took to open."""
_APART = 4.0
"""Seconds before a third round: others may be done by then."""


async def probe(
    dial: Dial, codec: VoiceCodec, *, settings: ProviderSettings, most_slots: int, tell: Callable[[str], None]
) -> Seen:
    """Find out about an account, the search for slots going up to `most_slots`; `tell` gets lines of progress.

    Raises ProviderFault where nothing at all can be seen: no WebSocket, a refused key, a request that is never served.
    """
    seen, began, failure = Seen(most_slots=most_slots), trio.current_time(), None
    async with trio.open_nursery() as nursery:
        account = Account(
            nursery=nursery,
            dial=dial,
            codec=ProbeCodec(codec),
            settings=settings,
            budget=Budget.of(most_slots),
            seen=seen,
            tell=tell,
        )
        try:
            await _look_at_all(account)
        except ProviderFault as fault:  # outside of the nursery it is one error, not a group
            failure = fault
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
    seen.seconds = trio.current_time() - began
    return seen


Experiment = Callable[[Account], Awaitable[None]]


async def _look_at_all(account: Account) -> None:
    """Do the experiments one after the other. What can't be asked is left out, links cost no request."""
    seen = account.seen
    with trio.move_on_after(WITHIN) as whole:
        for experiment in EXPERIMENTS:
            if seen.given_up and experiment is not count_links:
                continue
            try:
                await experiment(account)
            except (GivenUp, ProviderFault) as reason:
                if not seen.alone:
                    raise _nothing_seen(reason) from None
                seen.given_up = seen.given_up or str(reason)
                seen.given_up_kind = seen.given_up_kind or reason.kind
                account.tell(f"broken off: {reason}")
    if whole.cancelled_caught:
        if not seen.alone:
            raise ProviderFault(FaultKind.RETRY, f"no request was served to its end within {WITHIN:g} s")
        seen.given_up = seen.given_up or f"{WITHIN:g} s are over"


def _nothing_seen(reason: GivenUp | ProviderFault) -> ProviderFault:
    return reason if isinstance(reason, ProviderFault) else ProviderFault(reason.kind or FaultKind.RETRY, str(reason))


# --- speed, slots, links ---


async def measure_speed(account: Account) -> None:
    """A short text and a longer one, each alone."""
    for characters in (SHORT, LONGER):
        asked = await account.speak_alone(characters)
        account.tell(f"{characters} characters: first byte after {asked.ttfb:.3f} s, {asked.sound:.1f} s of sound")


async def find_slots(account: Account) -> None:
    """One round; then what refuses is known for once."""
    found = await _round(account)
    account.seen.rounds.append(found)
    after = f", another one served {found.tries[-1].after:.2f} s after they were cut" if found.tries else ""
    account.tell(f"{found.held} at a time, then: {found.refusal or found.limited or 'none was refused'}{after}")


async def find_slots_again(account: Account) -> None:
    """A second round where a request was refused, a third one where others may hold slots.

    Where more was served now, others held slots at first: what was concluded from that is looked at again.
    """
    seen = account.seen
    while seen.rounds[0].refusal and len(seen.rounds) < MOST_ROUNDS:
        if len(seen.rounds) > 1:
            if not maybe_more_slots(seen):
                break
            await trio.sleep(_APART)
        await find_slots(account)
    if max(one.held for one in seen.rounds) > seen.rounds[0].held:
        seen.backoff.clear()
        seen.context.clear()
        for experiment in (count_links, try_backoff, try_context):
            await experiment(account)


async def _round(account: Account) -> Round:
    """Start requests one beside the other until one is refused, cut them all, and ask until one is served again."""
    most, speed = account.seen.most_slots, account.speed
    text = partial(account.text, speed.characters_that_hold(most + 1))
    async with account.lines() as lines:
        held = [await account.begin_alone(lines, text())]
        refusal, limited = "", ""
        while not refusal and not limited and len(held) <= most:
            line = await try_open(account, lines)
            if isinstance(line, ProviderFault):
                limited = line.message
                break
            asked = account.ask(line, text())
            await account.wait_answered(line, asked)
            if asked.served:
                held.append((line, asked))
            else:
                refusal = _refusal_of(asked)
        now, ends = trio.current_time(), min(speed.ends(asked) for _, asked in held)
        overlapped = ends > now and not any(asked.over for _, asked in held)
        spare = await _spare(account, lines, but=[line for line, _ in held])
        await account.close([line for line, _ in held])
        account.note_cut()
        cut_at = trio.current_time()
        tries = await _ask_until_served(account, lines, spare=spare)
        return Round(
            held=len(held), refusal=refusal, limited=limited, overlapped=overlapped, ends=ends - cut_at, tries=tries
        )


def _refusal_of(asked: Asked) -> str:
    """Return what a refused request was told. Raises ProviderFault where none like it will ever be served."""
    if asked.fault is not None and asked.fault.kind in (FaultKind.FINAL, FaultKind.REQUEST):
        raise asked.fault
    return asked.fault.message if asked.fault else "`complete` without any sound"


async def _spare(account: Account, lines: list[Line], *, but: list[Line]) -> Line | None:
    """Return a WebSocket that is open and idle, a new one if need be; None where there is no room for it."""
    for line in lines:
        if line.is_open and line not in but:
            return line
    opened = await try_open(account, lines)
    return None if isinstance(opened, ProviderFault) else opened


async def _ask_until_served(account: Account, lines: list[Line], *, spare: Line | None) -> tuple[Try, ...]:
    """Ask for a short text at once and after growing delays, until it is served. Raises GivenUp."""
    cut_at, tries, asked = trio.current_time(), list[Try](), None
    for delay in DELAYS:
        await trio.sleep_until(cut_at + delay)
        line = spare if spare is not None and spare.is_open else await account.open(lines)
        asked = account.ask(line, account.text(SHORT))
        await account.wait_answered(line, asked)
        tries.append(Try(asked.at - cut_at, asked.served))
        if asked.served:
            await account.wait_end(line, asked)
            account.seen.alone.append(asked)
            return tuple(tries)
        spare = line
    fault = asked.fault if asked else None
    told = f": {fault.message}" if fault else ""
    raise GivenUp(f"refused for {DELAYS[-1]:g} s after all requests were cut{told}", fault.kind if fault else None)


async def count_links(account: Account) -> None:
    """Open WebSockets until one is refused, one more than is published for these slots at most, and close them."""
    seen = account.seen
    most = LINKS_PER_SLOT * min(max((one.held for one in seen.rounds), default=1), seen.most_slots) + 1
    refusal = ""
    async with account.lines() as lines:
        while not refusal and len(lines) < most:
            began = trio.current_time()
            line = await try_open(account, lines)
            if isinstance(line, ProviderFault):
                refusal = line.message
                break
            grace = max(_REFUSED_WITHIN, 2 * (trio.current_time() - began))
            if await line.wait(lambda line=line: line.state is not LineState.OPEN, within=grace):  # type: ignore[misc]
                refusal = str(line.fault or "closed at once")
                if line.fault is not None:
                    seen.refused_links.append(line.fault)
        links = sum(line.is_open for line in lines)
    seen.links = Links(open=links, refusal=refusal)
    account.tell(f"{links} WebSockets at a time, then: {refusal or 'none was refused'}")


EXPERIMENTS: tuple[Experiment, ...] = (
    measure_speed,
    find_slots,
    count_links,
    try_backoff,
    try_context,
    find_slots_again,
)
"""In their order: slots are looked for at the beginning and at the end, for others may hold some for a while."""
