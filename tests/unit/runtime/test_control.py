"""What the guard remembers of a point: the equipment, before we hold it and while somebody else has it."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

import pytest

from controller.core.command import Command, Priority
from controller.core.guard import Register
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
from controller.core.text import NO_TEXT, Text
from controller.core.units import Unit
from controller.runtime.control import Beside, Control
from controller.runtime.image import FrozenImage
from tests.bench import CHILLER, LIGHT_POINTS, PLANT_POINTS, PUMP_STATUS, SYSTEMS

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


class Around(NamedTuple):
    """What stands around a point. wait: seconds until a machine may start."""

    held: bool = True
    shown: float = 7.0
    permitted: bool = True
    register: Register | None = None
    wait: float | None = None


VALUES = (0.0, 7.0, 12.0, 20.0)
HELD_BACK = (None, Text("worn", "磨损"))


def _changed(around: Around, chance: Random) -> Around:
    """One of what stands around it is another."""
    match chance.randrange(5):
        case 0:
            return around._replace(held=chance.random() < 0.7)
        case 1:
            return around._replace(shown=chance.choice(VALUES))
        case 2:
            return around._replace(permitted=chance.random() < 0.7)
        case 3:
            return around._replace(wait=chance.choice((None, 0.0, 30.0)))
        case _:
            register = Register(chance.choice((None, 7.0, 12.0)), chance.choice(HELD_BACK))
            return around._replace(register=chance.choice((None, register)))


def _wish(control: Control, command: Command, *, in_shadow: bool) -> None:
    if in_shadow:
        control.shadow = control.shadow.with_command(command)
    else:
        control.array = control.array.with_command(command)


@pytest.mark.parametrize("id_", [CHILLER, SETPOINT])
def test_what_goes_on_is_what_settling_once_more_would_come_to(id_: PointId) -> None:
    point = {SETPOINT: RATED, **{each.id: each for each in PLANT_POINTS}}[id_]
    system = SYSTEM if point is RATED else SYSTEMS[1]
    always, seldom = Seen(point, system), Seen(point, system)
    chance, monotonic, around, gone_on = Random(1), 0.0, Around(), 0
    for _ in range(8000):
        monotonic += chance.choice((1.0, 60.0, 400.0))
        wish: Command | None = None
        match chance.randrange(12):
            case 0:
                value, ends = chance.choice(VALUES), monotonic + chance.choice((1000.0, 10000.0))
                value = value if point is RATED else value > 0.0
                wish = Command(id_, value, chance.choice(list(Priority)), "test", ends, NO_TEXT)
            case 1:
                around = _changed(around, chance)
            case _:
                pass
        in_shadow = chance.random() < 0.3
        for seen in (always, seldom):
            control = seen.control
            if wish is not None:
                _wish(control, wish, in_shadow=in_shadow)
            for shown, value in ((control.shown_at, around.shown), (PUMP_STATUS, around.permitted)):
                seen.samples[shown] = Sample(value, Quality.GOOD, "", NOW, monotonic)
            image = FrozenImage(NOW, NOW, monotonic, seen.samples, seen.samples, seen.samples)
            if seen is seldom and around.held and control.goes_on(image, around.register):
                gone_on += 1
                continue
            control.settle(image, around.held, -math.inf, Beside(register=around.register, wait=around.wait))
            control.note_since(monotonic)
        assert _told(seldom.control) == _told(always.control)
    assert gone_on > 100


def _told(control: Control) -> dict[str, object]:
    """Everything that anybody asks a control for; since when its equipment stands so is asked where it moves."""
    told = {name: value for name, value in vars(control).items() if not name.startswith("_")}
    return {**told, "memory": control.memory._replace(at=0.0)}
