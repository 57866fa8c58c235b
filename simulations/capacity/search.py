"""Finds the largest number of calls that is inside the level with few verdicts; what gives a verdict is passed in."""

from __future__ import annotations

from collections.abc import Callable


def most_inside(inside: Callable[[int], bool], *, first: int, most: int) -> int:
    """Return a number of calls that is inside while one more is outside, by bracketing from `first`, then bisection.

    Each number is tried at most once, never more than `most`. What is guaranteed: `inside` said True of the number
    returned (or it is 0) and False of the next (or it is `most`). Where verdicts are monotone that is the largest
    number inside; where chance, or a scheduler's whim, makes them waver around the limit, it is one of the places where
    they turn from True to False, and nobody looked at all the numbers below.
    """
    below, above = 0, most + 1
    calls = min(max(first, 1), most)
    step = following = max(1, first // 8)  # growing like Fibonacci's numbers: a good guess is off by one or two
    while above - below > 1:
        if inside(calls):
            below = calls
        else:
            above = calls
        if above > most:
            calls = min(below + step, most)
        elif below == 0:
            calls = max(above - step, 1)
        else:
            calls = (below + above) // 2
        step, following = following, step + following
    return below
