"""The interfaces between the shell and the world: legs, voices, connections, slots, lanes and sinks.

Protocols and the values that cross them; nothing here decides or waits.
"""

from orchestrator.ports.run import Emit, Lane, Now
from orchestrator.ports.slots import Ask, Grant, Place, Slots
from orchestrator.ports.telephony import (
    CallFacts,
    Digits,
    HungUp,
    Leg,
    LegEvent,
    MarkPlayed,
    SpeechStarted,
    Tap,
    UserTurn,
)
from orchestrator.ports.voices import (
    Complete,
    Connection,
    Dial,
    Failed,
    LocalVoice,
    Message,
    Sound,
    Speaker,
    SpeechRequest,
    Spoken,
    Standing,
    VoiceCodec,
    VoiceFrame,
    WordTime,
)

__all__ = [
    "Ask",
    "CallFacts",
    "Complete",
    "Connection",
    "Dial",
    "Digits",
    "Emit",
    "Failed",
    "Grant",
    "HungUp",
    "Lane",
    "Leg",
    "LegEvent",
    "LocalVoice",
    "MarkPlayed",
    "Message",
    "Now",
    "Place",
    "Slots",
    "Sound",
    "Speaker",
    "SpeechRequest",
    "SpeechStarted",
    "Spoken",
    "Standing",
    "Tap",
    "UserTurn",
    "VoiceCodec",
    "VoiceFrame",
    "WordTime",
]
