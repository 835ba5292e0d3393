"""The high-rise in time: its meters, its points, and commands that hold until they are let go."""

import pytest

from simulator.chilled_water import NOBODY, WaterSupply
from simulator.high_rise import air_side, points
from simulator.high_rise.air_rooms import Around
from simulator.high_rise.air_side import AirSideInput
from simulator.high_rise.building import HighRise, Served
from simulator.high_rise.model import HighRiseModel
from simulator.high_rise.names import LIGHTS, PLUGS
from simulator.plant.inclined import at_hour
from simulator.plant.moist_air import ratio_of
from simulator.plant.occupancy import building_use
from simulator.plant.rc_zone import Stream
from tests.hot_days import MONDAY, SUN, WEATHER, old_commands, served

MODEL = HighRiseModel()
HANDLER = "air.air_handler_1"


def building(seed: int = 0, start: float = MONDAY) -> HighRise:
    return HighRise(MODEL, start, WEATHER, SUN, seed=seed)


def value(site: HighRise, tag: str) -> float:
    return points.READ[tag](site)


def run(site: HighRise, hours: float, step_s: float = 120.0, power: float = 0.0) -> HighRise:
    end = site.now + hours * 3600.0
    while site.now < end:
        site.advance(min(end, site.now + step_s), Served(served(site.demand), power, 0.5 if power else 0.0))
    return site


@pytest.fixture(scope="module")
def noon() -> HighRise:
    return run(building(start=MONDAY + 6.0 * 3600.0), 6.0, power=300.0)


def test_the_main_meter_counts_what_all_machines_count(noon: HighRise) -> None:
    sum_of_all = sum(noon.energy(machine) for machine in noon.powers)
    main = value(noon, "meter.main_1.energy")
    assert main == pytest.approx(sum_of_all + 6.0 * 300.0, rel=1e-9)
    assert main != pytest.approx(sum_of_all + 1.01 * 6.0 * 300.0, rel=1e-4)


def test_demand_is_that_of_a_quarter_of_an_hour(noon: HighRise) -> None:
    largest = value(noon, "meter.main_1.maximum_demand")
    assert 1000.0 < largest < 4000.0
    assert largest >= value(noon, "meter.main_1.demand")


def test_cold_gas_and_water_are_counted(noon: HighRise) -> None:
    assert 0.05 < value(noon, "meter.cooling_1.cooling_energy") / MODEL.area < 1.0
    assert value(noon, "meter.gas_1.volume") > 10.0
    flow = value(noon, "meter.cooling_1.chilled_water_flow")
    rise = value(noon, "meter.cooling_1.chilled_water_return_temperature") - 7.0
    assert flow * 4.19 * rise == pytest.approx(value(noon, "meter.cooling_1.cooling_load"))
    make_up = 6.0 * 3600.0 * 0.5 / 1000.0
    assert make_up + 10.0 < value(noon, "meter.water_1.volume") < make_up + 200.0


def test_every_point_can_be_read_and_is_of_its_kind(noon: HighRise) -> None:
    for name, tag in points.TAGS.items():
        found = points.READ[name](noon)
        assert isinstance(found, tag.kind), name
        if tag.writable and not isinstance(found, bool):
            assert tag.low <= found <= tag.high, name
    assert len(points.TAGS) > 200


def test_a_command_holds_at_once_until_it_is_let_go() -> None:
    site = run(building(start=MONDAY + 10.0 * 3600.0), 0.26)
    fans = site.powers[HANDLER]
    assert fans > 0.0
    site.command({f"{HANDLER}.supply_fan_command": False})
    assert site.powers[HANDLER] == 0.0
    assert value(site, f"{HANDLER}.supply_fan_status") is False
    run(site, 0.1)
    assert site.powers[HANDLER] == 0.0
    site.command({f"{HANDLER}.supply_fan_command": None})
    assert site.powers[HANDLER] > 0.0
    site.command({"garage.group_2.brightness_command": 0.25})
    assert value(site, "garage.group_2.illuminance") == pytest.approx(35.0)
    site.command({"electric.battery_1.power_command": -50.0})
    assert value(site, "electric.battery_1.power") == pytest.approx(-49.2)
    site.command({"air.zone_1.air_temperature_setpoint": 27.0})
    assert value(site, "air.zone_1.air_temperature_setpoint") == 27.0
    site.command({"electric.charger_3.current_limit": 0.0})
    assert value(site, "electric.charger_3.charging") is False


def test_the_air_side_notices_that_its_water_has_changed() -> None:
    site = run(building(start=MONDAY + 9.0 * 3600.0), 0.5)
    heat = site.demand.heat
    off = Served(WaterSupply(0.0, 12.0, 0.0))
    site.advance(site.now + 40.0, off)
    assert heat > 1000.0
    assert site.demand.heat == 0.0


@pytest.mark.slow
def test_short_steps_take_the_same_cold() -> None:
    """From the start of the air handlers to noon, as steps of 20 s do."""
    site = run(building(start=MONDAY + 6.0 * 3600.0), 6.0, 10.0)
    states, demand, taken = air_side.resting(MODEL.floors), NOBODY, 0.0
    for index in range(6 * 180):
        hour = 6.0 + index / 180.0
        air = WEATHER.at(hour)
        around = Around(
            Stream(1.0, air.temperature, ratio_of(air.enthalpy, air.temperature), 420.0),
            [at_hour(facade, hour) / 1000.0 for facade in SUN.facades],
            building_use(0, int(hour)),
        )
        commands = [old_commands(hour) for _ in MODEL.floors]
        states, done = air_side.step(MODEL.floors, states, AirSideInput(around, served(demand), commands), 20.0)
        demand = done.demand
        taken += demand.heat * 20.0 / 3600.0
    assert site.cooling_energy() == pytest.approx(taken, rel=0.01)


def test_a_building_does_not_go_back() -> None:
    site = building()
    with pytest.raises(ValueError, match="cannot go back"):
        site.advance(MONDAY - 1.0, Served(served(site.demand)))


def test_lights_and_plugs_follow_the_hours_of_use(noon: HighRise) -> None:
    assert noon.powers[LIGHTS] == pytest.approx(MODEL.area * 6.889e-3 * 0.815)
    assert run(building(start=MONDAY + 2.0 * 3600.0), 0.02).powers[PLUGS] < 0.5 * noon.powers[PLUGS]


def test_what_is_told_otherwise_than_its_like_goes_its_own_way() -> None:
    site = run(building(), 0.5)
    rooms = [f"computer_room.zone_{number}.air_temperature" for number in (1, 2)]
    assert value(site, rooms[0]) == value(site, rooms[1])
    site.command({f"computer_room.split_unit_{number}.enable_command": False for number in (3, 4)})
    run(site, 0.5)
    assert value(site, rooms[1]) > value(site, rooms[0]) + 5.0
