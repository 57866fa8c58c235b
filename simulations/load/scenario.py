"""What callers under load do, turn by turn: read from TOML and checked; how it is carried out is script.py's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import attrs
from attrs import field, frozen

from orchestrator.errors import SettingsError
from orchestrator.settings import WrongValue
from orchestrator.settings.checks import between
from orchestrator.settings_words import Wording
from orchestrator.structuring import read_toml, structured

DEFAULT = Path(__file__).parent / "scenarios" / "conversation.toml"
KINDS = ("say", "text", "wav", "press", "pause", "listen", "hang_up")
SPOKEN = ("say", "text", "wav")
_KEYS = "0123456789*#ABCD"


def _keys(_turn: Any, attribute: attrs.Attribute[str], value: str) -> None:  # attrs' signature
    if any(key not in _KEYS for key in value):
        raise WrongValue(f"{attribute.name} = {value!r}", f"expected keys of a telephone: {_KEYS}")


@frozen(kw_only=True)
class TurnPlan:
    """`[[turns]]`: exactly one of KINDS. After speaking or pressing, the caller hears the answer out."""

    say: float = field(default=0.0, validator=between(0, 60))
    """Speak for so many seconds: words of tones at a telephone's level."""
    text: str = ""
    """Speak this text with the scenario's voice."""
    wav: str = ""
    """Speak what is in this WAV file: 16 bit, one channel; relative to the scenario's file."""
    press: str = field(default="", validator=_keys)
    """Press these keys."""
    pause: float = field(default=0.0, validator=between(0, 600))
    """Say nothing for so many seconds."""
    listen: bool = False
    """Let the bot begin and end: its greeting."""
    hang_up: bool = False
    """End the call here; another one is placed."""
    interrupt_after: float = field(default=0.0, validator=between(0, 60))
    """Of a turn that speaks: begin when the bot has sounded for so many seconds, and talk over it."""
    wait: bool = True
    """Of a turn that speaks or presses: whether to hear the answer out before the next turn."""

    @property
    def kind(self) -> str:
        """The one thing it is; "" where it is none or several."""
        given = [name for name in KINDS if getattr(self, name)]
        return given[0] if len(given) == 1 else ""


@frozen(kw_only=True)
class LoadScenario:
    """A whole scenario; its turns begin again after the last one."""

    about: str = ""
    voice: Literal["tone", "espeak"] = "tone"
    answer_within: float = field(default=8.0, validator=between(0.1, 120))
    """Seconds after which the caller waits no longer for an answer: the turn is unanswered."""
    quiet: float = field(default=1.0, validator=between(0.1, 30))
    """Seconds without a sound after which the bot is taken to be done."""
    longest: float = field(default=30.0, validator=between(0.1, 600))
    """Seconds for which the caller listens to one answer."""
    thinking: float = field(default=0.3, validator=between(0, 60))
    """Seconds before the caller speaks, when the bot is done."""
    repeat: bool = True
    """Whether the turns begin again until the time is up; else the caller hangs up after the last and calls again."""
    turns: tuple[TurnPlan, ...] = ()


_WORDING = Wording(
    keys={
        "": tuple(each.name for each in attrs.fields(LoadScenario)),
        "turns": tuple(each.name for each in attrs.fields(TurnPlan)),
    }
)


def load_scenario(path: Path) -> LoadScenario:
    """Return the scenario in the TOML file at `path`. Raises SettingsError, one line a mistake."""
    found = structured(read_toml(path), LoadScenario, wording=attrs.evolve(_WORDING, source=f"{path}: "))
    mistakes = [f"{path}: turns[{place}]{told}" for place, turn in enumerate(found.turns) for told in _wrong(turn)]
    if not found.turns:
        mistakes.append(f"{path}: turns: is missing; expected at least one [[turns]]")
    elif found.turns[0].hang_up:
        mistakes.append(f"{path}: turns[0].hang_up: a call can't begin with its end")
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    return found


def _wrong(turn: TurnPlan) -> list[str]:
    """Return what is wrong with a turn as a whole."""
    if not turn.kind:
        return [f": expected exactly one of {', '.join(KINDS)}, none of them 0, empty or false"]
    if turn.interrupt_after and turn.kind not in SPOKEN:
        return [f".interrupt_after: a turn of {turn.kind} can't interrupt; expected say, text or wav"]
    return []
