"""The site in time: original controls, readings, writes, determinism."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import nan

import pytest

from simulator.engine import Engine
from simulator.gateway import Value
from simulator.tags import TAGS

MakeEngine = Callable[..., Engine]

CHILLER, CHILLED, CONDENSER, TANK = (
    "plant.chiller_1",
    "plant.chilled_water_pump_1",
    "plant.condenser_water_pump_1",
    "plant.tank_1",
)


def run(engine: Engine, seconds: float, wire_now: float = 0.0) -> None:
    engine.advance(engine.now + timedelta(seconds=seconds), wire_now)


def number(engine: Engine, tag: str) -> float:
    return float(engine.read(tag))


def test_every_tag_has_a_reading_of_its_kind(make_engine: MakeEngine) -> None:
    snapshot = make_engine().snapshot()
    assert set(snapshot) == set(TAGS)
    for name, value in snapshot.items():
        assert type(value) is TAGS[name].kind, name


def test_plant_starts_in_order_by_the_week_timer(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T05:59:50")
    first: dict[str, datetime] = {}
    for _ in range(300):
        run(engine, 1.0)
        for machine in (CONDENSER, CHILLED, CHILLER):
            if engine.read(f"{machine}.status"):
                first.setdefault(machine, engine.now)
    assert list(first) == [CONDENSER, CHILLED, CHILLER]
    assert (first[CHILLER] - first[CHILLED]).total_seconds() >= 30.0


def test_plant_stops_chiller_first_and_pumps_after_their_overrun(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T21:00:00")
    run(engine, 3595.0)
    assert engine.read(f"{CHILLER}.status")
    run(engine, 60.0)
    assert not engine.read(f"{CHILLER}.status")
    assert engine.read(f"{CHILLED}.status")
    assert engine.read(f"{CONDENSER}.status")
    run(engine, 240.0)
    assert not engine.read(f"{CHILLED}.status")
    assert not engine.read(f"{CONDENSER}.status")


def test_plant_rests_on_sunday(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-26T12:00:00")
    run(engine, 3600.0)
    assert not engine.read(f"{CHILLER}.status")
    assert not engine.read("plant.secondary_pump_1.status")


def test_original_plant_keeps_its_setpoint_and_cools_the_office(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T06:00:00", step_s=10.0)
    run(engine, 8 * 3600.0)
    assert number(engine, f"{CHILLER}.leaving_chilled_water_temperature") == pytest.approx(7.0, abs=0.05)
    assert number(engine, "building.zone_1.air_temperature") == pytest.approx(25.0, abs=0.7)
    assert number(engine, "plant.chilled_water_loop_1.cooling_load") > 200.0
    assert number(engine, f"{TANK}.charge_valve_position") == 0.0


def test_recirculation_warms_the_supply_when_the_primary_pump_gives_too_little(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T10:00:00")
    run(engine, 3600.0)
    take(engine)
    engine.write(f"{CHILLED}.speed_command", 0.4, 0.0)
    run(engine, 1800.0)
    supply = number(engine, "plant.chilled_water_loop_1.chilled_water_supply_temperature")
    assert supply > number(engine, f"{CHILLER}.leaving_chilled_water_temperature") + 1.0


def take(engine: Engine, wire_now: float = 0.0) -> None:
    for machine in (CHILLER, CHILLED, CONDENSER, TANK):
        engine.write(f"{machine}.remote", True, wire_now)


def test_taking_over_changes_nothing(make_engine: MakeEngine) -> None:
    engine, twin = make_engine("2026-07-20T10:00:00"), make_engine("2026-07-20T10:00:00")
    run(engine, 3600.0)
    run(twin, 3600.0)
    take(engine)
    run(engine, 600.0)
    run(twin, 600.0)
    changed = {name for name, value in engine.snapshot().items() if value != pytest.approx(twin.read(name), rel=1e-3)}
    assert changed == {f"{machine}.remote" for machine in (CHILLER, CHILLED, CONDENSER, TANK)}


def test_tank_charges_and_discharges_and_its_counters_agree(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T22:30:00")
    take(engine)
    for tag, value in (
        (f"{CONDENSER}.command", True),
        (f"{CHILLED}.command", True),
        (f"{CHILLED}.speed_command", 0.7),
        (f"{TANK}.charge_valve_command", True),
        (f"{CHILLER}.chilled_water_temperature_setpoint", 5.0),
        (f"{CHILLER}.enable_command", True),
    ):
        engine.write(tag, value, 0.0)
    run(engine, 20.0)
    assert not engine.read(f"{TANK}.charge_valve_status")
    run(engine, 20.0)
    assert engine.read(f"{TANK}.charge_valve_status")
    run(engine, 7 * 3600.0)
    assert number(engine, f"{TANK}.stored_energy") > 2500.0
    lower, upper = number(engine, f"{TANK}.lower_temperature"), number(engine, f"{TANK}.upper_temperature")
    assert lower == pytest.approx(5.0, abs=0.3)
    assert upper > lower
    engine.write(f"{CHILLER}.enable_command", False, 0.0)
    engine.write(f"{TANK}.charge_valve_command", False, 0.0)
    engine.write(f"{TANK}.discharge_valve_command", True, 0.0)
    engine.write(f"{CHILLED}.command", False, 0.0)
    stored = number(engine, f"{TANK}.stored_energy")
    run(engine, 5 * 3600.0)
    assert not engine.read(f"{CHILLER}.status")
    assert not engine.read(f"{CHILLER}.tripped")
    assert number(engine, f"{TANK}.stored_energy") < stored - 600.0
    assert number(engine, "plant.chilled_water_loop_1.cooling_load") > 150.0
    assert number(engine, "plant.chilled_water_loop_1.chilled_water_supply_temperature") < 7.0


def test_stopping_a_remote_pump_under_a_running_chiller_trips_it_until_a_person_resets(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T10:00:00")
    run(engine, 900.0)
    engine.write(f"{CHILLED}.remote", True, 0.0)
    engine.write(f"{CHILLED}.command", False, 0.0)
    run(engine, 30.0)
    assert engine.read(f"{CHILLER}.tripped")
    assert engine.read(f"{CHILLER}.trip_count") == 1
    engine.write(f"{CHILLED}.command", True, 0.0)
    run(engine, 1200.0)
    assert engine.read(f"{CHILLER}.tripped")
    engine.reset_trip()
    run(engine, 600.0)
    assert engine.read(f"{CHILLER}.status")


@pytest.mark.parametrize(
    "tag,value,text",
    [
        (f"{CHILLER}.chilled_water_temperature_setpoint", 4.0, "5 to 15"),
        (f"{CHILLER}.chilled_water_temperature_setpoint", nan, "out of range"),
        (f"{CHILLER}.enable_command", 1, "true or false"),
        (f"{CHILLER}.power", 1.0, "measured"),
        (f"{CHILLED}.speed_command", 1.1, "0 to 1"),
        (f"{CHILLED}.speed_command", True, "wrong type"),
        ("plant.gateway_1.heartbeat", 1.5, "wrong type"),
        ("plant.gateway_1.heartbeat", -1, "0 to 65535"),
    ],
)
def test_device_refuses_what_it_cannot_do(make_engine: MakeEngine, tag: str, value: Value, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make_engine().write(tag, value, 0.0)


def test_unknown_tag_is_a_key_error(make_engine: MakeEngine) -> None:
    engine = make_engine()
    with pytest.raises(KeyError):
        engine.read("plant.chiller_9.power")
    with pytest.raises(KeyError):
        engine.write("plant.chiller_9.remote", True, 0.0)


def test_time_does_not_go_back(make_engine: MakeEngine) -> None:
    engine = make_engine()
    run(engine, 60.0)
    with pytest.raises(ValueError, match="cannot go back"):
        run(engine, -10.0)


def script(engine: Engine, pieces: int) -> dict[str, Value]:
    """A morning with writes in it, advanced in so many pieces between them."""
    for hour in range(6):
        if hour == 3:
            take(engine)
            engine.write(f"{CHILLED}.speed_command", 0.8, 0.0)
            engine.write("garage.group_1.remote", True, 0.0)
            engine.write("garage.group_1.brightness_command", 0.3, 0.0)
        begin = engine.now
        for piece in range(1, pieces + 1):
            engine.advance(begin + timedelta(hours=piece / pieces), 0.0)
            engine.snapshot()
    return engine.snapshot()


def test_numbers_are_the_same_to_the_bit_however_often_it_is_advanced(make_engine: MakeEngine) -> None:
    start = "2026-07-20T04:00:00"
    reference = script(make_engine(start, seed=7), 1)
    assert script(make_engine(start, seed=7), 1) == reference
    assert script(make_engine(start, seed=7), 1000) == reference
    assert script(make_engine(start, seed=8), 1) != reference


def test_main_meter_is_the_sum_of_the_others(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T05:00:00")
    last = 0.0
    for _ in range(50):
        run(engine, 137.0)
        snapshot = engine.snapshot()
        parts = sum(float(value) for name, value in snapshot.items() if name.endswith(".power") and "meter" not in name)
        building = engine.plant.wants.electric_load
        assert float(snapshot["meter.main_1.power"]) == pytest.approx(parts + building)
        energy = float(snapshot["meter.main_1.energy"])
        assert energy > last
        last = energy


def test_energy_between_two_looks_is_power_times_time(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T12:00:00")
    run(engine, 3601.0)
    energy, power = number(engine, "meter.main_1.energy"), number(engine, "meter.main_1.power")
    run(engine, 1.0)
    assert number(engine, "meter.main_1.energy") - energy == pytest.approx(power / 3600.0, rel=1e-6)


@pytest.mark.slow
def test_outdoor_lamps_are_never_off_in_the_dark(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-12-10T00:00:00", step_s=10.0)
    states: set[bool] = set()
    for _ in range(24 * 60):
        run(engine, 60.0)
        status = bool(engine.read("outdoor.lighting_1.status"))
        states.add(status)
        assert status or number(engine, "outdoor.daylight_sensor_1.illuminance") >= 29.0
    assert states == {True, False}


def test_garage_follows_the_clock_in_local_and_the_command_in_remote(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T05:00:00")
    run(engine, 60.0)
    assert number(engine, "garage.group_2.brightness") == 0.5
    run(engine, 3600.0)
    assert number(engine, "garage.group_2.brightness") == 1.0
    assert number(engine, "garage.group_2.illuminance") == 140.0
    engine.write("garage.group_2.remote", True, 0.0)
    engine.write("garage.group_2.brightness_command", 0.25, 0.0)
    run(engine, 1.0)
    assert number(engine, "garage.group_2.brightness") == 0.5
    run(engine, 1.0)
    assert number(engine, "garage.group_2.brightness") == 0.25
    assert number(engine, "garage.group_1.brightness") == 1.0


@pytest.mark.slow
def test_motion_is_tidal_and_ends(make_engine: MakeEngine) -> None:
    engine = make_engine("2026-07-20T00:00:00")
    seen = [0] * 24
    for second in range(0, 86400, 10):
        engine.advance(engine.now + timedelta(seconds=10), 0.0)
        seen[second // 3600] += bool(engine.read("garage.group_1.motion"))
    assert seen[8] > 180
    assert seen[2] < 60
    assert seen[18] > seen[14]
