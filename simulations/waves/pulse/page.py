"""Answers recordings, Pulse over HTTP: a WAV file comes in, one transcript goes out.

Of what the provider takes it does not model other containers, sound by its address, webhooks and the 25 requests a
minute.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import trio
from attrs import define, field
from starlette.requests import Request
from starlette.routing import Route

from orchestrator.audio import seconds_of
from simulations.waves.accounts import Account
from simulations.waves.http.forms import BadForm, Form, read_form
from simulations.waves.http.pages import BodyTooLarge, read_body
from simulations.waves.http.refusals import BASES, Json, account_of, new_id
from simulations.waves.provider import Provider
from simulations.waves.pulse.frames import sentence_items, word_items, written
from simulations.waves.pulse.hearing import Hearing, Recognizer, Word
from simulations.waves.pulse.query import BadQuery, Listening, read_options
from simulations.waves.pulse.sound import NotWav, read_wav
from simulations.waves.pulse.turns import Turns, Utterance

LARGEST = 25 * 1024 * 1024
"""Bytes of a recording: what the older documents say; newer ones say 250 MB."""

_NOT_MODELLED = "{} is not supported by this simulation: send a WAV file as the body"
_BATCH_MODELS = ("pulse", "pulse-pro")
_TOO_LARGE = {"error": "File size exceeds maximum limit of 25MB"}
_STREAM_ONLY = ("encoding", "sample_rate", "eou_timeout_ms", "endpointing_timeout", "max_words")
"""Options that are not even looked at here: the container says what the sound is (seen live)."""


class _Refused(Exception):
    """The recording is not taken: the answer says why."""

    def __init__(self, body: Mapping[str, Any], status: int = 400) -> None:
        super().__init__(body)
        self.answer = Json(body, status)


def routes(provider: Provider, recognizer: Recognizer) -> list[Route]:
    """Return the routes of recordings: the unified one, and the older ones of each model under both bases."""
    page = _Recordings(provider, recognizer)
    paths = [f"{base}/{model}/get_text" for base in BASES for model in ("pulse", "lightning")]
    return [
        Route("/waves/v1/stt/", page.answer_unified, methods=["POST"]),
        *(Route(f"{base}/speech-to-text", page.answer_form, methods=["POST"]) for base in BASES),
        *(Route(path, page.answer_pulse, methods=["POST"]) for path in paths),
    ]


@define
class _Recordings:
    _provider: Provider
    _recognizer: Recognizer
    _hearings: dict[Account, Hearing] = field(factory=dict, init=False)
    """One an account: a script goes on from recording to recording."""

    async def answer_unified(self, request: Request) -> Json:
        """Answer a recording whose model is an option."""
        return await self._answer(request, request.query_params.get("model"))

    async def answer_pulse(self, request: Request) -> Json:
        """Answer a recording on a path that names the model."""
        return await self._answer(request, "pulse")

    async def answer_form(self, request: Request) -> Json:
        """Answer a recording in a form, beside its options: the oldest way, whose models are gone."""
        account = account_of(self._provider, request)
        if account is None:
            return _unauthorized(request)
        try:
            form = await _read_form(request)
            listening = _read_options("pulse", form.fields)
            body = b"" if form.file is None else form.file.content
            return Json(await self._transcribe(body, listening, account=account, pro=False))
        except _Refused as refused:
            return refused.answer

    async def _answer(self, request: Request, model: str | None) -> Json:
        account = account_of(self._provider, request)
        if account is None:
            return _unauthorized(request)
        try:
            listening = _read_options(model, request.query_params)
            body = await _read_recording(request)
            return Json(await self._transcribe(body, listening, account=account, pro=model == "pulse-pro"))
        except _Refused as refused:
            return refused.answer

    async def _transcribe(self, body: bytes, listening: Listening, *, account: Account, pro: bool) -> dict[str, Any]:
        began = trio.current_time()
        pcm, rate = _sound(body)
        hearing = self._hearings.get(account) or self._hearings.setdefault(account, self._recognizer.begin())
        words: list[Word] = []
        for part in _utterances(pcm, rate=rate, quiet=listening.quiet):
            heard = await hearing.transcribe(part.pcm, rate, language=listening.language)
            words += [
                Word(word.text, word.start + part.start, word.end + part.start, word.confidence) for word in heard
            ]
        seconds = round(seconds_of(pcm, rate), 3)
        metadata = {"duration": seconds, "fileSize": len(body)}
        if pro:
            metadata |= _effort(seconds, trio.current_time() - began)
        answer: dict[str, Any] = {
            "status": "success",
            "transcription": written(words, listening),
            "audio_length": seconds,
        }
        if listening.word_timestamps:
            answer["words"] = word_items(words, listening)
            if not pro:
                answer["utterances"] = sentence_items(words, listening)
        return {
            **answer,
            "language": listening.detected_language,
            "metadata": metadata,
            "request_id": new_id(self._provider),
        }


def _unauthorized(request: Request) -> Json:
    """Return the 401 in the two shapes that were seen live; their texts are not known."""
    if "authorization" in request.headers:
        return Json({"error": "Unauthorized - Invalid API key"}, 401)
    return Json({"message": "Authorization header is missing"}, 401)


def _read_options(model: str | None, query: Mapping[str, str]) -> Listening:
    """Return what the options ask for. Raises _Refused."""
    try:
        if model not in _BATCH_MODELS:
            supported = " | ".join(_BATCH_MODELS)
            problem = f"Missing required query param: model. Supported values: {supported}."
            raise BadQuery("Invalid model query parameter.", problem)
        if model == "pulse-pro" and query.get("language", "en") != "en":
            raise BadQuery("Invalid query parameters.", "language: Expected 'en' for pulse-pro")
        if "webhook_url" in query:
            raise BadQuery("Invalid query parameters.", "webhook_url: " + _NOT_MODELLED.format("a webhook"))
        return read_options({name: value for name, value in query.items() if name not in _STREAM_ONLY})
    except BadQuery as bad:
        raise _Refused(bad.body()) from bad


async def _read_form(request: Request) -> Form:
    """Return the form that was posted. Raises _Refused."""
    try:
        return await read_form(request, largest=LARGEST)
    except BodyTooLarge as error:
        raise _Refused(_TOO_LARGE, 413) from error
    except BadForm as bad:
        raise _Refused(BadQuery("Invalid request body.", str(bad)).body()) from bad


async def _read_recording(request: Request) -> bytes:
    """Return the file that was posted. Raises _Refused."""
    try:
        body = await read_body(request, largest=LARGEST)
    except BodyTooLarge as error:
        raise _Refused(_TOO_LARGE, 413) from error
    if request.headers.get("content-type", "").startswith("application/json") or _is_json(body):
        raise _Refused(BadQuery("Invalid request body.", _NOT_MODELLED.format("sound by its address")).body())
    return body


def _is_json(body: bytes) -> bool:
    """Say whether this is an object in JSON: no sound begins so."""
    try:
        return body[:1] == b"{" and isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _sound(body: bytes) -> tuple[bytes, int]:
    """Return the PCM and the rate of a recording. Raises _Refused."""
    if not body:
        raise _failed("NoAudio", "The request has no body")
    try:
        return read_wav(body)
    except NotWav as error:
        raise _failed("AudioDecodeError", f"Only WAV files are decoded by this simulation: {error}") from error


def _failed(code: str, problem: str) -> _Refused:
    return _Refused({"status": "error", "message": "Transcription failed.", "code": code, "errors": problem})


def _utterances(pcm: bytes, *, rate: int, quiet: float) -> list[Utterance]:
    turns = Turns(rate=rate, quiet=quiet, vad_quiet=quiet)
    found = [happening for happening in turns.feed(pcm) if isinstance(happening, Utterance)]
    last = turns.flush()
    return found if last is None else [*found, last]


def _effort(seconds: float, took: float) -> dict[str, float]:
    """Return what Pulse Pro tells of its work."""
    return {
        "processing_time_ms": round(1000 * took, 2),
        "rtfx": round(seconds / took, 1) if took > 0 else 0.0,
        "num_chunks": 1,
    }
