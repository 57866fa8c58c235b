"""What a caller's ear makes of a call, pure: answers, gaps, late frames, how soon a bot falls silent."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import islice, zip_longest

from attrs import frozen

from simulations.carriers.line import Line, Turn
from simulations.carriers.playback import Dry

PAUSE_SECONDS = 0.3
"""Silence that makes the next sound a beginning, and after which an interrupted bot counts as silent: longer than the
gaps between words, shorter than most answers take."""
GAP_SECONDS = 0.1
"""Longer is a gap, as DESIGN.md counts them; shorter, the frame was late."""
LATE_SECONDS = 0.005
"""A frame that comes less late is in time: networks are no more exact."""
REPLY_SECONDS = 2.0
"""A buffer that was empty for longer held one reply and then another: no gap."""
STOPS_WITHIN = 5.0
"""A bot that has not fallen silent so many seconds after it was interrupted does not stop for the caller."""

_ROUNDING = 1e-6

Span = tuple[float, float]


@frozen(kw_only=True)
class Heard:
    """What was measured of one call; times in seconds.

    `responses`: end of the caller's sound to the beginning of the bot's. `barge_ins`: beginning of the caller's sound
    to the last of the bot's, where the bot was sounding; None where it did not stop. `dry`: silence inside replies
    because nothing had come, late frames included.
    """

    responses: Sequence[float]
    unanswered: int
    barge_ins: Sequence[float | None]
    dry: Sequence[float]
    dropped_frames: int

    @property
    def gaps(self) -> int:
        """How many silences are gaps."""
        return sum(seconds > GAP_SECONDS for seconds in self.dry)

    @property
    def late_frames(self) -> int:
        """How many are only late frames."""
        return len(self.dry) - self.gaps


def measure(line: Line, *, ended: float, patience: float) -> Heard:
    """Return what the caller heard; turns younger than `patience` seconds at the end need no answer."""
    playback = line.carrier.playback
    sounds = [(start, min(end, ended)) for start, end in playback.sounds if start < ended]
    spoken = [(turn.began, turn.ended) for turn in line.turns if turn.began is not None and turn.ended is not None]
    answers = [_answer(sounds, turn, following=following) for turn, following in zip_longest(spoken, spoken[1:])]
    followed = [turn for turn, answer in zip(spoken, answers, strict=True) if answer is None]
    return Heard(
        responses=[answer for answer in answers if answer is not None],
        unanswered=sum(ended - turn_ended > patience for _, turn_ended in followed),
        barge_ins=_barge_ins(line.turns, sounds, ended=ended),
        dry=_inside_replies(playback.dry, spoken, clears=playback.clears),
        dropped_frames=round(playback.dropped / 0.02),
    )


def _answer(sounds: Sequence[Span], turn: Span, *, following: Span | None) -> float | None:
    """Return how long the bot took to begin after a turn, before the next one; None where it did not."""
    _, ended = turn
    until = float("inf") if following is None else following[0]
    place = bisect_left(sounds, ended, key=_beginning)
    silent_since = sounds[place - 1][1] if place else float("-inf")
    for start, end in islice(sounds, place, None):
        if start >= until:
            break
        if start - silent_since >= PAUSE_SECONDS:
            return start - ended
        silent_since = end
    return None


def _barge_ins(turns: Sequence[Turn], sounds: Sequence[Span], *, ended: float) -> list[float | None]:
    found: list[float | None] = []
    for turn in turns:
        if turn.interrupts and turn.began is not None and _is_sounding(sounds, turn.began):
            stopped = _last_sound(sounds, turn.began)
            if ended - turn.began >= STOPS_WITHIN or ended - stopped >= PAUSE_SECONDS:
                latency = stopped - turn.began
                found.append(latency if latency <= STOPS_WITHIN else None)
    return found


def _is_sounding(sounds: Sequence[Span], at: float) -> bool:
    place = bisect_right(sounds, at, key=_beginning)
    return place > 0 and sounds[place - 1][1] > at


def _last_sound(sounds: Sequence[Span], since: float) -> float:
    """Return the end of the sound that goes on at `since` without a pause."""
    last = since
    for start, end in islice(sounds, max(0, bisect_right(sounds, since, key=_beginning) - 1), None):
        if start - last >= PAUSE_SECONDS:
            break
        last = max(last, end)
    return last


def _inside_replies(dry: Sequence[Dry], spoken: Sequence[Span], *, clears: Sequence[float]) -> list[float]:
    """Return the lengths of silences without the caller's word, a clear, or a new reply between."""
    cuts = [*spoken, *((at, at) for at in clears)]
    cuts.sort()
    return [each.seconds for each in dry if LATE_SECONDS < each.seconds <= REPLY_SECONDS and not _overlaps(cuts, each)]


def _overlaps(cuts: Sequence[Span], dry: Dry) -> bool:
    """Say whether any of the spans, ordered and apart but for clears, touches the silence."""
    place = bisect_right(cuts, dry.at + dry.seconds, key=_beginning)
    return any(end >= dry.at - _ROUNDING for _, end in cuts[max(0, place - 3) : place])


def _beginning(span: Span) -> float:
    return span[0]
