"""Claims about the ways of sharing the slot that ours is compared with: what they ask for, in which order, and that
none of them loses a word or a slot."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import get_args

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from trio.testing import MockClock

from orchestrator import Talk, Turn, events
from orchestrator.adapters.telephony.loopback import Phone
from orchestrator.app import DEADLINE
from orchestrator.settings import ProviderSettings, Settings, SpeechSettings, WrongValue
from simulations.policies import POLICIES, Sentences, WholeReplies, policy_named, settings_for
from simulations.scenario import PolicyName
from tests.dialogue.calls import Caller, Desk, say
from tests.dialogue.talkers import Noted
from tests.simulations.sharing import SENTENCE, TEXT, call_all, hearing, sharing
from tests.speech.wire import in_virtual_time

NAMES: tuple[PolicyName, ...] = get_args(PolicyName)


def asked(desk: Desk) -> list[str]:
    """Return what each piece was: its length tells."""
    return [TEXT[piece.start : piece.start + piece.characters] for piece in desk.of(events.PieceAsked)]


async def test_fifo_speaks_sentence_by_sentence(autojump_clock: MockClock) -> None:
    """The first one, too: it is asked for whole, and two short ones are not joined."""
    async with sharing("fifo") as (desk, server):
        await call_all(desk, {"a": hearing(quiet=2)})
        assert asked(desk) == ["We have a table, a small one, at seven."] + [SENTENCE.strip()] * 4
        assert desk.calls["a"].replies[0].heard == TEXT
        assert desk.of(events.Gapped) == []
        assert server.snapshot()["refused_concurrency"] == 0


async def test_fifo_grants_in_the_order_of_asking(autojump_clock: MockClock) -> None:
    """Whoever would hear silence first: that is what it lacks."""
    async with sharing("fifo") as (desk, server):
        await call_all(desk, {name: hearing() for name in "abcdef"})
        grants = [granted.ticket for granted in desk.of(events.SlotGranted)]
        assert grants == sorted(grants)
        assert len(grants) == 6 * 5
        assert {call.replies[0].heard for call in desk.calls.values()} == {TEXT}
        assert server.snapshot()["refused_concurrency"] == 0


async def test_a_sentence_longer_than_the_look_ahead_makes_no_gap(autojump_clock: MockClock) -> None:
    """It is asked for when a second is left to hear, not in silence; else no more is made than the look-ahead."""
    text = "We have one. " + ("and so it goes on " * 9).strip() + ". " + "That is all, and it is not much. " * 6
    async with sharing("fifo") as (desk, _):
        await call_all(desk, {"a": hearing(quiet=2)}, answer=text)
        assert max(piece.audio for piece in desk.of(events.PieceEnded)) > 9.0
        assert desk.of(events.Gapped) == []
        began, made = desk.at(events.FirstAudioPlayed), 0.0
        for piece in desk.of(events.PieceEnded):
            made += piece.audio
            assert made - (piece.at - began) <= max(6.0, 1.0 + piece.audio) + 0.1


async def test_turn_asks_once_for_the_whole_reply_when_the_bot_has_said_it(autojump_clock: MockClock) -> None:
    """As long as it may be; the wait counts from the moment at which the others would have asked."""

    class Streaming(Noted):
        async def reply(self, turn: Turn, talk: Talk) -> AsyncIterator[str]:
            for sentence in [SENTENCE] * 13:
                yield sentence
                await trio.sleep(0.1)

    async with sharing("turn") as (desk, server):
        call = await desk.call("a", Streaming, hearing())
        (piece,) = desk.of(events.PieceAsked)
        (granted,) = desk.of(events.SlotGranted)
        assert piece.characters == 13 * len(SENTENCE) - 1 > 700
        assert granted.wait == pytest.approx(1.3)
        assert call.replies[0].heard == SENTENCE * 13
        assert server.snapshot()["requests"] == 1


async def test_turn_is_a_lock_for_whole_replies(autojump_clock: MockClock) -> None:
    """The second caller waits until the whole reply of the first is made."""
    async with sharing("turn") as (desk, _):
        await call_all(desk, {"a": hearing(), "b": hearing()})
        waits = [granted.wait or 0.0 for granted in desk.of(events.SlotGranted)]
        assert len(waits) == 2
        assert waits[0] == pytest.approx(0.0)
        assert waits[1] == pytest.approx(desk.of(events.SlotFreed)[0].held)
        assert waits[1] > len(TEXT) / 15 * 0.1


@pytest.mark.parametrize("closes", [True, False])
@pytest.mark.parametrize(("slots", "calls"), [(1, 5), (2, 6)])
async def test_retry_is_refused_backs_off_and_loses_no_word(
    slots: int, calls: int, closes: bool, autojump_clock: MockClock
) -> None:
    """The refusals are the provider's own, the back-offs within their bounds; more calls than links is no harm."""
    async with sharing("retry", slots=slots, close_after_complete=closes) as (desk, server):
        await call_all(desk, {f"{number}": hearing() for number in range(calls)})
        refused = [freed for freed in desk.of(events.SlotFreed) if freed.cause == "refused"]
        assert server.snapshot()["refused_concurrency"] == len(refused) == len(desk.of(events.ProviderRefused)) > 0
        assert server.snapshot()["max_in_flight"] == slots
        assert {call.replies[0].heard for call in desk.calls.values()} == {TEXT}
        assert desk.of(events.LinkFailed) == []
        for call in desk.calls:
            check_back_offs(desk, call)


def check_back_offs(desk: Desk, call: str) -> None:
    """Check how long the call waited after each refusal; with no refusal it waits for nothing."""
    in_a_row = 0
    freed = {event.ticket: event for event in desk.of(events.SlotFreed, call)}
    for before, after in pairwise(desk.of(events.SlotGranted, call)):
        in_a_row = in_a_row + 1 if freed[before.ticket].cause == "refused" else 0
        bound = min(8.0, 0.5 * 2 ** (in_a_row - 1)) if in_a_row else 0.0
        assert after.waited <= bound + 1e-9


async def test_the_jitter_follows_from_the_generator(autojump_clock: MockClock) -> None:
    """The same seed tells the same story, another one another."""

    async def story(seed: str) -> list[float]:
        async with sharing("retry", seed=seed, wire=False) as (desk, _):
            await call_all(desk, {name: hearing() for name in "abcd"})
            return sorted(round(granted.waited, 9) for granted in desk.of(events.SlotGranted) if granted.waited)

    first = await story("1")
    assert len(first) > 4
    assert await story("1") == first
    assert await story("2") != first


def breaking_off(after: float, *, hang_up: bool) -> Caller:
    """A caller who speaks into the answer, or hangs up, so many seconds after the question; twice, if it is there."""

    async def caller(phone: Phone) -> None:
        for _ in range(2):
            await say(phone, "hello", seconds=0.2)
            await trio.sleep(after)
            if hang_up:
                break
        phone.hang_up()

    return caller


cuts = st.tuples(st.sampled_from((0.0, 0.02, 0.1, 0.3, 0.5)) | st.floats(0, 12), st.booleans())


@given(st.sampled_from(NAMES), st.lists(cuts, min_size=1, max_size=5), st.booleans(), st.integers(1, 2))
@effort(max_examples=20)
def test_cuts_at_any_moment_lose_no_slot(
    name: PolicyName, crowd: list[tuple[float, bool]], closes: bool, slots: int
) -> None:
    """Barge-ins and hang-ups, while a call waits, backs off or is spoken: the next one is served at once."""

    async def scenario() -> None:
        async with sharing(name, wire=False, slots=slots, close_after_complete=closes) as (desk, _):
            callers = {f"{number}": breaking_off(cut[0], hang_up=cut[1]) for number, cut in enumerate(crowd)}
            await call_all(desk, callers)
            await trio.sleep(3)
            await call_all(desk, {"last": hearing(quiet=3)})
            assert desk.calls["last"].replies[0].heard == TEXT
            assert desk.of(events.SlotGranted, "last")[0].wait == 0.0
            assert desk.of(events.CallFailed) == []

    in_virtual_time(scenario, within=1800)


# --- by name ---


def test_policies_are_had_by_name() -> None:
    """All that a scenario can name; ours is the product's own."""
    assert set(POLICIES) == set(NAMES)
    rng = random.Random("x")
    assert policy_named("deadline", rng=rng) is DEADLINE
    assert [policy_named(name, rng=rng).portions for name in ("fifo", "turn", "retry")] == [
        Sentences,
        WholeReplies,
        Sentences,
    ]


def test_only_what_a_policy_needs_is_set_otherwise() -> None:
    """`turn` has the longest requests that the settings allow, `retry` all links but the one that stays free."""
    settings = Settings(provider=ProviderSettings(slots=2, links=10), speech=SpeechSettings(look_ahead=3.0))
    assert settings_for("deadline", settings) == settings_for("fifo", settings) == settings
    turn = settings_for("turn", settings)
    assert (turn.speech.look_ahead, turn.provider) == (3.0, settings.provider)
    with pytest.raises(WrongValue):
        attrs.evolve(turn.speech, piece_characters=turn.speech.piece_characters + 1)
    retry = settings_for("retry", settings)
    assert (retry.provider.slots + 1, retry.provider.links) == (9, 10)
    assert retry.speech == settings.speech
    small = Settings(provider=ProviderSettings(slots=1, links=2))
    assert settings_for("retry", small) == small
