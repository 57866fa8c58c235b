"""What is printed can be pasted: it is read back as the settings that were found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.probe.findings import Findings
from orchestrator.probe.seen import Links, Seen
from orchestrator.probe.wording import Report
from orchestrator.settings import ProviderSettings
from orchestrator.settings_file import load_settings
from orchestrator.slot.capacity_file import load_capacity
from tests.probe.test_findings import a_round, refused
from tests.probe.test_plan import spoken

USUAL = ProviderSettings()


def report(seen: Seen, settings: ProviderSettings = USUAL) -> Report:
    """Return the report on what was seen."""
    return Report(seen=seen, findings=Findings.of(seen), settings=settings, table=load_capacity())


def full() -> Seen:
    """Return what is seen of a usual account."""
    return Seen(
        most_slots=4,
        seconds=7.0,
        asked=[spoken(), refused(retry_after=3.0)],
        alone=[spoken()],
        after_complete=["closed with 1000"],
        rounds=[a_round(2)],
        links=Links(open=10, refusal="it answered HTTP 429: no\nmore"),
    )


def pasted(text: str, tmp_path: Path) -> ProviderSettings:
    """Return what the program reads from the text."""
    path = tmp_path / "talkingstick.toml"
    path.write_text(text, "utf-8")
    return load_settings(path).provider


def test_settings_are_read_back(tmp_path: Path) -> None:
    """Those that were given and those that were found; all others stay as they are."""
    given = ProviderSettings(address="ws://127.0.0.1:1", key_file="/run/key", voice="अवनि", language="hi")
    text = report(full(), given).as_toml()
    assert pasted(text, tmp_path) == ProviderSettings(
        address="ws://127.0.0.1:1",
        key_file="/run/key",
        voice="अवनि",
        language="hi",
        slots=2,
        links=10,
        link_reuse="never",
        settle=0.05,
        slot_freed_by="complete",
        word_timestamps=False,
        backoff=3.0,
    )


def test_each_setting_says_how_it_was_found() -> None:
    """In a comment beside it; requests, speed and the calls that fit at the top."""
    lines = report(full()).as_toml().splitlines()
    assert lines[0].startswith("# talkingstick probe: 2 requests (1 refused), 70 characters")
    assert 'slots = 2  # one beside 2 was refused: "busy"' in lines
    assert "links = 10  # one more was refused: HTTP 429" in lines
    table, (speed,) = load_capacity(), {(0.1, 0.1)}
    fits = [table.fit(ttfb=speed[0], rtf=speed[1], talk_share=share, slots=2) for share in (0.3, 0.45, 0.57)]
    assert f"# Calls that fit where bots talk 30% / 45% / 57% of the time: {' / '.join(map(str, fits))}" in lines


def test_what_is_unknown_is_no_setting(tmp_path: Path) -> None:
    """It is a comment, with the reason: the defaults hold."""
    text = report(Seen(most_slots=4, given_up="it went away")).as_toml()
    assert pasted(text, tmp_path) == ProviderSettings()
    assert "# BROKEN OFF: it went away" in text
    assert "# slots: unknown; it went away" in text


def test_too_few_websockets_are_no_setting(tmp_path: Path) -> None:
    """The program needs two: a setting of one would be refused."""
    text = report(Seen(most_slots=4, links=Links(open=1, refusal="HTTP 429"))).as_toml()
    assert pasted(text, tmp_path).links == ProviderSettings().links
    assert "# links: 1; one more was refused: HTTP 429; talkingstick needs at least 2" in text


@pytest.mark.parametrize("words", ["a\n[bot]\nuse = 1", "\x00\x1b[31m", "x" * 999, "key sk_live_123 is busy"])
def test_whatever_a_provider_says_stays_in_its_comment(words: str, tmp_path: Path) -> None:
    """In one line, without control characters, not too long, and without a key."""
    seen = full()
    seen.rounds = [a_round(2, refusal=words)]
    found = report(seen)
    assert pasted(found.as_toml(), tmp_path).slots == 2
    assert max(map(len, found.as_toml().splitlines())) < 200
    assert "sk_live_123" not in found.as_toml() + found.as_json()


def test_json_has_everything() -> None:
    """One object in one line: settings, findings with value or reason, what was used."""
    text = report(full()).as_json()
    assert "\n" not in text
    document = json.loads(text)
    assert document["schema"] == 1
    assert document["provider"]["slots"] == document["findings"]["slots"]["value"] == 2
    assert document["findings"]["requests_per_minute"]["value"] is None
    assert document["findings"]["requests_per_minute"]["unknown"]
    assert document["used"]["requests"] == 2
    assert set(document["calls"]) == {"0.3", "0.45", "0.57"}
    assert document["broken_off"] is None
