"""A link that takes its time: whatever is wished arrives, and what a device would forget is said again in time."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest

from controller.core.point import Binding, PointId
from controller.core.ports import Clock, DriverKind, WriteResult
from controller.core.sample import Sample, Scalar
from controller.core.site import Site
from controller.core.system import Authority
from drivers.memory import KIND, MemoryDriver, MemoryFarSide
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, LAMP_TIMEOUT, Bench


class _SlowDriver(MemoryDriver):
    """Takes `read_s` and `write_s` for each request; refuses what is in `refuses`, once."""

    read_s = 0.0
    write_s = 0.0
    refuses: set[PointId]

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        await asyncio.sleep(self.read_s)
        return await super().read(points)

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        await asyncio.sleep(self.write_s)
        refused = {point for point in values if point in self.refuses}
        self.refuses -= refused
        taken = await super().write({point: value for point, value in values.items() if point not in refused})
        return {**taken, **dict.fromkeys(refused, WriteResult(False, "device busy"))}


class _SlowLights(Bench):
    def __init__(self, tmp_path: Path, read_s: float = 0.0, write_s: float = 0.0) -> None:
        self.read_s, self.write_s = read_s, write_s
        self.refuses: set[PointId] = set()
        super().__init__(tmp_path)

    def site(self) -> Site:
        site = super().site()
        lights, plant = site.links
        return replace(site, links=(replace(lights, driver=self._slow(self.plant.lights)), plant))

    def _slow(self, far: MemoryFarSide) -> DriverKind:
        def open_on(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Self | MemoryDriver:
            driver = _SlowDriver(link, connection, bindings, clock, far)
            driver.read_s, driver.write_s, driver.refuses = self.read_s, self.write_s, self.refuses
            return driver

        return replace(KIND, open=open_on)


@pytest.mark.fault("slow server")
@pytest.mark.parametrize("pause", [0.3, 0.8, 1.3, 1.9, 2.4])
def test_a_wish_that_changes_while_bytes_are_on_their_way_arrives(pause: float, tmp_path: Path) -> None:
    bench = _SlowLights(tmp_path, read_s=0.9, write_s=0.6)

    async def life(bench: Bench) -> None:
        await bench.wait(20)
        for first, second in ((0.3, 0.8), (0.7, 0.4), (0.2, 0.9)):
            bench.plant.lights.set(DEMAND, first)
            await bench.wait(pause)
            bench.plant.lights.set(DEMAND, second)
            await bench.wait(60)
            assert bench.plant.lights.value(BRIGHTNESS) == second

    bench.run(life)


def test_what_waits_for_its_turn_is_not_written_once_the_system_is_handed_back(tmp_path: Path) -> None:
    """A read holds the line while the switch comes; the wish is from before it."""
    bench = _SlowLights(tmp_path, read_s=0.9)

    async def life(bench: Bench) -> None:
        for pause in (0.4, 0.7, 1.0, 1.3, 1.6, 1.9, 2.2):
            await bench.daemon.set_authority("garage", Authority.TIDEWATT, "Li Na")
            bench.plant.lights.set(DEMAND, 0.3)
            await bench.wait(20)
            assert bench.plant.lights.value(LAMP_REMOTE) is True
            bench.plant.lights.set(DEMAND, 0.8)
            await bench.wait(pause)
            await bench.daemon.set_authority("garage", Authority.ORIGINAL, "Li Na")
            bench.plant.writes.clear()
            await bench.wait(20)
            assert bench.plant.written(BRIGHTNESS) == []
            assert bench.plant.lights.value(LAMP_REMOTE) is False

    bench.run(life)


def test_what_a_device_refuses_once_is_said_again_before_it_forgets(tmp_path: Path) -> None:
    bench = _SlowLights(tmp_path)

    async def life(bench: Bench) -> None:
        assert isinstance(bench, _SlowLights)
        await bench.wait(20)
        told: list[float] = []
        bench.plant.lights.on_write = lambda point, value: (
            told.append(bench.clock.monotonic()) if point == LAMP_REMOTE else None
        )
        bench.refuses.add(LAMP_REMOTE)
        await bench.wait(10 * LAMP_TIMEOUT.total_seconds())
        pauses = [later - earlier for earlier, later in zip([20.0, *told], told, strict=False)]
        assert not bench.refuses, "it was refused once"
        assert max(pauses) < 0.75 * LAMP_TIMEOUT.total_seconds()

    bench.run(life)
