"""Gateways with watchdogs of their own, and what measures them while the daemon works."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from controller.core.commissioning import Status
from controller.core.point import Effect, PointId
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.system import Authority
from controller.runtime.silence_measurement import Measurement
from tests.bench import CHILLER_REMOTE, HEARTBEAT, LAMP_REMOTE, PUMP, PUMP_REMOTE, PUMP_STATUS, Bench
from tests.real_bench import RealBench

GARAGE, PLANT = "garage", "plant"
LAMPS = f"{LAMP_REMOTE}:silence"
GATEWAY = f"{HEARTBEAT}:silence"
HOUR = timedelta(hours=1)


class Watchdogs:
    """The gateways' own: each bit clears `after` seconds after what feeds it was written last."""

    def __init__(self, bench: Bench, lamps_after: float, plant_after: float = 60.0) -> None:
        self._bench = bench
        self._fed = {LAMP_REMOTE: 0.0, HEARTBEAT: 0.0}
        self._after = {LAMP_REMOTE: lamps_after, HEARTBEAT: plant_after}
        lights, plant = bench.plant.lights, bench.plant.plant
        self._bits = {LAMP_REMOTE: (lights, (LAMP_REMOTE,)), HEARTBEAT: (plant, (CHILLER_REMOTE, PUMP_REMOTE))}
        assert lights.on_write is not None
        self._equipment = lights.on_write
        lights.on_write = plant.on_write = self._written

    def _written(self, point: PointId, value: Scalar | None) -> None:
        self._equipment(point, value)
        if point in self._fed:
            self._fed[point] = self._bench.clock.wire_time()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            now = self._bench.clock.wire_time()
            for feed, (far, bits) in self._bits.items():
                if now - self._fed[feed] >= self._after[feed]:
                    for bit in bits:
                        if far.value(bit) is True:
                            far.set(bit, False)


def watched(
    test: Callable[[Bench], Awaitable[None]], lamps_after: float = 30.0, plant_after: float = 60.0
) -> Callable[[Bench], Awaitable[None]]:
    """The life of a bench whose gateways have watchdogs."""

    async def life(bench: Bench) -> None:
        async with asyncio.TaskGroup() as tasks:
            dogs = tasks.create_task(Watchdogs(bench, lamps_after, plant_after).run())
            await bench.wait(3)
            await test(bench)
            dogs.cancel()

    return life


def begin(bench: Bench, item: str, value: Scalar | None = None) -> Measurement:
    daemon = bench.daemon
    return daemon.silence.begin(daemon.commissioning.items[item], "Li Na", value)


async def over(bench: Bench, measurement: Measurement) -> None:
    while not measurement.is_over:
        await bench.wait(1)


def status_of(bench: Bench, item: str) -> Status:
    return next(each.status for each in bench.daemon.commissioning.standings() if each.item.id == item)


async def commissioned(bench: Bench, system: str = GARAGE) -> None:
    await bench.daemon.set_authority(system, Authority.COMMISSIONING, "Li Na", HOUR)


def real(tmp_path: Path) -> RealBench:
    return RealBench(tmp_path, first_authority=Authority.ORIGINAL)


class ProvenPump(RealBench):
    """The pump's status shows whether it runs, as the chiller's does."""

    def site(self) -> Site:
        return with_writable(super().site(), PUMP, effect=Effect(PUMP_STATUS, timedelta(minutes=3)))


def with_writable(site: Site, point: PointId, **changes: Any) -> Site:
    """The site with something else declared of how the point is written."""
    before = site.points[point]
    assert before.writable is not None
    after = replace(before, writable=replace(before.writable, **changes))
    links = tuple(
        replace(
            link,
            bindings=tuple(replace(each, point=after) if each.point.id == point else each for each in link.bindings),
        )
        for link in site.links
    )
    return replace(site, points={**site.points, point: after}, links=links)


def proven(tmp_path: Path) -> ProvenPump:
    return ProvenPump(tmp_path, first_authority=Authority.ORIGINAL)
