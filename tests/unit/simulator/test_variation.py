"""A site that is a little different: what changes, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator.design_day import DesignDay, repeated
from simulator.engine import Engine
from simulator.opening import open_engine
from simulator.plant.occupancy import building_use
from simulator.plant.traffic import passages
from simulator.plant.zone import cooling_demand, electric_load, heat_gain, zone_temperature
from simulator.site import Site
from simulator.sizes import PumpSize, Sizes, sized
from simulator.variation import NOMINAL, Variation, variations, varied

NOON = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
HOT_DAY = DesignDay(33.7, 6.2, 0.62)


def test_the_site_as_it_is_comes_first_and_nothing_of_it_changes() -> None:
    assert variations(["load", "traffic", "tank"])[0] == NOMINAL
    assert varied(Site(), NOMINAL) == Site()
    assert variations(["tank"])[1:] == [Variation(tank=0.5), Variation(tank=1.5)]
    assert len(variations(["tank", "load", "traffic"])) == 7


def test_a_building_with_a_third_more_load_asks_for_a_third_more() -> None:
    outdoors = repeated(HOT_DAY, latitude=22.5, longitude=114.1, utc_offset_h=8.0).at(4500.0)
    use = building_use(0, 14)
    one, more = Site().office, varied(Site(), Variation(load=1.3)).office
    assert electric_load(more, use) == pytest.approx(1.3 * electric_load(one, use))
    asked, asked_more = (cooling_demand(each, use, outdoors, 25.0) for each in (one, more))
    assert asked_more.sensible + asked_more.other == pytest.approx(1.3 * (asked.sensible + asked.other))


def test_left_alone_it_grows_warm_as_fast_as_the_one_it_is_larger_than() -> None:
    outdoors = repeated(HOT_DAY, latitude=22.5, longitude=114.1, utc_offset_h=8.0).at(4500.0)
    use = building_use(0, 14)
    assert outdoors.irradiance > 0.0
    one, more = Site().office, varied(Site(), Variation(load=1.3)).office
    warmed, warmed_more = (
        zone_temperature(each, 25.0, heat_gain(each, use, outdoors, 25.0), 0.0, 3600.0) for each in (one, more)
    )
    assert warmed_more == pytest.approx(warmed)
    assert warmed > 25.0


def test_more_traffic_passes_more_often_and_a_larger_tank_has_the_same_height() -> None:
    def seen(traffic: float) -> list[int]:
        site = varied(Site(), Variation(traffic=traffic))
        lit = (site.garage[0], site.sensor_lamps[0], site.cycle_room)
        return [sum(len(passages(0, 1, model, hour, 0, hour % 24)) for hour in range(240)) for _, model in lit]

    assert all(1.6 < more / less < 2.1 for more, less in zip(seen(1.3), seen(0.7), strict=True))
    tank = varied(Site(), Variation(tank=1.5)).plant.tank
    assert (tank.volume, tank.height) == (600.0, 9.0)


def test_a_measured_load_is_varied_too(tmp_path: Path) -> None:
    rows = [f"2026-07-06 {hour:02}:00:00,200" for hour in range(24)]
    file = tmp_path / "load.csv"
    file.write_text("\n".join(["timestamp,load_kwh", *rows]) + "\n")

    def power(load: float) -> float:
        engine, _ = open_engine(NOON, HOT_DAY, load_file=file, variation=Variation(load=load), step_s=10.0)
        return engine.plant.wants.electric_load

    assert (power(0.7), power(1.0)) == (pytest.approx(140.0), pytest.approx(200.0))


def test_on_a_holiday_the_building_is_used_as_on_a_sunday() -> None:
    def called(*holidays: datetime) -> bool:
        weather = repeated(HOT_DAY, latitude=22.5, longitude=114.1, utc_offset_h=8.0)
        engine = Engine(NOON, weather, step_s=10.0, holidays=[each.date() for each in holidays])
        return engine.plant.wants.calls

    assert called()
    assert not called(NOON)


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_a_pump_has_its_power_from_its_curve() -> None:
    size = PumpSize(24.0, ((0.0, 225.0), (20.0, 200.0), (30.0, 150.0)), 0.65)
    assert size.head == pytest.approx(180.0)
    assert size.power == pytest.approx(24.0 * 180.0 / 1000.0 / 0.65)
    plant = sized(Site().plant, Sizes(tank_volume=300.0, pumps={"chilled_water_pump": replace(size, flow=30.0)}))
    assert plant.chilled_water_pump.flow == plant.chiller.evaporator_flow == 30.0
    assert plant.chilled_water_pump.power == pytest.approx(30.0 * 150.0 / 1000.0 / 0.65)
    assert plant.secondary_pump == Site().plant.secondary_pump
    assert (plant.tank.volume, plant.tank.height) == (300.0, 9.0)


# --- design days ------------------------------------------------------------------------------------------------------


def test_a_design_day_has_its_extremes_and_keeps_its_moisture() -> None:
    weather = repeated(HOT_DAY, latitude=22.5, longitude=114.1, utc_offset_h=8.0)
    day = [weather.at(4500.0 // 24 * 24 + hour) for hour in range(24)]
    assert max(each.temperature for each in day) == day[14].temperature == day[15].temperature == 33.7
    assert min(each.temperature for each in day) == day[5].temperature == pytest.approx(33.7 - 6.2)
    assert day[15].wet_bulb == pytest.approx(27.5, abs=0.3)
    assert all(each.relative_humidity <= 1.0 and each.wet_bulb <= each.temperature for each in day)
    assert day[0].irradiance == 0.0
    assert day[12].irradiance > 900.0
    cloudy = repeated(replace(HOT_DAY, sky=0.4), latitude=22.5, longitude=114.1, utc_offset_h=8.0)
    assert cloudy.at(4500.0 // 24 * 24 + 12).irradiance == pytest.approx(0.4 * day[12].irradiance)
