"""Builds HTML out of elements, so that nobody's text can be taken for markup; what a page says is report.py's."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, tostring

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""What HTML has no way to write."""


def element(tag: str, *content: str | Element, **attributes: str) -> Element:
    """Return an element; a trailing underscore in an attribute's name is dropped, so that `class_` can be given."""
    content = tuple(_CONTROLS.sub("\ufffd", part) if isinstance(part, str) else part for part in content)
    made = Element(tag, {name.rstrip("_"): value for name, value in attributes.items()})
    for part in content:
        if not isinstance(part, str):
            made.append(part)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + part
        else:
            made.text = (made.text or "") + part
    return made


def to_html(made: Element) -> str:
    """Return the element as HTML, its texts and attributes escaped."""
    return tostring(made, encoding="unicode", method="html")


def table(head: list[str], rows: list[list[str | Element]]) -> Element:
    """Return a table in a box that scrolls when the screen is narrow; the first cell of a row is its name."""
    top = element("tr", *(element("th", name, scope="col") for name in head))
    lines = [[element("th", first, scope="row"), *(element("td", cell) for cell in rest)] for first, *rest in rows]
    body = (element("tr", *line) for line in lines)
    return element("div", element("table", element("thead", top), element("tbody", *body)), class_="scroll")
