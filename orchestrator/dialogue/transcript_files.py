"""Writes a call's transcript as JSON and as Markdown, each whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from attrs import frozen

from orchestrator.dialogue.transcript import BotEntry, CallerEntry, Entry, Transcript, Word


@frozen(kw_only=True)
class CallHeader:
    """What a transcript says of its call. `started` is wall-clock time (ISO 8601, UTC), `seconds` the call's length."""

    call: str
    bot: str
    started: str
    seconds: float
    recording: str | None = None


def write_transcript(folder: Path, name: str, *, header: CallHeader, transcript: Transcript) -> None:
    """Write `name`.json and `name`.md into `folder`. Raises OSError."""
    body = transcript_json(header, transcript)
    _write_whole(folder / f"{name}.json", json.dumps(body, ensure_ascii=False, indent=1) + "\n")
    _write_whole(folder / f"{name}.md", transcript_markdown(header, transcript))


def transcript_json(header: CallHeader, transcript: Transcript) -> dict[str, Any]:
    """Return the transcript as one JSON object; times in seconds of the call."""
    return {
        "schema": 1,
        "call": header.call,
        "bot": header.bot,
        "started": header.started,
        "seconds": round(header.seconds, 3),
        "recording": header.recording,
        "turns": [_entry_json(entry) for entry in transcript.entries],
    }


def transcript_markdown(header: CallHeader, transcript: Transcript) -> str:
    """Return the transcript as a page to read: cut words are struck through, unspoken ones in brackets.

    Where the voice changes inside a reply, its name stands in parentheses.
    """
    lines = [f"# Call {header.call}", "", f"{header.bot}, {header.started}, {header.seconds:.1f} s", ""]
    if header.recording:
        lines += [f"Recording: {header.recording} (caller left, bot right)", ""]
    for entry in transcript.entries:
        who = "Caller" if isinstance(entry, CallerEntry) else "Bot"
        at = f"{entry.start:.1f} s" if entry.start is not None else "not heard"
        lines += [f"**{who}** ({at}): {_entry_markdown(entry)}", ""]
    return "\n".join(lines)


def _entry_json(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, CallerEntry):
        return {"who": "caller", "start": _ms(entry.start), "end": _ms(entry.end), "text": _clean(entry.text)}
    return {
        "who": "bot",
        "reply": entry.reply,
        "start": _ms(entry.start),
        "end": _ms(entry.end),
        "heard": _clean(entry.heard),
        "cut": _clean(entry.cut),
        "unspoken": _clean(entry.unspoken),
        "voice": entry.voice,
        "words": [_word_json(word) for word in entry.words],
    }


def _word_json(word: Word) -> dict[str, Any]:
    told = {"word": _clean(word.text), "state": word.state.value, "start": _ms(word.start), "end": _ms(word.end)}
    return told | ({"voice": word.voice} if word.voice else {})


def _entry_markdown(entry: Entry) -> str:
    if isinstance(entry, CallerEntry):
        return _escaped(entry.text)
    parts = [_spoken(entry)]
    if entry.cut.strip():
        parts.append(f"~~{_escaped(entry.cut.strip())}~~")
    if entry.unspoken.strip():
        parts.append(f"[not spoken: {_escaped(entry.unspoken.strip())}]")
    return " ".join(part for part in parts if part)


def _spoken(entry: BotEntry) -> str:
    """Return what was heard, with the name of the voice once where another one begins."""
    parts, voice = [], ""
    for text, word in zip(entry.heard.split(), entry.words, strict=False):  # the last may be heard in part
        if word.start is not None and word.voice != voice:  # a dash has no time, and nobody's voice
            parts.append(f"({_escaped(word.voice or entry.voice)})")
            voice = word.voice
        parts.append(_escaped(text))
    return " ".join(parts)


def _escaped(text: str) -> str:
    flat = " ".join(_clean(text).split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>~#|" else letter for letter in flat)


def _clean(text: str) -> str:
    """Return text that can be written as UTF-8: a bot may yield lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _write_whole(path: Path, text: str) -> None:
    scratch = path.with_name(path.name + ".part")
    try:
        scratch.write_text(text, encoding="utf-8")
        os.replace(scratch, path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
