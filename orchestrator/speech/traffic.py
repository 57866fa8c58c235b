"""What goes over one open link: requests out, frames in, until it ends; what a frame means is the keeper's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import trio

from orchestrator.errors import ProviderFault
from orchestrator.ports import Connection, SpeechRequest, VoiceCodec, VoiceFrame

_WRITE_WITHIN = 2.0

Requests = trio.MemoryReceiveChannel[SpeechRequest]


async def carry(
    connection: Connection,
    codec: VoiceCodec,
    *,
    requests: Requests,
    take: Callable[[VoiceFrame | None], None],
    stuck: Callable[[], None],
) -> ProviderFault:
    """Write `requests` and let `take` have the frames; return the fault that ended it, from the peer or from `take`.

    `stuck` is told when the peer stopped reading. Any other exception is a bug, and raised as it is.
    """
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(_write, connection, codec, requests=requests, stuck=stuck))
            fault = await _read(connection, codec, take=take)
            nursery.cancel_scope.cancel()
    except ExceptionGroup as bugs:
        raise bugs.exceptions[0] from None
    return fault


async def _read(
    connection: Connection, codec: VoiceCodec, *, take: Callable[[VoiceFrame | None], None]
) -> ProviderFault:
    while True:
        try:
            take(codec.decode(await connection.receive()))
        except ProviderFault as fault:
            return fault


async def _write(connection: Connection, codec: VoiceCodec, *, requests: Requests, stuck: Callable[[], None]) -> None:
    async for request in requests:
        with trio.move_on_after(_WRITE_WITHIN) as patience, suppress(ProviderFault):  # the reader sees it, too
            await connection.send(codec.encode(request))
        if patience.cancelled_caught:  # half a frame is on the wire: this link must not be used again
            stuck()
