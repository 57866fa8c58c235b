"""Says what a reader wants to know of an event, in a line of words; when it is shown is table.py's."""

from __future__ import annotations

from orchestrator.events import (
    BackedOff,
    BargedIn,
    BotFailed,
    CallEnded,
    CallerHungUp,
    CallerTurnEnded,
    CallEvent,
    CallFailed,
    CallQueued,
    CallRefused,
    CallStarted,
    DrainStarted,
    Event,
    LinkFailed,
    PhraseFailed,
    PlacesChanged,
    ProviderRefused,
    ReplyEnded,
    RunEnded,
    RungTaken,
    RunStarted,
    SettingsReloaded,
    SlotFreedByChanged,
    SlotGranted,
    StandingChanged,
    TaskBlocked,
)

LATE_SECONDS = 0.2
"""A line tells of a first piece that waited longer than this."""
_RUNGS = {
    "cache": "from the cache",
    "filler": "a filler while it waits",
    "noise": "comfort noise while it waits",
    "brief": "its brief variant",
    "local_voice": "in the local voice",
    "apology": "an apology in its place",
}
_STANDINGS = {
    "up": "the provider answers",
    "doubtful": "the provider is in doubt",
    "out": "the provider is out",
    "final": "the provider refuses for good",
}
_NO_PLACE = {"full": "no place for it", "waited": "waited too long for a place", "draining": "we are closing down"}


def line_of(event: Event) -> str | None:
    """Return what a plain line says of the event, without its time and call; None for what is too small to tell."""
    match event:
        case RunStarted():
            return f"{event.calls} calls begin"
        case RunEnded():
            return f"the run is over: {event.reason}"
        case LinkFailed():
            return f"a link could not be opened: {event.error}"
        case ProviderRefused():
            return f"the provider refused ({event.kind}): {event.error}"
        case TaskBlocked():
            who = event.task if event.call is None else f"{event.bot} in call {event.call}"
            return f"{who} kept the loop for {event.seconds:.2f} s"
        case CallEvent():
            return _line_of_call(event)
    return _line_of_account(event) or _line_of_house(event)


def _line_of_account(event: Event) -> str | None:
    match event:
        case BackedOff():
            again = f", refusal {event.in_a_row} in a row" if event.in_a_row > 1 else ""
            return f"nobody asks the provider for {event.seconds:.2f} s ({event.kind}{again})"
        case StandingChanged():
            why = f": {event.error}" if event.error else ""
            return f"{_STANDINGS[event.standing]}{why}"
        case SlotFreedByChanged():
            return (
                f"the provider says complete {event.trailed:.1f} s after the sound: taken as done when it is quiet"
                f' (provider.slot_freed_by = "{event.by}")'
            )
        case PhraseFailed():
            return f"a phrase could not be kept: {event.error}"
    return None


def _line_of_house(event: Event) -> str | None:
    match event:
        case PlacesChanged():
            fewer = f", {event.fitting} by the table" if event.places != event.fitting else ""
            wait = f", p95 wait {event.p95_wait:.2f} s" if event.p95_wait is not None else ""
            return f"{_calls(event.places)} fit{'s' * (event.places == 1)}{fewer}{wait}"
        case DrainStarted():
            return f"no new calls; {_calls(event.calls)} may take {event.within:.0f} s to end"
        case SettingsReloaded():
            later = f"; at the next start: {event.need_restart}" if event.need_restart else ""
            return f"settings read again: {event.changed or 'nothing changed'}{later}"
    return None


def _calls(number: int) -> str:
    return f"{number} call{'s' * (number != 1)}"


def _line_of_call(event: CallEvent) -> str | None:
    match event:
        case CallStarted():
            return f"answered by {event.bot}"
        case CallerTurnEnded():
            return f"the caller spoke for {event.spoke:.1f} s"
        case SlotGranted(first=True, wait=wait) if wait is not None and wait > LATE_SECONDS:
            return f"got the slot after {wait:.2f} s"
        case RungTaken():
            return f"reply {event.reply}: {_RUNGS.get(event.rung, event.rung)}"
        case BargedIn():
            return "the caller interrupted"
        case CallQueued():
            return f"waits for a place, {event.waiting} in the queue"
        case CallRefused():
            why = _NO_PLACE.get(event.reason, event.reason)
            return f"refused: {why} ({_calls(event.calls)}, {event.places} places)"
        case ReplyEnded() if event.words:
            return f"reply {event.reply}: {event.words_heard} of {event.words} words heard"
        case CallerHungUp():
            return "the caller hung up"
        case BotFailed():
            return f"its bot failed in {event.hook}: {event.error}"
        case CallFailed():
            return f"failed: {event.error}"
        case CallEnded():
            return f"ended after {event.seconds:.1f} s ({event.reason})"
    return None
