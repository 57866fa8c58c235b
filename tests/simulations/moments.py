"""Single events without what a test does not care for: the call is "1" and the reply 1 unless it says otherwise."""

from __future__ import annotations

from typing import Any

from orchestrator import events as e


def began(at: float, *, call: str = "1", group: str | None = None) -> e.CallStarted:
    """A leg is answered."""
    return e.CallStarted(at=at, call=call, bot="bots.echo:Echo", leg="loopback", group=group)


def asked(at: float, *, call: str = "1", reply: int = 1) -> e.ReplyStarted:
    """The bot is asked for a reply."""
    return e.ReplyStarted(at=at, call=call, reply=reply, hook="reply", after_turn=reply)


def ready(at: float, *, call: str = "1", reply: int = 1) -> e.ReplyReady:
    """The reply holds its first clause."""
    return e.ReplyReady(at=at, call=call, reply=reply)


def joined(at: float, *, ticket: int = 1, first: bool = True, **key: Any) -> e.TicketJoined:
    """The reply asks for the slot."""
    return e.TicketJoined(at=at, ticket=ticket, need_by=at + 0.2, first=first, **_key(key))


def left(at: float, *, ticket: int = 1, waited: float = 0.0, **key: Any) -> e.TicketLeft:
    """The reply gives its place up."""
    return e.TicketLeft(at=at, ticket=ticket, first=True, waited=waited, **_key(key))


def granted(
    at: float, *, ticket: int = 1, wait: float | None = None, account: float = 0.0, first: bool = True, **key: Any
) -> e.SlotGranted:
    """The ticket gets the slot."""
    return e.SlotGranted(at=at, ticket=ticket, first=first, waited=wait or 0.0, wait=wait, account=account, **_key(key))


def freed(at: float, *, held: float, ticket: int = 1, call: str = "1", cause: str = "complete") -> e.SlotFreed:
    """The slot comes back."""
    return e.SlotFreed(at=at, call=call, ticket=ticket, held=held, cause=cause)


def first_audio(at: float, **key: Any) -> e.FirstAudioPlayed:
    """The reply's own sound begins."""
    return e.FirstAudioPlayed(at=at, **_key(key))


def first_word(at: float, **key: Any) -> e.FirstWordHeard:
    """The first word of any voice."""
    return e.FirstWordHeard(at=at, **_key(key))


def turn_over(at: float, *, spoke: float = 1.0, call: str = "1") -> e.CallerTurnEnded:
    """The caller falls silent."""
    return e.CallerTurnEnded(at=at, call=call, turn=1, spoke=spoke, characters=10)


def gapped(at: float, seconds: float, *, cause: e.GapCause = e.GapCause.SLOT, **key: Any) -> e.Gapped:
    """The playout runs dry."""
    return e.Gapped(at=at, seconds=seconds, cause=cause, **_key(key))


def rung(at: float, name: str, **key: Any) -> e.RungTaken:
    """The reply steps onto a rung."""
    return e.RungTaken(at=at, rung=name, **_key(key))


def rung_words(at: float, seconds: float, *, name: str = "filler", **key: Any) -> e.RungWords:
    """A filler, or words in the noise, begin to sound."""
    return e.RungWords(at=at, rung=name, seconds=seconds, **_key(key))


def local_voice(at: float, seconds: float, **key: Any) -> e.LocalVoiceSpoke:
    """The local voice speaks a part of the reply."""
    return e.LocalVoiceSpoke(at=at, name="espeak-ng", start=0, characters=20, seconds=seconds, **_key(key))


def piece_over(at: float, *, audio: float, **key: Any) -> e.PieceEnded:
    """The provider is done with a piece."""
    return e.PieceEnded(at=at, piece=1, cause="complete", audio=audio, seconds=0.5, **_key(key))


def join(at: float, gap: float) -> e.PiecesJoined:
    """One piece follows another."""
    return e.PiecesJoined(at=at, call="1", reply=1, gap=gap, cause=e.GapCause.SLOT if gap else None)


def piece(at: float, *, breaks: bool = False, **key: Any) -> e.PieceAsked:
    """A piece goes out."""
    facts: dict[str, Any] = {"piece": 1, "ticket": 1, "link": 1, "characters": 20, "start": 0, "first": True}
    return e.PieceAsked(at=at, breaks_sentence=breaks, **facts, **_key(key))


def over(at: float, *, heard: int = 0, cut: int = 0, unspoken: int = 0, **key: Any) -> e.ReplyEnded:
    """The reply ends, with so many words heard, cut and unspoken."""
    words = heard + cut + unspoken
    outcome = e.Outcome.CUT if cut else e.Outcome.UNSPOKEN if unspoken else e.Outcome.HEARD
    return e.ReplyEnded(
        at=at, outcome=outcome if words else e.Outcome.EMPTY,
        characters=6 * words, heard=6 * heard, cut=6 * cut, unspoken=6 * unspoken,
        words=words, words_heard=heard, words_cut=cut, words_unspoken=unspoken, **_key(key),
    )  # fmt: skip


def state(at: float, now: e.CallState, *, call: str = "1") -> e.CallStateChanged:
    """The call does something else."""
    return e.CallStateChanged(at=at, call=call, state=now)


def _key(given: dict[str, Any]) -> dict[str, Any]:
    return {"call": "1", "reply": 1, **given}
