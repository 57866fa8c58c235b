"""What the catalogue of all voices answers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulations.waves.http import models
from simulations.waves.http.refusals import BASES
from simulations.waves.http.voice_pool import POOLS, VOICE_NAMES
from tests.simulations.waves.http.pages_client import UNAUTHORIZED, Json, asking, make_provider, official_client


async def listed(*, base: str = BASES[0], **options: Any) -> list[Json]:
    """Return the catalogue's entries."""
    async with asking(models.routes(make_provider(**options))) as client:
        answer = await client.get(f"{base}/voice/get-all-models")
    assert answer.status_code == 200
    voices = answer.json()["voices"]
    assert isinstance(voices, list)
    return voices


@pytest.mark.parametrize("base", BASES)
async def test_an_entry_has_the_published_fields(base: str) -> None:
    """Those of the specification's example, with the tags that it has there."""
    mishka = next(entry for entry in await listed(base=base) if entry["voiceId"] == "mishka")
    assert set(mishka) == {"_id", "voiceId", "displayName", "description", "audioPreview", "tags"}
    assert re.fullmatch("[0-9a-f]{24}", mishka["_id"])
    assert mishka["displayName"] == "Mishka"
    assert mishka["description"] == "A young Indian female voice, conversational."
    assert mishka["audioPreview"].endswith("/mishka.wav")
    languages = ["hindi", "english", "marathi", "gujarati", "punjabi", "bengali", "odia", "tamil", "telugu"]
    assert mishka["tags"] == {"age": "young", "emotions": [], "language": languages}


async def test_every_voice_that_is_not_retired_is_listed_once() -> None:
    """Voices of several models have one entry; those of retired models only have none, unless an option says so."""
    names = [entry["voiceId"] for entry in await listed()]
    current = {voice.name for model in ("lightning", "lightning-v3.1", "lightning-v3.1-pro") for voice in POOLS[model]}
    assert len(names) == len(set(names))
    assert set(names) == current
    assert {entry["voiceId"] for entry in await listed(retired=())} == VOICE_NAMES


async def test_ids_are_the_same_in_every_run() -> None:
    """What a client stored still names the same voice after a restart."""
    assert await listed() == await listed()
    assert len({entry["_id"] for entry in await listed()}) == len(await listed())


async def test_the_catalogue_needs_a_key() -> None:
    """Without one there is a 401."""
    async with asking(models.routes(make_provider()), key=None) as client:
        answer = await client.get("/waves/v1/voice/get-all-models")
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


async def test_the_official_client_reads_the_catalogue() -> None:
    """It finds its own fields in every entry."""
    async with official_client(models.routes(make_provider())) as client:
        voices = (await client.waves.voices.get_all_voice_models()).voices or []
    assert len(voices) > 200
    assert all(voice.id and voice.voice_id and voice.audio_preview and voice.tags for voice in voices)
