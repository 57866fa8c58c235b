"""Takes what carriers bring, WebSocket upgrades and AudioSocket's connections, and has their calls served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import trio
from attrs import define

from orchestrator import events
from orchestrator.adapters.telephony.codecs.audiosocket import AudioSocketCodec
from orchestrator.adapters.telephony.codecs.chan_websocket import ChanWebSocketCodec
from orchestrator.adapters.telephony.codecs.exotel import ExotelCodec
from orchestrator.adapters.telephony.codecs.generic import GenericCodec
from orchestrator.adapters.telephony.codecs.jambonz import JambonzCodec
from orchestrator.adapters.telephony.codecs.plivo import PlivoCodec
from orchestrator.adapters.telephony.codecs.telnyx import TelnyxCodec
from orchestrator.adapters.telephony.codecs.twilio import TwilioCodec
from orchestrator.adapters.telephony.codecs.vonage import VonageCodec
from orchestrator.adapters.telephony.echo import echo_call
from orchestrator.adapters.telephony.local_clock import open_clock_leg
from orchestrator.adapters.telephony.options import LegOptions
from orchestrator.adapters.telephony.remote_buffer import open_remote_leg
from orchestrator.adapters.telephony.socket import CarrierSocket, open_carrier_socket
from orchestrator.adapters.telephony.wire import CarrierWire, WireLimits, open_carrier_bytes
from orchestrator.errors import CarrierFault, LegClosed
from orchestrator.port.guests import Guests
from orchestrator.port.messages import Request, Response
from orchestrator.port.routes import caller_address, own_path, path_of, place_of, public_url
from orchestrator.ports import Emit, Now
from orchestrator.ports.carriers import CarrierCodec
from orchestrator.serve.calls import Calls
from orchestrator.serve.gate import Announced, Asked, Gate, Refused
from orchestrator.serve.lines import PhoneLine
from orchestrator.serve.readiness import Readiness
from orchestrator.settings import LineSettings, ServeSettings
from orchestrator.settings.serve import Carrier

Query = Mapping[str, str]
MakeCodec = Callable[[LineSettings, Query], CarrierCodec]

CODECS: Mapping[Carrier, MakeCodec] = {
    "twilio": lambda line, query: TwilioCodec(),
    "telnyx": lambda line, query: TelnyxCodec(rate=line.rate),
    "plivo": lambda line, query: PlivoCodec(rate=line.rate),
    "vonage": lambda line, query: VonageCodec(rate=line.rate, query=query),
    "exotel": lambda line, query: ExotelCodec(rate=line.rate),
    "jambonz": lambda line, query: JambonzCodec(rate=line.rate, query=query),
    "asterisk": lambda line, query: ChanWebSocketCodec(format=line.format, rate=line.rate, query=query),
    "generic": lambda line, query: GenericCodec(rate=line.rate, query=query),
    "audiosocket": lambda line, query: AudioSocketCodec(rate=line.rate),
}
"""What speaks each carrier's wire, for one call: of a line, whose upgrade had a query."""


@define(kw_only=True)
class Streams:
    """The streams of calls, each in the task of its connection."""

    settings: ServeSettings
    lines: Sequence[PhoneLine]
    gate: Gate
    guests: Guests
    readiness: Readiness
    calls: Calls
    emit: Emit
    now: Now

    async def take(self, stream: trio.abc.Stream, request: Request) -> Response | None:
        """Take an upgrade: a port's Upgrade. Whoever shows no right to call is refused before the WebSocket opens."""
        place = place_of(own_path(self.settings, request.path), [line.settings for line in self.lines])
        if place is None:
            return Response.refusal(404)
        line = next(line for line in self.lines if line.settings is place.line)
        named = request.headers.get("x-forwarded-for", "")
        address = caller_address(request.peer, named, forwarded=self.settings.forwarded)
        if self.readiness.draining:
            return Response.refusal(503, self.readiness.reason)
        with self.guests.admit_from(address if self.settings.forwarded else "") as admitted:
            if not admitted:
                return self._refuse(line, Refused(503, "too many streams come from there"), address=address)
            asked = Asked(method="GET", url=self._url_of(request), headers=request.headers)
            verdict = self.gate.stream(line, asked, token=place.token)
            if isinstance(verdict, Refused):
                return self._refuse(line, verdict, address=address)
            query = {name: value for name, value in request.query.items() if name != "token"}
            with self.telling_failure(line, address):
                await self._take_websocket(stream, verdict, query=query)
        return None

    async def take_audiosocket(self, stream: trio.abc.Stream, address: str) -> None:
        """Take a connection of AudioSocket's port, which is one call's and nothing else's."""
        if self.readiness.draining:
            await trio.aclose_forcefully(stream)
            return
        line = next(line for line in self.lines if line.settings.carrier == "audiosocket")
        with self.telling_failure(line, address):
            codec = self._codec(line, {})
            if line.echoes:
                async with open_carrier_bytes(stream, limits=self.limits) as wire:
                    await self._echo(wire, codec)
                return
            async with open_clock_leg(stream, codec, options=self._options, now=self.now) as leg:
                await self.calls.serve(leg, Announced(line))

    async def _take_websocket(self, stream: trio.abc.Stream, announced: Announced, *, query: Query) -> None:
        codec = self._codec(announced.line, query)
        async with open_carrier_socket(stream, subprotocols=codec.subprotocols, limits=self.limits) as socket:
            await self.talk(socket, codec, announced=announced)

    async def talk(self, socket: CarrierSocket, codec: CarrierCodec, *, announced: Announced) -> None:
        """Serve the call on a WebSocket that is open, whoever opened it. Raises what open_remote_leg raises."""
        line = announced.line
        if line.echoes:
            await self._echo(socket, codec)
            return
        async with open_remote_leg(socket, codec, options=self._options, now=self.now, control=line.control) as leg:
            await self.calls.serve(leg, announced)

    async def _echo(self, wire: CarrierWire, codec: CarrierCodec) -> None:
        with self.calls.here("echo"):
            await echo_call(wire, codec, handshake_within=self.settings.handshake_within)

    def _codec(self, line: PhoneLine, query: Query) -> CarrierCodec:
        return CODECS[line.settings.carrier](line.settings, query)

    @property
    def _options(self) -> LegOptions:
        return LegOptions.of(self.settings)

    @property
    def limits(self) -> WireLimits:
        """What a connection may take."""
        serve = self.settings
        return WireLimits(message_bytes=serve.message_bytes, handshake_within=serve.handshake_within)

    def _url_of(self, request: Request) -> str:
        host = request.headers.get("host", "")
        return public_url(self.settings, own_path(self.settings, request.target), stream=True, host=host)

    def _refuse(self, line: PhoneLine, refused: Refused, *, address: str) -> Response:
        self.emit(
            events.RequestRefused(
                at=self.now(),
                line=path_of(line.settings),
                address=address,
                status=refused.status,
                reason=refused.reason,
            )
        )
        headers = {"www-authenticate": "Basic"} if refused.status == 401 else None
        return Response.refusal(refused.status, headers=headers)

    @contextmanager
    def telling_failure(self, line: PhoneLine, address: str) -> Iterator[None]:
        """Tell of a stream that began no call, or broke its wire's rules, once."""
        try:
            yield
        except (CarrierFault, LegClosed) as error:
            self.tell_failed(line, address, error=error)

    def tell_failed(self, line: PhoneLine, address: str, *, error: Exception) -> None:
        """Tell of a stream that came to nothing."""
        path = path_of(line.settings)
        self.emit(events.StreamFailed(at=self.now(), line=path, address=address, error=str(error)))
