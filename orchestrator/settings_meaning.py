"""Says in plain words what a configuration means, for `talkingstick check`; reading one is settings_file.py's."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from orchestrator.errors import SettingsError
from orchestrator.lipsync_meaning import LIPSYNC_EMPTY, LIPSYNC_SENTENCES
from orchestrator.settings import ProviderSettings, Settings
from orchestrator.settings_file import read_key

SENTENCES = (
    "Speech comes from {provider.address}, {provider.api} endpoint.",
    "Its model is {provider.model}, voice {provider.voice}, language {provider.language}, speed {provider.speed}.",
    "The account allows {provider.slots} request(s) at a time over at most {provider.links} WebSockets.",
    "A WebSocket is used again after a piece: {provider.link_reuse}; an idle one is replaced after "
    "{provider.link_idle} s.",
    "A WebSocket may take {provider.connect_within} s to open.",
    "The account allows {provider.requests_per_minute} requests a minute (0: no such limit is known).",
    "A request counts for {provider.settle} s after its WebSocket is gone, and a refusal means a wait of "
    "up to {provider.backoff} s, doubled with each further one up to {provider.backoff_most} s.",
    "A request is given up after {provider.silent_for} s without sound, and {provider.overdue} s after it should have "
    "ended.",
    "A slot is free again at: {provider.slot_freed_by}; quiet means {provider.quiet} s.",
    "A provider that refuses for good is asked again every {provider.ask_again} s.",
    "Pronunciation dictionaries: {provider.dictionaries}.",
    "Word times are asked of the provider: {provider.word_timestamps}.",
    "A first piece may wait {slot.patience} s for the slot before it is late.",
    "A waiting call may fall {slot.bound} s of slot behind the others before it goes first.",
    "At most {speech.look_ahead} s of a reply are made before they are heard.",
    "A request holds {speech.least_characters} to {speech.piece_characters} characters, tried {speech.tries} times.",
    "Later pieces may hold several sentences: {speech.join}; pieces may end inside a sentence: {speech.split}.",
    "A voice speaks {speech.characters_per_second} characters a second until its speed is learned.",
    "Silence at joins: {speech.pause_before} s before a piece; after it at most {speech.pause_comma} s inside a "
    "sentence, {speech.pause_sentence} s at its end.",
    "While a reply must wait the caller hears something: {ladder.on}; rungs: {ladder.rungs}.",
    "After {ladder.filler_after} s of silence a filler of at most {ladder.filler_longest} s: {ladder.fillers}",
    "After {ladder.noise_after} s noise, and in it every {ladder.word_every} s a word: {ladder.words}",
    "Where a reply would wait for {ladder.brief_after} s the bot's brief variant is said.",
    "From {ladder.local_after} s of silence on a voice of this machine speaks: {ladder.local}.",
    "After {ladder.apology_after} s without any voice the call ends, handed over to {ladder.hand_over_to}, with: "
    "{ladder.apologies}",
    "Phrases are kept: {cache.on}, in {cache.directory}, at most {cache.megabytes} MB of them for {cache.days} days.",
    "Phrases to have ready besides: {cache.phrases}",
    "No more calls are taken than fit: {admission.on}; how many that is (0: as the capacity table says): "
    "{admission.calls}.",
    "Fewer are taken while the p95 wait of two minutes is above {admission.level} s.",
    "Calls beyond that may wait: {admission.queue} of them, for {admission.queue_within} s; the others are refused: "
    "{admission.refusals}",
    "Told to stop, it lets calls go on for {admission.drain_within} s, then says: {admission.goodbyes}",
    "A bot has {dialogue.first_text_within} s until its first text, then {dialogue.text_within} s between texts.",
    "on_silence is asked after {dialogue.silence_after} s without a word (0: never).",
    "When a bot fails, the caller hears: {dialogue.apology}",
    "After {dialogue.failures} failures in a row the call is ended.",
    "The bot is {bot.use}; its calls weigh {bot.weight} when calls compete; options set: {bot.options}.",
    "Logs begin at level {log.level}; a task that keeps the loop for {log.blocked_after} s is named.",
    "Calls come in at {serve.host}, port {serve.port}, AudioSocket's at port {serve.audiosocket_port} (-1: none).",
    "Outside that is known as {serve.public_url}; a proxy in front says who calls: {serve.forwarded}.",
    "The certificate for TLS at the port (none: no TLS there) is in {serve.certificate}; its key in "
    "{serve.certificate_key}.",
    "At most {serve.most_connections} connections are open, {serve.connections_per_address} from one address; a "
    "WebSocket message has at most {serve.message_bytes} bytes.",
    "A call has {serve.handshake_within} s from its connection to its start.",
    "Carriers get at most {serve.lead} s of sound ahead; {serve.carrier_latency} s lie between it and the ear.",
    "Keys count as complete {serve.digits_within} s after the last one.",
    "Until there are ears, callers speak above {serve.hearing.level} dBFS: after {serve.hearing.starts_after} s a turn "
    "begins, after {serve.hearing.ends_after} s without it ends, and says: {serve.hearing.lines}",
    "Calls are recorded: {serve.recording.on}, in {serve.recording.directory}, kept for {serve.recording.days} days.",
    *LIPSYNC_SENTENCES,
)
"""What each setting means; every setting is in one of these, and a test says so, but for those about keys and secrets
and `serve.lines` (serve_meaning.py)."""


_EMPTY = {
    "cache.directory": "the user's directory for caches",
    "ladder.hand_over_to": "nobody",
    "serve.host": "every address of this machine",
    "serve.public_url": "nothing else",
    "serve.certificate_key": "the same file",
    **LIPSYNC_EMPTY,
}
"""What an empty setting means, where that is not "none"."""
_SHOWN = 40
"""Characters of a text that are shown."""


def describe(settings: Settings) -> str:
    """Return what `settings` mean, one sentence a line; a line that differs from the defaults is marked with `*`.

    The key is never shown, only where it comes from and whether it is there; nor are values of the bot's options.
    """
    values = dict(_flat(settings))
    lines = [_sentence(sentence, values) for sentence in SENTENCES]
    lines.insert(2, _key_line(settings))
    return "\n".join([*lines, *_notes(settings)])


def _flat(settings: Settings) -> Iterator[tuple[str, Any]]:
    for name, section in attrs.asdict(settings, recurse=False).items():
        yield from _flat_section(name, section)


def _flat_section(name: str, section: Any) -> Iterator[tuple[str, Any]]:
    for key, value in attrs.asdict(section, recurse=False).items():
        if attrs.has(type(value)):
            yield from _flat_section(f"{name}.{key}", value)
        else:
            yield f"{name}.{key}", tuple(value) if key == "options" else value  # their values may be secret


DEFAULTS: Mapping[str, Any] = dict(_flat(Settings()))
"""The default of every setting, by its key."""


def keys_in(sentence: str) -> list[str]:
    """Return the settings that `sentence` tells about."""
    return [name for _, name, _, _ in string.Formatter().parse(sentence) if name]


def _sentence(sentence: str, values: Mapping[str, Any]) -> str:
    keys = keys_in(sentence)
    changed = [key for key in keys if values[key] != DEFAULTS[key]]
    for key in keys:
        sentence = sentence.replace(f"{{{key}}}", _worded(values[key]) or _EMPTY.get(key, "none"))
    if not changed:
        return f"  {sentence}"
    return (
        f"* {sentence}  ["
        + ", ".join(f"{key}, default {_worded(DEFAULTS[key]) or _EMPTY.get(key, 'none')}" for key in changed)
        + "]"
    )


def _worded(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{language}: {_shortened(texts)}" for language, texts in value.items())
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shortened(texts: Sequence[str]) -> str:
    """Return how the first of the texts begins, and how many more there are."""
    first, *more = texts or ("nothing",)
    if len(first) > _SHOWN:
        first = first[:_SHOWN].rsplit(" ", 1)[0] + " ..."
    return f"{first} (and {len(more)} more)" if more else first


def key_source(provider: ProviderSettings) -> str:
    """Return where the account's key comes from: the name of a variable or of a file."""
    return f"file {provider.key_file}" if provider.key_file else provider.key_env


def _key_line(settings: Settings) -> str:
    provider, default = settings.provider, Settings().provider
    mark = "*" if (provider.key_file, provider.key_env) != (default.key_file, default.key_env) else " "
    try:
        read_key(provider)
    except SettingsError:
        return f"{mark} key: from {key_source(provider)} (missing)"
    return f"{mark} key: from {key_source(provider)} (set)"


def _notes(settings: Settings) -> Iterator[str]:
    provider = settings.provider
    if provider.links < provider.slots + 1:
        yield f"! {provider.links} WebSockets are too few to keep {provider.slots} requests going and one link spare."
    if settings.speech.least_characters > settings.speech.piece_characters:
        yield "! speech.least_characters is above speech.piece_characters: pieces are cut at the latter."
    if provider.backoff > provider.backoff_most:
        yield "! provider.backoff is above provider.backoff_most: the first refusal already means the latter."
    if settings.admission.queue and not settings.admission.on:
        yield "! admission.queue is set, but admission is off: no call ever waits for a place."
    yield from _missing_texts(settings)


def _missing_texts(settings: Settings) -> Iterator[str]:
    """Point out what is to be said and has no words in the calls' language."""
    ladder, admission = settings.ladder, settings.admission
    language = "en" if settings.provider.language == "auto" else settings.provider.language
    for rung, key, texts in (
        ("filler", "ladder.fillers", ladder.fillers),
        ("noise", "ladder.words", ladder.words),
        ("apology", "ladder.apologies", ladder.apologies),
    ):
        if ladder.on and rung in ladder.rungs and not texts.get(language):
            yield f"! {key} has no text in {language}: the rung {rung!r} stays without words."
    if ladder.on and ladder.local == "none" and "local_voice" in ladder.rungs:
        yield "! ladder.rungs has 'local_voice', but ladder.local is none: there is no such voice."
    if admission.on and not admission.refusals.get(language):
        yield f"! admission.refusals has no text in {language}: who is refused hears nothing."
    if not admission.goodbyes.get(language):
        yield f"! admission.goodbyes has no text in {language}: who must leave hears nothing."
