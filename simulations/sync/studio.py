"""Begins generations, within the plan: decides when each ends and how, from the seed and its number alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import trio
from attrs import define, evolve, field

from orchestrator.ports import Now
from simulations.draws import lognormal
from simulations.sync.account import Account, Kept
from simulations.sync.books import Begun
from simulations.sync.generation import End, Generation
from simulations.sync.media import Files, StoredFile, is_unreachable, told_seconds
from simulations.sync.options import USUAL_SECONDS, SyncOptions
from simulations.sync.refusals import concurrency_refusal, conflict_refusal
from simulations.sync.wanted import INVALID, Wanted
from simulations.waves.faults.faults import Faults

_PENDING = (0.02, 0.1)
"""The part of its time that a generation is PENDING (assumed)."""
_FAILS_AFTER = 0.2
"""The part of its time after which a generation fails (assumed)."""
_LETTERS_A_SECOND = 15.0
_REACT_LONGEST = 15.0
BATCH_LONGEST = 30.0
"""Seconds of the input of a batch (published)."""
_ANOTHERS = "https://example.com/of-another-user"


def _nothing() -> None:
    pass


@define(eq=False, kw_only=True)
class Studio:
    """Where the generations of every account are begun. `address` is that of the service."""

    _options: SyncOptions
    _faults: Faults
    _files: Files
    _wall: Now
    address: str
    seize: Callable[[], None] = _nothing
    """Called before a place is given away: other users of the account go first."""
    _others: int = field(default=0, init=False)

    def known(self, account: Account, wanted: Wanted, *, key: str) -> Generation | None:
        """Return what the key has begun already, None if nothing. Raises Refusal for another body."""
        kept = account.keys.get(key) if self._options.idempotency else None
        if kept is None or kept.until <= trio.current_time():
            return None
        if kept.digest != wanted.whole_digest:
            account.books.refused["conflict"] += 1
            raise conflict_refusal(self._options.conflict_status)
        account.books.replays += 1
        return kept.generation

    def begin_alone(self, account: Account, wanted: Wanted, *, key: str) -> Generation:
        """Begin a client's generation, and keep its key. Raises Refusal where the plan is full."""
        now = trio.current_time()
        self.seize()
        full = account.live(now) >= account.plan.generations
        if full or self._faults.strike("concurrency_429") is not None:
            account.books.refused["concurrency"] += 1
            raise concurrency_refusal()
        generation = self._begin(account, wanted)
        account.add(generation, now=now)
        account.books.note_begun(
            Begun(
                id=generation.id,
                at=now,
                model=wanted.model,
                digest=wanted.digest,
                key=key,
                webhook_url=wanted.webhook_url,
            )
        )
        if key and self._options.idempotency:
            until = now + 3600.0 * self._options.idempotency_hours
            account.keep(key, Kept(digest=wanted.whole_digest, generation=generation, until=until))
        return generation

    def begin_in_batch(self, account: Account, wanted: Wanted, *, at: float) -> Generation:
        """Return a generation of a batch that begins at `at`, not yet kept."""
        generation = self._begin(account, wanted, in_batch=True)
        later = at - generation.begun
        generation.source = "batch"
        generation.starts += later
        generation.ends += later
        return generation

    def begin_anothers(self, account: Account, seconds: float) -> None:
        """Begin a generation of another user that lives so long."""
        self._others += 1
        now, rng = trio.current_time(), random.Random(f"{self._options.seed}:other:{self._others}")
        items = ({"type": "video", "url": f"{_ANOTHERS}.mp4"}, {"type": "audio", "url": f"{_ANOTHERS}.wav"})
        generation = Generation(
            id=_uuid(rng),
            created=self._wall(),
            wanted=Wanted(model="lipsync-2", input=items),
            begun=now,
            starts=now,
            ends=now + seconds,
            end=End(),
            duration=self._options.media_seconds,
            source="studio",
        )
        account.books.others += 1
        account.add(generation, now=now)

    def _begin(self, account: Account, wanted: Wanted, *, in_batch: bool = False) -> Generation:
        account.serial += 1
        now = trio.current_time()
        rng = random.Random(f"{self._options.seed}:{account.name}:{account.serial}")
        usual = USUAL_SECONDS[wanted.model] / self._options.speed
        takes = lognormal(rng, mean=usual, cv=self._options.unevenness)
        pending = rng.uniform(*_PENDING)
        duration = self.duration(wanted)
        end = self._end(wanted, duration, longest=BATCH_LONGEST if in_batch else account.plan.longest)
        takes *= 1.0 if end.completed else _FAILS_AFTER
        visual = self._file(wanted.visual)
        return Generation(
            id=_uuid(rng),
            created=self._wall(),
            wanted=wanted,
            begun=now,
            starts=now + pending * takes,
            ends=now + takes,
            end=end,
            duration=round(duration, 3),
            video=visual.id if visual and visual.type == "VIDEO" else "",
        )

    def _end(self, wanted: Wanted, duration: float, *, longest: float) -> End:
        """Decide how a generation ends."""
        unread = self._faults.strike("unreachable") is not None
        if unread or self._is_missing(wanted.visual):
            return _failed("The input video could not be accessed", "generation_input_video_inaccessible")
        if any(self._is_missing(item) for item in wanted.sounds):
            return _failed("The metadata of the input audio is missing", "generation_media_metadata_missing")
        if duration > longest:
            return _failed(f"The input is longer than {longest:g} s", "generation_audio_length_exceeded")
        if wanted.model == "react-1" and duration > _REACT_LONGEST:
            return _failed(f"react-1 takes at most {_REACT_LONGEST:g} s", INVALID)
        fails = self._faults.strike("job_fails")
        if fails is not None:
            failed = _failed("The generation pipeline failed", "generation_pipeline_failed")
            return evolve(failed, status="REJECTED") if fails.rejected else failed
        return End()

    def _is_missing(self, item: Mapping[str, Any]) -> bool:
        """Say whether nothing is to be had there: no such host, or a file that was announced and never put."""
        file = self._file(item)
        return is_unreachable(str(item.get("url", ""))) or (file is not None and file.content is None and not file.url)

    def _file(self, item: Mapping[str, Any]) -> StoredFile | None:
        """Return the file here that an item names."""
        asset = self._files.get(str(item.get("assetId", "")))
        return asset or self._files.at(str(item.get("url", "")), address=self.address)

    def duration(self, wanted: Wanted) -> float:
        """Return how long the video gets: as long as the sound, or as sync_mode says."""
        sound = sum(self._seconds(item) for item in wanted.sounds)
        visual = sound if wanted.visual["type"] == "image" else self._seconds(wanted.visual)
        match wanted.options.get("sync_mode"):
            case "cut_off":
                return min(sound, visual)
            case "silence":
                return max(sound, visual)
            case _:
                return sound

    def _seconds(self, item: Mapping[str, Any]) -> float:
        if item["type"] == "text":
            return max(0.1, len(item["provider"]["script"]) / _LETTERS_A_SECOND)
        file = self._file(item)
        known = file.seconds if file else told_seconds(str(item.get("url", "")))
        return self._options.media_seconds if known is None else known


def _failed(error: str, code: str) -> End:
    return End(status="FAILED", error=error, code=code)


def _uuid(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
