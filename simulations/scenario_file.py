"""Reads scenarios: those that ship, users' own in TOML, and what `--set` changes in them.

What a scenario holds is scenario.py's, how mistakes are worded structuring.py's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs import validators

from orchestrator.errors import SettingsError
from orchestrator.settings import Settings, WrongValue
from orchestrator.settings_file import NEVER_SHOWN, SECTIONS
from orchestrator.settings_words import Wording, guess, unknown
from orchestrator.slot.capacity_file import load_capacity
from orchestrator.structuring import assign, read_toml, structured, unfolded
from simulations.arrivals import under_load
from simulations.scenario import Group, Scenario
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.parsing import parse_faults
from simulations.waves.options import PROFILES, WavesOptions
from simulations.workload import Traits

SHIPPED = Path(__file__).parent / "scenarios"
ELSEWHERE = {
    "provider.slots": "server.slots: the program is told what the provider allows",
    "provider.links": "server.links: the program is told what the provider allows",
    "server.seed": "--seed",
    "server.api_key": "nothing: a simulated program has the right key",
    "bot.use": "callers.bot",
    "bot.weight": "callers.weight",
    "cache.directory": "nothing: a simulated program keeps its phrases in memory",
}
"""Settings that a scenario has in another place."""
NO_BACKOFF = "needs the wire; without it (wire = false, --no-wire) there is no back-off"
NEED_WIRE = "faults: need the wire; they go wrong on the real protocol, not with wire = false (--no-wire)"


# --- the tables of a file: flat, each key defined by the class that holds it in the end ---


def _fields(cls: type, *names: str) -> dict[str, Any]:
    return {
        each.name: attrs.field(type=each.type, default=each.default, validator=each.validator, kw_only=True)
        for each in attrs.fields(attrs.resolve_types(cls))
        if each.name in names
    }


def _table(name: str, fields: Mapping[str, Any], *, base: type = object) -> type[Any]:
    if attrs.has(base):
        attrs.resolve_types(base)
    return attrs.make_class(name, dict(fields), bases=(base,), kw_only=True, frozen=True, slots=True)


_PLAIN = ("about", "hours", "lifelike", "wire", "policy", "brief", "load")
"""Keys that a file and a Scenario have alike."""
CallersTable = _table(
    "CallersTable", _fields(Group, "arrivals", "per_hour", "bot", "weight", "leg", "leg_latency"), base=Traits
)
"""`[callers]`: what holds for every group that does not say otherwise."""
GroupTable = _table("GroupTable", _fields(Group, "calls"), base=CallersTable)
"""`[groups.NAME]`."""
ScenarioFile = _table(
    "ScenarioFile",
    {
        **_fields(Scenario, *_PLAIN),
        "faults": attrs.field(type=tuple[str, ...], default=()),
        "profile": attrs.field(type=str, default="fast", validator=validators.in_(tuple(PROFILES))),
        **_fields(Group, "calls"),
        "callers": attrs.field(type=CallersTable, factory=CallersTable),
        "groups": attrs.field(type=dict[str, GroupTable], factory=dict),  # type: ignore[valid-type]  # made above
        "server": attrs.field(type=WavesOptions, factory=WavesOptions),
    },
    base=Settings,
)
"""A whole file; the sections of the program's own settings stand beside these."""


def _names(cls: type) -> tuple[str, ...]:
    return tuple(each.name for each in attrs.fields(cls))


TRAITS = frozenset(_names(Traits))
_OWN = tuple(name for name in _names(ScenarioFile) if name not in SECTIONS)
_SERVER = tuple(name for name in _names(WavesOptions) if f"server.{name}" not in ELSEWHERE)
_KEYS = {
    "": (*_OWN, *SECTIONS),
    "callers": _names(CallersTable),
    "groups": (),
    "server": _SERVER,
    **SECTIONS,
}


# --- reading ---


def load_scenario(name_or_path: str, *, assignments: Sequence[str] = (), server: Sequence[str] = ()) -> Scenario:
    """Return the scenario that ships under this name, or is in the TOML file at this path.

    `assignments` are `KEY=VALUE` with any key of a scenario, `server` those of its section of that name; they change
    what the file says. Raises SettingsError, one line a mistake: the file, the key, the value, what would be right.
    """
    path = _find(name_or_path)
    document = read_toml(path)
    scenario = _read(document, name=path.stem, source=f"{path}: ")
    groups = set(document.get("groups", ()))
    for assignment in assignments:
        _change(document, assignment, source="--set ")
    if assignments:
        _refuse_new_groups(document, groups, source="--set ")
        scenario = _read(document, name=path.stem, source="--set ")
    return _with_server(document, server, name=path.stem) if server else scenario


def shipped() -> dict[str, str]:
    """Return the scenarios that ship: what each is about, by its name."""
    return {path.stem: str(read_toml(path).get("about", "")) for path in sorted(SHIPPED.glob("*.toml"))}


def listing() -> str:
    """Return the scenarios that ship as lines of text."""
    found = shipped()
    width = max(map(len, found))
    return "\n".join(f"{name:{width}}  {about}" for name, about in found.items())


def profile_of(server: WavesOptions) -> str | None:
    """Return what the provider's speed is called; None where it is no profile's."""
    return next((name for name, speed in PROFILES.items() if speed == (server.ttfb, server.rtf)), None)


def _find(name_or_path: str) -> Path:
    found = {path.stem: path for path in SHIPPED.glob("*.toml")}
    if name_or_path in found:
        return found[name_or_path]
    path = Path(name_or_path)
    if path.suffix == ".toml" or len(path.parts) > 1 or path.is_file():
        return path
    meant = guess(name_or_path, {name: name for name in found})
    right = f"did you mean {meant}?" if meant else "expected the path of a TOML file, or one that ships."
    raise SettingsError(f"scenario {name_or_path}: unknown; {right} These ship:\n{listing()}")


def _change(document: dict[str, Any], assignment: str, *, source: str) -> None:
    key = assign(document, assignment, source=source)
    server = document.get("server")
    if key == "profile" and isinstance(server, dict):  # a profile is both speeds; they may be set again after it
        server.pop("ttfb", None)
        server.pop("rtf", None)


def _with_server(document: dict[str, Any], assignments: Sequence[str], *, name: str) -> Scenario:
    """Change keys of the section `server`, and speak of them as `--provider` does: without the section."""
    for assignment in assignments:
        key, equals, _ = assignment.partition("=")
        key = key.strip()
        if not (key and equals):
            raise SettingsError(f"--provider {assignment}: expected KEY=VALUE, such as settle=0.2")
        if key not in _names(WavesOptions):
            raise SettingsError(f"--provider {unknown('', key, keys={'': _SERVER})}")
        _change(document, f"server.{assignment.strip()}", source="--provider ")
    try:
        return _read(document, name=name, source="--provider ")
    except SettingsError as error:
        raise SettingsError(re.sub(r"^--provider server\.", "--provider ", str(error), flags=re.MULTILINE)) from None


def _refuse_new_groups(document: Mapping[str, Any], known: set[str], *, source: str) -> None:
    groups = document.get("groups", {})
    keys = {"groups": tuple(sorted(known)), **{f"groups.{name}": () for name in known}}
    new = [name for name in groups if name not in known] if isinstance(groups, dict) else []
    if new and not known:
        raise SettingsError(f"{source}groups.{new[0]}: unknown key; the scenario has no groups, set callers.KEY")
    if new:
        raise SettingsError("\n".join(source + unknown("groups", name, keys=keys) for name in new))


def _with_switches(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with ladder and admission off unless it says otherwise; with a load admission is on."""
    switches = {"ladder": False, "admission": bool(document.get("load"))}
    tables = {section: unfolded(document.get(section, {})) for section in switches}
    said = {section: {"on": switches[section], **table} for section, table in tables.items() if type(table) is dict}
    return {**document, **said}


def _read(document: dict[str, Any], *, name: str, source: str) -> Scenario:
    document = _with_switches(document)
    groups = document.get("groups")
    names = tuple(groups) if isinstance(groups, dict) else ()
    keys = {**_KEYS, "groups": names, **{f"groups.{each}": _names(GroupTable) for each in names}}
    never_shown = NEVER_SHOWN | {"server.api_key"}
    file = structured(document, ScenarioFile, wording=Wording(keys=keys, never_shown=never_shown, source=source))
    faults, wrong = _faults(file.faults)
    try:
        scenario = attrs.evolve(_scenario(file, document=document, name=name), faults=faults)
        wrong += [*_misplaced(document), *_conflicts(scenario)]
    except WrongValue as error:
        wrong.append(f"server.{error}")
    if wrong:
        raise SettingsError("\n".join(source + line for line in wrong))
    return scenario


def _scenario(file: Any, *, document: Mapping[str, Any], name: str) -> Scenario:
    """Raises WrongValue where the program cannot be told what the server allows."""
    ttfb, rtf = PROFILES[file.profile]
    given = _given(file.server, document.get("server", {}))
    server = WavesOptions(**{"ttfb": ttfb, "rtf": rtf, "chunk_ms": None, **given})
    settings = Settings(**{section: getattr(file, section) for section in SECTIONS})
    provider = attrs.evolve(settings.provider, slots=server.slots, links=server.links)
    return Scenario(
        name=name,
        groups=tuple(_groups(file, document)),
        server=server,
        profile=profile_of(server),
        settings=attrs.evolve(settings, provider=provider),
        **{key: getattr(file, key) for key in _PLAIN},
    )


def _faults(texts: Sequence[str]) -> tuple[tuple[Fault, ...], list[str]]:
    """Return what goes wrong at the provider, and what is wrong with it."""
    try:
        return parse_faults(texts, source="faults: "), []
    except SettingsError as error:
        return (), str(error).splitlines()


def _groups(file: Any, document: Mapping[str, Any]) -> Iterator[Group]:
    callers = _given(file.callers, document.get("callers", {}))
    if not file.groups:
        yield _group(None, {**callers, "calls": file.calls})
    for name, table in file.groups.items():
        yield _group(name, {**callers, **_given(table, document["groups"][name])})


def _group(name: str | None, keys: Mapping[str, Any]) -> Group:
    traits = Traits(**{key: value for key, value in keys.items() if key in TRAITS})
    return Group(name=name, traits=traits, **{key: value for key, value in keys.items() if key not in TRAITS})


def _given(table: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the file says of this table, without the defaults."""
    return {key: getattr(table, key) for key in said}


def _misplaced(document: Mapping[str, Any]) -> Iterator[str]:
    for key, place in ELSEWHERE.items():
        section, _, name = key.partition(".")
        if name in document.get(section, {}):
            yield f"{key}: not in a scenario; set {place}"
    if "all" in document.get("groups", {}):
        yield "groups.all: not a name for a group: the tables have all groups together under it; choose another"
    if "calls" in document and document.get("groups"):
        yield "calls: not beside groups; set groups." + next(iter(document["groups"])) + ".calls"


def _conflicts(scenario: Scenario) -> Iterator[str]:
    streams = [group for group in scenario.groups if group.arrivals in ("regular", "poisson")]
    for group in streams:
        if group.per_hour is None and not group.traits.minutes:
            section = "callers" if group.name is None else f"groups.{group.name}"
            yield f'{section}.arrivals = "{group.arrivals}": needs per_hour, or minutes'
    if not streams and any(group.per_hour is not None for group in scenario.groups):
        yield 'per_hour: needs arrivals = "regular" or "poisson"'
    yield from _conflicts_of_load(scenario)
    if scenario.faults and not scenario.wire:
        yield NEED_WIRE
    if scenario.server.clamp_backoff and not scenario.wire:
        yield f"server.clamp_backoff: {NO_BACKOFF}"
    if not scenario.calls:
        yield "calls = 0: expected one at least"


def _conflicts_of_load(scenario: Scenario) -> Iterator[str]:
    if not scenario.load:
        return
    if any(group.arrivals != "poisson" or not group.traits.minutes for group in scenario.groups):
        yield 'load: needs callers with arrivals = "poisson", and minutes'
    elif any(group.per_hour is not None for group in scenario.groups):
        yield "load: not beside per_hour: each says how many calls come"
    else:
        try:
            under_load(scenario, load_capacity())
        except ValueError as error:
            yield f"load: {error}"
