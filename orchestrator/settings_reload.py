"""Says which settings a running program takes over when its configuration is read again, and which need a restart.

Reading the file is settings_file.py's, acting on what changed app.py's and whose the log is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
from attrs import frozen

from orchestrator import events
from orchestrator.settings import Settings

AT_ONCE = ("provider.slots", "provider.links", "bot.weight", "admission.*", "log.level")
"""What holds at once, by key; `*` for all of a section. Every other setting needs a restart."""


@frozen(kw_only=True)
class Reload:
    """What reading a configuration again comes to: the `settings` that hold from now on, and the keys that differ."""

    settings: Settings
    changed: tuple[str, ...]
    need_restart: tuple[str, ...]

    def told(self, at: float) -> events.SettingsReloaded:
        """Return the event that tells it, at a time of the run's clock."""
        changed, need_restart = ", ".join(self.changed), ", ".join(self.need_restart)
        return events.SettingsReloaded(at=at, changed=changed, need_restart=need_restart)


def reloaded(running: Settings, wanted: Settings) -> Reload:
    """Return what becomes of `running` when the file says `wanted`: a setting that needs a restart keeps its value."""
    changed, need_restart = list[str](), list[str]()
    sections = attrs.asdict(running, recurse=False)
    for name, section in sections.items():
        new = dict[str, Any]()
        for key, value in _differing(section, getattr(wanted, name)):
            if _at_once(f"{name}.{key}"):
                new[key] = value
                changed.append(f"{name}.{key}")
            else:
                need_restart.append(f"{name}.{key}")
        sections[name] = attrs.evolve(section, **new)
    return Reload(settings=Settings(**sections), changed=tuple(changed), need_restart=tuple(need_restart))


def _at_once(key: str) -> bool:
    return key in AT_ONCE or f"{key.partition('.')[0]}.*" in AT_ONCE


def _differing(running: Any, wanted: Any) -> Iterator[tuple[str, Any]]:
    for field in attrs.fields(type(running)):
        value = getattr(wanted, field.name)
        if value != getattr(running, field.name):
            yield field.name, value
