"""Elements become HTML in which texts and attributes stay what they are."""

from __future__ import annotations

from simulations.reports.markup import element, table, to_html


def test_texts_and_elements_in_order() -> None:
    """Mixed content keeps its order, and every special character is escaped."""
    made = element("p", "a < b ", element("b", "&"), " c", " d", class_='x"y')
    assert to_html(made) == '<p class="x&quot;y">a &lt; b <b>&amp;</b> c d</p>'


def test_an_empty_element_is_closed() -> None:
    """An audio element without content must not swallow what follows."""
    assert to_html(element("audio", src="./a.wav")) == '<audio src="./a.wav"></audio>'


def test_a_table() -> None:
    """A row's first cell is its name."""
    made = to_html(table(["call", "wait"], [[element("i"), "1 s"]]))
    assert '<tr><th scope="row"><i></i></th><td>1 s</td></tr>' in made
