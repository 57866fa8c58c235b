"""The ports of `talkingstick serve`: one that can't be had is told by the setting or the option that names it."""

from __future__ import annotations

import errno
import re
import socket
from typing import Any

import pytest

from orchestrator.commands_serve import ServeOptions
from orchestrator.errors import SettingsError
from orchestrator.port.listener import OpenPort
from orchestrator.serve import ports
from orchestrator.serve.ports import open_ports
from orchestrator.settings import ServeSettings


def options(**given: Any) -> ServeOptions:
    """Return what the command line says."""
    return ServeOptions(config="a.toml", **given)  # type: ignore[arg-type]  # nobody reads it


async def test_a_taken_port_is_told_with_its_setting_and_the_cure() -> None:
    """Each of the two by its own name, and the one that the command line gave by its option; nothing stays open."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cases = [
            (ServeSettings(port=port), options(), f"serve.port = {port}: is taken; choose another port, or end"),
            (ServeSettings(port=port), options(port=port), f"--port {port}: is taken; choose another port, or end"),
            (ServeSettings(port=0, audiosocket_port=port), options(), f"serve.audiosocket_port = {port}: is taken; "),
        ]
        for serve, said, told in cases:
            with pytest.raises(OSError, match=re.escape(told)):
                async with open_ports(serve, said):
                    raise AssertionError


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "bots..example"])
async def test_a_host_that_is_none_of_this_machine_is_told(host: str) -> None:
    """An address elsewhere, a name that nobody knows, and what is no name."""
    with pytest.raises(SettingsError, match=f'serve.host = "{re.escape(host)}": is no address of this machine'):
        async with open_ports(ServeSettings(host=host, port=0), options()):
            raise AssertionError
    with pytest.raises(SettingsError, match=f"--host {re.escape(host)}: is no address of this machine"):
        async with open_ports(ServeSettings(host=host, port=0), options(host=host)):
            raise AssertionError


async def test_a_port_that_needs_rights_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the cure."""

    async def refuse(*, host: str | None, port: int) -> OpenPort:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(ports, "open_port", refuse)
    with pytest.raises(OSError, match=r"serve\.port = 80: may not be opened by this user; choose a port from 1024 on"):
        async with open_ports(ServeSettings(port=80), options()):
            raise AssertionError
