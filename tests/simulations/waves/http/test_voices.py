"""What the page of a model's voices answers, and whether the pools hold together."""

from __future__ import annotations

import pytest
import trio

from orchestrator.settings import LANGUAGES
from simulations.voices import ESPEAK_VOICES
from simulations.waves.http import voices
from simulations.waves.http.refusals import BASES, MODELS
from simulations.waves.http.voice_pool import POOLS, VOICE_NAMES
from simulations.waves.synthesis import WORD_TIMESTAMP_VOICES
from tests.simulations.waves.http.pages_client import UNAUTHORIZED, asking, make_provider, official_client

AVERY = {
    "voiceId": "avery",
    "displayName": "Avery",
    "tags": {
        "language": ["english"],
        "accent": "american",
        "gender": "female",
        "age": "young",
        "emotions": [],
        "usecases": ["conversational"],
    },
}
"""As published."""


@pytest.mark.parametrize("base", BASES)
async def test_a_voice_is_listed_as_published(base: str) -> None:
    """The shape of an entry is that of the specification, under both bases."""
    async with asking(voices.routes(make_provider())) as client:
        answer = await client.get(f"{base}/lightning-v3.1/get_voices")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert [entry for entry in answer.json()["voices"] if entry["voiceId"] == "avery"] == [AVERY]


@pytest.mark.parametrize("model", MODELS)
async def test_each_path_lists_its_own_pool_only(model: str) -> None:
    """Every model's path gives the voices of that model, in their order, and no others."""
    async with asking(voices.routes(make_provider(retired=()))) as client:
        answer = await client.get(f"/waves/v1/{model}/get_voices")
    assert [entry["voiceId"] for entry in answer.json()["voices"]] == [voice.name for voice in POOLS[model]]


async def test_a_retired_model_is_gone_with_a_pointer() -> None:
    """Its page answers 410 and names the successor; an option brings the model back."""
    async with asking(voices.routes(make_provider())) as client:
        answer = await client.get("/waves/v1/lightning-v2/get_voices")
    assert answer.status_code == 410
    assert answer.json() == {
        "status": "error",
        "error_code": "MODEL_DEPRECATED",
        "message": "This model is retired. Please migrate to lightning-v3.1 via /waves/v1/lightning-v3.1/get_speech.",
        "recommended_endpoint": "/waves/v1/lightning-v3.1/get_speech",
    }


async def test_an_unknown_model_is_not_found() -> None:
    """Neither is the form of a model's name that belongs into bodies."""
    async with asking(voices.routes(make_provider())) as client:
        answers = [await client.get(f"/waves/v1/{model}/get_voices") for model in ("thunder", "lightning_v3.1")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert set(answers[0].json()) == {"error", "message"}


@pytest.mark.parametrize("key", [None, "sk_nobody"])
async def test_nobody_without_a_key_sees_voices(key: str | None) -> None:
    """A missing and a wrong key get the 401 of the specification, and the books count both."""
    provider = make_provider()
    async with asking(voices.routes(provider), key=key) as client:
        answer = await client.get("/waves/v1/lightning-v3.1/get_voices")
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
    assert provider.accounts.snapshot(trio.current_time())["refused_auth"] == 1


async def test_the_official_client_reads_the_voices() -> None:
    """It finds its own fields in every entry of both current pools."""
    async with official_client(voices.routes(make_provider())) as client:
        for model in ("lightning-v3.1", "lightning-v3.1-pro"):
            listed = (await client.waves.get_voices(model=model)).voices or []
            assert [voice.voice_id for voice in listed] == [voice.name for voice in POOLS[model]]
            assert all(voice.tags and voice.tags.language and voice.tags.gender for voice in listed)


def test_pools_name_every_voice_once() -> None:
    """Within a pool a voice has one entry; there is a pool for every model with a path."""
    assert set(POOLS) == set(MODELS)
    for model, pool in POOLS.items():
        names = [voice.name for voice in pool]
        assert len(names) == len(set(names)), model


def test_pools_hold_the_voices_that_clients_begin_with() -> None:
    """The defaults of every client, what has word timestamps, and what our own voices know, are there."""
    assert {"magnus", "sophia", "avery", "liam"} <= {voice.name for voice in POOLS["lightning-v3.1"]}
    assert "meher" in {voice.name for voice in POOLS["lightning-v3.1-pro"]}
    assert "emily" in {voice.name for voice in POOLS["lightning"]} & {voice.name for voice in POOLS["lightning-v2"]}
    assert set(ESPEAK_VOICES) | WORD_TIMESTAMP_VOICES <= VOICE_NAMES


def test_every_language_of_the_pro_model_has_a_voice() -> None:
    """As many languages are tagged as the provider speaks, but for the two that have no voices yet (nl, sv)."""
    spoken = {language for model in MODELS for voice in POOLS[model] for language in voice.languages}
    assert len(spoken) == len(LANGUAGES) - len(("auto", "nl", "sv"))
