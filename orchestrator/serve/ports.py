"""Opens the ports of `talkingstick serve`; of one that can't be had it says which setting names it, and the cure."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL
from socket import gaierror

from attrs import frozen

from orchestrator.commands_serve import ServeOptions
from orchestrator.errors import SettingsError
from orchestrator.port.listener import OpenPort, open_port
from orchestrator.settings import ServeSettings

_CURES = {
    EADDRINUSE: "is taken; choose another port, or end the program that has it (ss -ltnp tells which)",
    EACCES: "may not be opened by this user; choose a port from 1024 on",
}


@frozen
class Ports:
    """The ports that are open: the one, and AudioSocket's where a line has that."""

    one: OpenPort
    audiosocket: OpenPort | None


@asynccontextmanager
async def open_ports(serve: ServeSettings, options: ServeOptions) -> AsyncIterator[Ports]:
    """Open the ports; leaving closes them. `options` tell what the command line said of them.

    Raises SettingsError for a host that is none of this machine's, OSError for a port that can't be had.
    """
    port = f"serve.port = {serve.port}" if options.port is None else f"--port {serve.port}"
    host = f"serve.host = {json.dumps(serve.host)}" if options.host is None else f"--host {serve.host}"
    wanted = {port: serve.port}
    if serve.audiosocket_port >= 0:
        wanted[f"serve.audiosocket_port = {serve.audiosocket_port}"] = serve.audiosocket_port
    opened: list[OpenPort] = []
    try:
        for named, number in wanted.items():
            opened.append(await _open(serve.host, number, port_named=named, host_named=host))
        yield Ports(opened[0], opened[1] if len(opened) > 1 else None)
    finally:
        for each in opened:
            await each.close()


async def _open(host: str, number: int, *, port_named: str, host_named: str) -> OpenPort:
    try:
        return await open_port(host=host or None, port=number)
    except (OSError, ValueError) as error:  # ValueError: a name that can't be looked up
        if not isinstance(error, OSError) or isinstance(error, gaierror) or error.errno == EADDRNOTAVAIL:
            expected = 'expected one, such as 127.0.0.1, or "" for all of them'
            raise SettingsError(f"{host_named}: is no address of this machine; {expected}") from None
        cure = _CURES.get(error.errno or 0, f"can't be opened ({error.strerror})")
        raise OSError(error.errno, f"{port_named}: {cure}") from None
