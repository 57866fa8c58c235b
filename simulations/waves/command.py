"""The command `waves-server`: what its options mean for a provider, what it says of itself, its end by signals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.commands_waves import LimitOptions, ServerOptions, answers
from orchestrator.errors import SettingsError
from simulations.serving import serve_until_told
from simulations.voices import voice_named
from simulations.waves.accounts import MOST, NAME, Account, Accounts, Plan
from simulations.waves.faults.fault import Fault
from simulations.waves.faults.parsing import parse_faults, read_script
from simulations.waves.faults.telling import fault_lines
from simulations.waves.http.refusals import MODELS
from simulations.waves.options import PROFILES, WavesOptions
from simulations.waves.pulse.recognizers import recognizer_for
from simulations.waves.server import WavesServer, open_waves_server

_FIGURES = {"slots": "slots", "links": "links", "rpm": "requests_per_minute"}
"""What --account calls the figures of a plan."""
_SHAPE = "expected NAME=KEY or NAME=KEY:slots=1,links=5,rpm=60"


async def run(*, options: ServerOptions) -> int:
    """Serve until a signal; return 0 after SIGTERM, 130 after Ctrl-C.

    Raises PortTaken, and SettingsError for wrong options.
    """
    heard = options.recognition
    recognizer = recognizer_for(transcript=heard.transcript, ears=heard.ears, model=heard.model)
    faults = faults_of(options)
    server = WavesServer(
        waves_options(options), voice_named(options.voice), plans=plans_of(options.limits), recognizer=recognizer
    )
    async with open_waves_server(server, host=options.host, port=options.port, faults=faults):
        return await serve_until_told(told(server, faults))


def told(server: WavesServer, faults: Sequence[Fault]) -> Iterator[str]:
    """Yield what the command says of itself: where it is, what each account may do (no key), what will go wrong."""
    http = server.address.replace("ws://", "http://")
    accounts = server.provider.accounts.all
    one = len(accounts) == 1
    limits = _limits(accounts[0]) if one else "accounts: " + ", ".join(account.name for account in accounts)
    yield f"Waves server on {server.address} and {http} ({limits}); its books: {http}/books"
    for account in () if one else accounts:
        yield f"account {account.name}: {_limits(account)}"
    yield from fault_lines(faults)


def _limits(account: Account) -> str:
    plan = account.plan
    rate = "" if plan.requests_per_minute is None else f", {plan.requests_per_minute} requests a minute"
    return f"slots: {plan.slots}, sockets: {plan.links}{rate}"


# --- what the options mean ---


def waves_options(options: ServerOptions) -> WavesOptions:
    """Return the provider's options. Raises SettingsError."""
    given = answers(options.limits) | answers(options.speed)
    ttfb, rtf = PROFILES[given.pop("profile")]
    del given["account"]
    choices = answers(options.choices)
    retired = _retired(choices.pop("retired"))
    choices = {name: value == "yes" if value in ("yes", "no") else value for name, value in choices.items()}
    return WavesOptions(
        **{"ttfb": ttfb, "rtf": rtf, **given, **choices},
        retired=retired,
        seed=options.seed,
    )


def _retired(said: str) -> tuple[str, ...]:
    """Return the models that --retired names."""
    names = () if said == "none" else tuple(name for each in said.split(",") if (name := each.strip()))
    for name in names:
        if name not in MODELS:
            raise SettingsError(f"--retired: there is no model {name!r}; expected {', '.join(MODELS)} or none")
    return names


def faults_of(options: ServerOptions) -> list[Fault]:
    """Return what is to go wrong. Raises SettingsError."""
    script = options.faults.script
    return [*parse_faults(options.faults.fault), *(read_script(script) if script else [])]


def plans_of(limits: LimitOptions) -> dict[str, Plan]:
    """Return the accounts that --account names, by their keys. Raises SettingsError, which tells no key."""
    accounts = Accounts({})
    if limits.api_key is not None:
        _add(accounts, limits.api_key, plan=Plan(), option="--api-key")
    plans = {}
    for text in limits.account:
        key, plan = _account_of(text, limits)
        _add(accounts, key, plan=plan, option=f"--account {plan.name}")
        plans[key] = plan
    return plans


def _add(accounts: Accounts, key: str, *, plan: Plan, option: str) -> None:
    """Try an account out where others are."""
    try:
        accounts.add(key, plan)
    except ValueError as error:
        raise SettingsError(f"{option}: {error}") from None


def _account_of(text: str, limits: LimitOptions) -> tuple[str, Plan]:
    """Return the key and the plan that an --account gives."""
    name, _, rest = text.partition("=")
    key, _, figures = rest.partition(":")
    if not key or not NAME.fullmatch(name):  # what stands for the name may be a key: it is not shown
        raise SettingsError(f"--account: {_SHAPE}")
    given = dict(_figure(name, each) for each in figures.split(",") if each)
    usual = {name: value for name, value in answers(limits).items() if name in MOST}
    if "slots" in given:  # sockets come with the slots unless they are given, too
        usual.pop("links", None)
    return key, Plan(name=name, **{**usual, **given})


def _figure(account: str, text: str) -> tuple[str, int]:
    """Return one figure of a plan by its name there."""
    key, _, value = text.partition("=")
    name = _FIGURES.get(key.strip())
    if name is None:
        raise SettingsError(f"--account {account}: {_SHAPE}")
    if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= MOST[name]):
        raise SettingsError(f"--account {account}: {key.strip()}: expected a whole number from 1 to {MOST[name]}")
    return name, int(value)
