"""Says in plain words what `[lipsync]` means, for `talkingstick check`; other settings are settings_meaning.py's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from orchestrator.errors import SettingsError
from orchestrator.port.routes import SYNC_HOOK
from orchestrator.settings import LipsyncSettings, Settings
from orchestrator.settings.lipsync import GENERATIONS
from orchestrator.settings_file import read_lipsync_key, read_webhook_secret

LIPSYNC_SENTENCES = (
    "Bots may answer with videos, and serve works on the queue of them: {lipsync.on}; made by {lipsync.address}, model "
    "{lipsync.model}.",
    "The video account's plan is {lipsync.plan}, with this many generations at a time (0: as the plan is published): "
    "{lipsync.generations}.",
    "In any 60 s it takes {lipsync.creates_per_minute} requests that begin a generation, and "
    "{lipsync.requests_per_minute} others; one may take {lipsync.request_within} s.",
    "Waiting jobs are sent as batches where the plan may: {lipsync.batch}.",
    "The queue of videos is kept in {lipsync.store}.",
    "A webhook's time stamp may be off by {lipsync.tolerance} s; the end of each job is told to {lipsync.notify_url}.",
    "A video service that refuses for good is asked again every {lipsync.ask_again} s.",
)
LIPSYNC_EMPTY = {
    "lipsync.store": "lipsync.db in the user's directory for state",
    "lipsync.notify_url": "nobody",
}
"""What an empty setting means, where that is not "none"."""
_HERE = ("localhost", "127.0.0.1", "::1")


def describe_lipsync(settings: Settings) -> Iterator[str]:
    """Yield what video answers come to, where they are on; of secrets only where they come from."""
    lipsync = settings.lipsync
    if not lipsync.on:
        return
    key = f"file {lipsync.key_file}" if lipsync.key_file else lipsync.key_env
    yield f"* videos: key from {key} ({_is_there(lipsync, read_lipsync_key)})"
    many = "1 generation" if lipsync.at_a_time == 1 else f"{lipsync.at_a_time} generations"
    batches = ", and batches of 20 to 500" if lipsync.may_batch else ""
    yield f"    at most {many} at a time{batches}"
    secret = f"file {lipsync.webhook_secret_file}" if lipsync.webhook_secret_file else lipsync.webhook_secret_env
    if secret and settings.serve.public_url:
        there = _is_there(lipsync, read_webhook_secret)
        url = settings.serve.public_url + SYNC_HOOK
        yield f"    their ends are told to {url}, signed with the secret from {secret} ({there})"
    else:
        yield "    the service is polled for their ends"


def lipsync_notes(settings: Settings) -> Iterator[str]:
    """Yield what is allowed and yet hardly meant."""
    lipsync, public = settings.lipsync, settings.serve.public_url
    if not lipsync.on:
        return
    has_secret = bool(lipsync.webhook_secret_env or lipsync.webhook_secret_file)
    if has_secret and not public:
        yield "! serve.public_url is missing: the video service can't tell of ends, and is polled."
    elif has_secret and not public.startswith("https://"):
        yield "! The video service tells ends to https:// only: set serve.public_url to that."
    if public and not has_secret:
        yield "! lipsync.webhook_secret_env is not set: ends of videos are not told, the service is polled."
    published = GENERATIONS[lipsync.plan]
    if lipsync.generations > published and lipsync.plan != "enterprise":
        yield f"! lipsync.generations is {lipsync.generations}; the plan {lipsync.plan} is published with {published}."
    if lipsync.webhook_secret_file and lipsync.webhook_secret_env:
        yield "! lipsync.webhook_secret_file and lipsync.webhook_secret_env are both set: the file counts."
    if lipsync.address.startswith("http://") and urlsplit(lipsync.address).hostname not in _HERE:
        yield "! lipsync.address is http://: the key crosses the net for all to read."


def _is_there(lipsync: LipsyncSettings, read: Callable[[LipsyncSettings], str]) -> str:
    try:
        read(lipsync)
    except SettingsError:
        return "missing"
    return "set"
