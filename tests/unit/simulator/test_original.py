"""The original controls as tables."""

import pytest

from simulator.original import (
    OFFICE_TIMER,
    PlantWishes,
    fan_stage,
    garage_brightness,
    is_dark,
    outdoor_timer,
    plant_wishes,
)
from simulator.plant.tower import Fan

HOUR = 3600.0


@pytest.mark.parametrize(
    "timer,calls,overrun,condenser,chilled,wishes",
    [
        (False, False, False, False, False, (False, False, False)),
        (True, False, False, False, False, (True, False, False)),
        (True, False, False, True, False, (True, True, False)),
        (True, False, False, True, True, (True, True, True)),
        (False, True, False, True, True, (True, True, False)),
        (False, False, True, True, True, (True, True, False)),
        (True, True, True, True, False, (True, True, True)),  # the chiller's own protection judges the flow
    ],
)
def test_plant_starts_and_stops_in_order(
    timer: bool, calls: bool, overrun: bool, condenser: bool, chilled: bool, wishes: tuple[bool, bool, bool]
) -> None:
    found = plant_wishes(
        timer=timer,
        chiller_calls=calls,
        overrun=overrun,
        condenser_pump_runs=condenser,
        chilled_water_pump_runs=chilled,
    )
    assert found == PlantWishes(*wishes)


def test_timer_knows_the_week() -> None:
    assert OFFICE_TIMER.is_on(0, 6.0 * HOUR)
    assert not OFFICE_TIMER.is_on(4, 22.0 * HOUR)
    assert not OFFICE_TIMER.is_on(5, 18.0 * HOUR)
    assert not any(OFFICE_TIMER.is_on(6, hour * HOUR) for hour in range(24))


def test_fan_steps_with_hysteresis_and_stops_with_its_pump() -> None:
    stages = [Fan.OFF]
    for basin in (24.0, 25.5, 27.0, 28.5, 27.0, 25.5, 24.0, 22.5):
        stages.append(fan_stage(stages[-1], basin, pump_runs=True))
    assert stages[1:] == [Fan.OFF, Fan.LOW, Fan.LOW, Fan.HIGH, Fan.HIGH, Fan.LOW, Fan.LOW, Fan.OFF]
    assert fan_stage(Fan.HIGH, 35.0, pump_runs=False) is Fan.OFF


def test_garage_is_never_dark() -> None:
    assert garage_brightness(3.0 * HOUR) == 0.5
    assert garage_brightness(6.0 * HOUR) == 1.0


def test_twilight_switch_has_hysteresis() -> None:
    assert is_dark(29.0, was_dark=False)
    assert not is_dark(45.0, was_dark=False)
    assert is_dark(45.0, was_dark=True)
    assert not is_dark(61.0, was_dark=True)


def test_outdoor_timer_has_no_seasons() -> None:
    assert [outdoor_timer(hour * HOUR) for hour in (5.9, 6.0, 17.9, 18.0)] == [True, False, False, True]
