"""The command `load`: keeps so many calls up at a server for so long, shows how it goes, and reports."""

from __future__ import annotations

import json
import os
import signal
import sys
from random import Random
from typing import Any

import trio
from attrs import define, field, frozen

from orchestrator.commands_load import LoadOptions
from orchestrator.errors import SettingsError
from simulations.carriers.calling import CallResult, Exchange, Outcome, PlacedCall, Script
from simulations.carriers.carrier import Call, Carrier, call_drawn
from simulations.carriers.catalogue import CARRIERS, make_carrier
from simulations.carriers.line import Line
from simulations.carriers.questions import Signer, question, signature
from simulations.carriers.target import Target, parse_url, tls_context
from simulations.carriers.twilio import upgrade_signature
from simulations.carriers.webhook import Webhook
from simulations.load.echo import Echo
from simulations.load.measures import measure
from simulations.load.report import RunFacts, Tally, headline, summary
from simulations.load.scenario import DEFAULT, LoadScenario, load_scenario
from simulations.load.script import Caller
from simulations.load.sounds import Sounds, render

_AGAIN_AFTER = 1.0
"""Seconds before a place calls again; after failures twice as long each time, up to the next figure."""
_AGAIN_AT_MOST = 8.0
_TELL_EVERY, _REWRITE_EVERY = 10.0, 1.0
_LAST_ECHOES = 0.5
"""Seconds before the end of the time during which an echo may still come back."""


async def run(*, options: LoadOptions) -> int:
    """Call until the time is up or Ctrl-C; report; return 1 if calls failed or none came about.

    Raises SettingsError for an address, a scenario or a secret that can't be used.
    """
    load = Load(await planned(options))
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(load.stop_on_signal, scope)
            await load.run()
            nursery.cancel_scope.cancel()
    found = load.result()
    print(json.dumps(found) if options.json else headline(found))
    if load.interrupted:
        return 130
    return 1 if found["calls_failed"] or not found["load"]["connected"] else 0


@frozen(kw_only=True)
class Plan:
    """What is to be done: `scenario` is None where echoes are measured."""

    options: LoadOptions
    target: Target | Webhook
    scenario: LoadScenario | None
    sounds: Sounds | None
    parameters: dict[str, str]


async def planned(options: LoadOptions) -> Plan:
    """Return what the options mean, with all that is said made. Raises SettingsError."""
    parameters = dict(_pair(each, option="--parameter") for each in options.parameter)
    rates = CARRIERS[options.carrier].rates
    if options.rate is not None and options.rate not in rates:
        raise SettingsError(f"--rate {options.rate}: {options.carrier} has {', '.join(map(str, list(rates)[:9]))}")
    probe = _carrier(options, Call(call="0" * 32, stream="0" * 32, parameters=parameters))
    target = _target(options, probe)
    if options.echo:
        if options.scenario is not None:
            raise SettingsError("--echo: speaks marked frames, not a scenario; leave one of them out")
        return Plan(options=options, target=target, scenario=None, sounds=None, parameters=parameters)
    path = options.scenario or DEFAULT
    scenario = load_scenario(path)
    sounds = await render(scenario, probe, path=path, rng=Random(f"{options.seed}"))
    return Plan(options=options, target=target, scenario=scenario, sounds=sounds, parameters=parameters)


def _carrier(options: LoadOptions, call: Call, *, echo: Echo | None = None) -> Carrier:
    if echo is None:
        return make_carrier(options.carrier, call, rate=options.rate, format=options.format)
    playback = echo.make_playback
    return make_carrier(options.carrier, call, rate=options.rate, format=options.format, playback=playback)


def _target(options: LoadOptions, carrier: Carrier) -> Target | Webhook:
    url = parse_url(options.url)
    if url.scheme in ("http", "https"):
        return _webhook(options, carrier)
    if (url.scheme == "audiosocket") != (options.carrier == "audiosocket"):
        raise SettingsError(f"--as {options.carrier}: can't call {url.scheme}://; AudioSocket alone is bare TCP")
    headers = [_pair(each, option="--header") for each in options.header]
    if options.secret_env is not None:
        headers.append(_authority(options, options.secret_env))
    tls = tls_context(insecure=options.insecure) if url.scheme == "wss" else None
    return Target(url=url, headers=headers, subprotocols=carrier.subprotocols, within=options.connect_within, tls=tls)


def _webhook(options: LoadOptions, carrier: Carrier) -> Webhook:
    asked = question(carrier.name, carrier.call)
    if asked is None:
        raise SettingsError(f"--url {options.url}: {carrier.name} asks no webhook; expected the stream's ws:// address")
    if options.parameter:
        raise SettingsError("--parameter: where a webhook is asked its markup says them; put them into its query")
    secret = _secret(options.secret_env) if options.secret_env is not None else ""
    if secret:  # what is wrong with it is told now
        signature(asked, Signer(carrier=carrier.name, secret=secret, url=options.url, now=0.0, nonce=""))
    return Webhook(
        url=options.url,
        public=options.signed_url or options.url,
        secret=secret,
        headers=[_pair(each, option="--header") for each in options.header],
        within=options.connect_within,
        tls=tls_context(insecure=options.insecure),
    )


def _authority(options: LoadOptions, name: str) -> tuple[str, str]:
    """Return the header by which the carrier shows who it is. Raises SettingsError."""
    secret = _secret(name)
    if options.carrier == "twilio":
        return "X-Twilio-Signature", upgrade_signature(options.signed_url or options.url, secret)
    if options.carrier == "telnyx":
        return "x-telnyx-streaming-auth-token", secret
    return "Authorization", f"Bearer {secret}"


def _secret(name: str) -> str:
    secret = os.environ.get(name)
    if not secret:
        raise SettingsError(f"--secret-env {name}: there is no such variable in the environment, or it is empty")
    return secret


def _pair(text: str, *, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise SettingsError(f"{option} {text}: expected NAME=VALUE")
    return name, value


@define(eq=False)
class Load:
    """One run: so many places, each with a call at a time."""

    plan: Plan
    interrupted: bool = field(default=False, init=False)
    _tally: Tally = field(factory=Tally, init=False)
    _exchange: Exchange = field(factory=Exchange, init=False)
    _began: float = field(default=0.0, init=False)
    _ended: float = field(default=0.0, init=False)
    _up: int = field(default=0, init=False)
    _calls: int = field(default=0, init=False)

    async def run(self) -> None:
        """Place calls until the time is up."""
        options = self.plan.options
        self._began = trio.current_time()
        until = self._began + options.calls / options.ramp + options.seconds
        try:
            async with trio.open_nursery() as helpers:
                helpers.start_soon(self._exchange.run)
                helpers.start_soon(self._show, until)
                async with trio.open_nursery() as places:
                    for place in range(options.calls):
                        places.start_soon(self._keep_calling, place, until)
                helpers.cancel_scope.cancel()
        finally:
            self._ended = trio.current_time()

    async def stop_on_signal(self, scope: trio.CancelScope) -> None:
        """End the run at SIGINT or SIGTERM."""
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as received:
            async for _number in received:
                self.interrupted = True
                scope.cancel()

    def result(self) -> dict[str, Any]:
        """Return the report."""
        options = self.plan.options
        facts = RunFacts(
            calls=options.calls, seconds=self._ended - self._began, seed=options.seed, carrier=options.carrier
        )
        return summary(self._tally, facts, lateness=self._exchange.pacer.lateness)

    async def _keep_calling(self, place: int, until: float) -> None:
        await trio.sleep_until(self._began + place / self.plan.options.ramp)
        pause = _AGAIN_AFTER
        while trio.current_time() < until:
            outcome = await self._call(until)
            pause = min(2 * pause, _AGAIN_AT_MOST) if outcome in (Outcome.REFUSED, Outcome.FAILED) else _AGAIN_AFTER
            if trio.current_time() + pause >= until:
                return
            await trio.sleep(pause)

    async def _call(self, until: float) -> Outcome:
        self._calls += 1
        rng = Random(f"{self.plan.options.seed}:{self._calls}")
        echo = Echo() if self.plan.scenario is None else None
        carrier = _carrier(self.plan.options, call_drawn(rng, parameters=self.plan.parameters), echo=echo)
        line = Line(carrier) if echo is None else echo.open_line(carrier)
        result = CallResult(line, dialled=trio.current_time())
        script = _hold_on(until) if echo else self._script(line, rng=rng, until=until)
        self._up += 1
        try:
            await PlacedCall(self.plan.target, self._exchange, result, script).run()
        finally:
            self._up -= 1
            self._note(result, echo)
        return result.outcome

    def _script(self, line: Line, *, rng: Random, until: float) -> Script:
        scenario, sounds = self.plan.scenario, self.plan.sounds
        assert scenario is not None
        assert sounds is not None
        return Caller(line=line, scenario=scenario, sounds=sounds, until=until, rng=rng).script()

    def _note(self, result: CallResult, echo: Echo | None) -> None:
        ended = result.ended or trio.current_time()
        scenario = self.plan.scenario
        patience = scenario.answer_within if scenario is not None else 0.0
        self._tally.add(result, measure(result.line, ended=ended, patience=patience))
        if echo is not None:
            echo.finish(ended)
            self._tally.add_echo(echo.times, lost=echo.lost)

    # --- while it runs ---

    async def _show(self, until: float) -> None:
        terminal = sys.stderr.isatty()
        try:
            while True:
                await trio.sleep(_REWRITE_EVERY if terminal else _TELL_EVERY)
                print(
                    f"\r{self._told(until)}\x1b[K" if terminal else self._told(until),
                    end="" if terminal else "\n",
                    file=sys.stderr,
                    flush=True,
                )
        finally:
            if terminal:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _told(self, until: float) -> str:
        tally = self._tally
        at = f"{trio.current_time() - self._began:.0f} s of {until - self._began:.0f}"
        return f"{at}: {self._up} calls up, {tally.placed} over, {tally.refused} refused, {tally.failed} failed"


def _hold_on(until: float) -> Script:
    """Do nothing until the time is up."""
    yield lambda now: now >= until
