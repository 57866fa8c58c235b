"""The report is one page that opens without a network, and nobody's words can become its markup."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from attrs import Factory, define

from simulations.reports.report import write_report
from simulations.reports.summary import RunFacts, summarise
from tests.simulations.stories import Story, tell

VOID = {"meta", "br", "link", "img", "input", "hr"}
EVIL = "<script>alert('x')</script> & \"quotes\" \ud83d </li>"


@define
class Page(HTMLParser):
    """What a browser makes of the page, roughly: its elements, its texts, and whether every element is closed."""

    open: list[str] = Factory(list)
    elements: list[tuple[str, dict[str, str | None]]] = Factory(list)
    text: str = ""

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def story() -> Story:
    """A run in which a bot, a caller, a voice and a file name try to be markup."""
    told = tell(seed=2)
    told.transcripts[0]["turns"][0]["text"] = EVIL
    told.transcripts[0]["turns"][1].update(heard=EVIL, cut=EVIL, unspoken=EVIL, voice=EVIL)
    told.transcripts[0]["turns"][3].update(start=None, end=None, heard="", unspoken="never sounded")
    told.transcripts[1]["bot"] = EVIL
    told.transcripts[1]["recording"] = 'javascript:"><script>x</script>'
    return told


def page_of(told: Story, folder: Path) -> tuple[Page, str]:
    """Write the report and read it back."""
    run = RunFacts(calls=told.calls, seconds=told.seconds, slots=1, links=5)
    summary = summarise(told.events, run=run, books={"max_in_flight": 1, "refused_concurrency": 0})
    write_report(folder / "report.html", events=told.events, transcripts=told.transcripts, summary=summary)
    source = (folder / "report.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(source)
    page.close()
    assert page.open == []
    return page, source


def test_it_loads_nothing_from_anywhere(tmp_path: Path) -> None:
    """No element fetches, no style imports; all that it names lies beside it."""
    page, source = page_of(story(), tmp_path)
    named = [value for _, attributes in page.elements for key, value in attributes.items() if key in ("src", "href")]
    assert named
    assert all(value is not None and value.startswith("./") for value in named)
    assert not page.all("link")
    assert not re.search(r"url\(|@import", re.sub(r"<script.*?</script>", "", source, flags=re.DOTALL))


def test_markup_in_texts_is_text(tmp_path: Path) -> None:
    """What a bot or caller said is shown as it is; a lone surrogate cannot end the writing."""
    page, source = page_of(story(), tmp_path)
    assert page.text.count("<script>alert('x')</script>") == 6
    assert "<script>alert" not in source
    assert "never sounded" in page.text


def test_the_calls_stand_beside_each_other(tmp_path: Path) -> None:
    """A column, a recording to play and a link to it for each call; heard, cut and unspoken look different."""
    told = tell(seed=2)
    told.transcripts[2]["recording"] = None
    page, _ = page_of(told, tmp_path)
    assert [audio["src"] for audio in page.all("audio")] == ["./call-1.wav", "./call-2.wav", "./call-4.wav"]
    assert sum(section.get("class") == "call" for section in page.all("section")) == 4
    assert page.all("del")
    for transcript in told.transcripts:
        texts: list[Any] = [turn.get("text") or turn["heard"] for turn in transcript["turns"]]
        assert all(text in page.text for text in texts)


def test_a_turn_names_every_voice_that_spoke_it(tmp_path: Path) -> None:
    """The reply's own and that of this machine, in their order; one that nobody heard, only its own."""
    told = tell(seed=2)
    words: list[dict[str, Any]] = [
        {"word": "one", "start": 1.0}, {"word": "two", "start": 2.0, "voice": "espeak-ng"},
        {"word": "three", "start": None, "voice": "piper"},
    ]  # fmt: skip
    turns = [turn for turn in told.transcripts[0]["turns"] if turn["who"] == "bot"][:3]
    for turn, spoken in zip(turns, (words, words[1:], words[2:]), strict=True):
        turn.update(voice="maria", words=spoken)
    page, _ = page_of(told, tmp_path)
    assert [name for name in re.findall(r"bot \(([^)]*)\)", page.text) if name] == [
        "maria, espeak-ng", "espeak-ng", "maria",
    ]  # fmt: skip


def test_the_charts_come_with_their_script(tmp_path: Path) -> None:
    """Timeline and waits are drawn by plotly, whose JavaScript is in the page once."""
    page, source = page_of(tell(seed=2), tmp_path)
    assert {div.get("id") for div in page.all("div")} >= {"chart-timeline", "chart-waits"}
    assert source.count("* plotly.js v") == 1
    assert "Who held the slot" in page.text


def test_without_plotly_the_page_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables and calls are there, and a note names the extra that draws."""
    for name in [*filter(lambda name: name.partition(".")[0] == "plotly", sys.modules), "plotly"]:
        monkeypatch.setitem(sys.modules, name, None)
    page, source = page_of(tell(seed=2), tmp_path)
    assert "talkingstick[demo]" in page.text
    assert not page.all("script")
    assert len(source) < 100_000
    assert len(page.all("tr")) == 5


def test_a_run_in_which_nothing_happened(tmp_path: Path) -> None:
    """It has a page, too: a run that was interrupted at once."""
    told = tell(calls=1)
    del told.events[1:], told.transcripts[:]
    page, _ = page_of(told, tmp_path)
    assert "1 call talked for" in page.text
