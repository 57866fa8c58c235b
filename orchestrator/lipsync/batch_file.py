"""Reads what videos are asked for in the words of the command line: options, and lines of a batch file; pure.

A line is in the vendor's shape, `{"request_id", "endpoint", "payload"}`, or short: `{"video", "audio"}`. Where a file
lies that a URL does not stand for, and whether it is there, is sources.py's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import evolve, frozen

from orchestrator.ports import VideoRequest

_ENDPOINT = "/v2/generate"
_VISUAL, _SOUND = ("video", "image"), ("audio", "text")
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")
_VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".avi")
_SOUNDS = (".wav", ".mp3", ".m4a", ".aac", ".flac", ".opus")
_NOT_OF: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "video": {"sound": _SOUNDS, "picture": _PICTURES},
    "image": {"sound": _SOUNDS, "video": _VIDEOS},
    "audio": {"video": _VIDEOS, "picture": _PICTURES},
}
"""What a location of each type is not, by the end of its name; .webm and .ogg may be either."""
SYNC_MODES = ("bounce", "loop", "cut_off", "silence", "remap")
_LINE = ("request_id", "endpoint", "payload")
_PAYLOAD = ("model", "input", "options", "segments", "webhookUrl", "outputFileName")
_SHORT = ("request_id", "video", "audio", "text", "voice_id", "model", "sync_mode", "options", "output_file_name")
_TEXTS = {*_LINE, *_PAYLOAD, *_SHORT} - {"payload", "input", "options", "segments"}


class WrongRequestError(ValueError):
    """What is asked for can't be asked for so; the message says why."""


@frozen
class Problem:
    """What is wrong with a line of a batch file, counted from 1; 0: with the file."""

    line: int
    words: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.words}" if self.line else self.words


@frozen
class Entry:
    """One line of a batch file that asks for a video."""

    line: int
    request_id: str
    request: VideoRequest


def read_batch(text: str, *, model: str) -> tuple[list[Entry], list[Problem]]:
    """Return what the lines of a batch file ask for, and what is wrong with the others; `model` where none is named."""
    entries, problems, known = list[Entry](), list[Problem](), dict[str, int]()
    # Not splitlines(): it would cut at characters that JSON allows inside its strings.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = _entry(number, _table(line), model=model)
        except WrongRequestError as wrong:
            problems.append(Problem(number, str(wrong)))
            continue
        first = known.setdefault(entry.request_id, number)
        if first == number:
            entries.append(entry)
        else:
            problems.append(Problem(number, f'request_id "{entry.request_id}" is that of line {first}'))
    if not entries and not problems:
        problems.append(Problem(0, 'no line asks for a video; expected lines such as {"video": "...", "audio": "..."}'))
    return entries, problems


def short_request(asked: Mapping[str, Any], *, model: str) -> VideoRequest:
    """Return what `video` and `audio`, or `text` and `voice_id`, ask for. Raises WrongRequestError."""
    video, audio, text, voice = (asked.get(name) or "" for name in ("video", "audio", "text", "voice_id"))
    if not video:
        raise WrongRequestError("video is missing")
    if bool(audio) == bool(text):
        raise WrongRequestError("expected audio, or text with voice_id" + ("; not both" if audio else ""))
    if bool(text) != bool(voice):
        raise WrongRequestError("text and voice_id go together")
    sound: Mapping[str, Any] = {"type": "audio", "url": audio}
    if text:
        sound = {"type": "text", "provider": {"name": "elevenlabs", "voiceId": voice, "script": text}}
    mode = asked.get("sync_mode")
    if mode and mode not in SYNC_MODES:
        raise WrongRequestError(f'sync_mode "{mode}": expected one of {", ".join(SYNC_MODES)}')
    kind = "image" if is_picture(video) else "video"
    if problem := _not_of(kind, video) or _not_of("audio", audio):
        raise WrongRequestError(problem)
    return VideoRequest(
        model=asked.get("model") or model,
        input=({"type": kind, "url": video}, sound),
        options={**(asked.get("options") or {}), **({"sync_mode": mode} if mode else {})},
        output_file_name=asked.get("output_file_name") or "",
    )


def is_picture(location: str) -> bool:
    """Say whether a URL or file is a picture, by its name."""
    return location.partition("?")[0].lower().endswith(_PICTURES)


def _not_of(kind: str, location: str) -> str:
    """Say what is wrong with a location that is to be a video, an image or an audio, by its name; empty: nothing."""
    name = location.partition("?")[0].lower()
    for other, endings in _NOT_OF[kind].items():
        if name.endswith(endings):
            return f'{kind}: "{location}" is a {other} by its name'
    return ""


def is_url(location: str) -> bool:
    """Say whether something is on the web; otherwise it is a file here."""
    return location.lower().startswith(("http://", "https://"))


def with_urls(request: VideoRequest, urls: Mapping[str, str]) -> VideoRequest:
    """Return the request with other locations in its input."""
    items = tuple({**item, "url": urls[item["url"]]} if item.get("url") in urls else item for item in request.input)
    return evolve(request, input=items)


# --- lines ---


def _table(line: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except RecursionError:
        raise WrongRequestError("it is nested too deeply") from None
    except ValueError as error:
        where = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        said = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise WrongRequestError(f"it is no JSON ({said}{where})") from None
    if not isinstance(found, dict):
        raise WrongRequestError("expected a JSON object")
    return found


def _entry(number: int, found: Mapping[str, Any], *, model: str) -> Entry:
    is_short = "payload" not in found
    _check(found, _SHORT if is_short else _LINE)
    name = found.get("request_id")
    if is_short:
        request = short_request(found, model=model)
        _check_input(request)
        return Entry(number, name or f"line-{number}", request)
    if not name:
        raise WrongRequestError("request_id is missing")
    if found.get("endpoint", _ENDPOINT) != _ENDPOINT:
        raise WrongRequestError(f'endpoint "{found["endpoint"]}": expected {_ENDPOINT}')
    payload = found["payload"]
    if not isinstance(payload, dict):
        raise WrongRequestError("payload: expected a JSON object")
    return Entry(number, name, _request(payload, model=model))


def _request(payload: Mapping[str, Any], *, model: str) -> VideoRequest:
    _check(payload, _PAYLOAD, where="payload.")
    request = VideoRequest(
        model=payload.get("model") or model,
        input=tuple(_tables(payload, "input")),
        options=payload.get("options") or {},
        segments=tuple(_tables(payload, "segments")),
        webhook_url=payload.get("webhookUrl") or "",
        output_file_name=payload.get("outputFileName") or "",
    )
    _check_input(request)
    return request


def _check(found: Mapping[str, Any], names: tuple[str, ...], *, where: str = "") -> None:
    """Raises WrongRequestError for a name that is not known, and for a value of another kind than its name asks for."""
    for name, value in found.items():
        if name not in names:
            raise WrongRequestError(f"{where}{name} is not known; expected {', '.join(names)}")
        if name in _TEXTS and value is not None and not isinstance(value, str):
            raise WrongRequestError(f"{where}{name}: expected a string")
        if name == "options" and value is not None and not isinstance(value, dict):
            raise WrongRequestError(f"{where}{name}: expected a JSON object")


def _tables(payload: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = payload.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise WrongRequestError(f"payload.{name}: expected a list of JSON objects")
    return found


def _check_input(request: VideoRequest) -> None:
    """Raises WrongRequestError for what the service would refuse whatever stands behind its URLs."""
    problem = next(_input_problems(request), None)
    if problem is not None:
        raise WrongRequestError(problem)


def _input_problems(request: VideoRequest) -> Iterator[str]:
    kinds = [item.get("type") for item in request.input]
    for kind in kinds:
        if kind not in (*_VISUAL, *_SOUND):
            yield f"input: type {json.dumps(kind)}: expected one of {', '.join((*_VISUAL, *_SOUND))}"
    if sum(kind in _VISUAL for kind in kinds) != 1:
        yield "input: expected exactly one video or image"
    if not any(kind in _SOUND for kind in kinds):
        yield "input: expected an audio or a text"
    for item in request.input:
        url, asset = item.get("url"), item.get("assetId")
        if item.get("type") == "text":
            if not isinstance(item.get("provider"), dict):
                yield "input: a text needs its provider"
        elif (url is None) == (asset is None):
            yield f"input: {item.get('type')}: expected either url or assetId"
        elif not (isinstance(url or asset, str) and (url or asset)):
            yield f"input: {item.get('type')}: expected a string that is not empty"
        elif url is not None and is_url(url) and not _has_host(url):
            yield f'input: "{url}" is no URL'
        elif url is not None and item.get("type") in _NOT_OF and (problem := _not_of(str(item["type"]), url)):
            yield f"input: {problem}"


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname) and not any(letter.isspace() for letter in url)
    except ValueError:  # a bracket that is none
        return False
