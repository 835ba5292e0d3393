"""What goes wrong at the tower building: everything that its parts can have, by what anybody would notice."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from simulator.cooling_plant.accounts import Accounts, Stored, chilled_water_error, condenser_water_error
from simulator.cooling_plant.state import stored
from simulator.faults.fault import Fault, Parameters
from simulator.faults.kinds import KINDS
from simulator.gateway import Value
from simulator.plant.tank import TankState
from simulator.tower_building.building import TowerBuilding
from simulator.tower_building.machines import HEARTBEAT
from simulator.tower_building.points import targets
from tests.hot_days import MONDAY, SUN, WEATHER

TEN = datetime.fromtimestamp(MONDAY + 10.0 * 3600.0, UTC)
CHILLER, PUMP, FAN, TANK = "plant.chiller_1", "plant.secondary_pump_1", "plant.cooling_tower_1", "plant.tank_1"
HANDLER, DECK, OUTDOOR = "air.air_handler_2", "garage.group_2", "outdoor.lighting_1"
SUPPLY = "plant.chilled_water_loop_1.chilled_water_supply_temperature"
METER = "meter.main_1.energy"


@pytest.fixture(scope="module")
def running() -> TowerBuilding:
    """A building that has run for half an hour of a hot morning."""
    building = TowerBuilding(TEN - timedelta(minutes=30), WEATHER, SUN)
    building.advance(TEN, 0.0)
    assert building.read(f"{CHILLER}.status") is True
    return building


def copied(building: TowerBuilding) -> TowerBuilding:
    return deepcopy(building, {id(shared): shared for shared in (WEATHER, SUN)})


@pytest.fixture
def building(running: TowerBuilding) -> TowerBuilding:
    return copied(running)


def run(building: TowerBuilding, seconds: float) -> None:
    building.advance(building.now + timedelta(seconds=seconds), 0.0)


def begun(
    building: TowerBuilding, kind: str, target: str, points: tuple[str, ...] = (), **parameters: Value | str
) -> Fault:
    fault = Fault(kind, target, building.now.timestamp(), inf, parameters, points)
    building.add_fault(fault)
    return fault


def number(building: TowerBuilding, tag: str) -> float:
    return float(building.read(tag))


def test_an_instrument_that_is_wrong_leaves_the_building_alone(running: TowerBuilding, building: TowerBuilding) -> None:
    well = copied(running)
    begun(building, "drift", SUPPLY, rate=6.0)
    begun(building, "dropout", f"{HANDLER}.supply_air_temperature")
    begun(building, "meter_replacement", METER, reading=100.0)
    for each in (building, well):
        run(each, 600.0)
    assert building.snapshot() == well.snapshot()
    assert building.shown(SUPPLY) == pytest.approx(number(building, SUPPLY) + 1.0)
    assert building.shown(f"{HANDLER}.supply_air_temperature") is None
    assert 100.0 < float(building.shown(METER) or 0.0) < 1000.0 < number(building, METER)


@pytest.mark.parametrize(
    "machine, status",
    [
        (CHILLER, f"{CHILLER}.status"),
        (PUMP, f"{PUMP}.status"),
        (FAN, f"{FAN}.fan_status"),
        (HANDLER, f"{HANDLER}.supply_fan_status"),
    ],
)
def test_what_has_tripped_stands_until_somebody_resets_it(building: TowerBuilding, machine: str, status: str) -> None:
    assert building.read(status) is True
    assert building.read(f"{machine}.tripped") is False
    fault = begun(building, "trip", machine)
    run(building, 60.0)
    assert (building.read(status), building.read(f"{machine}.tripped")) == (False, True)
    building.end_faults([fault])
    run(building, 30.0)
    assert building.read(f"{machine}.tripped") is False
    assert machine == CHILLER or building.read(status) is True, "a chiller rests before it starts again"


def test_a_selector_outranks_the_remote_bit(building: TowerBuilding) -> None:
    building.write(f"{DECK}.remote", True, 0.0)
    building.write(f"{DECK}.brightness_command", 0.4, 0.0)
    building.write(f"{OUTDOOR}.remote", True, 0.0)
    building.write(f"{OUTDOOR}.command", True, 0.0)
    run(building, 10.0)
    assert (building.read(f"{DECK}.brightness"), building.read(f"{OUTDOOR}.status")) == (0.4, True)
    local = begun(building, "local", DECK)
    begun(building, "local", OUTDOOR, position="off")
    begun(building, "local", HANDLER, position="off")
    run(building, 10.0)
    assert (building.read(f"{DECK}.brightness"), building.read(f"{OUTDOOR}.status")) == (1.0, False)
    assert (building.read(f"{DECK}.local"), building.read(f"{HANDLER}.auto_status")) == (True, False)
    assert building.read(f"{HANDLER}.supply_fan_status") is False
    building.end_faults([local])
    run(building, 10.0)
    assert building.read(f"{DECK}.brightness") == 0.4


def test_lamps_without_supply_give_no_light_and_take_no_power(building: TowerBuilding) -> None:
    fault = begun(building, "lamps_lost", DECK)
    run(building, 60.0)
    quantities = ("brightness", "illuminance", "power")
    assert [building.read(f"{DECK}.{each}") for each in quantities] == [0.0, 0.0, 0.0]
    assert number(building, "garage.group_1.power") > 0.0
    building.end_faults([fault])
    assert number(building, f"{DECK}.power") > 0.0


def test_a_valve_that_is_stuck_stays_where_it_is_or_where_it_was_put(building: TowerBuilding) -> None:
    position = "plant.chilled_water_valve_1.position"
    fault = begun(building, "valve_stuck", position, value=0.0)
    run(building, 120.0)
    assert building.read(position) == 0.0
    assert building.read(f"{CHILLER}.status") is False, "no water came through"
    building.end_faults([fault])
    run(building, 120.0)
    assert building.read(position) == 1.0


def test_a_coil_without_water_cools_no_air(building: TowerBuilding) -> None:
    position = f"{HANDLER}.cooling_valve_position"
    mixed = number(building, f"{HANDLER}.mixed_air_temperature")
    assert number(building, f"{HANDLER}.supply_air_temperature") < mixed - 3.0
    fault = begun(building, "valve_stuck", position, value=0.0)
    run(building, 300.0)
    assert building.read(position) == 0.0
    mixed = number(building, f"{HANDLER}.mixed_air_temperature")
    assert number(building, f"{HANDLER}.supply_air_temperature") > mixed > 23.0
    building.end_faults([fault])
    run(building, 600.0)
    assert number(building, position) > 0.1


def test_a_tank_that_mixes_loses_its_differences_and_none_of_its_cold(building: TowerBuilding) -> None:
    state = building.plant.state
    assert state.tank is not None
    half = len(state.tank.layers) // 2
    building.plant.state = state._replace(tank=TankState((6.0,) * half + (12.0,) * half))
    cold = number(building, f"{TANK}.stored_energy")
    begun(building, "tank_mixing", TANK, within=600.0)
    run(building, 600.0)
    apart = number(building, f"{TANK}.upper_temperature") - number(building, f"{TANK}.lower_temperature")
    assert apart == pytest.approx(6.0 * 0.37, abs=0.1)
    gained = number(building, f"{TANK}.heat_gain_energy")
    assert number(building, f"{TANK}.stored_energy") == pytest.approx(cold, abs=gained + 10.0)


def test_whatever_happens_to_the_plant_its_waters_keep_their_heat(building: TowerBuilding) -> None:
    def now() -> tuple[Accounts, Stored]:
        return building.plant.state.accounts, stored(building.plant.plant, building.plant.state)

    before = now()
    begun(building, "tank_mixing", TANK, within=600.0)
    for begin in (
        lambda: begun(building, "valve_stuck", "plant.chilled_water_valve_1.position", value=0.3),
        lambda: begun(building, "valve_stuck", f"{TANK}.charge_valve_position", value=1.0),
        lambda: begun(building, "trip", PUMP),
        lambda: begun(building, "mains_dip", ""),
    ):
        fault = begin()
        run(building, 120.0)
        building.end_faults([fault])
        run(building, 60.0)
    after = now()
    cooled = after[0].evaporators - before[0].evaporators
    assert cooled > 50.0
    assert chilled_water_error(before, after) == pytest.approx(0.0, abs=1e-6 * cooled)
    assert condenser_water_error(before, after) == pytest.approx(0.0, abs=1e-6 * cooled)


def test_a_person_at_the_panel_and_a_device_that_ignores_us(building: TowerBuilding) -> None:
    setpoint = f"{CHILLER}.chilled_water_temperature_setpoint"
    begun(building, "panel", setpoint, value=8.5)
    assert building.read(setpoint) == 8.5
    begun(building, "ignored_write", setpoint)
    building.write(setpoint, 10.0, 0.0)
    assert building.read(setpoint) == 8.5


def test_a_gateway_that_restarts_has_lost_its_registers(building: TowerBuilding) -> None:
    building.write(HEARTBEAT, 7, 0.0)
    building.write(f"{CHILLER}.remote", True, 0.0)
    building.write(f"{CHILLER}.enable_command", False, 0.0)
    run(building, 10.0)
    points = (HEARTBEAT, f"{CHILLER}.remote", f"{CHILLER}.enable_command")
    begun(building, "reboot", "plant_gateway", points)
    assert building.faults.wire(HEARTBEAT).is_silent
    run(building, 10.0)
    assert [building.read(point) for point in points] == [0, False, True], "the old controls want the chiller"


def test_after_a_dip_of_the_mains_the_old_controls_start_what_was_running(building: TowerBuilding) -> None:
    building.write(f"{DECK}.remote", True, 0.0)
    begins = building.now.timestamp()
    building.add_fault(Fault("mains_dip", "", begins, begins + 25.0, points=tuple(building.tags)))
    assert number(building, "meter.main_1.power") == 0.0
    run(building, 20.0)
    assert number(building, "meter.main_1.power") == 0.0
    assert building.faults.wire(METER).is_silent
    run(building, 120.0)
    assert building.read(f"{DECK}.remote") is False
    assert number(building, "meter.main_1.power") > 500.0
    assert building.read(f"{HANDLER}.supply_fan_status") is True
    assert building.read(f"{CHILLER}.status") is False, "its anti-recycle timer runs"
    assert building.read(f"{CHILLER}.trip_count") == 0
    run(building, 2100.0)
    assert building.read(f"{CHILLER}.status") is True


def test_the_fire_alarm_panel_says_fire(building: TowerBuilding) -> None:
    fault = begun(building, "fire", "building.fire_alarm_panel_1")
    assert building.read("building.fire_alarm_panel_1.fire_alarm") is True
    building.end_faults([fault])
    assert building.read("building.fire_alarm_panel_1.fire_alarm") is False


_HOW: dict[str, Parameters] = {
    "drift": {"rate": 1.0},
    "noise": {"deviation": 0.1},
    "local": {"position": "hand"},
    "panel": {"value": 7.5},
    "tank_mixing": {"within": 3600.0},
    "slow": {"delay": 0.5},
    "clock_offset": {"offset": 90.0},
    "meter_rollover": {"range": 9.0},
}
_AT = {"panel": f"{CHILLER}.chilled_water_temperature_setpoint", "mains_dip": ""}


def test_the_same_faults_give_the_same_building_however_often_it_is_looked_at(running: TowerBuilding) -> None:
    often, seldom = (copied(running) for _ in range(2))
    for each in (often, seldom):
        begins = each.now.timestamp()
        for index, (kind, known) in enumerate(KINDS.items()):
            target = _AT.get(kind, targets()[known.aim][0] if known.aim in targets() else "a device")
            at = begins + 23.7 * index
            each.add_fault(Fault(kind, target, at, at + 61.0, _HOW.get(kind, {}), (SUPPLY, f"{DECK}.remote")))
    for _ in range(40):
        run(often, 17.0)
        often.shown(SUPPLY)
    end = seldom.now + timedelta(seconds=40 * 17.0)
    seldom.advance(end, 0.0)
    often.advance(end, 0.0)
    assert seldom.snapshot() == often.snapshot()
    assert {tag: seldom.shown(tag) for tag in seldom.tags} == {tag: often.shown(tag) for tag in often.tags}
    assert not often.faults.to_come
