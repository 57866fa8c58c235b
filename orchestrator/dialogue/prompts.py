"""What the bot is to speak about next, in order: waits for it, decides nothing about how it is said."""

from __future__ import annotations

from collections import deque
from typing import Any

import trio
from attrs import frozen

from orchestrator.dialogue.bot import Say


@frozen
class Prompt:
    """Why the bot speaks next: a hook with its arguments, or text that is there already."""

    hook: str
    arguments: tuple[Any, ...] = ()
    say: Say | None = None
    after_turn: int | None = None


class Prompts:
    """A call's prompts, and the bot's wish to leave, which comes true when nothing of its own is left to be said."""

    def __init__(self) -> None:
        self.over = False
        self.leaving = False
        self.transfer_to: str | None = None
        self._waiting: deque[Prompt] = deque()
        self._news = trio.Event()

    def put(self, prompt: Prompt) -> None:
        """Speak about this when its turn comes."""
        self._waiting.append(prompt)
        self.stir()

    def put_first(self, prompt: Prompt) -> None:
        """Speak about this next."""
        self._waiting.appendleft(prompt)
        self.stir()

    def leave(self, *, transfer_to: str | None = None) -> None:
        """End the call when the bot's own words are said; what the caller still wants is not answered any more."""
        if not self.leaving:  # the first wish counts
            self.leaving = True
            self.transfer_to = transfer_to
        self.stir()

    def end(self) -> None:
        """The call is over: nothing is to be said any more."""
        self.over = True
        self.stir()

    def stir(self) -> None:
        """Have whoever waits for news look again."""
        self._news.set()

    @property
    def may_leave(self) -> bool:
        """Whether the call is over, or the bot wants to leave and has said all of its own."""
        return self.over or (self.leaving and all(prompt.say is None for prompt in self._waiting))

    def next_nowait(self) -> Prompt | None:
        """Take the next prompt, None if there is none."""
        if self.leaving:
            self._waiting = deque(prompt for prompt in self._waiting if prompt.say is not None)
        return self._waiting.popleft() if self._waiting else None

    async def wait_news(self, *, within: float) -> bool:
        """Wait for a prompt, the wish to leave or a stir; False when `within` seconds passed without."""
        self._news = trio.Event()
        with trio.move_on_after(within):
            await self._news.wait()
        return self._news.is_set()
