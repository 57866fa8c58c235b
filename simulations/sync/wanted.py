"""What a request to create a generation asks for, or what is wrong with it; pure, and unknown fields pass."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from simulations.sync.options import USUAL_SECONDS

MODELS = tuple(USUAL_SECONDS)
INVALID = "generation_input_validation_failed"
_SYNC_MODES = ("bounce", "loop", "cut_off", "silence", "remap")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "sync_mode": _SYNC_MODES,
    "model_mode": ("lips", "face", "head"),
    "prompt": ("happy", "sad", "angry", "disgusted", "surprised", "neutral"),
}
_VISUAL, _SOUND = ("video", "image"), ("audio", "text")
_FILE_NAME = re.compile(r"[A-Za-z0-9_\-]{1,255}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_KEY = re.compile(r"[A-Za-z0-9._~\-]{1,128}")


class BadInput(Exception):
    """A generation can't be begun so: what is wrong, and the error code."""

    def __init__(self, problems: Sequence[str], *, code: str = INVALID) -> None:
        super().__init__(*problems)
        self.problems = list(problems)
        self.code = code


@frozen(kw_only=True)
class Wanted:
    """One generation that is asked for, in the words of the request."""

    model: str
    input: tuple[Mapping[str, Any], ...]
    options: Mapping[str, Any] = field(factory=dict)
    segments: tuple[Mapping[str, Any], ...] = ()
    webhook_url: str = ""
    output_file_name: str = ""

    @property
    def visual(self) -> Mapping[str, Any]:
        """The video or image."""
        return next(item for item in self.input if item["type"] in _VISUAL)

    @property
    def sounds(self) -> list[Mapping[str, Any]]:
        """Audio and texts."""
        return [item for item in self.input if item["type"] in _SOUND]

    @property
    def digest(self) -> str:
        """A digest of what is to be made: equal for equal model, input, options and segments."""
        made = [self.model, self.input, self.options, self.segments]
        return hashlib.sha256(json.dumps(made, sort_keys=True, default=dict).encode()).hexdigest()

    @property
    def whole_digest(self) -> str:
        """A digest of the whole request."""
        whole = f"{self.digest}\n{self.webhook_url}\n{self.output_file_name}"
        return hashlib.sha256(whole.encode(errors="backslashreplace")).hexdigest()


def is_good_key(key: str) -> bool:
    """Say whether it can be an Idempotency-Key (published)."""
    return _KEY.fullmatch(key) is not None


def read_json(text: str | bytes, *, what: str) -> Any:
    """Return JSON as JavaScript reads it. Raises BadInput."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadInput([f"{what} must be valid JSON"]) from None


def read_wanted(body: Any) -> Wanted:
    """Return what a JSON body asks for. Raises BadInput; files of a form stand in `input` by their URLs by now."""
    if not isinstance(body, dict):
        raise BadInput(["body must be a JSON object"])
    model = body.get("model")
    if not isinstance(model, str):
        raise BadInput(["model must be a string"])
    if model not in MODELS:
        raise BadInput([f"model {model} is not supported"], code="generation_unsupported_model")
    items = body.get("input")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadInput(["input must be an array of objects"])
    _check_kinds(items, model=model)
    options, segments = body.get("options"), body.get("segments")
    problems = [problem for number, item in enumerate(items) for problem in _item_problems(item, f"input.{number}")]
    problems += _option_problems({} if options is None else options)
    problems += _segment_problems([] if segments is None else segments, items=items)
    problems += _other_problems(body)
    if problems:
        raise BadInput(problems)
    return Wanted(
        model=model,
        input=tuple(items),
        options=options or {},
        segments=tuple(segments or ()),
        webhook_url=body.get("webhookUrl") or "",
        output_file_name=body.get("outputFileName") or "",
    )


def is_webhook_url(url: str) -> bool:
    """Say whether an end may be told there: HTTPS is required, but for this machine, where a simulation may stand."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        )
    except ValueError:
        return False


def is_url(url: Any) -> bool:
    """Say whether it is an address on the web."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)


def _no_number(_text: str) -> Any:
    raise ValueError


def _check_kinds(items: Sequence[Mapping[str, Any]], *, model: str) -> None:
    """Raises BadInput unless there are one visual item and some sound."""
    kinds = [item.get("type") for item in items]
    strange = [kind for kind in kinds if kind not in (*_VISUAL, *_SOUND)]
    if strange:
        raise BadInput([f"input type must be one of {', '.join((*_VISUAL, *_SOUND))}"])
    visual = [kind for kind in kinds if kind in _VISUAL]
    if not visual:
        raise BadInput(["input must include one video"], code="generation_video_missing")
    if len(visual) > 1:
        raise BadInput(["input must include exactly one video or image"])
    if visual == ["image"] and model != "sync-3":
        raise BadInput([f"model {model} takes no image"])
    if len(visual) == len(kinds):
        raise BadInput(["input must include an audio or a text"], code="generation_audio_missing")


def _item_problems(item: Mapping[str, Any], where: str) -> Iterator[str]:
    if item["type"] == "text":
        provider = item.get("provider")
        if not isinstance(provider, dict) or provider.get("name") != "elevenlabs":
            yield f"{where}.provider.name must be elevenlabs"
            return
        for name in ("voiceId", "script"):
            if not (isinstance(provider.get(name), str) and provider[name].strip()):
                yield f"{where}.provider.{name} must be a string that is not empty"
        return
    url, asset = item.get("url"), item.get("assetId")
    if (url is None) == (asset is None):
        yield f"{where} must have either url or assetId"
    elif url is not None and not is_url(url):
        yield f"{where}.url must be a URL address"
    elif asset is not None and not isinstance(asset, str):
        yield f"{where}.assetId must be a string"


def _option_problems(options: Any) -> Iterator[str]:
    if not isinstance(options, dict):
        yield "options must be an object"
        return
    for name, choices in _CHOICES.items():
        if options.get(name) is not None and options[name] not in choices:
            yield f"options.{name} must be one of {', '.join(choices)}"
    temperature = options.get("temperature")
    if temperature is not None and not (_is_number(temperature) and 0 <= temperature <= 1):
        yield "options.temperature must be a number from 0 to 1"


def _segment_problems(segments: Any, *, items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not isinstance(segments, list) or not all(isinstance(segment, dict) for segment in segments):
        yield "segments must be an array of objects"
        return
    names = [item.get("refId") for item in items if item["type"] in _SOUND]
    if len(names) > 1 and not segments:
        yield "several sounds need segments"
    if len(names) > 1 and (None in names or len({str(name) for name in names}) < len(names)):
        yield "several sounds need distinct refIds"
    for number, segment in enumerate(segments):
        start, end, sound = segment.get("startTime"), segment.get("endTime"), segment.get("audioInput")
        if not (_is_number(start) and _is_number(end) and 0 <= start < end):
            yield f"segments.{number} must have a startTime before its endTime"
        if not isinstance(sound, dict) or sound.get("refId") not in names or sound.get("refId") is None:
            yield f"segments.{number}.audioInput.refId must be that of an input"


def _other_problems(body: Mapping[str, Any]) -> Iterator[str]:
    url, name = body.get("webhookUrl"), body.get("outputFileName")
    if url is not None and not (isinstance(url, str) and is_webhook_url(url)):
        yield "webhookUrl must be an HTTPS URL"
    if name is not None and not (isinstance(name, str) and _FILE_NAME.fullmatch(name)):
        yield "outputFileName must be of letters, digits, _ and -, at most 255"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
