"""Claims about reading a configuration again: what holds at once, what needs a restart, and nothing in between."""

from __future__ import annotations

from orchestrator.settings import (
    AdmissionSettings,
    BotSettings,
    LipsyncSettings,
    LogSettings,
    ProviderSettings,
    Settings,
    SlotSettings,
)
from orchestrator.settings_file import SECTIONS
from orchestrator.settings_reload import AT_ONCE, reloaded


def test_nothing_changes_where_the_file_is_the_same() -> None:
    """Neither list has a key."""
    reload = reloaded(Settings(), Settings())
    assert (reload.settings, reload.changed, reload.need_restart) == (Settings(), (), ())


def test_a_plan_upgrade_holds_at_once() -> None:
    """Slots, links, weight, admission and the log's level."""
    wanted = Settings(
        provider=ProviderSettings(slots=3, links=15),
        admission=AdmissionSettings(calls=30, queue=2),
        bot=BotSettings(weight=2.0),
        log=LogSettings(level="debug"),
    )
    reload = reloaded(Settings(), wanted)
    assert reload.settings == wanted
    assert reload.need_restart == ()
    assert set(reload.changed) == {
        "provider.slots",
        "provider.links",
        "admission.calls",
        "admission.queue",
        "bot.weight",
        "log.level",
    }


def test_what_needs_a_restart_keeps_its_value_and_is_named() -> None:
    """Also where another setting of its section holds at once."""
    wanted = Settings(provider=ProviderSettings(slots=2, voice="other"), slot=SlotSettings(patience=0.4))
    reload = reloaded(Settings(), wanted)
    assert reload.settings == Settings(provider=ProviderSettings(slots=2))
    assert reload.changed == ("provider.slots",)
    assert reload.need_restart == ("provider.voice", "slot.patience")


def test_each_key_that_holds_at_once_is_a_setting() -> None:
    """A setting that is renamed takes its entry with it."""
    keys = {f"{section}.{key}" for section, names in SECTIONS.items() for key in names}
    keys |= {f"{section}.*" for section in SECTIONS}
    assert set(AT_ONCE) <= keys


def test_the_account_for_videos_needs_a_restart() -> None:
    """Its plan, too: the queue holds what it was opened with."""
    wanted = Settings(lipsync=LipsyncSettings(on=True, plan="growth"))
    reload = reloaded(Settings(), wanted)
    assert reload.settings == Settings()
    assert reload.need_restart == ("lipsync.on", "lipsync.plan")
