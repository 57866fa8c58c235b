"""What all requests on one WebSocket share: names, the account's slots, error frames, and when the socket is to end.

What is asked there is socket.py's, how it is spoken speech.py's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import trio
from trio_websocket import WebSocketConnection

from simulations.waves.accounts import Account
from simulations.waves.asks import Ask
from simulations.waves.books import Books, Refusal
from simulations.waves.checks import Issue
from simulations.waves.frames import Ids, Names, Problem, error_frame, external_names
from simulations.waves.options import WavesOptions
from simulations.waves.provider import Provider

REFUSALS: Mapping[Refusal, str] = {
    Refusal.CONCURRENCY: "Concurrency limit reached",
    Refusal.RATE: "Rate limit exceeded. Please retry after a short backoff.",
}
"""What a refused request is told; neither text is published for speech, both are of the vendor's neighbouring APIs."""
_CODES = {Refusal.CONCURRENCY: "CONCURRENCY_LIMIT_REACHED", Refusal.RATE: "RATE_LIMIT_EXCEEDED"}


@attrs.define(kw_only=True, eq=False)
class Desk:
    """One open socket. `stream` is what lies under it, `older` says that its path names a model of before v3.1."""

    socket: WebSocketConnection
    stream: trio.abc.Stream
    provider: Provider
    account: Account
    older: bool = False
    requests: int = attrs.field(default=0, init=False)
    """Requests without a context whose last frame is not sent."""
    contexts: int = attrs.field(default=0, init=False)
    """Contexts that are open, and what they release as long as its last frame is not sent."""
    listening: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    """As long as messages are taken; when it is cancelled, the socket is closed."""
    _session: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._session = f"ws_{self.provider.ids.getrandbits(64):016x}"

    @property
    def options(self) -> WavesOptions:
        """The provider's."""
        return self.provider.options

    @property
    def books(self) -> Books:
        """The account's."""
        return self.account.books

    def new_ids(self, ask: Ask) -> Ids:
        """Return the names of a new synthesis for this request."""
        return Ids(
            session=self._session,
            request=f"task_{self.provider.ids.getrandbits(64):016x}",
            external_session=ask.session,
            external_request=ask.request,
            older=self.older,
        )

    async def take_slot(self, ask: Ask) -> int | None:
        """Return the number of this use of a slot; None, and the client is told, where there is none."""
        use = self.books.take_slot(trio.current_time())
        if isinstance(use, Refusal):
            refusal = Problem(message=REFUSALS[use], code=_CODES[use])
            await self._tell(refusal, names=external_names(ask.session, ask.request))
            return None
        return use

    def free_slot(self, use: int, *, settle: float = 0.0) -> None:
        """Give a slot back, `settle` seconds from now; harmless when that was done before."""
        self.books.free_slot(use, now=trio.current_time(), settle=settle)

    async def fail(
        self, problem: Problem, *, names: Names | None = None, issues: Sequence[Issue] | None = None
    ) -> None:
        """Send an error frame that is no refusal, with the client's ids and the issues of a wrong request."""
        self.books.errors += 1
        await self._tell(problem, names=names, issues=issues)

    async def _tell(self, problem: Problem, *, names: Names | None, issues: Sequence[Issue] | None = None) -> None:
        if names and not self.older:  # who gave none wants none: errors of no request have none either
            names = {"session_id": self._session, **names}
        frame = error_frame(problem, names=names, issues=issues, shape=self.options.error_shape)
        await self.socket.send_message(frame)

    def request_over(self, *, complete: bool) -> None:
        """A request without a context is over; after `complete` the socket is closed if nothing else goes on there.

        VideoSDK sends the next request while the back-off of the one before runs: that one's `complete` ends nothing.
        """
        self.requests -= 1
        if complete and self.options.close_after_complete and not (self.requests or self.contexts):
            self.hang_up()

    def hang_up(self) -> None:
        """Close the socket in order; whatever is still spoken there is abandoned."""
        self.listening.cancel()
