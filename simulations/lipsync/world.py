"""Runs the queue's world in virtual time: the real program against the simulated service, killed and started again.

Same scenario, same seed: the same events, byte for byte. What came of it is figures.py's, what must hold rules.py's.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import trio
from attrs import define, field, frozen

from orchestrator.events import Event, RunEnded, RunStarted
from orchestrator.lipsync.job import Job
from orchestrator.lipsync.store import Store
from orchestrator.ports import Emit
from orchestrator.settings import LipsyncSettings
from simulations.lipsync.life import Killed, Life, draw_kills
from simulations.lipsync.network import Exchange, Network
from simulations.lipsync.operator_page import OperatorPage
from simulations.lipsync.orders import Order, draw_orders, write_files
from simulations.lipsync.program import OPERATOR, Program
from simulations.lipsync.scenario import LipsyncScenario
from simulations.lipsync.users import Users
from simulations.lipsync.world_events import LifeBegan, LifeEnded
from simulations.sync.account import Account
from simulations.sync.server import ADDRESS, SyncServer, made_up_wall
from simulations.virtual_clock import VirtualClock
from simulations.world import run_virtually
from simulations.world_events import FaultStruck

_SERVICE = ADDRESS.partition("://")[2]
_TICK = 60.0
_LOOK_AGAIN = 1.0
_LONGEST = 50.0
"""How many times longer than expected a run may take, before it is given up."""


@frozen(kw_only=True)
class Ended:
    """How a world came to its end: what the store, the users, the service and the operator know. Times are of the run's
    clock, those of jobs Unix seconds."""

    seconds: float
    since: float
    """The wall clock (Unix seconds) at time 0."""
    finished: bool
    """Whether every job has ended."""
    orders: Sequence[Order]
    jobs: Sequence[Job]
    claims: dict[str, str]
    """By the store: the key that each of the account's generations came of."""
    users: Users
    account: Account
    told: dict[str, list[str]]
    """By the operator's server: the states that each job was said to have ended in."""
    exchanges: Sequence[Exchange]
    kills: Sequence[str]
    """What the program was about to do when it was killed."""
    kills_wanted: int
    faults: dict[str, int]
    changed: Sequence[str]
    """Jobs that had ended, and were otherwise after a death."""


def run_world(
    scenario: LipsyncScenario, *, seed: int, sinks: Sequence[Emit] = (), tick: Callable[[float], None] | None = None
) -> Ended:
    """Run `scenario` to its end in virtual time; every event goes to every one of `sinks`, in order.

    `tick` is called each virtual minute with the part of the jobs that have ended. Not to be called inside Trio.
    """
    with TemporaryDirectory(prefix="talkingstick-") as folder:
        world = _World(scenario=scenario, seed=seed, sinks=sinks, tick=tick, folder=Path(folder))
        return run_virtually(world.run, seed=seed, clock=VirtualClock())


def run(scenario: LipsyncScenario, seed: int) -> list[Event]:
    """Run `scenario` and return all its events."""
    events: list[Event] = []
    run_world(scenario, seed=seed, sinks=[events.append])
    return events


@define(kw_only=True)
class _World:
    """One run."""

    scenario: LipsyncScenario
    seed: int
    sinks: Sequence[Emit]
    tick: Callable[[float], None] | None
    folder: Path
    _network: Network = field(factory=Network, init=False)
    _exchanges: list[Exchange] = field(factory=list, init=False)
    _kills: list[str] = field(factory=list, init=False)
    _ended: dict[str, Job] = field(factory=dict, init=False)
    """The jobs that were seen to have ended, by key."""
    _changed: list[str] = field(factory=list, init=False)

    async def run(self) -> Ended:
        """Run from the first event to the last."""
        write_files(self.folder, seed=self.seed)
        orders = draw_orders(self.scenario, seed=self.seed, folder=self.folder)
        server, page = self._make_server(), OperatorPage(self._random("operator"))
        self._emit(self._started())
        store = Store.open(self.folder / "lipsync.db")
        try:
            users = Users(orders, store)
            async with trio.open_nursery() as outside:
                self._open(server, page, outside=outside)
                finished = await self._let_live(users, store, program=self._program(server))
                outside.cancel_scope.cancel()
            seconds = trio.current_time()
            self._emit(RunEnded(at=seconds, reason="finished" if finished else "interrupted"))
            account = server.service.accounts.all[0]
            return Ended(
                seconds=seconds,
                since=made_up_wall() - seconds,
                finished=finished,
                orders=orders,
                jobs=store.jobs(limit=2 * len(orders)),
                claims=store.claimed(list(account.generations)),
                users=users,
                account=account,
                told=page.told,
                exchanges=self._exchanges,
                kills=self._kills,
                kills_wanted=self.scenario.kills,
                faults=server.service.faults.snapshot(),
                changed=self._changed,
            )
        finally:
            store.close()

    # --- lives and deaths ---

    async def _let_live(self, users: Users, store: Store, *, program: Program) -> bool:
        """Have the program live as often as it takes; say whether every job ended in time."""
        kills = draw_kills(self.scenario.kills, seed=self.seed, within=0.9 * self.scenario.expected)
        number = 0
        with trio.move_on_after(_LONGEST * self.scenario.expected + 3600.0):
            while True:
                number += 1
                kill = kills[number - 1] if number <= len(kills) else None
                life = Life(kill, kills=len(kills) - number + 1, jobs=users.wanting)
                self._emit(LifeBegan(at=trio.current_time(), number=number))
                if await self._live(life, number, users=users, store=store, program=program):
                    return True
                self._kills.append(life.last)
                self._emit(LifeEnded(at=trio.current_time(), number=number, what=life.last))
                self._compare(store)
                assert life.kill is not None
                await trio.sleep(life.kill.down)
        return False

    async def _live(self, life: Life, number: int, *, users: Users, store: Store, program: Program) -> bool:
        """Have the program live once; say whether it was to its natural end."""
        users.recall()
        finished = True
        try:
            async with program.live(life, number=number) as queue:
                await users.run(queue, life)
                while store.untold():  # noqa: ASYNC110 (a store has no event to wait for)
                    await trio.sleep(_LOOK_AGAIN)
        except* Killed:
            finished = False
        return finished

    def _compare(self, store: Store) -> None:
        """Note which jobs had ended and are otherwise now."""
        for job in store.jobs(limit=10 * self.scenario.jobs):
            before = self._ended.get(job.key)
            if before is not None and (job.state, job.generation) != (before.state, before.generation):
                self._changed.append(job.id)
            if job.state.ended:
                self._ended[job.key] = job

    # --- who there is ---

    def _program(self, server: SyncServer) -> Program:
        scenario = self.scenario
        settings = LipsyncSettings(
            on=True,
            address=ADDRESS,
            plan=scenario.plan,
            creates_per_minute=scenario.creates_per_minute,
            requests_per_minute=scenario.requests_per_minute,
            store=str(self.folder / "lipsync.db"),
            notify_url=f"http://{OPERATOR}/ended",
        )
        secret = server.secret if scenario.webhooks else ""
        return Program(settings=settings, network=self._network, secret=secret, emit=self._emit, seed=self.seed)

    def _make_server(self) -> SyncServer:
        return SyncServer(self.scenario.server_options(self.seed), transport=self._network.transport())

    def _open(self, server: SyncServer, page: OperatorPage, *, outside: trio.Nursery) -> None:
        """Have the service and the operator's server on the network."""
        outside.start_soon(server.run)
        self._network.hosts[_SERVICE] = lambda far: outside.start_soon(server.serve_stream, far)
        self._network.hosts[OPERATOR] = lambda far: outside.start_soon(page.serve_stream, far)
        self._network.heard = self._exchanges.append
        faults = server.service.faults
        faults.noted = lambda name: self._emit(FaultStruck(at=trio.current_time(), fault=name))
        for fault in self.scenario.ordered_faults():
            server.order(fault)
        if self.tick is not None:
            outside.start_soon(self._keep_ticking)

    async def _keep_ticking(self) -> None:
        assert self.tick is not None
        while True:
            await trio.sleep(_TICK)
            self.tick(min(1.0, trio.current_time() / self.scenario.expected))

    # --- events ---

    def _started(self) -> RunStarted:
        scenario = self.scenario
        return RunStarted(at=0.0, wall="virtual", seed=self.seed, calls=scenario.jobs, profile=scenario.plan)

    def _emit(self, event: Event) -> None:
        for sink in self.sinks:
            sink(event)

    def _random(self, use: str) -> random.Random:
        return random.Random(f"{self.seed}:{use}")
