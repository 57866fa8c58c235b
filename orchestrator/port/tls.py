"""TLS at the port: what a certificate's files are good for, and a handshake that is bounded in time."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

import trio

from orchestrator.errors import SettingsError


def server_context(certificate: str, key: str = "") -> ssl.SSLContext:
    """Return what TLS is offered with: a PEM file with its chain, and its private key's (empty: in the same file).

    Raises SettingsError where a file can't be read or used.
    """
    for setting, name in (("serve.certificate", certificate), ("serve.certificate_key", key)):
        try:
            if name:
                Path(name).read_bytes()
        except OSError as error:
            raise SettingsError(
                f"{setting} = {name!r}: cannot be read ({error.strerror}); expected a PEM file"
            ) from None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key or None, password=_no_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise SettingsError(
            f"serve.certificate = {certificate!r}: cannot be used ({reason}); expected PEM files of a certificate, "
            "with its chain, and of its private key without a password"
        ) from None
    return context


async def secured(stream: trio.abc.Stream, context: ssl.SSLContext, *, within: float) -> trio.abc.Stream | None:
    """Return the stream inside TLS; None where the peer did not come to terms in time, and its stream is closed."""
    inside = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
    with trio.move_on_after(within), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await inside.do_handshake()
        return inside
    await trio.aclose_forcefully(stream)
    return None


def _no_password() -> str:
    """Answer for OpenSSL, which would ask at the terminal."""
    raise ValueError("its private key has a password")
