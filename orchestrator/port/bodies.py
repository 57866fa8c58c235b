"""Reads a request's body up to a bound of the page's own, below that of the port."""

from __future__ import annotations

from contextlib import aclosing

from starlette.requests import Request


async def body_within(request: Request, most: int) -> bytes | None:
    """Return the body, None for one of more than `most` bytes: the rest of it is not read."""
    body = bytearray()
    async with aclosing(request.stream()) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > most:
                return None
    return bytes(body)
