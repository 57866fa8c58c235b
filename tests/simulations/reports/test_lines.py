"""A line tells a reader what matters of an event, in words; what is too small to tell has none."""

from __future__ import annotations

import inspect

import pytest

from orchestrator import events as e
from orchestrator.events import Event, port, videos
from orchestrator.ports import Standing
from orchestrator.settings import RUNGS
from simulations.reports.lines import line_of
from tests.simulations.moments import local_voice, over, rung, rung_words


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (e.RunStarted(at=0, wall="", seed=1, calls=4, profile=None), "4 calls begin"),
        (e.RunEnded(at=0, reason="interrupted"), "the run is over: interrupted"),
        (e.LinkFailed(at=0, kind="final", error="HTTP 401"), "a link could not be opened: HTTP 401"),
        (e.ProviderRefused(at=0, kind="rate", error="429"), "the provider refused (rate): 429"),
        (e.TaskBlocked(at=0, seconds=0.5, task="t", call=None, bot=None, stack=""), "t kept the loop for 0.50 s"),
        (e.CallFailed(at=0, call="1", error="x", traceback=""), "failed: x"),
        (e.BotFailed(at=0, call="1", bot="b", hook="reply", error="x", traceback=""), "its bot failed in reply: x"),
        (e.CallerHungUp(at=0, call="1"), "the caller hung up"),
        (e.LoopLag(at=0, seconds=0.1), None),
        (over(0.0), None),
        (e.BackedOff(at=0, kind="rate", seconds=0.4, in_a_row=1), "nobody asks the provider for 0.40 s (rate)"),
        (
            e.BackedOff(at=0, kind="concurrency", seconds=1.25, in_a_row=3),
            "nobody asks the provider for 1.25 s (concurrency, refusal 3 in a row)",
        ),
        (e.StandingChanged(at=0, standing="out", error="no link"), "the provider is out: no link"),
        (e.StandingChanged(at=0, standing="up"), "the provider answers"),
        (
            e.SlotFreedByChanged(at=0, by="quiet", trailed=4.0),
            "the provider says complete 4.0 s after the sound: taken as done when it is quiet"
            ' (provider.slot_freed_by = "quiet")',
        ),
        (e.PhraseFailed(at=0, error="disk full"), "a phrase could not be kept: disk full"),
        (e.PhraseStored(at=0, voice="v", language="en", characters=9, seconds=1.0), None),
        (rung(0, "filler"), "reply 1: a filler while it waits"),
        (rung(0, "local_voice"), "reply 1: in the local voice"),
        (rung_words(0, 1.0), None),
        (local_voice(0, 1.0), None),
        (
            e.CallRefused(at=0, call="1", reason="full", calls=6, places=6),
            "refused: no place for it (6 calls, 6 places)",
        ),
        (e.CallQueued(at=0, call="1", waiting=2), "waits for a place, 2 in the queue"),
        (e.PlacesChanged(at=0, places=9, fitting=9, p95_wait=None), "9 calls fit"),
        (e.PlacesChanged(at=0, places=1, fitting=9, p95_wait=0.61), "1 call fits, 9 by the table, p95 wait 0.61 s"),
        (e.DrainStarted(at=0, calls=1, within=30.0), "no new calls; 1 call may take 30 s to end"),
        (
            e.SettingsReloaded(at=0, changed="provider.slots", need_restart="cache.on"),
            "settings read again: provider.slots; at the next start: cache.on",
        ),
        (e.SettingsReloaded(at=0, changed="", need_restart=""), "settings read again: nothing changed"),
    ],
)
def test_what_a_line_says(event: Event, told: str | None) -> None:
    """Failures and refusals are told, small things not."""
    assert line_of(event) == told


def test_every_rung_and_standing_has_words() -> None:
    """None is told by its name in the program."""
    assert not [name for name in RUNGS if (line_of(rung(0, name)) or "").endswith(f": {name}")]
    assert all(line_of(e.StandingChanged(at=0, standing=standing.value)) for standing in Standing)


_TOLD_OTHERWISE = {"Gapped", "LinkReuseLearned"}
"""Gaps are too many, and that a link may be used again changes nothing for a reader."""


def test_what_is_worth_a_line_in_the_log_has_one_here() -> None:
    """Every event of level info and above."""
    source = inspect.getsource(inspect.getmodule(line_of) or line_of)
    kinds = {kind for kind in vars(e).values() if isinstance(kind, type) and issubclass(kind, Event)}
    for other in (port, videos):  # there is neither in a simulated conversation
        kinds -= {kind for kind in vars(other).values() if isinstance(kind, type)}
    untold = {kind.__name__ for kind in kinds if kind.level != "debug" and f"case {kind.__name__}(" not in source}
    assert untold == _TOLD_OTHERWISE
