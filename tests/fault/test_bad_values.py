"""A device that lies: whatever it says, no lamp leaves its range, and what cannot be is not acted on."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import pytest

from controller.core.point import Limits, Range
from controller.core.sample import Scalar
from controller.core.site import Site
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, Bench

RATE = 0.02  # a second
# 0.5 as a float, its two words swapped, its bytes swapped, and as the double that two registers too many make of it.
SWAPPED_WORDS, SWAPPED_BYTES = 2.2e-41, 6.9e-41
GARBAGE = (math.nan, math.inf, -math.inf, 1e38, -1e38, 65535.0, "0.5", SWAPPED_WORDS, SWAPPED_BYTES, -0.01)


class LyingBench(Bench):
    """The lamp has a rate, its demand a range that it can have."""

    def site(self) -> Site:
        site = super().site()
        lamp, demand = site.points[BRIGHTNESS], site.points[DEMAND]
        assert lamp.writable is not None
        lamp = replace(lamp, writable=replace(lamp.writable, limits=Limits(maximum_rate=RATE)))
        demand = replace(demand, plausible=Range(0.05, 1.0))
        points = {**site.points, BRIGHTNESS: lamp, DEMAND: demand}
        links = tuple(
            replace(link, bindings=tuple(replace(each, point=points[each.point.id]) for each in link.bindings))
            for link in site.links
        )
        return replace(site, points=points, links=links)


@pytest.mark.fault("NaN, infinity, swapped words, text for a number")
@pytest.mark.parametrize("lie", GARBAGE, ids=repr)
def test_what_cannot_be_is_not_acted_on(tmp_path: Path, lie: Scalar) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        before = len(bench.plant.written(BRIGHTNESS))
        bench.plant.lights.set(DEMAND, lie)
        await bench.wait(30)
        assert bench.plant.written(BRIGHTNESS)[before:] == [], "nothing is made of it"
        await bench.wait(60)
        assert bench.plant.lights.value(LAMP_REMOTE) is False, "and what was wished before has ended"
        bench.plant.lights.set(DEMAND, 0.5)
        await bench.wait(40)
        assert (bench.plant.lights.value(BRIGHTNESS), bench.plant.lights.value(LAMP_REMOTE)) == (0.5, True)

    bench = LyingBench(tmp_path)
    bench.plant.lights.bind(bench.site().links[0].bindings)
    assert bench.run(life)


@pytest.mark.fault("drift")
def test_a_sensor_that_drifts_moves_the_lamp_within_its_limits_until_it_cannot_be_true(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(40)
        bench.plant.writes.clear()
        demand = 0.5
        while demand > -0.2:
            bench.plant.lights.set(DEMAND, demand)
            await bench.wait(1)
            demand -= 0.005
        await bench.wait(70)
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    bench = LyingBench(tmp_path)
    bench.plant.lights.bind(bench.site().links[0].bindings)
    assert bench.run(life)
    levels = [value for value in bench.plant.written(BRIGHTNESS) if isinstance(value, float)]
    assert len(levels) > 50
    assert min(levels) >= 0.1
    assert all(abs(later - earlier) <= RATE * 1.05 for earlier, later in itertools.pairwise(levels[:-1]))
