"""Strategies for where a reply may stand when it is asked what comes next, with any settings, at any speed."""

from __future__ import annotations

import attrs
from hypothesis import strategies as st

from orchestrator.settings import SpeechSettings
from orchestrator.slot.pace import Pace
from orchestrator.speech.chunking import ReplyText
from orchestrator.speech.portions import Situation, Sparing

words = st.sampled_from(["an", "bee", "lake", "under", "window", "another", "seven"])
clauses = st.lists(words, min_size=1, max_size=8).map(" ".join)
sentences = st.lists(clauses, min_size=1, max_size=6).map(lambda parts: ", ".join(parts).capitalize() + ". ")
endings = st.sampled_from(["", "", "", "👋"])
"""What is in a text but not said."""
proses = st.tuples(st.lists(sentences, min_size=1, max_size=8).map("".join), endings).map("".join)
paces = st.builds(
    Pace,
    ttfb=st.floats(0.01, 1),
    rtf=st.floats(0.01, 1.5),
    seconds_per_character=st.floats(0.03, 0.15),
    pieces=st.integers(0, 2),
)
choices = st.builds(
    SpeechSettings,
    look_ahead=st.floats(1, 12),
    piece_characters=st.integers(40, 300),
    least_characters=st.integers(1, 30),
    join=st.booleans(),
    split=st.booleans(),
)
aheads = st.just(0.0) | st.floats(0, 14)
rooms = st.just(float("inf")) | st.floats(0, 3)
leisures = st.just(0.0) | st.floats(0.01, 0.4)


def reply_for(settings: SpeechSettings, *deltas: str, finish: bool = False) -> ReplyText:
    """Return a reply's text as calls make it."""
    text = ReplyText(least_characters=settings.least_characters, most_characters=settings.piece_characters)
    for delta in deltas:
        text.feed(delta)
    if finish:
        text.finish()
    return text


@st.composite
def situations(draw: st.DrawFn, settings: SpeechSettings, *, begun: bool) -> Situation:
    """Return where a reply of ordinary words stands, before the grant: some of it came, some was asked for."""
    whole, missing = draw(proses), draw(st.just(0) | st.integers(1, 60))
    text = reply_for(settings, whole[:-missing] if missing else whole, finish=not missing)
    start = 0
    for _ in range(draw(st.integers(0, 3))):
        piece = text.first_piece(start)
        start = piece.end if piece is not None and piece.end < text.length else start
    full = draw(st.floats(0, 1.2) | st.floats(0.8, 1.0))
    return Situation(
        text=text,
        start=start,
        begun=begun,
        ahead=full * settings.look_ahead if begun else 0.0,
        leisure=draw(leisures),
        since_ready=draw(st.floats(0, 1)),
    )


Case = tuple[Sparing, Situation, SpeechSettings, Pace]


@st.composite
def cases(draw: st.DrawFn, /, **chosen: bool) -> Case:
    """Return portions, a situation to ask them about, and what they know; `begun`, `join` and `split` may be chosen."""
    begun = chosen.pop("begun") if "begun" in chosen else draw(st.booleans())
    settings, pace = attrs.evolve(draw(choices), **chosen), draw(paces)
    return Sparing(settings, pace), draw(situations(settings, begun=begun)), settings, pace
