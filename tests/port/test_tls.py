"""TLS at the port: over memory streams, with a certificate made here."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from orchestrator.errors import SettingsError
from orchestrator.port.tls import secured, server_context


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a certificate for localhost, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    pem, key = folder / "cert.pem", folder / "key.pem"
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout {key} -out {pem}"
    )
    subprocess.run([*command.split(), "-subj", "/CN=localhost"], check=True, capture_output=True)
    return pem, key


def client_context(pem: Path) -> ssl.SSLContext:
    """Return what trusts the certificate, whatever its name."""
    context = ssl.create_default_context(cafile=str(pem))
    context.check_hostname = False
    return context


async def test_bytes_go_through_both_ways(autojump_clock: MockClock, certificate: tuple[Path, Path]) -> None:
    """A peer that closes without TLS's goodbye just ends."""
    pem, key = certificate
    near, far = memory_stream_pair()
    client = trio.SSLStream(near, client_context(pem), https_compatible=True)

    async def serve() -> None:
        inside = await secured(far, server_context(str(pem), str(key)), within=5)
        assert inside is not None
        assert await inside.receive_some() == b"hello"
        await inside.send_all(b"hi")
        assert await inside.receive_some() == b""

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        await client.send_all(b"hello")
        assert await client.receive_some() == b"hi"
        await near.aclose()


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02"])
async def test_a_peer_without_a_handshake_is_dropped_in_time(
    autojump_clock: MockClock, certificate: tuple[Path, Path], sent: bytes
) -> None:
    """Silence, plain text, half a handshake."""
    pem, key = certificate
    near, far = memory_stream_pair()
    await near.send_all(sent)
    began = trio.current_time()
    assert await secured(far, server_context(str(pem), str(key)), within=5) is None
    assert trio.current_time() - began <= 5
    with pytest.raises(trio.ClosedResourceError):
        await far.send_all(b"x")


def test_files_that_are_no_good_are_named(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """With the setting: not there, not PEM, a key that belongs to nothing."""
    pem, key = certificate
    with pytest.raises(SettingsError, match=r"serve\.certificate = .*cannot be read"):
        server_context(str(tmp_path / "none.pem"))
    with pytest.raises(SettingsError, match=r"serve\.certificate_key = .*cannot be read"):
        server_context(str(pem), str(tmp_path / "none.pem"))
    with pytest.raises(SettingsError, match=r"serve\.certificate = .*cannot be used"):
        server_context(str(key), str(pem))
    (tmp_path / "text.pem").write_text("no certificate")
    with pytest.raises(SettingsError, match=r"serve\.certificate = .*cannot be used"):
        server_context(str(tmp_path / "text.pem"))
