"""One exchange on the wire: h11's events read and sent over the peer's stream, within the peer's limits.

It decides what a peer is refused for while its bytes arrive; of ASGI and of what follows the exchange it knows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import responses

import attrs
import h11
import trio

from orchestrator.port.heads import Refused
from orchestrator.port.messages import Limits, Response
from orchestrator.port.replay import PortStream

_HEAD_CHUNK = 4096
_BODY_CHUNK = 64 * 1024
"""What is read of a body at a time: large ones, refused ones too, cost by the piece."""
_SEND_CHUNK = 64 * 1024
"""What has one send's time to be taken: a peer on a slow line takes a large answer piece by piece."""


class PeerLeft(OSError):
    """What was to be sent can reach nobody any more."""


@attrs.define(kw_only=True, eq=False)
class Wire:
    """A peer's stream for one request and its answer.

    A new one for each exchange: what its h11 was fed is then exactly what an upgrade must see again.
    """

    stream: PortStream
    limits: Limits
    started: bool = attrs.field(default=False, init=False)
    """The head of the answer was sent, or at least tried."""
    gone: bool = attrs.field(default=False, init=False)
    """Nothing can be sent any more: the peer left, or a send was cut off in the middle of a message."""
    method: bytes = attrs.field(default=b"", init=False)
    raw: bytes = attrs.field(default=b"", init=False)
    """What was read until the head was complete: whoever takes an upgrade gets it again."""
    _http: h11.Connection = attrs.field(init=False)
    _body_bytes: int = attrs.field(default=0, init=False)
    _patience: float = attrs.field(init=False)
    """How long the body may still be waited for, in seconds."""
    _writing: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    """An app may be asked for its body's first piece while another task of it answers: one message after the other."""

    def __attrs_post_init__(self) -> None:
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=self.limits.head_bytes)
        self._patience = self.limits.body_within

    @property
    def may_go_on(self) -> bool:
        """Whether both sides are done and neither asked for the connection's end."""
        return not self.gone and self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    @property
    def answered(self) -> bool:
        """Whether a whole answer was sent, or at least tried."""
        return self._http.our_state in (h11.DONE, h11.MUST_CLOSE)

    @property
    def unasked(self) -> bool:
        """Whether the peer waits to be asked for its body; if it isn't, nobody can know whether it will come."""
        return self._http.they_are_waiting_for_100_continue

    @property
    def answerable(self) -> bool:
        """Whether a whole answer can still be sent."""
        return not (self.started or self.gone) and self._http.our_state is not h11.ERROR

    async def read_head(self, first: bytes) -> h11.Request | None:
        """Return a request's head, None if the peer left; `first` is what was read of it already.

        Raises Refused where it is none, too long or too late.
        """
        self._feed(first)
        with _or_too_late(self.limits.head_within):
            while (event := self._next_event()) is h11.NEED_DATA:
                self._feed(await self.stream.receive_some(_HEAD_CHUNK))
        if not isinstance(event, h11.Request):
            return None
        if len(self.raw) - len(self.rest) > self.limits.head_bytes:
            raise Refused(431)
        self.method = event.method
        return event

    async def read_body(self) -> tuple[bytes, bool]:
        """Return the next piece of the body, asked for if need be, and whether more may follow.

        Raises Refused where it is too long, too slow, malformed or cut off, PeerLeft where it can't be asked for.
        """
        if self.unasked:
            await self.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
        body = bytearray()
        while not isinstance(event := self._next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                body += event.data
                self._body_bytes += len(event.data)
                if self._body_bytes > self.limits.body_bytes:
                    raise Refused(413)
            elif body:
                return bytes(body), True
            else:
                await self._receive_body()
        return bytes(body), False

    async def drain(self) -> None:
        """Read what the app left of the body, where the connection goes on if the body is within its limits."""
        with suppress(Refused):
            while self._http.our_state is h11.DONE and self._http.their_state is h11.SEND_BODY:
                await self.read_body()

    async def read_ahead(self) -> bool:
        """Keep what comes behind the request: True at the peer's end, False once no more will be kept."""
        kept = len(self.rest)
        while kept < self.limits.head_bytes:
            data = await self.stream.receive_some(self.limits.head_bytes - kept)
            if not data:
                return True
            self._http.receive_data(data)
            kept += len(data)
        return False

    @property
    def rest(self) -> bytes:
        """What came behind the request."""
        return self._http.trailing_data[0]

    async def send(self, *events: h11.Event) -> None:
        """Send events of an answer together.

        Raises PeerLeft where they reach nobody, RuntimeError where they don't fit what was sent before.
        """
        async with self._writing:
            if self.gone:
                raise PeerLeft("the peer left")
            try:
                data = b"".join(self._http.send(event) or b"" for event in events)
            except h11.LocalProtocolError as error:
                raise RuntimeError(f"no such answer: {error}") from error
            self.started = self.started or any(isinstance(event, h11.Response) for event in events)
            try:
                for start in range(0, len(data), _SEND_CHUNK):
                    await self.stream.send_all(data[start : start + _SEND_CHUNK])
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                self.gone = True
                raise PeerLeft("the peer left") from error
            except BaseException:  # a cancel: the peer may have half of it
                self.gone = True
                raise

    def _feed(self, data: bytes) -> None:
        self.raw += data
        self._http.receive_data(data)

    async def _receive_body(self) -> None:
        began = trio.current_time()
        try:
            with _or_too_late(max(self._patience, 0.0)):
                self._http.receive_data(await self.stream.receive_some(_BODY_CHUNK))
        finally:
            self._patience -= trio.current_time() - began

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise Refused(error.error_status_hint) from error


async def send_whole(wire: Wire, response: Response, *, last: bool) -> None:
    """Send a whole answer in one go, with the connection's end if it is the last. Raises what `send` raises."""
    headers = [*response.headers.items(), ("content-length", str(len(response.body)))]
    if last:
        headers.append(("connection", "close"))
    body = [] if wire.method == b"HEAD" else [h11.Data(data=response.body)]
    await wire.send(head_of(response.status, headers), *body, h11.EndOfMessage())


def head_of(status: int, headers: list[tuple[str, str]] | list[tuple[bytes, bytes]]) -> h11.Response:
    """Return the head of an answer. Raises RuntimeError where it can't be one."""
    try:
        return h11.Response(status_code=status, headers=headers, reason=responses.get(status, "").encode())
    except h11.LocalProtocolError as error:
        raise RuntimeError(f"no such answer: {error}") from error


@contextmanager
def _or_too_late(seconds: float) -> Iterator[None]:
    """Give the peer so many seconds for what is inside, then a 408."""
    with trio.move_on_after(seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise Refused(408)
