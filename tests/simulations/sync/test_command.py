"""The command: what its options mean, what it says, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import attrs
import httpx2
import pytest
import trio

from orchestrator.commands_sync import SyncChoiceOptions, SyncLimitOptions, SyncServerOptions, SyncSpeedOptions
from orchestrator.commands_waves import FaultOptions
from orchestrator.errors import SettingsError
from orchestrator.port.listener import PortTaken
from simulations.sync.command import faults_of, holders_of, run, sync_options, told
from simulations.sync.options import Plan, SyncOptions
from simulations.sync.server import SyncServer


def options(**groups: Any) -> SyncServerOptions:
    """Return options of the command."""
    return SyncServerOptions(port=0, **groups)


def test_without_options_it_is_as_published() -> None:
    """What the help says is what the service does by itself."""
    assert sync_options(options()) == SyncOptions()


def test_each_option_reaches_the_service() -> None:
    """Of every group."""
    given = options(
        limits=SyncLimitOptions(plan="scale", generations=4, creates_per_minute=5, window="fixed", file_mb=3.0),
        speed=SyncSpeedOptions(speed=20.0),
        choices=SyncChoiceOptions(conflict_status="422", idempotency="no", webhook_unit="ms"),
    )
    expected = SyncOptions(
        plan=Plan(name="scale", generations=4, creates=5),
        window="fixed",
        file_mb=3.0,
        speed=20.0,
        conflict_status=422,
        idempotency=False,
        webhook_unit="ms",
    )
    assert sync_options(given) == expected


def test_accounts_have_plans_of_their_own() -> None:
    """What is left out is as the options say, or by the plan that is named."""
    given = SyncLimitOptions(
        generations=2,
        account=("a=key_a", "b=key_b:plan=scale,batches=1,longest=90,secret=whsec_x", "c=key_c:creates=7"),
    )
    holders = holders_of(given)
    assert {key: holder.name for key, holder in holders.items()} == {"key_a": "a", "key_b": "b", "key_c": "c"}
    assert holders["key_a"].plan == Plan(generations=2)
    assert holders["key_b"].plan == Plan(name="scale", batches=1, longest=90.0)
    assert holders["key_b"].secret == "whsec_x"
    assert holders["key_c"].plan == Plan(generations=2, creates=7)
    assert "key_" not in repr(given)


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        (["key_secret"], "--account: expected NAME=KEY"),
        (["sk_secret=name"], "--account: expected NAME=KEY"),
        (["a=key_secret:plan=big"], "--account a: plan: expected one of free"),
        (["a=key_secret:generations=0"], "--account a: generations: expected a whole number from 1 to 1000"),
        (["a=key_secret:wings=2"], "--account a: expected NAME=KEY"),
        (["a=key_secret", "b=key_secret"], "--account b: key: has an account already"),
        (["a=key_secret", "a=key_secret2"], "--account a: there is an account of this name already"),
        (["a=key_first"], "--account a: key: has an account already"),
    ],
)
def test_a_wrong_account_is_named_without_its_key(accounts: list[str], message: str) -> None:
    """With what would be right."""
    with pytest.raises(SettingsError) as caught:
        holders_of(SyncLimitOptions(api_key="key_first", account=tuple(accounts)))
    assert str(caught.value).startswith(message)
    assert "secret" not in str(caught.value).replace("secret=...", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"faults": FaultOptions(fault=("los_webhook",))},
        {"faults": FaultOptions(fault=("error_before:status=404",))},
        {"limits": SyncLimitOptions(account=("a",))},
        {"limits": SyncLimitOptions(api_key="")},
    ],
)
async def test_what_is_wrong_is_told_before_anything_is_served(wrong: dict[str, Any]) -> None:
    """The command line makes exit status 2 of it."""
    with pytest.raises(SettingsError), trio.fail_after(5):
        await run(options=options(**wrong))


async def test_it_says_where_it_is_and_what_it_allows() -> None:
    """No key; the secret only where it was drawn; a line for each fault."""
    given = options(
        limits=SyncLimitOptions(account=("a=key_a:secret=whsec_a", "b=key_b:plan=scale,secret=whsec_b")),
        faults=FaultOptions(
            fault=("error_before:status=503,of=create,at=9", "idempotency_unknown:accepted=false,at=9")
        ),
    )
    server = SyncServer(sync_options(given), holders=holders_of(given.limits))
    server.move("http://localhost:80")
    assert list(told(server, faults_of(given))) == [
        "Sync server on http://localhost:80 (accounts: a, b); its books: http://localhost:80/books",
        "account a: creator, generations: 3, 60 creates and 600 others a minute",
        "account b: scale, generations: 15, batches: 2, 60 creates and 600 others a minute",
        "fault error_before at=9 of=create status=503",
        "fault idempotency_unknown at=9 accepted=false",
    ]
    alone = SyncServer(SyncOptions())
    assert f"webhooks of account default are signed with {alone.secret}" in list(told(alone, []))
    ours = SyncServer(SyncOptions(webhook_secret="whsec_ours"))
    assert "whsec_ours" not in "\n".join(told(ours, []))


async def test_a_taken_port_is_named() -> None:
    """The command line makes exit status 1 of it."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    async with listener:
        with pytest.raises(PortTaken, match=f"port {port} is taken"), trio.fail_after(5):
            await run(options=attrs.evolve(options(), port=port))


@pytest.mark.realtime
def test_the_command_serves_until_ctrl_c() -> None:
    """The first line says where; Ctrl-C ends it with status 0 and without a traceback, beside an open connection."""
    command = [sys.executable, "-m", "orchestrator", "sync-server", "--port", "0", "--api-key", "key_1"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            address = process.stderr.readline().split()[3]
            with httpx2.Client(base_url=address, trust_env=False, headers={"x-api-key": "key_1"}) as client:
                assert client.get("/v2/models").status_code == 200
                process.send_signal(signal.SIGINT)
                assert process.wait(timeout=5) == 130
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
