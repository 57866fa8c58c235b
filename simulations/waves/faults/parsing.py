"""Reads faults: from an option, from a script in TOML, from an order in JSON; what is wrong is told as of settings.

Which figures each fault takes, and their defaults, is catalogue.py's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs import validators

from orchestrator.errors import SettingsError
from orchestrator.settings_words import Wording, guess, shown, unknown
from orchestrator.structuring import read_toml, structured
from simulations.waves.faults.catalogue import BY_ITSELF, CATALOGUE, TIMES, Entry
from simulations.waves.faults.fault import Fault

_EXPECTED = "expected NAME or NAME:KEY=VALUE,... each key once, such as stall:seconds=3,every=300"
_TRUTHS = {"true": True, "false": False}
_OTHER_WORDS = {"other_user": {"hold": "seconds"}}


@attrs.frozen(eq=False)
class FaultReader:
    """Reads the faults of one service, which its catalogue names."""

    catalogue: Mapping[str, Entry]
    _kinds: dict[str, type[Any]] = attrs.field(factory=dict, init=False, repr=False)

    def parse_fault(self, text: str, *, source: str = "--fault ") -> Fault:
        """Return the fault that `NAME` or `NAME:KEY=VALUE,...` orders; `source` is what messages begin with.

        Raises SettingsError, one line a mistake.
        """
        source = f"{source}{text}: "
        name, colon, figures = text.strip().partition(":")
        document: dict[str, Any] = {}
        for figure in figures.split(",") if colon else ():
            key, equals, value = (part.strip() for part in figure.partition("="))
            if not (key and equals and value) or key in document:
                raise SettingsError(source + _EXPECTED)
            document[key] = _value(value)
        return self._fault(name.strip(), document, source=source, goes_on=True)

    def parse_faults(self, texts: Sequence[str], *, source: str = "--fault ") -> tuple[Fault, ...]:
        """Return the faults of several such texts; raises SettingsError with what is wrong with any of them."""
        faults, wrong = [], []
        for text in texts:
            try:
                faults.append(self.parse_fault(text, source=source))
            except SettingsError as error:
                wrong.append(str(error))
        if wrong:
            raise SettingsError("\n".join(wrong))
        return tuple(faults)

    def read_script(self, path: Path) -> list[Fault]:
        """Return the faults of a script: TOML with a table `[[fault]]` for each, with `name`, its times and figures.

        Raises SettingsError, one line a mistake.
        """
        document = read_toml(path)
        wrong = [f"{path}: " + unknown("", key, keys={"": ("fault",)}) for key in document if key != "fault"]
        tables = document.get("fault")
        if not isinstance(tables, list) or not tables:
            wrong.append(f"{path}: expected a table [[fault]] for each fault, with name = and its figures")
            tables = []
        faults = []
        for number, table in enumerate(tables, 1):
            try:
                faults.append(self._named(table, source=f"{path}: fault {number}: ", goes_on=True))
            except SettingsError as error:
                wrong.append(str(error))
        if wrong:
            raise SettingsError("\n".join(wrong))
        return faults

    def read_order(self, order: Any) -> Fault:
        """Return the fault that a JSON object orders, such as {"name": "stall", "seconds": 3}; without times it strikes
        just once. Raises SettingsError."""
        return self._named(order, source="", goes_on=False)

    def _named(self, table: Any, *, source: str, goes_on: bool) -> Fault:
        """Read a table with the fault's name in it."""
        if not isinstance(table, dict):
            raise SettingsError(f"{source}{shown(table)}: expected a table with name and figures")
        name = table.get("name")
        if not isinstance(name, str):
            told = "missing" if name is None else f"{shown(name)} is no name"
            raise SettingsError(f"{source}name: {told}; known: {', '.join(self.catalogue)}")
        figures = {key: value for key, value in table.items() if key != "name"}
        return self._fault(
            name, figures, source=f"{source}{name}: " if name in self.catalogue else source, goes_on=goes_on
        )

    def _fault(self, name: str, document: dict[str, Any], *, source: str, goes_on: bool) -> Fault:
        """Return the fault with the figures of `document`; `goes_on` has one recur that says nothing of when."""
        if name not in self.catalogue:
            meant = guess(name, {known: known for known in self.catalogue})
            right = f"did you mean {meant}?" if meant else f"known: {', '.join(self.catalogue)}"
            raise SettingsError(f"{source}{shown(name)} is no fault; {right}")
        kind = self._figures(name)
        wording = Wording(keys={"": [each.name for each in attrs.fields(kind)]}, source=source)
        found = structured(document, kind, wording=wording)
        words = _OTHER_WORDS.get(name, {})
        defaults = {key: value for key, value in self.catalogue[name].figures.items() if value is not None}
        figures = {**defaults, **{words.get(key, key): getattr(found, key) for key in document}}
        if not figures.keys() & {*TIMES, "share"}:
            figures |= {"every": BY_ITSELF} if goes_on and not self._is_for_good(name, figures) else {}
        elif figures.get("every") is not None and not figures.keys() & {"at", "count"}:
            figures["count"] = 0
        wrong = list(self._conflicts(name, document, figures=figures))
        if wrong:
            raise SettingsError("\n".join(source + line for line in wrong))
        return Fault(name=name, **figures)

    def _conflicts(self, name: str, document: Mapping[str, Any], *, figures: Mapping[str, Any]) -> Iterator[str]:
        recurs = figures.get("every") is not None
        for word, key in _OTHER_WORDS.get(name, {}).items():
            if word in document and key in document:
                yield f"{word}: another word for {key}; give one of them"
        if recurs and figures.get("share") is not None:
            yield "every: not beside share, which says how often"
        if recurs and self._is_for_good(name, figures):
            yield "every: needs seconds; without them it lasts for good"
        if document.get("count") == 0 and not recurs:
            yield "count = 0: needs every"

    def _is_for_good(self, name: str, figures: Mapping[str, Any]) -> bool:
        """Say whether it has no end: only what has none by default can."""
        return self.catalogue[name].figures.get("seconds") == 0.0 and not figures["seconds"]

    def _figures(self, name: str) -> type[Any]:
        """Return a class with what may be said of the fault of this name, checked as Fault does."""
        if name in self._kinds:
            return self._kinds[name]
        taken = self.catalogue[name].figures
        known = {each.name: each for each in attrs.fields(attrs.resolve_types(Fault))}
        words = {key: key for key in (*TIMES, *taken)} | _OTHER_WORDS.get(name, {})
        fields = {}
        for word, key in words.items():
            lasts = key == "seconds" and taken[key]  # what has a length by itself has one
            check = validators.gt(0.0) if lasts else known[key].validator
            default = taken.get(key, known[key].default)
            fields[word] = attrs.field(type=known[key].type, default=default, validator=check)
        kind = attrs.make_class(f"Figures_{name}", fields, kw_only=True, frozen=True)
        return self._kinds.setdefault(name, kind)


def _value(text: str) -> bool | int | float | str:
    if text in _TRUTHS:
        return _TRUTHS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


WAVES = FaultReader(CATALOGUE)
"""Of the simulated Waves provider."""
parse_fault, parse_faults, read_script, read_order = (
    WAVES.parse_fault,
    WAVES.parse_faults,
    WAVES.read_script,
    WAVES.read_order,
)
