"""What `[lipsync]` means, in words: who makes videos, how ends come to us, and what is hardly meant."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.lipsync_meaning import describe_lipsync, lipsync_notes
from orchestrator.settings import LipsyncSettings, ServeSettings, Settings
from orchestrator.settings_meaning import describe

PUBLIC = "https://bots.example.com"


def settings_of(public_url: str = "", **lipsync: Any) -> Settings:
    """Return settings with videos on."""
    return Settings(lipsync=LipsyncSettings(on=True, **lipsync), serve=ServeSettings(public_url=public_url))


def test_where_they_are_off_nothing_is_told() -> None:
    """But the settings themselves."""
    assert not [*describe_lipsync(Settings()), *lipsync_notes(Settings())]
    assert "Bots may answer with videos, and serve works on the queue of them: no" in describe(Settings())


def test_the_account_is_told_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they come from, and whether they are there."""
    monkeypatch.setenv("SYNC_API_KEY", "sk_0123456789")
    monkeypatch.delenv("HOOK", raising=False)
    lines = list(describe_lipsync(settings_of(PUBLIC, plan="scale", webhook_secret_env="HOOK")))
    assert lines == [
        "* videos: key from SYNC_API_KEY (set)",
        "    at most 15 generations at a time, and batches of 20 to 500",
        f"    their ends are told to {PUBLIC}/hooks/sync, signed with the secret from HOOK (missing)",
    ]
    polled = "\n".join(describe_lipsync(settings_of(key_file="/nowhere/key")))
    assert "key from file /nowhere/key (missing)" in polled
    assert "at most 1 generation at a time\n" in polled
    assert polled.endswith("the service is polled for their ends")


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        (settings_of(webhook_secret_env="HOOK"), "serve.public_url is missing"),
        (settings_of("http://bots.example.com", webhook_secret_env="HOOK"), "to https:// only"),
        (settings_of(PUBLIC), "lipsync.webhook_secret_env is not set"),
        (settings_of(generations=9, plan="creator"), "the plan creator is published with 3"),
        (settings_of(PUBLIC, webhook_secret_env="A", webhook_secret_file="/b"), "the file counts"),
        (settings_of(address="http://example.com"), "lipsync.address is http://"),
    ],
)
def test_what_is_hardly_meant_is_pointed_out(settings: Settings, note: str) -> None:
    """One note each."""
    (told,) = lipsync_notes(settings)
    assert told.startswith("! ")
    assert note in told


@pytest.mark.parametrize(
    "settings",
    [
        settings_of(PUBLIC, webhook_secret_env="HOOK"),
        settings_of(),
        settings_of(generations=40, plan="enterprise"),
        settings_of(address="http://127.0.0.1:8092"),
    ],
)
def test_what_fits_together_is_not(settings: Settings) -> None:
    """Polling without a port outside, a custom plan, the simulated service."""
    assert list(lipsync_notes(settings)) == []
