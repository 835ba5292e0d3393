"""A point shown as its device has it, while the daemon works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from controller.core.point import Binding
from controller.core.ports import Clock, Driver
from controller.core.site import Site
from controller.runtime.inspector import LONGEST_INSPECTION_S, InspectionRefused
from drivers.memory import MemoryDriver
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, PUMP, Bench


def test_a_point_is_asked_at_its_device_now_and_not_in_the_image(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        bench.plant.lights.set(DEMAND, 0.625)
        seen = await bench.daemon.inspector.inspect(DEMAND)
        assert (seen.inspection.sample.value, seen.inspection.raw) == (0.625, "0.625")
        assert bench.daemon.image.present[DEMAND].value == 0.5, "the next poll brings it"

    assert Bench(tmp_path).run(life)


def test_a_link_that_is_away_is_told_and_asked_again_after_its_return(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        bench.plant.lights.drop()
        with pytest.raises(InspectionRefused, match="connection lost"):
            await bench.daemon.inspector.inspect(DEMAND)
        await bench.wait(5)
        with pytest.raises(InspectionRefused, match="link lights is not connected"):
            await bench.daemon.inspector.inspect(DEMAND)
        bench.plant.lights.restore()
        await bench.wait(120)
        assert (await bench.daemon.inspector.inspect(DEMAND)).inspection.raw == "0.5"

    assert Bench(tmp_path).run(life)


def test_a_device_that_says_nothing_leaves_nobody_without_an_answer(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        bench.plant.lights.hang()
        began = bench.clock.wire_time()
        with pytest.raises(InspectionRefused, match="no answer"):
            await bench.daemon.inspector.inspect(BRIGHTNESS)
        assert bench.clock.wire_time() - began <= LONGEST_INSPECTION_S
        assert (await bench.daemon.inspector.inspect(PUMP)).inspection.raw == "False", "another link is not held up"
        bench.plant.lights.resume()
        await bench.wait(120)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert Bench(tmp_path).run(life)


class _Blind:
    """A driver that offers nothing beside reading and writing."""

    def __init__(self, driver: MemoryDriver) -> None:
        self._driver = driver
        self.read = driver.read
        self.write = driver.write

    async def __aenter__(self) -> Self:
        await self._driver.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._driver.__aexit__(kind, error, trace)


def test_a_driver_that_cannot_says_so(tmp_path: Path) -> None:
    class Blind(Bench):
        def site(self) -> Site:
            site = super().site()
            lights, plant = site.links
            return replace(site, links=(replace(lights, driver=replace(lights.driver, open=self._blind)), plant))

        def _blind(self, link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Driver:
            return _Blind(MemoryDriver(link, connection, bindings, clock, self.plant.lights))

    async def life(bench: Bench) -> None:
        await bench.wait(5)
        with pytest.raises(InspectionRefused, match="the driver memory cannot show raw values"):
            await bench.daemon.inspector.inspect(BRIGHTNESS)

    assert Blind(tmp_path).run(life)
