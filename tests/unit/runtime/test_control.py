"""What the guard remembers of a point: the equipment, before we hold it and while somebody else has it."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from controller.core.command import Command, Priority
from controller.core.point import (
    Limits,
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    ReleaseNull,
    ValueType,
    Writable,
)
from controller.core.sample import Quality, Sample, Scalar
from controller.core.system import ReleaseStep, System
from controller.core.text import NO_TEXT
from controller.core.units import Unit
from controller.runtime.control import Control
from controller.runtime.image import FrozenImage
from tests.bench import CHILLER, LIGHT_POINTS, PLANT_POINTS, SYSTEMS

NOW = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
SETPOINT = PointId("plant.chiller_1.setpoint")
RATED = Point(
    SETPOINT,
    PointKind.SETPOINT,
    Unit.CELSIUS,
    ValueType.NUMBER,
    writable=Writable(Range(5, 15), ReleaseNull(), NothingHappens(), SETPOINT, limits=Limits(maximum_rate=0.1)),
)
SYSTEM = System("plant", NO_TEXT, (SETPOINT,), (ReleaseStep((SETPOINT,)),), SYSTEMS[1].release_within)


class Seen:
    """A control, what its equipment shows, and what is wished of it."""

    def __init__(self, point: Point, system: System) -> None:
        self.control = Control(point, system, {each.id: each for each in (point, *LIGHT_POINTS, *PLANT_POINTS)})
        self.samples = {each.id: Sample(True, Quality.GOOD, "", NOW, 0.0) for each in (*LIGHT_POINTS, *PLANT_POINTS)}

    def wish(self, value: Scalar) -> None:
        command = Command(self.control.point.id, value, Priority.STRATEGY, "test", math.inf, NO_TEXT)
        self.control.array = self.control.array.with_command(command)

    def scan(self, monotonic: float, shown: Scalar, *, held: bool) -> Scalar | None:
        point = self.control.point.id
        self.samples[point] = Sample(shown, Quality.GOOD, "", NOW, monotonic)
        shown_now = {point: self.samples[point]}
        image = FrozenImage(NOW, NOW, monotonic, self.samples, shown_now, shown_now)
        return self.control.settle(image, held, -math.inf)


@pytest.fixture
def chiller() -> Seen:
    """Minimum on 10 min, minimum off 5 min."""
    return Seen(next(point for point in PLANT_POINTS if point.id == CHILLER), SYSTEMS[1])


@pytest.fixture
def setpoint() -> Seen:
    """0.1 K a second."""
    return Seen(RATED, SYSTEM)


def test_a_wish_that_has_not_arrived_yet_is_no_switch(chiller: Seen) -> None:
    """A store or a link may take longer than a scan."""
    chiller.scan(0.0, False, held=False)
    chiller.wish(True)
    assert [chiller.scan(400.0 + each, False, held=False) for each in range(5)] == [True] * 5
    assert chiller.scan(405.0, True, held=True) is True


def test_what_was_adopted_keeps_its_minimum_time(chiller: Seen) -> None:
    chiller.wish(False)
    assert chiller.scan(1000.0, True, held=True) is True
    assert chiller.scan(1599.0, True, held=True) is True
    assert chiller.scan(1600.0, True, held=True) is False


def test_taking_over_starts_from_what_the_equipment_does(setpoint: Seen) -> None:
    setpoint.scan(0.0, 7.0, held=False)
    setpoint.wish(12.0)
    assert setpoint.scan(1.0, 7.0, held=False) == pytest.approx(7.0)
    assert setpoint.scan(2.0, 7.0, held=True) == pytest.approx(7.1)
    assert setpoint.scan(12.0, 7.1, held=True) == pytest.approx(8.1)


def test_while_somebody_else_has_it_the_rate_starts_from_theirs(setpoint: Seen) -> None:
    setpoint.scan(0.0, 7.0, held=False)
    setpoint.wish(12.0)
    setpoint.scan(1.0, 7.0, held=True)
    for second in range(2, 100):
        setpoint.scan(float(second), 14.0, held=False)  # overridden: the scan tells it as not held
    assert setpoint.scan(100.0, 14.0, held=True) == pytest.approx(13.9)
