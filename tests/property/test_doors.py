"""The whole daemon on virtual time: what never reaches a driver, and what always does, whatever comes in."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from hypothesis import Phase, given
from hypothesis import strategies as st

from controller.core.command import Command, Priority
from controller.core.point import Limits, PointId, Wear
from controller.core.sample import Quality, Scalar
from controller.core.site import Site
from controller.core.strategy import Mode
from controller.core.system import Authority
from controller.core.text import NO_TEXT
from controller.runtime.operator import OperatorCommandRefused
from controller.runtime.store import Store
from tests.bench import (
    BRIGHTNESS,
    CHILLER,
    CHILLER_STATUS,
    DEMAND,
    LAMP_REMOTE,
    MOTION,
    PUMP,
    PUMP_STATUS,
    Bench,
)
from tests.sweep import examples

# A life takes a second: no smaller example is looked for.
FEW = examples(25, phases=[Phase.explicit, Phase.generate])
NOWHERE = Path(tempfile.gettempdir())  # nothing is written there: the store is in memory


@dataclass
class Unstored(Bench):
    """limits, wear: of the lamp; dark is as good as bright, so that going up is held back, too."""

    limits: Limits = field(default_factory=Limits)
    wear: Wear | None = None

    def open_store(self) -> Store:
        return Store(None, self.clock)

    def site(self) -> Site:
        site = super().site()
        lamp = site.points[BRIGHTNESS]
        assert lamp.writable is not None
        writable = replace(lamp.writable, limits=self.limits, wear=self.wear)
        return replace(site, points={**site.points, BRIGHTNESS: replace(lamp, writable=writable)})


values = st.one_of(
    st.floats(-0.5, 1.5), st.sampled_from([math.nan, math.inf, -math.inf, 1e300]), st.booleans(), st.text(max_size=3)
)
inputs = st.tuples(
    st.sampled_from([DEMAND, MOTION, BRIGHTNESS, LAMP_REMOTE, PUMP_STATUS, CHILLER_STATUS, PUMP]),
    st.none() | values,
    st.sampled_from(Quality),
    st.floats(0.1, 20.0),
)


def show(bench: Bench, point: PointId, value: Scalar | None, quality: Quality) -> None:
    for far, link in zip((bench.plant.lights, bench.plant.plant), bench.daemon.site.links, strict=True):
        if any(point in device.points for device in link.devices):
            far.set(point, value, quality)


@FEW
@given(
    st.sampled_from(
        [(Authority.ORIGINAL, Mode.AUTO), (Authority.ORIGINAL, Mode.SHADOW), (Authority.TIDEWATT, Mode.SHADOW)]
    ),
    st.lists(inputs, max_size=12),
)
def test_shadow_and_original_never_write(
    given_to: tuple[Authority, Mode], shown: list[tuple[PointId, Scalar | None, Quality, float]]
) -> None:
    authority, mode = given_to

    async def life(bench: Bench) -> None:
        await bench.wait(5)
        for point, value, quality, after in shown:
            show(bench, point, value, quality)
            await bench.wait(after)
            if authority is Authority.ORIGINAL:
                try:
                    await bench.command(CHILLER, True)
                except OperatorCommandRefused:
                    continue
                raise AssertionError("an operator's command under original controls")

    bench = Unstored(NOWHERE, first_authority=authority, mode=mode)
    assert bench.run(life)
    assert bench.plant.writes == []


@FEW
@given(
    st.builds(
        Limits,
        maximum_rate=st.none() | st.floats(1e-6, 0.01),
        brighter_is_safe=st.booleans(),
    ),
    st.none()
    | st.builds(Wear, writes_per_day=st.integers(1, 3), minimum_interval=st.timedeltas(timedelta(0), timedelta(1))),
    st.lists(st.tuples(st.floats(0.1, 1.0), st.floats(0.1, 30.0)), max_size=8),
    st.sampled_from([Priority.MANUAL_LIFE_SAFETY, Priority.AUTOMATIC_LIFE_SAFETY]),
    st.floats(0.1, 1.0),
    st.booleans(),
)
def test_life_safety_reaches_the_driver_in_the_same_scan(
    limits: Limits,
    wear: Wear | None,
    wishes: list[tuple[float, float]],
    priority: Priority,
    value: float,
    is_overridden: bool,
) -> None:
    """Whatever was wished before, spent, or done by somebody at the panel."""

    async def life(bench: Bench) -> None:
        await bench.wait(5)
        for wish, after in wishes:
            bench.plant.lights.set(DEMAND, wish)
            await bench.wait(after)
        if is_overridden:
            bench.plant.lights.set(BRIGHTNESS, 0.15)
        await bench.wait(3.5)
        scan, reached = bench.daemon.scan, list[int]()
        bench.plant.lights.on_write = lambda point, _: reached.append(scan.count) if point == BRIGHTNESS else None
        scans, control = scan.count, scan.controls[BRIGHTNESS]
        was_there = bench.plant.lights.value(BRIGHTNESS) == value
        control.array = control.array.with_command(Command(BRIGHTNESS, value, priority, "fire", math.inf, NO_TEXT))
        scan.request_early()
        await bench.wait(0.2)
        assert was_there or reached[0] == scans + 1, "by the next scan, not by one after it"
        assert bench.plant.lights.value(BRIGHTNESS) == value

    Unstored(NOWHERE, limits=limits, wear=wear).run(life)
