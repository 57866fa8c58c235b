"""Rules of the account: links within their limit and all closed, nothing left over, and books that tell one story."""

from __future__ import annotations

from collections import Counter

from orchestrator.errors import FaultKind
from orchestrator.events import LinkClosed, LinkOpened, PieceAsked, PieceEnded, ProviderRefused, SlotFreed
from orchestrator.speech.phrase_making import CALL as PHRASES
from simulations.rules.breaches import Breaches, Handlers
from simulations.world_events import WorldClosed

_TOO_MANY = "more sockets than the limit"
_LINKS = "a link does not open and close once"


class LinkRule:
    """Every link that opens is closed, and never are more than `links` open."""

    def __init__(self, breaches: Breaches, *, links: int) -> None:
        self._breaches = breaches
        self._links = links
        self._open: dict[int, float] = {}

    def handlers(self) -> Handlers:
        """Return what is to be called with each event of a type."""
        return {LinkOpened: self._open_link, LinkClosed: self._close_link}

    def finish(self) -> None:
        """The run is over: no link may be open."""
        for link, at in self._open.items():
            self._breaches.tell(_LINKS, f"link {link} opened at {at:.3f} s and never closed")

    def _open_link(self, event: LinkOpened) -> None:
        if event.link in self._open:
            self._breaches.tell(_LINKS, f"link {event.link} opened again at {event.at:.3f} s")
        self._open[event.link] = event.at
        if len(self._open) > self._links:
            where = f"{len(self._open)} of {self._links} at {event.at:.3f} s, link {event.link} the latest"
            self._breaches.tell(_TOO_MANY, where)

    def _close_link(self, event: LinkClosed) -> None:
        if self._open.pop(event.link, None) is None:
            self._breaches.tell(_LINKS, f"link {event.link} closed at {event.at:.3f} s without being open")


class BooksRule:
    """The provider's books keep the limits, agree with what the program told, and nothing outlives the run.

    `never_refused` says that the program has to know when the slot is free; where it may not, it is refused and learns.
    """

    def __init__(self, breaches: Breaches, *, never_refused: bool) -> None:
        self._breaches = breaches
        self._never_refused = never_refused
        self._asked = 0
        self._complete = 0
        self._refusals: Counter[str] = Counter()
        self._closed = False

    def handlers(self) -> Handlers:
        """Return what is to be called with each event of a type."""
        return {
            PieceAsked: self._ask,
            SlotFreed: self._free,
            PieceEnded: self._end,
            ProviderRefused: self._refuse,
            WorldClosed: self._close,
        }

    def finish(self) -> None:
        """The run is over: the books must have been shown."""
        if not self._closed:
            self._breaches.tell("the world was not closed", "no WorldClosed came")

    def _ask(self, event: PieceAsked) -> None:
        self._asked += 1

    def _free(self, event: SlotFreed) -> None:
        """Phrases are asked for without a word but that of the slot."""
        self._asked += event.call == PHRASES and event.cause != "unused"

    def _end(self, event: PieceEnded) -> None:
        self._complete += event.cause == "complete"

    def _refuse(self, event: ProviderRefused) -> None:
        self._refusals[event.kind] += 1

    def _close(self, event: WorldClosed) -> None:
        self._closed = True
        self._check_limits(event)
        self._check_rest(event)
        self._check_books(event)

    def _check_limits(self, event: WorldClosed) -> None:
        told = self._breaches.tell
        if event.max_in_flight > event.slots:
            told("more in flight than the limit", f"{event.max_in_flight} of {event.slots}, say the books")
        if event.max_open > event.links:
            told(_TOO_MANY, f"{event.max_open} of {event.links}, say the books")
        if self._never_refused and event.refused_concurrency:
            told("more in flight than the limit", f"{event.refused_concurrency} requests were refused, say the books")
        if event.refused_links:
            told(_TOO_MANY, f"{event.refused_links} were refused, say the books")

    def _check_rest(self, event: WorldClosed) -> None:
        rest = {"tasks": event.tasks, "sockets": event.sockets, "requests in flight": event.in_flight}
        for what, count in rest.items():
            if count:
                self._breaches.tell(f"{what} outlived the run", f"{count} left at {event.at:.3f} s")

    def _check_books(self, event: WorldClosed) -> None:
        """What the provider saw was asked for, and what the program had complete was served: cuts lie between."""
        kind, at = "the program's accounts and the books differ", f"at {event.at:.3f} s"
        seen = event.requests + event.refused_concurrency + event.refused_rate
        if seen > self._asked:
            self._breaches.tell(kind, f"{at}: {self._asked} pieces were asked for, the books have {seen} requests")
        if self._complete > event.requests:
            where = f"{at}: {self._complete} pieces came whole, the books have {event.requests} requests"
            self._breaches.tell(kind, where)
        refused = {FaultKind.CONCURRENCY: event.refused_concurrency, FaultKind.RATE: event.refused_rate}
        for fault, count in refused.items():
            if (told := self._refusals[fault.value]) > count:
                self._breaches.tell(kind, f"{at}: {told} refusals for {fault.value} were told, the books have {count}")
