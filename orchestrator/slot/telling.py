"""Tells as events what happens to a place in the queue for the slot; whoever grants slots calls it, and decides."""

from __future__ import annotations

from typing import Protocol

from orchestrator import events
from orchestrator.errors import ProviderFault
from orchestrator.ports import Ask
from orchestrator.slot.queue import Ticket


class QueuedPlace(Protocol):
    """What is told of: an `ask` with its `ticket`, queued up at `joined_at` (run clock)."""

    ask: Ask
    ticket: Ticket
    joined_at: float


def joined(place: QueuedPlace) -> events.TicketJoined:
    """The place was taken."""
    ask, ticket = place.ask, place.ticket
    return events.TicketJoined(
        at=place.joined_at,
        call=ask.call,
        reply=ask.reply,
        ticket=ticket.number,
        need_by=ticket.need_by,
        first=ask.first,
    )


def left(place: QueuedPlace, at: float) -> events.TicketLeft:
    """The place was given up without a grant."""
    ask, waited = place.ask, at - place.joined_at
    return events.TicketLeft(
        at=at, call=ask.call, reply=ask.reply, ticket=place.ticket.number, first=ask.first, waited=waited
    )


def granted(place: QueuedPlace, at: float) -> events.SlotGranted:
    """The slot was granted; the account is told as it was when the place was chosen: what follows is a guess so far."""
    ask, waited = place.ask, at - place.joined_at
    return events.SlotGranted(
        at=at,
        call=ask.call,
        reply=ask.reply,
        ticket=place.ticket.number,
        first=ask.first,
        waited=waited,
        wait=ask.since_ready + waited if ask.first else None,
        account=place.ticket.account.seconds - place.ticket.charge,
    )


def freed(place: QueuedPlace, at: float, *, held: float, cause: str) -> events.SlotFreed:
    """The slot came back after `held` seconds."""
    return events.SlotFreed(at=at, call=place.ask.call, ticket=place.ticket.number, held=held, cause=cause)


def backed_off(fault: ProviderFault, at: float, *, seconds: float, in_a_row: int) -> events.BackedOff:
    """The account was refused: nobody asks for so many seconds."""
    return events.BackedOff(at=at, kind=fault.kind.value, seconds=seconds, in_a_row=in_a_row)
