"""A small site on virtual time: one lamp with a remote bit, a chiller with its pump, and a hand on the far side.

`Bench.run` starts the real daemon, lets a test live beside it and stops it; the store survives from run to run, as the
devices do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from controller.core.command import Priority
from controller.core.errors import BadInput
from controller.core.event import Event, EventKind, JsonValue
from controller.core.forecast import Forecaster
from controller.core.point import (
    Binding,
    DeviceTimeout,
    Effect,
    Heartbeat,
    Limits,
    NothingHappens,
    OnSilence,
    Point,
    PointId,
    PointKind,
    Range,
    Release,
    RemoteBit,
    SafeValue,
    ValueType,
    Writable,
)
from controller.core.ports import Phase, RemoteHistorian
from controller.core.sample import Scalar
from controller.core.site import Device, Link, Mount, Site
from controller.core.strategy import Decision, Ladder, Member, Mode, Observation, Position, Role, StrategyKind
from controller.core.system import Authority, Condition, Permissive, ReleaseStep, System
from controller.core.text import Text
from controller.core.units import Unit
from controller.historian.memory import MemoryHistorian
from controller.runtime.clock_watch import Asks
from controller.runtime.daemon import Daemon
from controller.runtime.letting_go import nobody_watches
from controller.runtime.outbox import Messenger
from controller.runtime.reload import Load
from controller.runtime.store import Store
from controller.runtime.surroundings import Surroundings
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from controller.runtime.workers import Workers
from drivers.memory import MemoryAddress, MemoryConnection, MemoryFarSide, memory_kind

START = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)

DEMAND = PointId("garage.desk_1.demand")
MOTION = PointId("garage.group_1.motion")
BRIGHTNESS = PointId("garage.group_1.brightness_command")
LAMP_REMOTE = PointId("garage.group_1.remote")
CHILLER = PointId("plant.chiller_1.enable_command")
CHILLER_STATUS = PointId("plant.chiller_1.status")
CHILLER_REMOTE = PointId("plant.chiller_1.remote")
PUMP = PointId("plant.pump_1.command")
PUMP_STATUS = PointId("plant.pump_1.status")
PUMP_REMOTE = PointId("plant.pump_1.remote")
HEARTBEAT = PointId("plant.gateway_1.heartbeat")

LAMP_TIMEOUT = timedelta(seconds=30)
PLANT_TIMEOUT = timedelta(seconds=60)
LIGHTS, PLANT = "lights", "plant"
NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class FollowState:
    decisions: int = 0


class Follow:
    """Wishes for every lamp what the desk demands; a negative demand makes it fail, a silent desk makes it let go."""

    inputs: Mapping[Role, Ladder] = {Role("desk", 0, "demand"): Ladder()}
    outputs = frozenset({Role("lamps", 0, "brightness_command")})

    def initial(self) -> FollowState:
        return FollowState()

    def decide(self, seen: Observation, state: FollowState) -> Decision[FollowState]:
        demand = seen.number(Role("desk", 0, "demand"))
        if demand < 0:
            raise ZeroDivisionError("a strategy's own mistake")
        if demand > 1:
            raise BadInput("a demand above one")
        requests: dict[Role, Scalar] = {Role("lamps", 0, "brightness_command"): demand}
        return Decision(
            FollowState(state.decisions + 1), requests, Text(f"the desk wants {demand:g}", f"需求 {demand:g}")
        )


def _build(parameters: Any, counts: Mapping[str, int]) -> Follow:
    del parameters, counts
    return Follow()


FOLLOW = StrategyKind(
    name="follow",
    title=Text("Follow", "跟随"),
    members={"lamps": Member("lighting_group"), "desk": Member("zone")},
    parameters=FollowState,
    state=FollowState,
    state_version=1,
    build=_build,
)


def _remote(id_: PointId, on_silence: OnSilence) -> Point:
    return _switch(id_, SafeValue(False), on_silence)


def _switch(
    id_: PointId, release: Release, on_silence: OnSilence, effect: Effect | None = None, limits: Limits = NO_LIMITS
) -> Point:
    writable = Writable(Range(0, 1), release, on_silence, id_, effect=effect, limits=limits)
    return Point(id_, PointKind.COMMAND, Unit.NONE, ValueType.BOOLEAN, writable=writable)


def _status(id_: PointId, *, urgent: bool = False) -> Point:
    return Point(id_, PointKind.STATUS, Unit.NONE, ValueType.BOOLEAN, urgent=urgent)


_LAMP_SILENCE = DeviceTimeout(LAMP_TIMEOUT)
_PLANT_SILENCE = Heartbeat(HEARTBEAT, PLANT_TIMEOUT)

LIGHT_POINTS = (
    Point(DEMAND, PointKind.SENSOR, Unit.FRACTION),
    _status(MOTION, urgent=True),
    Point(
        BRIGHTNESS,
        PointKind.COMMAND,
        Unit.FRACTION,
        writable=Writable(
            Range(0.1, 1.0), RemoteBit(LAMP_REMOTE), _LAMP_SILENCE, BRIGHTNESS, limits=Limits(brighter_is_safe=True)
        ),
    ),
    _remote(LAMP_REMOTE, _LAMP_SILENCE),
)
PLANT_POINTS = (
    _switch(
        CHILLER,
        RemoteBit(CHILLER_REMOTE),
        _PLANT_SILENCE,
        Effect(CHILLER_STATUS, timedelta(minutes=3)),
        Limits(minimum_on=timedelta(minutes=10), minimum_off=timedelta(minutes=5)),
    ),
    _status(CHILLER_STATUS),
    _remote(CHILLER_REMOTE, _PLANT_SILENCE),
    _switch(PUMP, RemoteBit(PUMP_REMOTE), _PLANT_SILENCE),
    _status(PUMP_STATUS),
    _remote(PUMP_REMOTE, _PLANT_SILENCE),
    Point(
        HEARTBEAT,
        PointKind.COMMAND,
        Unit.NONE,
        ValueType.INTEGER,
        writable=Writable(Range(0, 32767), SafeValue(0), NothingHappens(), HEARTBEAT),
    ),
)

SYSTEMS = (
    System(
        "garage",
        Text("Garage", "车库"),
        (BRIGHTNESS, LAMP_REMOTE),
        (ReleaseStep((LAMP_REMOTE,)), ReleaseStep((BRIGHTNESS,))),
        timedelta(seconds=5),
    ),
    System(
        "plant",
        Text("Plant", "冷站"),
        (CHILLER, CHILLER_REMOTE, PUMP, PUMP_REMOTE, HEARTBEAT),
        (
            ReleaseStep((CHILLER, CHILLER_REMOTE)),
            ReleaseStep((PUMP, PUMP_REMOTE), (Condition(CHILLER_STATUS, False, timedelta(seconds=60)),)),
            ReleaseStep((HEARTBEAT,)),
        ),
        timedelta(minutes=10),
        permissives=(Permissive(CHILLER, Condition(PUMP_STATUS, True)),),
    ),
)


def link_of(id_: str, far: MemoryFarSide, points: tuple[Point, ...]) -> Link:
    return Link(
        id_,
        memory_kind(far),
        MemoryConnection(),
        (Device(f"{id_}_gateway", tuple(point.id for point in points), timedelta(seconds=1)),),
        tuple(Binding(point, f"{id_}_gateway", MemoryAddress()) for point in points),
    )


class Plant:
    """The far side: two gateways that hold what is written, and statuses that follow the commands while remote."""

    def __init__(self) -> None:
        self.lights = MemoryFarSide()
        self.plant = MemoryFarSide()
        self.writes: list[tuple[PointId, Scalar | None]] = []
        self.lights.on_write = self._written
        self.plant.on_write = self._written

    def begin(self) -> None:
        """How the building stands before Tidewatt came: lamps fully on, everything in the plant off."""
        self.lights.set(DEMAND, 0.5)
        self.lights.set(MOTION, False)
        self.lights.set(BRIGHTNESS, 1.0)
        self.lights.set(LAMP_REMOTE, False)
        for point in (CHILLER, CHILLER_STATUS, CHILLER_REMOTE, PUMP, PUMP_STATUS, PUMP_REMOTE):
            self.plant.set(point, False)
        self.plant.set(HEARTBEAT, 0)

    def _written(self, point: PointId, value: Scalar | None) -> None:
        self.writes.append((point, value))
        follows = {PUMP: PUMP_STATUS, CHILLER: CHILLER_STATUS}
        remote = {PUMP: PUMP_REMOTE, CHILLER: CHILLER_REMOTE}
        for command, status in follows.items():
            if point in (command, remote[command]) and self.plant.value(remote[command]):
                self.plant.set(status, self.plant.value(command))

    def written(self, point: PointId) -> list[Scalar | None]:
        return [value for each, value in self.writes if each == point]


Life = Callable[["Bench"], Awaitable[None]]


@dataclass
class Bench:
    """`site` may be replaced before a run. `now` is where the next run's virtual time begins.

    beside: makes a task that lives as long as the daemon.
    """

    tmp_path: Path
    plant: Plant = field(default_factory=Plant)
    now: datetime = START
    mode: Mode = Mode.AUTO
    lease: timedelta = timedelta(seconds=60)
    systems: tuple[System, ...] = SYSTEMS
    first_authority: Authority = Authority.TIDEWATT
    forecaster: Forecaster | None = None
    remote: RemoteHistorian | None = None
    messenger: Messenger | None = None
    load: Load | None = None
    synchronization: Asks | None = None
    workers: Workers | None = None
    beside: Callable[[Daemon], Coroutine[Any, Any, None]] | None = None

    def __post_init__(self) -> None:
        site = Bench.site(self)
        self.plant.lights.bind(site.links[0].bindings)
        self.plant.plant.bind(site.links[1].bindings)
        self.plant.begin()
        self.daemon: Daemon
        self.clock: VirtualClock
        self.historian: MemoryHistorian
        self._killed_at = self.now
        self._is_dead = False
        self._disk: dict[Path, bytes] = {}
        self._recorded = MemoryHistorian()

    def site(self) -> Site:
        points = {point.id: point for point in (*LIGHT_POINTS, *PLANT_POINTS)}
        strategy = Follow()
        mount = Mount(
            "desk",
            FOLLOW,
            strategy,
            self.mode,
            {Role("desk", 0, "demand"): DEMAND, Role("lamps", 0, "brightness_command"): BRIGHTNESS},
            Priority.STRATEGY,
            self.lease,
        )
        return Site(
            folder=self.tmp_path,
            name="bench",
            position=Position(22.5, 114.0),
            zone=ZoneInfo("Asia/Shanghai"),
            scan_every=timedelta(seconds=1),
            systems=self.systems,
            links=(link_of(LIGHTS, self.plant.lights, LIGHT_POINTS), link_of(PLANT, self.plant.plant, PLANT_POINTS)),
            points=points,
            equipment={},
            mounts=(mount,),
            digest="bench",
            first_authority=self.first_authority,
        )

    def make_clock(self, loop: VirtualLoop) -> VirtualClock:
        return VirtualClock(loop, self.now)

    def open_historian(self) -> MemoryHistorian:
        """What was recorded survives from run to run, as the store does."""
        self._recorded.reopen()
        return self._recorded

    def open_store(self) -> Store:
        return Store(self.tmp_path / "store.db", self.clock)

    def store_authority(self, authority: Authority) -> None:
        """Of every system, while no daemon runs."""
        loop = VirtualLoop()
        store = Store(self.tmp_path / "store.db", VirtualClock(loop, self.now))

        async def save() -> None:
            for system in self.systems:
                await store.save_authority(system.id, authority)
            await store.close()

        run(save(), loop)

    def run(self, life: Life, *, kill: bool = False) -> bool:
        """Let the daemon live while `life` lasts, then stop it (or kill it, letting nothing go)."""
        loop = VirtualLoop()
        self.clock = self.make_clock(loop)
        self._is_dead = False
        try:
            return run(self._main(life, kill=kill), loop)
        finally:
            self.now = self._killed_at if kill else self.clock.now()

    async def _main(self, life: Life, *, kill: bool) -> bool:
        self.historian = self.open_historian()
        store = self.open_store()
        self.daemon = Daemon(
            self.site(),
            self.clock,
            self.historian,
            store,
            Surroundings(
                remote=self.remote,
                messenger=self.messenger,
                forecaster=self.forecaster,
                load=self.load,
                synchronization=self.synchronization,
                workers=self.workers,
            ),
        )
        stop = asyncio.Event()
        beside = () if self.beside is None else (self.beside(self.daemon),)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.daemon.run(stop, nobody_watches, *beside))
            await life(self)
            if kill:
                self.die()
                running.cancel()
                await asyncio.wait([running])
                self._restore_disk()
                return False
            stop.set()
            return await running

    def die(self) -> None:
        """What a kill -9 at this moment leaves: the disk as it is, and no byte to any device any more."""
        if self._is_dead:
            return
        self._is_dead = True
        self._killed_at = self.clock.now()
        self._disk = {path: path.read_bytes() for path in self.tmp_path.glob("store.db*")}
        for far in (self.plant.lights, self.plant.plant):
            far.drop()

    def _restore_disk(self) -> None:
        for path in self.tmp_path.glob("store.db*"):
            path.unlink()
        for path, content in self._disk.items():
            path.write_bytes(content)
        for far in (self.plant.lights, self.plant.plant):
            far.restore()

    def events(self, kind: EventKind, subject: str) -> list[Event]:
        """What the present run has told of a subject, oldest first."""
        return [event for event in self.daemon.journal.recent if (event.kind, event.subject) == (kind, subject)]

    def alarms(self, subject: str) -> list[tuple[JsonValue, JsonValue]]:
        return [(event.body["alarm"], event.body["state"]) for event in self.events(EventKind.ALARM, subject)]

    async def command(self, point: PointId, value: Scalar, seconds: float = 3600.0) -> None:
        await self.daemon.command(point, value, timedelta(seconds=seconds), "operator", "a test")

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep_until(self.clock.monotonic() + seconds, Phase.RECORD, "test")


def with_system(systems: tuple[System, ...], id_: str, **changes: Any) -> tuple[System, ...]:
    """The systems with one of them changed."""
    return tuple(replace(system, **changes) if system.id == id_ else system for system in systems)
