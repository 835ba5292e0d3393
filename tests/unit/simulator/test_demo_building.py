"""High-rise and cooling plant together: nothing is lost at the seam, and one set of tags serves both."""

from datetime import UTC, datetime, timedelta
from pickle import dumps, loads

import pytest

from simulator.cooling_plant.accounts import Accounts, plant_cop
from simulator.cooling_plant.running import STEP_S
from simulator.demo_building import DemoBuilding
from simulator.gateway import Value
from tests.hot_days import DAY, MONDAY, SUN, WEATHER

NINE = datetime.fromtimestamp(MONDAY + 9.0 * 3600.0, UTC)
HANDLER, CHILLER = "air.air_handler_1", "plant.chiller_1"


def opened() -> DemoBuilding:
    return DemoBuilding(NINE, WEATHER, SUN)


@pytest.fixture(scope="module")
def morning() -> DemoBuilding:
    building = opened()
    building.advance(NINE + timedelta(hours=2))
    return building


def test_the_plant_takes_up_exactly_what_the_coils_give(morning: DemoBuilding) -> None:
    """One step later: what the coils give now is in the plant's water at its next step."""
    given = morning.high_rise.cooling_energy()
    on_its_way = morning.plant.state.rates.coils * STEP_S / 3600.0
    assert given > 4000.0  # kWh
    assert morning.plant.state.accounts.coils == pytest.approx(given - on_its_way, rel=1e-6)
    assert morning.plant.state.accounts.coils != pytest.approx(1.01 * given, rel=1e-3)


def test_the_main_meter_counts_the_plant_too(morning: DemoBuilding) -> None:
    site = morning.high_rise
    machines = sum(site.energy(machine) for machine in site.powers)
    plant = morning.plant.state.accounts.electricity
    assert plant > 1000.0
    assert morning.read("meter.main_1.energy") == pytest.approx(machines + plant, rel=1e-3)
    made_up = float(morning.read("meter.make_up_water_1.volume"))
    assert float(morning.read("meter.water_1.volume")) > made_up > 1.0


@pytest.mark.slow
def test_the_old_plant_is_as_poor_as_such_plants_are() -> None:
    """A hot working day under the old controls; the year is in docs/benchmarks.md."""
    building = DemoBuilding(datetime.fromtimestamp(MONDAY + DAY, UTC), WEATHER, SUN)
    building.advance(building.now + timedelta(days=1))
    assert 2.8 <= plant_cop(Accounts(), building.plant.state.accounts) <= 3.1
    assert not any(chiller.control.trips for chiller in building.plant.state.chillers)


def test_every_tag_of_both_sides_can_be_read(morning: DemoBuilding) -> None:
    kinds = {name: type(morning.read(name)) for name in morning.tags}
    assert {f"{HANDLER}.supply_air_temperature", f"{CHILLER}.power", "garage.group_1.motion"} <= kinds.keys()
    assert [name for name, kind in kinds.items() if not issubclass(kind, morning.tags[name].kind)] == []


def test_a_command_reaches_its_side_and_is_let_go_to_the_old_controls() -> None:
    building = opened()
    building.advance(NINE + timedelta(minutes=20))
    assert building.read(f"{CHILLER}.chilled_water_temperature_setpoint") == 7.0
    building.write(f"{CHILLER}.chilled_water_temperature_setpoint", 9.0)
    building.write(f"{HANDLER}.supply_air_temperature_setpoint", 17.0)
    building.advance(NINE + timedelta(minutes=21))
    assert building.read(f"{CHILLER}.chilled_water_temperature_setpoint") == 9.0
    assert building.read(f"{HANDLER}.supply_air_temperature_setpoint") == 17.0
    building.release(f"{CHILLER}.chilled_water_temperature_setpoint")
    building.release(f"{HANDLER}.supply_air_temperature_setpoint")
    building.advance(NINE + timedelta(minutes=22))
    assert building.read(f"{CHILLER}.chilled_water_temperature_setpoint") == 7.0
    assert building.read(f"{HANDLER}.supply_air_temperature_setpoint") == 14.0


def test_the_same_seed_gives_the_same_to_the_bit_however_it_is_advanced() -> None:
    def snapshot(seconds: float, seed: int) -> dict[str, Value]:
        building = DemoBuilding(NINE - timedelta(hours=1), WEATHER, SUN, seed=seed)
        end = building.now + timedelta(minutes=24)
        while building.now < end:
            building.advance(min(end, building.now + timedelta(seconds=seconds)))
        return {name: building.read(name) for name in building.tags}

    looks = snapshot(1440.0, 5)
    assert snapshot(40.0, 5) == looks
    assert snapshot(1440.0, 6) != looks


def test_a_building_that_was_put_aside_goes_on_as_if_it_had_not_been() -> None:
    building = opened()
    building.write(f"{HANDLER}.supply_air_temperature_setpoint", 16.0)
    building.advance(NINE + timedelta(minutes=7, seconds=20))
    resumed: DemoBuilding = loads(dumps(building))
    for each in (building, resumed):
        each.advance(NINE + timedelta(minutes=15))
    assert {name: resumed.read(name) for name in resumed.tags} == {name: building.read(name) for name in building.tags}
    assert resumed.read(f"{HANDLER}.supply_air_temperature_setpoint") == 16.0


@pytest.mark.parametrize(
    "tag, value",
    [
        (f"{HANDLER}.supply_air_temperature", 14.0),
        (f"{HANDLER}.supply_air_temperature_setpoint", 40.0),
        (f"{HANDLER}.supply_fan_command", 1),
        (f"{CHILLER}.power", 5.0),
    ],
)
def test_what_a_device_would_refuse_is_refused(tag: str, value: float) -> None:
    building = opened()
    with pytest.raises(ValueError, match=tag):
        building.write(tag, value)
    with pytest.raises(ValueError, match="cannot be let go"):
        building.release(f"{HANDLER}.supply_fan_status")


def test_a_start_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        DemoBuilding(datetime(2026, 7, 20), WEATHER, SUN)  # noqa: DTZ001
