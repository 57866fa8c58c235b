"""Words what a probe found: settings to paste, with comments, or one JSON object; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from orchestrator.probe.counting import Finding
from orchestrator.probe.findings import Findings
from orchestrator.probe.seen import Seen
from orchestrator.redaction import redacted
from orchestrator.settings import ProviderSettings
from orchestrator.slot.capacity import CapacityTable

SCHEMA = 1

_FIGURES = ("ttfb", "rtf")
_SETTINGS = ("slots", "links", "link_reuse", "settle", "slot_freed_by", "word_timestamps", "backoff")
"""Settings that are told where they are known, in this order."""
_LONGEST_COMMENT = 150

Lines = Iterator[str]


@frozen(kw_only=True)
class Report:
    """What a probe found with these settings; `table` says how many calls fit."""

    seen: Seen
    findings: Findings
    settings: ProviderSettings
    table: CapacityTable

    def as_toml(self) -> str:
        """Return the settings as a TOML document, each with how it was found in a comment."""
        return "\n".join([*self._heading(), "[provider]", *self._account(), *self._measured(), *self._unknown()])

    def as_json(self) -> str:
        """Return everything as one JSON object in a line."""
        findings = {}
        for name, found in self.findings.items():
            unknown = {"unknown": found.note} if found.value is None else {"note": found.note, "at_least": found.least}
            findings[name] = {"value": found.value, **unknown}
        settings = dict(_account_settings(self.settings)) | {name: value for name, value, _ in self._found_settings()}
        document = {
            "schema": SCHEMA,
            "provider": settings,
            "findings": findings,
            "calls": {f"{share:g}": calls for share, calls in self._fits()},
            "used": self._used(),
            "broken_off": self.seen.given_up or None,
        }
        return redacted(json.dumps(document, ensure_ascii=False))

    def _used(self) -> dict[str, float]:
        seen = self.seen
        return {
            "requests": len(seen.asked),
            "refused": len(seen.refused),
            "characters": seen.characters,
            "audio_seconds": round(sum(asked.sound for asked in seen.asked), 1),
            "links": seen.opened,
            "refused_links": len(seen.refused_links),
            "seconds": round(seen.seconds, 1),
        }

    def _heading(self) -> Lines:
        used, ttfb, rtf = self._used(), self.findings.ttfb, self.findings.rtf
        yield (
            f"# talkingstick probe: {used['requests']} requests ({used['refused']} refused), "
            f"{used['characters']} characters, {used['links']} WebSockets ({used['refused_links']} refused), "
            f"{used['seconds']:.0f} s."
        )
        yield _comment(_figure("Time to first byte", ttfb, unit=" s"))
        yield _comment(_figure("Seconds of slot for a second of sound after it", rtf))
        if fits := self._fits():
            least = ", at least" if self.findings.slots.least else ""
            shares = " / ".join(f"{share:.0%}" for share, _ in fits)
            calls = " / ".join(str(calls) for _, calls in fits)
            yield _comment(f"Calls that fit where bots talk {shares} of the time{least}: {calls}")
        if self.findings.others.value:
            yield _comment(f"Others use this account: {self.findings.others.note}")
        if self.seen.given_up:
            yield _comment(f"BROKEN OFF: {self.seen.given_up}")

    def _fits(self) -> list[tuple[float, int]]:
        """Return how many calls fit at each talk share of the table; nothing where speed or slots are unknown."""
        ttfb, rtf, slots = (found.value for found in (self.findings.ttfb, self.findings.rtf, self.findings.slots))
        if ttfb is None or rtf is None or slots is None:
            return []
        shares = self.table.talk_shares
        return [(share, self.table.fit(ttfb=ttfb, rtf=rtf, talk_share=share, slots=slots)) for share in shares]

    def _account(self) -> Lines:
        for name, value in _account_settings(self.settings):
            yield f"{name} = {_toml(value)}"

    def _found_settings(self) -> list[tuple[str, Any, Finding]]:
        """Return the settings that are known, with what was found."""
        found = self.findings
        reuse = {True: "never", False: "auto"}
        known: dict[str, tuple[Any, Finding]] = {
            name: (finding.value, finding) for name, finding in found.items() if name in _SETTINGS
        }
        known["link_reuse"] = (reuse.get(found.complete_closes.value), found.complete_closes)
        if found.links.value is not None and found.links.value < 2:
            known["links"] = (None, found.links)
        if found.retry_after.value:
            known["backoff"] = (min(10.0, found.retry_after.value), found.retry_after)
        if found.requests_per_minute.value:
            known["requests_per_minute"] = (found.requests_per_minute.value, found.requests_per_minute)
        names = (*_SETTINGS, "requests_per_minute")
        return [(name, *known[name]) for name in names if name in known and known[name][0] is not None]

    def _measured(self) -> Lines:
        for name, value, found in self._found_settings():
            least = "at least: " if found.least else ""
            yield f"{name} = {_toml(value)}  {_comment(least + found.note)}"

    def _unknown(self) -> Lines:
        told = {name for name, _, _ in self._found_settings()} | {"ttfb", "rtf", "others", "complete_trails"}
        told |= {"complete_closes"} if "link_reuse" in told else set()
        for name, found in self.findings.items():
            if name not in told:
                value = "unknown" if found.value is None else _toml(found.value)
                yield _comment(f"{name}: {value}; {found.note}" if found.note else f"{name}: {value}")


def _account_settings(settings: ProviderSettings) -> Iterator[tuple[str, Any]]:
    """Yield the settings that were given, and say which account and which voice it was."""
    yield "address", settings.address
    if settings.api != "unified":
        yield "api", settings.api
    key = "key_file" if settings.key_file else "key_env"
    for name in (key, "model", "voice", "language"):
        yield name, getattr(settings, name)


def _figure(name: str, found: Finding, *, unit: str = "") -> str:
    if found.value is None:
        return f"{name}: unknown; {found.note}"
    return f"{name}: {found.value:.3f}{unit} ({found.note})"


def _toml(value: Any) -> str:
    """A value as TOML has it, which for strings, numbers and switches is as JSON has it."""
    return json.dumps(round(value, 3) if isinstance(value, float) else value, ensure_ascii=False)


def _comment(text: str) -> str:
    """A comment in one line: what a provider says may be anything."""
    words = " ".join(redacted(text).split())
    printable = "".join(letter if letter.isprintable() else "?" for letter in words)
    return "# " + (printable if len(printable) <= _LONGEST_COMMENT else printable[: _LONGEST_COMMENT - 1] + "…")
