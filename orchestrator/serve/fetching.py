"""Fetches calls that wait at Asterisk (`WebSocket/INCOMING`): its dialplan, or a program that uses ARI, says which one,
we connect to it. Who may say so is the gate's affair; from the connection on the call is one of streams.py.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from urllib.parse import parse_qsl

import trio
from attrs import define, field

from orchestrator.adapters.telephony.codecs.chan_websocket import ChanWebSocketCodec
from orchestrator.adapters.telephony.dialled import Connect, dial_socket
from orchestrator.adapters.telephony.socket import CarrierSocket
from orchestrator.adapters.telephony.wire import kept_open, plain_nursery
from orchestrator.errors import CarrierFault
from orchestrator.serve.gate import Announced, Asked, Refused
from orchestrator.serve.lines import PhoneLine
from orchestrator.serve.streams import Streams
from orchestrator.serve.webhooks import fields

_log = logging.getLogger(__name__)

_CONNECTION = re.compile(r"(?!\.+$)[A-Za-z0-9._-]{1,128}")
"""What Asterisk's connection ids are made of, UUIDs as a rule: nothing that leads to another path."""
_SETTLES = 0.1
"""Seconds between our answer and the call. As long as Asterisk's channel is in the CURL() that asks us, its autoservice
throws away whatever the channel reads, the bot's first words and chan_websocket's own ANSWER; it notices the end of
that within 50 ms."""
_ANSWERED_AFTER = (0.05, 0.45, 1.5)
"""Seconds to wait before each ANSWER of ours: a dialplan may be slower, and one that is answered takes no notice."""


@define(kw_only=True)
class Fetching:
    """The calls that are fetched. `connect` and `context` are dial_socket's."""

    streams: Streams
    connect: Connect = trio.open_tcp_stream
    context: ssl.SSLContext | None = None
    _nursery: trio.Nursery | None = field(default=None, init=False)

    async def run(self) -> None:
        """Serve what is fetched, until cancelled."""
        async with trio.open_nursery() as self._nursery:
            await trio.sleep_forever()

    async def fetch(self, line: PhoneLine, asked: Asked, *, address: str) -> Mapping[str, str] | Refused:
        """Connect to the call that a request names and have it served; return what to tell the one who asked.

        `connection_id` says which call; all else, such as `from` and `to`, is the call's, as if its URL had it.
        `address` is who asks.
        """
        given = {**dict(parse_qsl(asked.query, keep_blank_values=True)), **fields(asked)}
        told = {name: value for name, value in given.items() if name not in ("connection_id", "token")}
        connection = given.get("connection_id", "")
        if self._nursery is None:
            return Refused(503, "no call is served yet")
        if not _CONNECTION.fullmatch(connection):
            return Refused(400, "expected connection_id, Asterisk's MEDIA_WEBSOCKET_CONNECTION_ID")
        codec = ChanWebSocketCodec(format=line.settings.format, rate=line.settings.rate, query=told)
        guests = self.streams.guests
        with ExitStack() as admitted:
            if not (admitted.enter_context(guests.admit_from(address)) and admitted.enter_context(guests.admit())):
                return Refused(503, "full: as many connections are open as may be")
            try:
                socket = await self._dial(f"{line.settings.media_url}/{connection}", codec)
            except CarrierFault as fault:
                self.streams.tell_failed(line, address, error=fault)
                return Refused(502, f"the call can't be fetched: {fault}")
            if self.streams.readiness.draining:
                await socket.close()
                return Refused(503, self.streams.readiness.reason)
            serve = partial(self._serve, announced=Announced(line), address=address, admitted=admitted.pop_all())
            self._nursery.start_soon(serve, socket, codec)
        return {"fetched": connection}

    async def _dial(self, url: str, codec: ChanWebSocketCodec) -> CarrierSocket:
        return await dial_socket(
            url,
            subprotocols=codec.subprotocols,
            limits=self.streams.limits,
            connect=self.connect,
            context=self.context,
        )

    async def _serve(
        self,
        socket: CarrierSocket,
        codec: ChanWebSocketCodec,
        *,
        announced: Announced,
        address: str,
        admitted: ExitStack,
    ) -> None:
        """Serve a call to its end; whatever becomes of it, the others go on."""
        try:
            with admitted, self.streams.telling_failure(announced.line, address):
                async with kept_open(socket), plain_nursery() as nursery:
                    await trio.sleep(_SETTLES)
                    nursery.start_soon(_answer, socket, codec)
                    await self.streams.talk(socket, codec, announced=announced)
        except* Exception:
            _log.exception("a call ended by a failure of ours")


async def _answer(socket: CarrierSocket, codec: ChanWebSocketCodec) -> None:
    for seconds in _ANSWERED_AFTER:
        await trio.sleep(seconds)
        socket.send(codec.answer())
        socket.flush_soon()
