"""Rules of calls and replies: what begins ends, once, and no word of a reply is lost."""

from __future__ import annotations

from attrs import Factory, define

from orchestrator.events import CallEnded, CallRefused, CallStarted, ReplyEnded, ReplyStarted
from simulations.rules.breaches import Breaches, Handlers

_CALLS = "a call does not begin and end once"
_REFUSED = "a call that is refused does not end so"
_REPLIES = "a reply does not begin and end once"
_WORDS = "words of a reply were lost or won"
_REFUSED_ENDS = ("refused", "caller", "run")
_OTHER_ENDS = ("caller", "bot", "run", "failure", "drained")


@define
class _Call:
    """A call that goes on, with its replies that began and have not ended, and when it was refused."""

    began: float
    replies: dict[int, float] = Factory(dict)
    refused_at: float | None = None


class CallRule:
    """Every call and every reply that begins ends; heard, cut and unspoken are all of a reply.

    A call that is refused has no reply from there on, and ends for that or because the caller or the run ended it.
    """

    def __init__(self, breaches: Breaches) -> None:
        self._breaches = breaches
        self._calls: dict[str, _Call] = {}

    def handlers(self) -> Handlers:
        """Return what is to be called with each event of a type."""
        return {
            CallStarted: self._start,
            CallRefused: self._refuse,
            CallEnded: self._end,
            ReplyStarted: self._start_reply,
            ReplyEnded: self._end_reply,
        }

    def finish(self) -> None:
        """The run is over: no call may go on."""
        for name, call in self._calls.items():
            self._breaches.tell(_CALLS, f"call {name} began at {call.began:.3f} s and never ended")
            self._check_replies(name, call)

    def _start(self, event: CallStarted) -> None:
        if event.call in self._calls:
            self._breaches.tell(_CALLS, f"call {event.call} began again at {event.at:.3f} s")
        self._calls[event.call] = _Call(event.at)

    def _refuse(self, event: CallRefused) -> None:
        call = self._calls.get(event.call)
        if call is None or call.refused_at is not None:
            why = "outside a call" if call is None else "again"
            self._breaches.tell(_REFUSED, f"call {event.call} was refused {why} at {event.at:.3f} s")
        else:
            call.refused_at = event.at

    def _end(self, event: CallEnded) -> None:
        call = self._calls.pop(event.call, None)
        if call is None:
            self._breaches.tell(_CALLS, f"call {event.call} ended at {event.at:.3f} s without going on")
            return
        self._check_replies(event.call, call)
        refused = call.refused_at is not None
        if event.reason not in (_REFUSED_ENDS if refused else _OTHER_ENDS):
            what = "was refused" if refused else "was not refused"
            self._breaches.tell(_REFUSED, f"call {event.call} {what} and ended as {event.reason} at {event.at:.3f} s")

    def _check_replies(self, name: str, call: _Call) -> None:
        for reply, began in call.replies.items():
            where = f"reply {reply} of call {name} began at {began:.3f} s and never ended"
            self._breaches.tell(_REPLIES, where)

    def _start_reply(self, event: ReplyStarted) -> None:
        call = self._calls.get(event.call)
        if call is None or call.refused_at is not None or event.reply in call.replies:
            why = "outside a call" if call is None else "again" if call.refused_at is None else "after its refusal"
            self._breaches.tell(_REPLIES, f"reply {event.reply} of call {event.call} began {why} at {event.at:.3f} s")
        else:
            call.replies[event.reply] = event.at

    def _end_reply(self, event: ReplyEnded) -> None:
        call = self._calls.get(event.call)
        if call is None or call.replies.pop(event.reply, None) is None:
            where = f"reply {event.reply} of call {event.call} ended at {event.at:.3f} s without going on"
            self._breaches.tell(_REPLIES, where)
        characters = (event.heard, event.cut, event.unspoken)
        words = (event.words_heard, event.words_cut, event.words_unspoken)
        for what, whole, parts in (("characters", event.characters, characters), ("words", event.words, words)):
            if sum(parts) != whole or min(parts) < 0:
                heard, cut, unspoken = parts
                where = f"reply {event.reply} of call {event.call}, ended at {event.at:.3f} s, had {whole} {what}:"
                self._breaches.tell(_WORDS, f"{where} {heard} heard, {cut} cut, {unspoken} unspoken")
