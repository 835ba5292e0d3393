"""High-rise and cooling plant together: nothing is lost at the seam, and one set of tags serves both."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pickle import dumps, loads
from zoneinfo import ZoneInfo

import pytest

from controller.core.point import Binding, Point, PointId, PointKind
from controller.core.units import Unit
from drivers.modbus.address import ModbusAddress
from simulator.clock import ScaledClock
from simulator.cooling_plant.accounts import Accounts, plant_cop
from simulator.cooling_plant.high_rise import high_rise_plant
from simulator.cooling_plant.running import STEP_S
from simulator.faults.fault import Fault
from simulator.gateway import Value
from simulator.high_rise.model import HighRiseModel, sunshine
from simulator.inprocess import PrioritySlots
from simulator.kpi import Account
from simulator.opening import Opening, outdoors
from simulator.process import LiveSite
from simulator.servers.modbus_unit import ILLEGAL_VALUE, units_of
from simulator.simulated import SimulatedSite
from simulator.sizes import Pump, PumpSize, Sizes
from simulator.tower_building.building import TowerBuilding
from simulator.tower_building.machines import HEARTBEAT
from simulator.tower_building.opening import open_tower_building, varied, varied_plant
from simulator.variation import Variation
from tests.hot_days import DAY, MONDAY, SUN, WEATHER

NINE = datetime.fromtimestamp(MONDAY + 9.0 * 3600.0, UTC)
HANDLER, CHILLER, PUMP, DECK = "air.air_handler_1", "plant.chiller_1", "plant.secondary_pump_1", "garage.group_1"
LEAVING, SUPPLY_AIR = f"{CHILLER}.chilled_water_temperature_setpoint", f"{HANDLER}.supply_air_temperature_setpoint"


def opened() -> TowerBuilding:
    return TowerBuilding(NINE, WEATHER, SUN)


def run(building: SimulatedSite, seconds: float, wire_now: float = 0.0) -> None:
    building.advance(building.now + timedelta(seconds=seconds), wire_now)


@pytest.fixture(scope="module")
def morning() -> TowerBuilding:
    building = opened()
    run(building, 7200.0)
    return building


def test_the_plant_takes_up_exactly_what_the_coils_give(morning: TowerBuilding) -> None:
    """One step later: what the coils give now is in the plant's water at its next step."""
    given = morning.high_rise.cooling_energy()
    on_its_way = morning.plant.state.rates.coils * STEP_S / 3600.0
    assert given > 4000.0  # kWh
    assert morning.plant.state.accounts.coils == pytest.approx(given - on_its_way, rel=1e-6)
    assert morning.plant.state.accounts.coils != pytest.approx(1.01 * given, rel=1e-3)


def test_the_main_meter_counts_the_plant_too(morning: TowerBuilding) -> None:
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
    building = TowerBuilding(datetime.fromtimestamp(MONDAY + DAY, UTC), WEATHER, SUN)
    run(building, DAY)
    assert 2.8 <= plant_cop(Accounts(), building.plant.state.accounts) <= 3.1
    assert not any(chiller.control.trips for chiller in building.plant.state.chillers)


def test_every_tag_can_be_read_and_what_a_comparison_looks_at_is_there(morning: TowerBuilding) -> None:
    kinds = {name: type(value) for name, value in morning.snapshot().items()}
    assert {f"{HANDLER}.supply_air_temperature", f"{CHILLER}.power", f"{DECK}.motion"} <= kinds.keys()
    assert [name for name, kind in kinds.items() if not issubclass(kind, morning.tags[name].kind)] == []
    assert float(morning.read("outdoor.daylight_sensor_1.illuminance")) > 20_000.0
    counted = morning.counted
    looked_at: set[str] = set()

    def read(tag: str) -> Value:
        looked_at.add(tag)
        return morning.read(tag)

    assert Account(None, counted).look(morning.now, read)
    assert {"meter.gas_1.volume", "air.zone_15.air_temperature", "outdoor.facade_1.energy"} <= looked_at
    assert sum(room.share for room in counted.rooms) == pytest.approx(1.0)


# --- whose word holds -------------------------------------------------------------------------------------------------


def test_a_register_shows_what_was_written_and_holds_while_its_remote_bit_is_set() -> None:
    def in_force() -> tuple[float, float]:
        return building.plant.commands.setpoints[0], building.high_rise.air_commands[0].supply_air

    building = opened()
    run(building, 1200.0)
    building.write(LEAVING, 9.0, 0.0)
    building.write(SUPPLY_AIR, 17.0, 0.0)
    assert (building.read(LEAVING), building.read(SUPPLY_AIR)) == (9.0, 17.0)
    run(building, 60.0)
    assert in_force() == (7.0, 14.0), "remote bits are clear"
    for machine in (CHILLER, HANDLER):
        building.write(f"{machine}.remote", True, 0.0)
    run(building, 60.0)
    assert in_force() == (9.0, 17.0)
    assert building.plant.commands.enable[0] is True, "what nobody has written stays with the old controls"
    building.write(f"{CHILLER}.remote", False, 0.0)
    building.release(f"{HANDLER}.remote", 0.0)
    run(building, 60.0)
    assert (building.read(LEAVING), building.read(SUPPLY_AIR)) == (7.0, 14.0)


def test_who_fills_a_slot_of_a_machine_takes_it_over_and_the_last_empty_one_gives_it_back() -> None:
    building = opened()
    slots = PrioritySlots(building, [SUPPLY_AIR, f"{HANDLER}.duct_static_pressure_setpoint"])
    slots.write(SUPPLY_AIR, 16.0, 0.0)
    run(building, 60.0)
    assert building.high_rise.air_commands[0].supply_air == 16.0
    slots.write(SUPPLY_AIR, None, 0.0)
    run(building, 60.0)
    assert building.read(f"{HANDLER}.remote") is False
    assert building.read(SUPPLY_AIR) == 14.0


def test_when_nobody_speaks_any_more_the_old_controls_have_it_again() -> None:
    """The plant as a whole once its heartbeat stands still, everything else machine by machine; wire seconds."""
    building = opened()
    run(building, 60.0, 1.0)
    for machine in (CHILLER, PUMP, HANDLER, DECK):
        building.write(f"{machine}.remote", True, 1.0)
    building.write(LEAVING, 9.0, 1.0)
    building.write(f"{DECK}.brightness_command", 0.5, 1.0)
    run(building, 60.0, 50.0)
    building.write(HEARTBEAT, 1, 50.0)
    building.write(f"{DECK}.remote", True, 50.0)
    run(building, 60.0, 70.0)
    assert [building.read(f"{machine}.remote") for machine in (CHILLER, PUMP, HANDLER, DECK)] == [
        True, True, False, True,
    ]  # fmt: skip
    assert building.read(f"{DECK}.brightness") == 0.5
    building.write(HEARTBEAT, 1, 100.0)  # does not change, and is no sign of life
    run(building, 600.0, 120.0)
    assert not any(building.read(f"{machine}.remote") for machine in (CHILLER, PUMP, HANDLER, DECK))
    assert (building.read(LEAVING), building.read(f"{DECK}.brightness")) == (7.0, 1.0)


def test_servers_show_its_points_and_write_them() -> None:
    building = opened()
    places = {SUPPLY_AIR: 0, "meter.main_1.power": 2}
    bindings = [
        Binding(Point(PointId(name), PointKind.SENSOR, Unit.NONE), "panel", ModbusAddress(1, "holding", at, "float32"))
        for name, at in places.items()
    ]
    unit = units_of(LiveSite(building, ScaledClock(NINE, 1.0), nonce=1), bindings)[1]
    assert unit.take("holding", 0, [0x4188, 0]) == 0  # 17.0
    registers = [0, 0]
    unit.show_registers("holding", 0, 0, 2, registers)
    assert registers == [0x4188, 0]
    assert building.read(SUPPLY_AIR) == 17.0
    assert unit.take("holding", 0, [0x4220, 0]) == ILLEGAL_VALUE  # 40.0
    building.add_fault(Fault("hang", "panel", building.now.timestamp(), points=tuple(places)))
    assert unit.wire.is_silent


@pytest.mark.parametrize(
    "tag, value",
    [
        (f"{HANDLER}.supply_air_temperature", 14.0),
        (SUPPLY_AIR, 40.0),
        (f"{HANDLER}.supply_fan_command", 1),
        (f"{CHILLER}.power", 5.0),
    ],
)
def test_what_a_device_would_refuse_is_refused(tag: str, value: float) -> None:
    building = opened()
    with pytest.raises(ValueError, match=tag):
        building.write(tag, value, 0.0)
    with pytest.raises(ValueError, match="cannot be let go"):
        building.release(f"{HANDLER}.supply_fan_status", 0.0)


# --- time -------------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_to_the_bit_however_it_is_advanced() -> None:
    def snapshot(seconds: float, seed: int) -> dict[str, Value]:
        building = TowerBuilding(NINE - timedelta(hours=1), WEATHER, SUN, seed=seed)
        building.write(f"{HANDLER}.remote", True, 0.0)
        building.write(SUPPLY_AIR, 16.0, 0.0)
        at, end = 0.0, 1440.0
        while at < end:
            at = min(end, at + seconds)
            building.advance(NINE - timedelta(seconds=3600.0 - at), at / 10.0)
        return building.snapshot()

    looks = snapshot(1440.0, 5)
    assert looks[f"{HANDLER}.remote"] is False, "the watchdog ran out on the way"
    assert snapshot(37.0, 5) == looks
    assert snapshot(1440.0, 6) != looks


def test_a_building_that_was_put_aside_goes_on_as_if_it_had_not_been() -> None:
    building = opened()
    building.write(f"{HANDLER}.remote", True, 0.0)
    building.write(SUPPLY_AIR, 16.0, 0.0)
    run(building, 440.0)
    resumed: TowerBuilding = loads(dumps(building))
    for each in (building, resumed):
        run(each, 460.0)
    assert resumed.snapshot() == building.snapshot()
    assert resumed.high_rise.air_commands[0].supply_air == 16.0


def test_a_start_without_a_time_zone_and_a_time_that_is_past_are_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        TowerBuilding(datetime(2026, 7, 20), WEATHER, SUN)  # noqa: DTZ001
    with pytest.raises(ValueError, match="cannot go back"):
        opened().advance(NINE - timedelta(minutes=1), 0.0)


# --- a little different -----------------------------------------------------------------------------------------------


def test_more_load_is_a_larger_building_with_the_same_plant_and_another_tank_has_the_same_height() -> None:
    larger = varied(HighRiseModel(), Variation(load=1.3, traffic=0.7))
    assert larger.area == pytest.approx(78_000.0)
    assert larger.lighting.traffic.cars == pytest.approx(294.0)
    one, more = (TowerBuilding(NINE, WEATHER, SUN, model=model) for model in (HighRiseModel(), larger))
    for meter in ("building.plug_loads_1.power", "building.lighting_1.power"):
        assert 100.0 < float(more.read(meter)) == pytest.approx(1.3 * float(one.read(meter))), meter
    plant = high_rise_plant()
    other = varied_plant(plant, Variation(tank=0.5), Sizes(tank_volume=2000.0))
    assert other.storage is not None
    assert plant.storage is not None
    assert other.storage.tank == replace(plant.storage.tank, volume=1000.0)
    assert varied_plant(plant, Variation(), None) is plant


def test_what_it_cannot_be_fed_with_is_told_before_anything_is_read() -> None:
    opening = Opening(NINE, Path("no_weather.csv"), 22.5, 114.1, ZoneInfo("Asia/Shanghai"))
    with pytest.raises(ValueError, match="leave the load out"):
        open_tower_building(replace(opening, load_file=Path("load.csv")))
    pumps: dict[Pump, PumpSize] = {"secondary_pump": PumpSize(24.0, ((0.0, 225.0), (30.0, 150.0)), 0.65)}
    with pytest.raises(ValueError, match="leave out secondary_pump"):
        open_tower_building(replace(opening, sizes=Sizes(pumps=pumps)))


@pytest.mark.slow
def test_the_sun_is_reckoned_once_for_each_weather() -> None:
    weather = Path(__file__).resolve().parents[3] / "config" / "weather" / "hot_humid_tmy3.csv.gz"
    place = {"latitude": 22.54, "longitude": 114.06, "utc_offset_h": 8.0}
    model, other = HighRiseModel(), varied(HighRiseModel(), Variation(load=1.3))
    sun = sunshine(model, outdoors(weather, **place))
    assert sunshine(other, outdoors(weather, **place)) is sun
    building, notes = open_tower_building(Opening(NINE, weather, 22.54, 114.06, ZoneInfo("Asia/Shanghai")))
    assert notes == ["weather: hot_humid_tmy3.csv.gz"]
    run(building, 3600.0)
    assert float(building.read("electric.photovoltaics_1.power")) < -10.0


def test_on_a_holiday_it_is_used_as_on_a_sunday() -> None:
    building = TowerBuilding(NINE, WEATHER, SUN, holidays=[datetime.fromtimestamp(MONDAY + 43200.0, UTC).date()])
    run(building, 600.0)
    assert building.read(f"{HANDLER}.supply_fan_status") is False
    assert building.read(f"{CHILLER}.status") is False
