"""Words mistakes in a document: keys and values as TOML has them, guesses at what was meant, nothing of a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from attrs import frozen

_SECRET = re.compile(r"\bsk_|://[^/]*@")
"""What a key of the account, or an address with a password, looks like."""


@frozen(kw_only=True)
class Wording:
    """What messages about a document need to know.

    `keys`: the keys of each table by its name, "" being the document itself; `never_shown`: keys whose value no message
    shows; `source`: what each line begins with.
    """

    keys: Mapping[str, Sequence[str]]
    never_shown: frozenset[str] = frozenset()
    source: str = ""


def shown(value: Any) -> str:
    """Return `value` as TOML would have it, cut to a line's length; not what looks like a key or a password."""
    text = repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)
    text = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)  # JSON leaves some line ends
    if _SECRET.search(text):
        return "(not shown)"
    return text if len(text) <= 60 else text[:57] + "..."


def guess(name: str, candidates: Mapping[str, str]) -> str | None:
    """Return what a misspelt name probably means: the value of the closest candidate, None where none is close."""
    close = get_close_matches(name.lower(), candidates, n=1, cutoff=0.7)
    return candidates[close[0]] if close else None


def unknown(section: str, name: str, *, keys: Mapping[str, Sequence[str]]) -> str:
    """Word an unknown key of a table; its value is left out, since it may be anything."""
    here = {key: _named(section, key, keys=keys) for key in keys.get(section, ())}
    anywhere: dict[str, str] = {}
    for other, names in keys.items():
        for key in names:
            anywhere.setdefault(key, _named(other, key, keys=keys))
    guessed = anywhere.get(name) or guess(name, here) or guess(name, anywhere)
    right = f"did you mean {guessed}?" if guessed else "known here: " + ", ".join(here.values())
    return f"{dotted((section, name))}: unknown key; {right}"


def _named(section: str, key: str, *, keys: Mapping[str, Sequence[str]]) -> str:
    name = f"{section}.{key}".lstrip(".")
    return f"[{name}]" if name in keys else name


def dotted(path: Sequence[str | int]) -> str:
    """Return the path as TOML writes it, quoted where it must be; the first part may be dotted already.

    Places in an array are counted from 0, in brackets.
    """
    first, *names = path
    dotted = str(first)
    for name in names:
        if isinstance(name, int):
            dotted += f"[{name}]"
        else:
            dotted += "." + (name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name))
    return dotted.lstrip(".")
