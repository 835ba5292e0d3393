"""The competent baseline of the small demo: its sequences as a table, and a day of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from simulator import competent
from simulator.competent import Competent, CompetentState
from simulator.engine import Engine
from simulator.gateway import Value
from simulator.own_controls import PlantCommands, PlantSeen
from simulator.plant.tower import Fan
from simulator.weather import Weather
from tests.frozen import digest
from tests.unit.simulator.conftest import SHENZHEN

IDLE = PlantSeen(
    timer=True,
    chiller_calls=False,
    overrun=False,
    condenser_pump_runs=True,
    chilled_water_pump_runs=True,
    fan=Fan.OFF,
    basin=25.0,
    condenser_return=28.0,
    opening=0.5,
    surplus=0.05,
    load=0.5,
)
WANTED = IDLE._replace(opening=1.0, chiller_calls=True)


def test_it_stays_as_it_was_frozen() -> None:
    """See docs/plant-models.md: whoever must change it makes every comparison anew, and then this digest."""
    assert digest(competent) == "48861db8154530d6"


def lived(seen: Iterable[PlantSeen], minutes: float = 1.0) -> list[tuple[CompetentState, PlantCommands]]:
    state, found = Competent().initial(), list[tuple[CompetentState, PlantCommands]]()
    for each in seen:
        state, commands = Competent().plant(state, each, 60.0 * minutes)
        found.append((state, commands))
    return found


def test_the_plant_runs_while_somebody_asks_for_cold_and_a_quarter_of_an_hour_at_least() -> None:
    nobody = [IDLE._replace(opening=0.05)] * 30
    on = [state.enabled for state, _ in lived([*nobody, *[WANTED] * 2, *nobody])]
    assert not any(on[:30])
    assert all(on[30:45])
    assert not any(on[46:])
    assert not any(state.enabled for state, _ in lived([WANTED._replace(timer=False)] * 30))


def test_the_setpoint_rises_while_the_valve_has_room_and_falls_when_it_is_wide_open() -> None:
    half_open = WANTED._replace(opening=0.5)
    found = [commands.setpoint for _, commands in lived([WANTED, *[half_open] * 400, *[WANTED] * 400])]
    assert found[0] == found[13] == 7.0
    assert found[400] == pytest.approx(9.0)
    assert found[-1] == pytest.approx(7.0)
    assert max(abs(later - sooner) for sooner, later in pairwise(found)) <= 0.03 * 2.0 + 1e-9


def test_the_pump_gives_a_little_more_than_the_building_takes() -> None:
    """The surplus is what the pump gives less the 0.7 that the building takes."""
    state, seen = Competent().initial(), WANTED
    for _ in range(200):
        state, commands = Competent().plant(state, seen, 10.0)
        seen = seen._replace(surplus=commands.speed - 0.7)
    assert state.speed == pytest.approx(0.75, abs=0.01)


def test_the_fan_follows_the_condenser_water_and_its_lift_over_the_load() -> None:
    """At half the load the water may come back at 7 degC and 20.1 K."""
    waters = [25.0, 27.0, 28.5, 28.5, 25.9, 25.9]
    stages, fan, state = list[Fan](), Fan.OFF, Competent().initial()
    for water in waters:
        state, commands = Competent().plant(state, WANTED._replace(condenser_return=water, fan=fan), 300.0)
        fan = commands.fan
        stages.append(fan)
    assert stages == [Fan.OFF, Fan.OFF, Fan.LOW, Fan.HIGH, Fan.LOW, Fan.OFF]
    _, commands = Competent().plant(state, WANTED._replace(condenser_pump_runs=False, fan=Fan.HIGH), 1.0)
    assert commands.fan is Fan.OFF


@pytest.mark.parametrize(
    "weekday, hour, brightness",
    [(0, 8.0, 1.0), (0, 12.0, 0.4), (4, 18.0, 1.0), (5, 8.0, 0.4), (6, 18.0, 0.4), (2, 3.0, 0.4)],
)
def test_garage_lamps_go_by_the_week(weekday: int, hour: float, brightness: float) -> None:
    assert Competent().brightness(weekday, hour * 3600.0) == brightness


def test_outdoor_lamps_are_on_while_it_is_dark_whatever_the_hour() -> None:
    controls = Competent()
    assert controls.outdoor(12 * 3600.0, lambda: 20.0, was_on=False)
    assert not controls.outdoor(19 * 3600.0, lambda: 300.0, was_on=True)


def test_the_facade_is_lit_from_nightfall_to_half_past_ten_and_the_office_in_its_hours() -> None:
    controls, dark = Competent(), lambda: 1.0
    assert [controls.facade(hour * 3600.0, dark, was_on=False) for hour in (5.0, 19.0, 22.4, 22.6)] == [
        *(False, True, True, False),
    ]
    assert not controls.facade(19 * 3600.0, lambda: 100.0, was_on=False)
    assert [controls.office(0, hour * 3600.0) for hour in (7.0, 8.0, 18.0, 19.0)] == [False, True, True, False]
    assert not controls.office(6, 12 * 3600.0)


@pytest.mark.slow
def test_a_day_cools_as_well_with_less(hot_weather: Weather) -> None:
    """Half an hour after people have come until they go, no room is warmer by more than a few tenths."""
    start = datetime(2026, 7, 20, tzinfo=SHENZHEN)
    energy, warmest = list[Value](), list[float]()
    for controls in (None, Competent()):
        engine = Engine(start, hot_weather, step_s=15.0, controls=controls)
        air = list[float]()
        for half_hours in range(1, 49):
            engine.advance(start + half_hours * timedelta(minutes=30), 0.0)
            air.append(float(engine.read("building.zone_1.air_temperature")))
        energy.append(engine.read("meter.main_1.energy"))
        warmest.append(max(air[15:43]))
    assert energy[1] < energy[0]
    assert warmest[1] < warmest[0] + 0.3
