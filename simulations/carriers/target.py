"""Where a simulated call goes: the address, what the upgrade carries, and the two ways in which it does not work."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from attrs import Factory, field, frozen

from orchestrator.errors import SettingsError


class WireClosed(Exception):
    """The connection is over: the WebSocket's close code, 1006 where it broke, and what was said."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class Refused(Exception):
    """The connection did not come about; `status` is the answer to the upgrade, 0 where there was none."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@frozen(kw_only=True)
class Target:
    """Where to call: a `ws`, `wss` or `audiosocket` address, what the upgrade carries, seconds to be let in."""

    url: SplitResult
    headers: Sequence[tuple[str, str]] = ()
    subprotocols: Sequence[str] = ()
    within: float = 10.0
    tls: ssl.SSLContext | None = field(
        default=Factory(lambda self: tls_context() if self.url.scheme == "wss" else None, takes_self=True)
    )

    @property
    def port(self) -> int:
        """The port, or the usual one."""
        return self.url.port or (443 if self.url.scheme == "wss" else 80)


def parse_url(text: str) -> SplitResult:
    """Return the parts of an address. Raises SettingsError, one line that says what is expected."""
    expected = "expected ws://HOST[:PORT]/PATH, wss://..., http(s)://... of a webhook, or audiosocket://HOST:PORT"
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise SettingsError(f"--url {text}: {error}; {expected}") from None
    if url.scheme not in ("ws", "wss", "http", "https", "audiosocket") or not url.hostname:
        raise SettingsError(f"--url {text}: {expected}")
    if url.scheme == "audiosocket" and not port:
        raise SettingsError(f"--url {text}: the port is missing; {expected}")
    return url


def tls_context(*, insecure: bool = False) -> ssl.SSLContext:
    """Return what checks a server's certificate (SSL_CERT_FILE in the environment names one more to trust), or not."""
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def cause_of(error: BaseException) -> str:
    """Return what is at the bottom of an error of the network, in its own words."""
    while isinstance(error.__cause__, BaseException):  # trio: "all attempts to connect failed", because of
        error = error.__cause__
    inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
