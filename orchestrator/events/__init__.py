"""What happened, as frozen values: emitted once where it happens, read by logs, metrics, reports and invariants.

Events carry lengths and ids, never texts (those go to the transcript alone). `at` is in seconds of the run's clock
(zero when the run began), `call` the id of the call. Every other time is a length in seconds unless it says otherwise.
"""

from orchestrator.events.base import CallEvent, CallState, Event, GapCause, Outcome, ReplyEvent, to_json
from orchestrator.events.calls import (
    BotFailed,
    CallEnded,
    CallerDigits,
    CallerHungUp,
    CallerSpeechStarted,
    CallerTurnEnded,
    CallFailed,
    CallStarted,
    CallStateChanged,
)
from orchestrator.events.links import LinkClosed, LinkFailed, LinkOpened, LinkReuseLearned, ProviderRefused
from orchestrator.events.replies import (
    BargedIn,
    FirstAudioPlayed,
    FirstWordHeard,
    Gapped,
    LegCleared,
    PiecesJoined,
    ReplyEnded,
    ReplyHeld,
    ReplyReady,
    ReplyResumed,
    ReplyStarted,
)
from orchestrator.events.runs import LoopLag, RunEnded, RunStarted, TaskBlocked
from orchestrator.events.slots import (
    PieceAsked,
    PieceAudio,
    PieceEnded,
    SlotFreed,
    SlotGranted,
    TicketJoined,
    TicketLeft,
)

__all__ = [
    "BargedIn",
    "BotFailed",
    "CallEnded",
    "CallEvent",
    "CallFailed",
    "CallStarted",
    "CallState",
    "CallStateChanged",
    "CallerDigits",
    "CallerHungUp",
    "CallerSpeechStarted",
    "CallerTurnEnded",
    "Event",
    "FirstAudioPlayed",
    "FirstWordHeard",
    "GapCause",
    "Gapped",
    "LegCleared",
    "LinkClosed",
    "LinkFailed",
    "LinkOpened",
    "LinkReuseLearned",
    "LoopLag",
    "Outcome",
    "PieceAsked",
    "PieceAudio",
    "PieceEnded",
    "PiecesJoined",
    "ProviderRefused",
    "ReplyEnded",
    "ReplyEvent",
    "ReplyHeld",
    "ReplyReady",
    "ReplyResumed",
    "ReplyStarted",
    "RunEnded",
    "RunStarted",
    "SlotFreed",
    "SlotGranted",
    "TaskBlocked",
    "TicketJoined",
    "TicketLeft",
    "to_json",
]
