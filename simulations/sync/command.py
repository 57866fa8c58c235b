"""The command `sync-server`: what its options mean for a service, what it says of itself, its end by Ctrl-C."""

from __future__ import annotations

import time  # the wall clock, for what clients are told and for signatures
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from orchestrator.commands_sync import SyncLimitOptions, SyncServerOptions
from orchestrator.commands_waves import answers
from orchestrator.errors import SettingsError
from orchestrator.settings.lipsync import Plan as PlanName
from simulations.serving import serve_until_told
from simulations.sync.account import KEY, NAME, Account, Holder
from simulations.sync.faults import READER
from simulations.sync.options import Plan, SyncOptions
from simulations.sync.server import SyncServer, open_sync_server
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.telling import fault_lines

_FIGURES = {"generations": (1, 1000), "batches": (0, 1000), "creates": (1, 1_000_000), "others": (1, 1_000_000)}
"""The whole numbers of a plan that --account takes, from and to."""
_SHAPE = "expected NAME=KEY or NAME=KEY:plan=scale,generations=4,batches=1,creates=60,others=600,longest=60,secret=..."
_OF_PLAN = ("plan", "generations", "batches", "creates_per_minute", "others_per_minute")
_STATUSES = ("create_status", "replay_status", "conflict_status")


async def run(*, options: SyncServerOptions) -> int:
    """Serve until a signal; return 0 after SIGTERM, 130 after Ctrl-C.

    Raises PortTaken, and SettingsError for wrong options.
    """
    faults = faults_of(options)
    server = SyncServer(sync_options(options), holders=holders_of(options.limits), wall=time.time)
    async with open_sync_server(server, host=options.host, port=options.port, faults=faults):
        return await serve_until_told(told(server, faults))


def told(server: SyncServer, faults: Sequence[Fault]) -> Iterator[str]:
    """Yield what the command says of itself: where it is, what each account may do (no key), what signs its webhooks
    where that was drawn, what will go wrong."""
    accounts = server.service.accounts.all
    one = len(accounts) == 1
    limits = _limits(accounts[0]) if one else "accounts: " + ", ".join(account.name for account in accounts)
    yield f"Sync server on {server.address} ({limits}); its books: {server.address}/books"
    for account in () if one else accounts:
        yield f"account {account.name}: {_limits(account)}"
    for account in accounts:
        if account.drawn:
            yield f"webhooks of account {account.name} are signed with {account.secret}"
    yield from fault_lines(faults)


def _limits(account: Account) -> str:
    plan = account.plan
    batches = f", batches: {plan.batches}" if plan.may_batch else ""
    rates = f"{plan.creates} creates and {plan.others} others a minute"
    return f"{plan.name}, generations: {plan.generations}{batches}, {rates}"


# --- what the options mean ---


def sync_options(options: SyncServerOptions) -> SyncOptions:
    """Return the service's options. Raises SettingsError."""
    limits, choices = answers(options.limits), answers(options.choices)
    _check_key(limits.get("api_key"), option="--api-key")
    _check_key(limits.get("webhook_secret"), option="--webhook-secret")
    plain = {name: value for name, value in limits.items() if name not in (*_OF_PLAN, "account")}
    choices = {name: value == "yes" if value in ("yes", "no") else value for name, value in choices.items()}
    choices |= {name: int(choices[name]) for name in _STATUSES}
    return SyncOptions(plan=_plan(options.limits), **plain, **answers(options.speed), **choices, seed=options.seed)


def faults_of(options: SyncServerOptions) -> list[Fault]:
    """Return what is to go wrong. Raises SettingsError."""
    script = options.faults.script
    return [*READER.parse_faults(options.faults.fault), *(READER.read_script(script) if script else [])]


def holders_of(limits: SyncLimitOptions) -> dict[str, Holder]:
    """Return the accounts that --account names, by their keys. Raises SettingsError, which tells no key."""
    holders: dict[str, Holder] = {}
    names = {"default"} if limits.api_key is not None else set()
    for text in limits.account:
        key, holder = _account_of(text, limits)
        if key in holders or key == limits.api_key:
            raise SettingsError(f"--account {holder.name}: key: has an account already")
        if holder.name in names:
            raise SettingsError(f"--account {holder.name}: there is an account of this name already")
        names.add(holder.name)
        holders[key] = holder
    return holders


def _plan(limits: SyncLimitOptions) -> Plan:
    """Return the plan that the options give."""
    given = {name: getattr(limits, name) for name in ("generations", "batches")}
    figures = {name: value for name, value in given.items() if value is not None}
    return Plan(name=limits.plan, creates=limits.creates_per_minute, others=limits.others_per_minute, **figures)


def _check_key(key: str | None, *, option: str) -> None:
    if key is not None and not KEY.fullmatch(key):
        raise SettingsError(f"{option}: expected 1 to 500 letters, digits and signs without blanks")


def _account_of(text: str, limits: SyncLimitOptions) -> tuple[str, Holder]:
    """Return the key and the account that an --account gives."""
    name, _, rest = text.partition("=")
    key, _, words = rest.partition(":")
    if not key or not NAME.fullmatch(name):  # what stands for the name may be a key: it is not shown
        raise SettingsError(f"--account: {_SHAPE}")
    _check_key(key, option=f"--account {name}: key")
    given = dict(_figure(name, each) for each in words.split(",") if each)
    secret = given.pop("secret", "")
    usual = {"creates": limits.creates_per_minute, "others": limits.others_per_minute}
    plan: dict[str, Any] = {"name": limits.plan, **usual}
    if "name" not in given:  # the figures beside --plan are of that plan
        plan |= {word: value for word in ("generations", "batches") if (value := getattr(limits, word)) is not None}
    return key, Holder(name=name, plan=Plan(**{**plan, **given}), secret=secret)


def _figure(account: str, text: str) -> tuple[str, Any]:
    """Return one word of an account by its name in a plan."""
    word, _, value = (part.strip() for part in text.partition("="))
    option = f"--account {account}: "
    if word == "plan":
        if value not in get_args(PlanName):
            raise SettingsError(f"{option}plan: expected one of {', '.join(get_args(PlanName))}")
        return "name", value
    if word == "secret":
        _check_key(value, option=f"{option}secret")
        return word, value
    if word == "longest":
        return word, float(_whole(value, f"{option}longest", bounds=(1, 36_000)))
    if word not in _FIGURES:
        raise SettingsError(option + _SHAPE)
    return word, _whole(value, option + word, bounds=_FIGURES[word])


def _whole(value: str, option: str, *, bounds: tuple[int, int]) -> int:
    least, most = bounds
    if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
        raise SettingsError(f"{option}: expected a whole number from {least} to {most}")
    return int(value)
