"""A believable run as events and transcripts, for the tests of what a run shows."""

from __future__ import annotations

import random
from typing import Any

from attrs import define, field

from orchestrator import events as e
from orchestrator.events import CallState, Event

SENTENCES = (
    "Good morning, you have reached the practice of Doctor Rao.",
    "I can offer you Tuesday at ten, or Thursday at half past three.",
    "Could you tell me your date of birth, please?",
    "That is noted, and you will get a reminder the day before.",
)


@define
class Story:
    """Calls over one toy slot: a piece gets the first stretch that is free, and holds it a sixth of its length."""

    calls: int
    seconds: float
    draw: random.Random
    events: list[Event] = field(factory=list)
    transcripts: list[dict[str, Any]] = field(factory=list)
    busy: list[tuple[float, float]] = field(factory=list)
    tickets: int = 0

    def state(self, call: str, state: CallState, *, at: float) -> None:
        self.events.append(e.CallStateChanged(at=at, call=call, state=state))

    def reserve(self, ready: float, held: float) -> float:
        """Return where the slot is first free for `held` seconds from `ready` on, and take it."""
        start = ready
        for taken_from, taken_to in sorted(self.busy):
            if start + held > taken_from:
                start = max(start, taken_to)
        self.busy.append((start, start + held))
        return start

    def piece(self, call: str, reply: int, *, ready: float, first: bool, sounds: float) -> tuple[float, float]:
        """Ask for one piece at `ready`; returns when it was granted and when its first audio came."""
        self.tickets += 1
        key: dict[str, Any] = {"call": call, "reply": reply, "ticket": self.tickets, "first": first}
        self.events.append(e.TicketJoined(at=ready, need_by=ready + 0.2, **key))
        held = 0.12 + sounds / 6
        granted = self.reserve(ready, held)
        waited = granted - ready
        account = self.tickets * 0.1
        wait = waited if first else None
        self.events.append(e.SlotGranted(at=granted, waited=waited, wait=wait, account=account, **key))
        asked = {**key, "piece": self.tickets, "link": 1, "characters": round(sounds * 15), "start": 0}
        self.events.append(e.PieceAsked(at=granted, breaks_sentence=self.draw.random() < 0.1, **asked))
        freed = e.SlotFreed(at=granted + held, call=call, ticket=self.tickets, held=held, cause="complete")
        self.events.append(freed)
        return granted, granted + 0.12


def turn(story: Story, call: str, *, number: int, at: float) -> tuple[float, list[dict[str, Any]]]:
    """One turn of the caller and the bot's reply to it; returns when the reply ended, and both for the transcript."""
    draw, said = story.draw, story.events
    spoke = max(0.8, draw.gauss(2.2, 0.8))
    said.append(e.CallerSpeechStarted(at=at, call=call))
    over = at + spoke
    said.append(e.CallerTurnEnded(at=over, call=call, turn=number, spoke=spoke, characters=30))
    story.state(call, CallState.THINKING, at=over)
    said.append(e.ReplyStarted(at=over, call=call, reply=number, hook="reply", after_turn=number))
    ready = over + max(0.3, draw.gauss(0.8, 0.2))
    said.append(e.ReplyReady(at=ready, call=call, reply=number))
    story.state(call, CallState.WAITING, at=ready)
    text = draw.sample(SENTENCES, draw.randint(1, 3))
    sounding = ready
    for place, sentence in enumerate(text):
        sounds = len(sentence) / 15
        asked = ready if place == 0 else max(ready, sounding - 2.5)
        _, audio = story.piece(call, number, ready=asked, first=place == 0, sounds=sounds)
        if place == 0:
            sounding = audio
            story.state(call, CallState.SPEAKING, at=audio)
            said.append(e.FirstAudioPlayed(at=audio, call=call, reply=number))
            said.append(e.FirstWordHeard(at=audio, call=call, reply=number))
            began = audio
        else:
            gap = max(0.0, audio - sounding)
            said.append(
                e.PiecesJoined(at=sounding, call=call, reply=number, gap=gap, cause=e.GapCause.SLOT if gap else None)
            )
            if gap:
                cause = e.GapCause.SLOT
                said.append(e.Gapped(at=sounding, call=call, reply=number, seconds=gap, cause=cause))
            sounding += gap
        sounding += sounds
    return end_reply(story, call, number=number, sounded=(began, sounding), text=" ".join(text), caller=(at, over))


def end_reply(
    story: Story, call: str, *, number: int, sounded: tuple[float, float], text: str, caller: tuple[float, float]
) -> tuple[float, list[dict[str, Any]]]:
    """End the reply, sometimes by a barge-in in its middle."""
    began, over = sounded
    words, barged = text.split(), story.draw.random() < 0.2
    heard = len(words) // 2 if barged else len(words)
    if barged:
        over = began + (over - began) / 2
        story.events.append(e.BargedIn(at=over, call=call, reply=number))
    kept = len(" ".join(words[:heard]))
    story.events.append(
        e.ReplyEnded(
            at=over, call=call, reply=number, outcome=e.Outcome.CUT if barged else e.Outcome.HEARD,
            characters=len(text), heard=kept, cut=len(text) - kept, unspoken=0,
            words=len(words), words_heard=heard, words_cut=len(words) - heard, words_unspoken=0,
        )
    )  # fmt: skip
    story.state(call, CallState.LISTENING, at=over)
    entries = [
        {"who": "caller", "start": caller[0], "end": caller[1], "text": "Yes, I would like that, thank you."},
        {"who": "bot", "reply": number, "start": began, "end": over, "voice": "", "words": [],
         "heard": text[:kept], "cut": text[kept:], "unspoken": ""},
    ]  # fmt: skip
    return over, entries


def tell(*, calls: int = 4, seconds: float = 60.0, seed: int = 1) -> Story:
    """Return a whole run, its events in order of time; calls are told turn by turn in the order of their clocks."""
    story = Story(calls=calls, seconds=seconds, draw=random.Random(seed))
    story.events.append(e.RunStarted(at=0.0, wall="2026-11-02T09:00:00Z", seed=seed, calls=calls, profile="fast"))
    clocks = {str(number + 1): number * 0.7 for number in range(calls)}
    turns: dict[str, list[dict[str, Any]]] = {call: [] for call in clocks}
    for call, at in clocks.items():
        story.events.append(e.CallStarted(at=at, call=call, bot="bots.echo:Echo", leg="loopback"))
    numbers = dict.fromkeys(clocks, 0)
    while (call := min(clocks, key=lambda name: clocks[name])) and clocks[call] < seconds - 12:
        numbers[call] += 1
        at = clocks[call] + 0.4 + story.draw.random() * 0.5
        clocks[call], entries = turn(story, call, number=numbers[call], at=at)
        turns[call].extend(entries)
    for call in clocks:
        story.events.append(e.CallEnded(at=seconds, call=call, reason="run", seconds=seconds))
        story.transcripts.append(
            {"schema": 1, "call": call, "bot": "bots.echo:Echo", "started": "2026-11-02T09:00:00Z",
             "seconds": seconds, "recording": f"call-{call}.wav", "turns": turns[call]}
        )  # fmt: skip
    story.events.append(e.RunEnded(at=seconds, reason="finished"))
    story.events.sort(key=lambda event: event.at)
    return story
