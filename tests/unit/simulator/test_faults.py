"""What goes wrong at the simulated site: in the plant and in its instruments."""

from collections.abc import Callable
from datetime import timedelta
from math import inf

import pytest

from simulator.engine import Engine
from simulator.faults.fault import Fault, Parameters, contradictions
from simulator.faults.instrument import SPELL_S
from simulator.faults.kinds import KINDS
from simulator.faults.plant import TARGETS
from simulator.faults.schedule import Schedule
from simulator.gateway import Value
from simulator.plant.tank import TankState
from simulator.tags import TAGS

MakeEngine = Callable[..., Engine]

MONDAY_10 = "2026-07-20T10:00:00"
CHILLER, PUMP, CONDENSER, TANK = (
    "plant.chiller_1",
    "plant.chilled_water_pump_1",
    "plant.condenser_water_pump_1",
    "plant.tank_1",
)
SUPPLY = "plant.chilled_water_loop_1.chilled_water_supply_temperature"
METER = "meter.main_1.energy"
GROUP = "garage.group_1"


def run(engine: Engine, seconds: float, wire_now: float = 0.0) -> None:
    engine.advance(engine.now + timedelta(seconds=seconds), wire_now)


def begun(engine: Engine, kind: str, target: str, lasts: float = inf, **parameters: Value | str) -> Fault:
    """A fault that begins now."""
    begins = engine.now.timestamp()
    fault = Fault(kind, target, begins, begins + lasts, parameters)
    engine.add_fault(fault)
    return fault


def number(engine: Engine, tag: str) -> float:
    return float(engine.read(tag))


def shown(engine: Engine, tag: str) -> float:
    value = engine.shown(tag)
    assert value is not None
    return float(value)


# --- instruments ------------------------------------------------------------------------------------------------------


def test_an_instrument_that_drifts_leaves_the_plant_alone(make_engine: MakeEngine) -> None:
    engine, well = make_engine(MONDAY_10), make_engine(MONDAY_10)
    begun(engine, "drift", SUPPLY, 7200.0, rate=0.5)
    run(engine, 3600.0)
    run(well, 3600.0)
    assert shown(engine, SUPPLY) == pytest.approx(number(engine, SUPPLY) + 0.5)
    assert engine.snapshot() == well.snapshot()
    run(engine, 3600.0)
    assert shown(engine, SUPPLY) == number(engine, SUPPLY), "mended"


def test_what_is_stuck_shows_what_it_showed_or_what_is_said(make_engine: MakeEngine) -> None:
    engine = make_engine(MONDAY_10)
    run(engine, 1800.0)
    stands = number(engine, SUPPLY)
    begun(engine, "stuck", SUPPLY)
    begun(engine, "stuck", f"{GROUP}.motion", value=True)
    run(engine, 8 * 3600.0)
    assert shown(engine, SUPPLY) == stands != number(engine, SUPPLY)
    assert engine.shown(f"{GROUP}.motion") is True


def test_noise_has_its_deviation_and_is_the_same_whoever_looks(make_engine: MakeEngine) -> None:
    engine, other = make_engine(MONDAY_10), make_engine(MONDAY_10)
    for each in (engine, other):
        begun(each, "noise", SUPPLY, deviation=0.2)
    errors: list[float] = []
    for _ in range(400):
        run(engine, 1.0)
        errors.append(shown(engine, SUPPLY) - number(engine, SUPPLY))
    run(other, 400.0)
    assert shown(other, SUPPLY) == shown(engine, SUPPLY)
    assert sum(errors) / len(errors) == pytest.approx(0.0, abs=0.04)
    assert (sum(error * error for error in errors) / len(errors)) ** 0.5 == pytest.approx(0.2, rel=0.15)


def test_a_dropout_gives_no_value_for_its_share_of_the_time(make_engine: MakeEngine) -> None:
    engine = make_engine(MONDAY_10)
    begun(engine, "dropout", METER)
    begun(engine, "dropout", SUPPLY, share=0.3)
    missing = 0
    for _ in range(300):
        run(engine, SPELL_S)
        assert engine.shown(METER) is None
        missing += engine.shown(SUPPLY) is None
    assert 60 <= missing <= 120


def test_a_meter_rolls_over_and_is_replaced_twice(make_engine: MakeEngine) -> None:
    engine = make_engine(MONDAY_10)
    run(engine, 3600.0)
    begun(engine, "meter_rollover", METER, 600.0, range=50.0)
    assert shown(engine, METER) == pytest.approx(number(engine, METER) % 50.0)
    run(engine, 600.0)
    for reading in (100.0, 7.0):
        before = number(engine, METER)
        begun(engine, "meter_replacement", METER, reading=reading)
        assert shown(engine, METER) == pytest.approx(reading)
        run(engine, 900.0)
        assert shown(engine, METER) == pytest.approx(reading + number(engine, METER) - before)


# --- machines and people ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", [CHILLER, PUMP, CONDENSER])
def test_what_tripped_stands_and_says_so_until_somebody_resets_it(make_engine: MakeEngine, machine: str) -> None:
    engine = make_engine(MONDAY_10)
    run(engine, 1800.0)
    assert engine.read(f"{machine}.status")
    begun(engine, "trip", machine, 1200.0)
    run(engine, 60.0)
    assert engine.read(f"{machine}.tripped")
    assert not engine.read(f"{machine}.status")
    assert not engine.read(f"{CHILLER}.status"), "no chiller without its pumps"
    run(engine, 1200.0)
    assert not engine.read(f"{machine}.tripped")
    run(engine, 600.0)
    assert engine.read(f"{machine}.status")


def test_the_selector_outranks_the_remote_bit(make_engine: MakeEngine) -> None:
    engine = make_engine(MONDAY_10)
    run(engine, 1800.0)
    engine.write(f"{PUMP}.speed_command", 0.6, 0.0)
    engine.write(f"{PUMP}.remote", True, 0.0)
    run(engine, 60.0)
    assert number(engine, f"{PUMP}.speed") == 0.6
    local = begun(engine, "local", PUMP, position="local")
    run(engine, 60.0)
    assert number(engine, f"{PUMP}.speed") == 1.0, "its original controls have it"
    assert engine.read(f"{PUMP}.auto_status") is False
    engine.end_faults([local])
    run(engine, 60.0)
    assert engine.read(f"{PUMP}.auto_status") is True
    assert number(engine, f"{PUMP}.speed") == 0.6
    for position, lit in (("off", 0.0), ("hand", 1.0)):
        fault = begun(engine, "local", GROUP, position=position)
        run(engine, 60.0)
        assert engine.read(f"{GROUP}.local") is True
        assert number(engine, f"{GROUP}.brightness") == lit
        engine.end_faults([fault])


def test_a_person_at_the_panel_changes_a_register(make_engine: MakeEngine) -> None:
    engine = make_engine(MONDAY_10)
    engine.write(f"{GROUP}.brightness_command", 0.4, 0.0)
    engine.write(f"{GROUP}.remote", True, 0.0)
    begun(engine, "panel", f"{GROUP}.brightness_command", value=0.9)
    run(engine, 30.0)
    assert engine.read(f"{GROUP}.brightness_command") == number(engine, f"{GROUP}.brightness") == 0.9
    assert not engine.faults.on, "it is done"


def test_a_write_that_is_ignored_changes_nothing(make_engine: MakeEngine) -> None:
    engine = make_engine(MONDAY_10)
    begun(engine, "ignored_write", f"{GROUP}.brightness_command", 60.0)
    engine.write(f"{GROUP}.brightness_command", 0.4, 0.0)
    assert engine.read(f"{GROUP}.brightness_command") == 1.0
    run(engine, 60.0)
    engine.write(f"{GROUP}.brightness_command", 0.4, 0.0)
    assert engine.read(f"{GROUP}.brightness_command") == 0.4


def test_a_stuck_valve_stays_where_it_is(make_engine: MakeEngine) -> None:
    engine = make_engine(MONDAY_10)
    engine.write(f"{TANK}.remote", True, 0.0)
    fault = begun(engine, "valve_stuck", f"{TANK}.charge_valve_position", value=0.3)
    engine.write(f"{TANK}.charge_valve_command", True, 0.0)
    run(engine, 120.0)
    assert engine.read(f"{TANK}.charge_valve_position") == 0.3
    assert not engine.read(f"{TANK}.charge_valve_status")
    engine.end_faults([fault])
    run(engine, 60.0)
    assert engine.read(f"{TANK}.charge_valve_status")


def test_a_tank_that_mixes_keeps_its_cold_and_loses_its_layers(make_engine: MakeEngine) -> None:
    engine = make_engine(MONDAY_10)
    engine.plant.tank = TankState((5.0,) * 10 + (13.0,) * 10)
    stored = number(engine, f"{TANK}.stored_energy")
    begun(engine, "tank_mixing", TANK, within=1800.0)
    run(engine, 3600.0)
    spread = number(engine, f"{TANK}.upper_temperature") - number(engine, f"{TANK}.lower_temperature")
    assert spread == pytest.approx(8.0 * 0.135, abs=0.1), "exp(-2) of it is left"
    gained = number(engine, f"{TANK}.heat_gain_energy")
    assert number(engine, f"{TANK}.stored_energy") == pytest.approx(stored - gained, rel=1e-6)


def test_lamps_without_supply_give_no_light_and_cost_nothing(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T20:00:00")
    for lamps in (GROUP, "outdoor.lighting_1"):
        assert number(engine, f"{lamps}.power") > 0.0
        begun(engine, "lamps_lost", lamps, 600.0)
    run(engine, 60.0)
    assert number(engine, f"{GROUP}.illuminance") == number(engine, f"{GROUP}.power") == 0.0
    assert not engine.read("outdoor.lighting_1.status")
    run(engine, 600.0)
    assert number(engine, f"{GROUP}.illuminance") == 140.0
    assert engine.read("outdoor.lighting_1.status")


def test_a_mains_dip_stops_everything_and_forgets_the_registers(make_engine: MakeEngine) -> None:
    engine = make_engine(MONDAY_10)
    run(engine, 1800.0)
    engine.write("plant.gateway_1.heartbeat", 5, 0.0)
    for machine in (CHILLER, PUMP, GROUP):
        engine.write(f"{machine}.remote", True, 0.0)
    begins = engine.now.timestamp()
    engine.add_fault(Fault("mains_dip", "", begins, begins + 5.0, points=tuple(engine.tags)))
    run(engine, 2.0)
    assert number(engine, "meter.main_1.power") == 0.0
    assert engine.faults.wire(METER).is_silent
    run(engine, 60.0)
    assert not any(engine.read(f"{machine}.remote") for machine in (CHILLER, PUMP, GROUP))
    assert engine.read("plant.gateway_1.heartbeat") == 0
    assert number(engine, f"{GROUP}.brightness") == 1.0
    assert not engine.read(f"{CHILLER}.status"), "its anti-recycle timer runs"
    run(engine, 900.0)
    assert engine.read(f"{CHILLER}.status"), "the original controls have started it again"


def test_the_fire_alarm_panel_says_fire(make_engine: MakeEngine) -> None:
    engine = make_engine(MONDAY_10)
    begun(engine, "fire", "building.fire_alarm_panel_1", 60.0)
    assert engine.read("building.fire_alarm_panel_1.fire_alarm") is True
    run(engine, 60.0)
    assert engine.read("building.fire_alarm_panel_1.fire_alarm") is False


# --- together ---------------------------------------------------------------------------------------------------------

_HOW: dict[str, Parameters] = {
    "drift": {"rate": 1.0},
    "noise": {"deviation": 0.1},
    "dropout": {"share": 0.5},
    "local": {"position": "hand"},
    "panel": {"value": 7.5},
    "tank_mixing": {"within": 3600.0},
    "slow": {"delay": 0.5},
    "clock_offset": {"offset": 90.0},
    "meter_rollover": {"range": 9.0},
    "meter_replacement": {"reading": 3.0},
}
_AT = {"panel": f"{CHILLER}.chilled_water_temperature_setpoint", "slow": "a device", "mains_dip": ""}


def every_kind(engine: Engine) -> list[Fault]:
    """One fault of each kind, a quarter of an hour apart, each for twenty minutes."""
    start, faults = engine.now.timestamp(), list[Fault]()
    for index, (kind, known) in enumerate(KINDS.items()):
        target = _AT.get(kind, TARGETS[known.aim][0] if known.aim in TARGETS else "a device")
        begins = start + 900.0 * index + 3.7
        faults.append(Fault(kind, target, begins, begins + 1200.0, _HOW.get(kind, {}), (SUPPLY, f"{GROUP}.remote")))
    return faults


def test_the_same_faults_give_the_same_site_however_often_it_is_looked_at(make_engine: MakeEngine) -> None:
    often, seldom = make_engine("2026-07-20T05:00:00"), make_engine("2026-07-20T05:00:00")
    for engine in (often, seldom):
        for fault in every_kind(engine):
            engine.add_fault(fault)
    for _ in range(600):
        run(often, 47.0)
        for tag in (SUPPLY, METER):
            often.shown(tag)
    run(seldom, 600 * 47.0)
    assert seldom.snapshot() == often.snapshot()
    assert {tag: seldom.shown(tag) for tag in seldom.tags} == {tag: often.shown(tag) for tag in often.tags}
    assert not often.faults.to_come


def test_what_was_still_to_come_does_not_come_once_somebody_has_ended_it(make_engine: MakeEngine) -> None:
    engine = make_engine()
    later = engine.now.timestamp() + 600.0
    fault = Fault("stuck", SUPPLY, later, inf, {"value": 99.0})
    engine.add_fault(fault)
    engine.end_faults([fault])
    run(engine, 1200.0)
    assert (shown(engine, SUPPLY), engine.faults.on) == (number(engine, SUPPLY), [])


def test_what_was_over_before_anybody_looked_has_not_begun() -> None:
    faults = Schedule(TAGS, [Fault("trip", PUMP, 80.0, 90.0)])
    assert faults.take(100.0, lambda _: 0.0) == ([], [])
    assert (faults.on, faults.to_come) == ([], [])


def test_a_counter_that_is_wrong_shows_a_whole_number(make_engine: MakeEngine) -> None:
    engine = make_engine()
    begun(engine, "drift", "plant.chiller_1.trip_count", rate=3600.0 * 0.7)
    run(engine, 2.0)
    assert isinstance(engine.shown("plant.chiller_1.trip_count"), int)


def test_faults_that_exclude_each_other_are_found() -> None:
    stuck, drift = Fault("stuck", SUPPLY, 0.0, 100.0), Fault("drift", SUPPLY, 50.0, 200.0, {"rate": 1.0})
    assert [(each.later, each.earlier) for each in contradictions([drift, stuck])] == [(drift, stuck)]
    later = Fault("drift", SUPPLY, 100.0, 200.0, {"rate": 1.0})
    assert contradictions([stuck, later]) == []
    hang, refuse = (Fault(kind, "x", 0.0, points=points) for kind, points in (("hang", ("a", "b")), ("refuse", ("b",))))
    assert len(contradictions([hang, refuse])) == 1, "a device of a link that is refused"
