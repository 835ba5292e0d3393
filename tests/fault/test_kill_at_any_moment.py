"""kill -9 at 200 random moments and in every phase of a write, then three ways on: go on, hand back, release.

Beside lamp and plant the site has a setpoint that its device keeps for ever and a slot of a BACnet-like priority array
that stays until a Null is written. Whatever the moment: no command outside its limits, no override of a person lost
that had been confirmed, none that outlives its end, and in the end nothing left at the devices that is not safe.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from controller.core.command import Priority
from controller.core.point import (
    Binding,
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    Release,
    ReleaseNull,
    Restore,
    Writable,
)
from controller.core.sample import Scalar
from controller.core.site import Device, Link, Site
from controller.core.system import Authority, ReleaseStep, System
from controller.core.text import Text
from controller.core.units import Unit
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from controller.runtime.stored import Held
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from drivers.memory import MemoryAddress, MemoryConnection, MemoryFarSide, memory_kind
from tests.bench import BRIGHTNESS, CHILLER_REMOTE, DEMAND, LAMP_REMOTE, PUMP, PUMP_REMOTE, SYSTEMS, Bench
from tests.sweep import sweep

SETPOINT = PointId("plant.chiller_2.chilled_water_temperature_setpoint")
SLOT = PointId("air.air_handler_1.supply_fan_speed_command")
SAFE_FOR_EVER = Range(6.0, 10.0)
OWN_SPEED = 0.3
LIMITS = {BRIGHTNESS: Range(0.1, 1.0), SETPOINT: Range(5.0, 12.0), SLOT: Range(0.2, 1.0)}
# What a person may set, each within its limits.
WISHES: dict[PointId, Callable[[random.Random], Scalar]] = {
    BRIGHTNESS: lambda chance: round(chance.uniform(0.1, 1.0), 2),
    PUMP: lambda chance: chance.random() < 0.5,
    SETPOINT: lambda chance: round(chance.uniform(5.0, 12.0), 1),
    SLOT: lambda chance: round(chance.uniform(0.2, 1.0), 2),
}
MOMENTS, TOGETHER = 200, 20
LONGEST_LIFE_S = 40.0


def everlasting(id_: PointId, unit: Unit, range: Range, release: Release) -> Point:
    return Point(id_, PointKind.SETPOINT, unit, writable=Writable(range, release, NothingHappens(), id_))


POINTS = (
    everlasting(SETPOINT, Unit.CELSIUS, LIMITS[SETPOINT], Restore(SAFE_FOR_EVER)),
    everlasting(SLOT, Unit.FRACTION, LIMITS[SLOT], ReleaseNull()),
)
ON_THE_ROOF = System(
    "roof", Text("Roof", "屋面"), (SETPOINT, SLOT), (ReleaseStep((SETPOINT, SLOT)),), timedelta(seconds=30)
)


@dataclass(frozen=True)
class Override:
    """What a person was told is done."""

    point: PointId
    value: Scalar
    ends: datetime


class EverlastingBench(Bench):
    def __post_init__(self) -> None:
        self.systems = (*SYSTEMS, ON_THE_ROOF)
        self.roof = MemoryFarSide()
        super().__post_init__()
        self.roof.bind(self._bindings())
        self.roof.set(SETPOINT, 7.0)
        self.overrides: dict[PointId, Override] = {}

    def _bindings(self) -> tuple[Binding[MemoryAddress], ...]:
        # Relinquished, the slot shows what the device does by itself.
        return tuple(
            Binding(point, "roof_gateway", MemoryAddress(OWN_SPEED if point.id == SLOT else None)) for point in POINTS
        )

    def site(self) -> Site:
        site = super().site()
        device = Device("roof_gateway", tuple(point.id for point in POINTS), timedelta(seconds=1))
        roof = Link("roof", memory_kind(self.roof), MemoryConnection(), (device,), self._bindings())
        points = {**site.points, **{point.id: point for point in POINTS}}
        return replace(site, points=points, links=(*site.links, roof), systems=self.systems)

    def die(self) -> None:
        self.roof.drop()
        super().die()

    def run_again(self, seconds: float) -> None:
        """The machine was off for so long, and its links are there again."""
        self.now += timedelta(seconds=seconds)
        self.roof.restore()

    async def override(self, point: PointId, value: Scalar, seconds: float) -> None:
        """Noted once it is confirmed, as a person would; before, it may be lost."""
        ends = self.clock.now() + timedelta(seconds=seconds)
        self.overrides.pop(point, None)
        await self.command(point, value, seconds)
        self.overrides[point] = Override(point, value, ends)

    def commands_of_people(self) -> dict[PointId, tuple[Scalar, datetime]]:
        """Value and end of each, as the daemon has them."""
        found: dict[PointId, tuple[Scalar, datetime]] = {}
        for point, control in self.daemon.scan.controls.items():
            command = control.array.at(self.clock.monotonic()).held_at(Priority.MANUAL_OPERATOR)
            if command is not None:
                remaining = command.ends - self.clock.monotonic()
                found[point] = (command.value, self.clock.now() + timedelta(seconds=remaining))
        return found

    def all_writes(self) -> Sequence[tuple[PointId, Scalar | None]]:
        return (*self.plant.writes, *self.roof.writes)


async def people_at_work(bench: EverlastingBench, chance: random.Random) -> None:
    """Overrides and changing wishes until the end of the life."""
    while True:
        await bench.wait(chance.uniform(0.0, 3.0))
        bench.plant.lights.set(DEMAND, round(chance.uniform(-0.2, 1.0), 2))
        point = chance.choice(sorted(WISHES))
        if chance.random() < 0.8:
            await bench.override(point, WISHES[point](chance), chance.uniform(1.0, 90.0))
        else:
            bench.overrides.pop(point, None)
            await bench.daemon.relinquish(point, "operator")


def live_and_die(bench: EverlastingBench, chance: random.Random, dead: asyncio.Event, moment: float) -> None:
    async def life(_: Bench) -> None:
        people = asyncio.create_task(people_at_work(bench, chance))
        ends = [asyncio.create_task(dead.wait()), asyncio.create_task(bench.wait(moment))]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        bench.die()
        for each in (people, *ends):
            each.cancel()
        await asyncio.wait([people, *ends])

    bench.run(life, kill=True)


def assert_within_limits(bench: EverlastingBench) -> None:
    for point, value in bench.all_writes():
        if point in LIMITS and value is not None:
            assert isinstance(value, (int, float))
            assert LIMITS[point].holds(value), (point, value)


def assert_overrides_live_on(bench: EverlastingBench, given: dict[PointId, Override]) -> None:
    """Each with its value and its end; none that nobody gave, none beyond its end."""
    now, found = bench.clock.now(), bench.commands_of_people()
    for override in given.values():
        if override.ends > now + timedelta(seconds=1):
            assert override.point in found, f"lost: {override}"
            assert found[override.point][0] == override.value
    for point, (_, ends) in found.items():
        assert ends <= given[point].ends + timedelta(milliseconds=1), f"outlives its end: {given[point]}"


def assert_safe_at_the_devices(bench: EverlastingBench) -> None:
    plant = bench.plant.plant
    assert not any((bench.plant.lights.value(LAMP_REMOTE), plant.value(PUMP_REMOTE), plant.value(CHILLER_REMOTE)))
    setpoint = bench.roof.value(SETPOINT)
    assert isinstance(setpoint, float)
    assert SAFE_FOR_EVER.holds(setpoint), "what the device keeps for ever"
    assert bench.roof.value(SLOT) == OWN_SPEED, "the slot is empty again"


def go_on(bench: EverlastingBench, given: dict[PointId, Override]) -> None:
    """The next start continues; then it is stopped in order."""

    async def life(_: Bench) -> None:
        await bench.wait(0.5)
        assert_overrides_live_on(bench, given)
        await bench.wait(100)
        assert bench.commands_of_people() == {}, "every override has ended"

    assert bench.run(life), "everything was let go"


def hand_back(bench: EverlastingBench, given: dict[PointId, Override]) -> None:
    """A person decides for the original controls before the next start."""
    bench.store_authority(Authority.ORIGINAL)
    bench.plant.writes.clear()
    bench.roof.writes.clear()

    async def life(_: Bench) -> None:
        await bench.wait(90)
        assert bench.daemon.writer.holdings == {}

    bench.run(life)
    commanded = [(point, value) for point, value in bench.all_writes() if point in (PUMP, SLOT) and value]
    assert commanded == [], "under the original controls nothing is commanded"


def release(bench: EverlastingBench, given: dict[PointId, Override]) -> None:
    """`tidewatt release`, with nobody there but the store."""
    loop = VirtualLoop()
    clock = VirtualClock(loop, bench.now)
    store = Store(bench.tmp_path / "store.db", clock)

    async def released() -> bool:
        return await Daemon(bench.site(), clock, bench.historian, store).release()

    assert run(released(), loop)


WAYS = (go_on, hand_back, release)


def fall_and_rise(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    bench = EverlastingBench(folder)
    for _ in range(chance.choice((1, 1, 2))):
        live_and_die(bench, chance, asyncio.Event(), chance.uniform(0.0, LONGEST_LIFE_S))
        bench.run_again(chance.choice((0.2, chance.uniform(0, 40))))
    chance.choice(WAYS)(bench, dict(bench.overrides))
    assert_within_limits(bench)
    assert_safe_at_the_devices(bench)


@pytest.mark.fault("kill -9 at random moments")
@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, MOMENTS, TOGETHER))
def test_killed_at_any_moment(tmp_path: Path, first: int, record_property: Callable[[str, object], None]) -> None:
    record_property("tried", TOGETHER)
    for seed in range(first, first + TOGETHER):
        folder = tmp_path / str(seed)
        folder.mkdir()
        fall_and_rise(folder, seed)


# --- every phase of a write -------------------------------------------------------------------------------------------


class DyingStore(Store):
    """Dies with its bench, before or after an intent is committed or forgotten."""

    def __init__(self, path: Path, clock: VirtualClock, phase: str, die: Callable[[], None]) -> None:
        super().__init__(path, clock)
        self._phase, self._die = phase, die

    async def save_held(self, held: Sequence[Held]) -> None:
        self._die_in("before the intent is stored")
        await super().save_held(held)
        self._die_in("after the intent is stored")

    async def forget_held(self, points: Sequence[PointId]) -> None:
        self._die_in("before what was let go is forgotten")
        await super().forget_held(points)
        self._die_in("after what was let go is forgotten")

    def _die_in(self, phase: str) -> None:
        if self._phase == phase:
            self._die()


class DyingBench(EverlastingBench):
    """phase: where it dies; at its `countdown`-th occurrence."""

    phase = ""
    countdown = 1
    dead = asyncio.Event()

    def __post_init__(self) -> None:
        super().__post_init__()
        then = self.plant.lights.on_write

        def arrived(point: PointId, value: Scalar | None) -> None:
            if then is not None:
                then(point, value)
            if self.phase == "when the bytes have arrived":
                self.die_at_last()

        self.plant.lights.on_write = self.plant.plant.on_write = arrived
        self.roof.on_write = lambda point, value: arrived(point, value) if point in (SETPOINT, SLOT) else None

    def open_store(self) -> Store:
        return DyingStore(self.tmp_path / "store.db", self.clock, self.phase, self.die_at_last)

    def die_at_last(self) -> None:
        self.countdown -= 1
        if self.countdown == 0:
            self.die()
            self.dead.set()


PHASES = (
    "before the intent is stored",
    "after the intent is stored",
    "when the bytes have arrived",
    "before what was let go is forgotten",
    "after what was let go is forgotten",
)


@pytest.mark.fault("kill -9 in every phase of a write")
@pytest.mark.parametrize("way", sweep(WAYS, fast=1))
@pytest.mark.parametrize("phase", sweep(PHASES))
def test_killed_in_the_middle_of_a_write(
    tmp_path: Path,
    phase: str,
    way: Callable[[EverlastingBench, dict[PointId, Override]], None],
    record_property: Callable[[str, object], None],
) -> None:
    occurrences = (1, 2, 3, 5, 8)
    record_property("tried", len(occurrences))
    for occurrence in occurrences:
        folder = tmp_path / str(occurrence)
        folder.mkdir()
        bench = DyingBench(folder)
        bench.phase, bench.countdown, bench.dead = phase, occurrence, asyncio.Event()
        live_and_die(bench, random.Random(occurrence), bench.dead, 300.0)
        assert bench.dead.is_set(), "or this proves nothing"
        bench.phase = ""
        bench.run_again(1.0)
        way(bench, dict(bench.overrides))
        assert_within_limits(bench)
        assert_safe_at_the_devices(bench)
