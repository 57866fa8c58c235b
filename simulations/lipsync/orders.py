"""What the users of a queue want: their videos, drawn from a seed, with when they ask and what they do later; pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from orchestrator.ports import VideoRequest
from simulations.lipsync.scenario import MODEL, LipsyncScenario
from simulations.sync.media import UNREACHABLE

_OWNERS = ("ada", "ben", "cleo", "bulk")
_AT_ONCE, _ALL_BY = 0.5, 0.5
"""The part of the jobs that is asked for at the start, and the part of the time by which all others are."""
_MODELS = (MODEL, MODEL, MODEL, MODEL, MODEL, MODEL, "lipsync-2-pro", "lipsync-1.9.0-beta")
_UPLOADED, _TWIN, _CANCELLED, _RETRIED, _IN_A_HURRY, _PREFERRED, _BAD = 0.08, 0.05, 0.04, 0.3, 0.05, 0.1, 0.03
"""How many jobs have files of ours, are asked for twice, are cancelled, are tried again if they fail, have a deadline,
have a priority, and can't be made: parts of all."""


@frozen(kw_only=True)
class Order:
    """One video that somebody wants. Times are seconds from the start; `number` is what it is known by (Job.call)."""

    number: int
    at: float
    request: VideoRequest
    owner: str
    priority: int = 0
    deadline: float | None = None
    cancels_at: float | None = None
    """When its user changes his mind."""
    retries: bool = False
    """Whether its user tries once more if it ends without a video."""

    @property
    def call(self) -> str:
        """Its name."""
        return f"order-{self.number}"


def draw_orders(scenario: LipsyncScenario, *, seed: int, folder: Path) -> tuple[Order, ...]:
    """Return the orders by the time at which they are placed; `folder` has the files that some of them name."""
    orders: list[Order] = []
    for number in range(scenario.jobs):
        orders.append(_order(scenario, number, rng=random.Random(f"{seed}:order:{number}"), folder=folder))
    return tuple(sorted(_with_twins(orders, random.Random(f"{seed}:twins")), key=lambda order: order.at))


def _order(scenario: LipsyncScenario, number: int, *, rng: random.Random, folder: Path) -> Order:
    draws = [rng.random() for _ in range(8)]
    at = 0.0 if draws[0] < _AT_ONCE else draws[1] * _ALL_BY * scenario.expected
    return Order(
        number=number,
        at=at,
        request=_request(number, rng=rng, folder=folder),
        owner=rng.choice(_OWNERS),
        priority=rng.choice((1, 2)) if draws[2] < _PREFERRED else 0,
        deadline=at + rng.uniform(0.2, 1.2) * scenario.expected if draws[3] < _IN_A_HURRY else None,
        cancels_at=at + draws[5] * scenario.expected / 2 if draws[4] < _CANCELLED else None,
        retries=draws[6] < _RETRIED,
    )


def _request(number: int, *, rng: random.Random, folder: Path) -> VideoRequest:
    kind, model = rng.random(), rng.choice(_MODELS)
    video, audio = f"https://media.test/{number}.mp4", f"https://media.test/{number}.wav"
    if kind < _BAD:
        video = f"https://{UNREACHABLE}/{number}.mp4"
        model = rng.choice((MODEL, "lipsync-0"))
    elif kind < _BAD + _UPLOADED:
        video, audio = (folder / "face.mp4").as_uri(), (folder / f"words-{number % 5}.wav").as_uri()
    return VideoRequest(model=model, input=({"type": "video", "url": video}, {"type": "audio", "url": audio}))


def _with_twins(orders: Sequence[Order], rng: random.Random) -> list[Order]:
    """Let some ask for what another one asks for, letter by letter."""
    found = list(orders)
    for index, order in enumerate(orders):
        if index and rng.random() < _TWIN:
            twin = rng.choice(orders[:index]).request
            found[index] = Order(number=order.number, at=order.at, request=twin, owner=order.owner)
    return found


def write_files(folder: Path, *, seed: int) -> None:
    """Write the files that orders name, as short as files may be."""
    rng = random.Random(f"{seed}:files")
    for name in ("face.mp4", *(f"words-{number}.wav" for number in range(5))):
        (folder / name).write_bytes(rng.randbytes(1000))
