"""A running chiller never loses its pumps, whichever controls hold what, whenever the supervisor lets go."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest

from simulator.engine import Engine

MakeEngine = Callable[..., Engine]

CHILLER, CHILLED, CONDENSER, TANK = (
    "plant.chiller_1",
    "plant.chilled_water_pump_1",
    "plant.condenser_water_pump_1",
    "plant.tank_1",
)
MACHINES = (CHILLER, CHILLED, CONDENSER, TANK)
NOON, NIGHT = "2026-07-20T12:00:00", "2026-07-20T23:00:00"


def run(engine: Engine, seconds: float, wire_now: float = 0.0) -> None:
    engine.advance(engine.now + timedelta(seconds=seconds), wire_now)


def started(engine: Engine, *, charging: bool) -> Engine:
    """The supervisor holds everything and runs the chiller."""
    for machine in MACHINES:
        engine.write(f"{machine}.remote", True, 0.0)
    for tag in (f"{CONDENSER}.command", f"{CHILLED}.command"):
        engine.write(tag, True, 0.0)
    engine.write(f"{CHILLED}.speed_command", 0.7, 0.0)
    engine.write(f"{TANK}.charge_valve_command", charging, 0.0)
    engine.write(f"{CHILLER}.enable_command", True, 0.0)
    return engine


def assert_safe(engine: Engine) -> None:
    assert not engine.read(f"{CHILLER}.tripped")
    if engine.read(f"{CHILLER}.status"):
        assert engine.read(f"{CHILLED}.status")
        assert engine.read(f"{CONDENSER}.status")


@pytest.mark.parametrize("start", [NOON, NIGHT])
@pytest.mark.parametrize("order", list(permutations(MACHINES)))
def test_clearing_remote_bits_in_any_order(make_engine: MakeEngine, start: str, order: tuple[str, ...]) -> None:
    engine = started(make_engine(start), charging=True)
    run(engine, 900.0)
    assert engine.read(f"{CHILLER}.status")
    for machine in order:
        engine.write(f"{machine}.remote", False, 0.0)
        for _ in range(25):
            run(engine, 1.0)
            assert_safe(engine)
    run(engine, 900.0)
    assert_safe(engine)
    assert engine.read(f"{CHILLER}.status") is (start == NOON)
    assert engine.read(f"{TANK}.charge_valve_position") == 0.0


@pytest.mark.parametrize("start", [NOON, NIGHT])
@pytest.mark.parametrize("age_s", [0.0, 3.0, 8.0, 15.0, 40.0, 60.0, 200.0, 900.0])
def test_watchdog_expiry_in_any_state_of_the_start(make_engine: MakeEngine, start: str, age_s: float) -> None:
    engine = started(make_engine(start), charging=True)
    run(engine, age_s, wire_now=59.0)
    assert engine.read(f"{CHILLER}.remote")
    run(engine, 1.0, wire_now=60.0)
    assert not any(engine.read(f"{machine}.remote") for machine in MACHINES)
    for _ in range(400):
        run(engine, 1.0, wire_now=60.0)
        assert_safe(engine)


@pytest.mark.parametrize("start", [NOON, NIGHT])
def test_watchdog_expiry_while_the_supervisor_stops_the_chiller(make_engine: MakeEngine, start: str) -> None:
    engine = started(make_engine(start), charging=False)
    run(engine, 900.0, wire_now=1.0)
    engine.write(f"{CHILLER}.enable_command", False, 1.0)
    run(engine, 5.0, wire_now=61.0)
    for _ in range(900):
        run(engine, 1.0, wire_now=61.0)
        assert_safe(engine)
    assert engine.read(f"{CHILLER}.status") is (start == NOON)


def test_handing_back_a_running_chiller_in_office_hours_never_stops_it(make_engine: MakeEngine) -> None:
    engine = started(make_engine(NOON), charging=False)
    run(engine, 900.0)
    for machine in MACHINES:
        engine.write(f"{machine}.remote", False, 0.0)
    for _ in range(600):
        run(engine, 1.0)
        assert engine.read(f"{CHILLER}.status")
    assert engine.read(f"{CHILLED}.speed") == 1.0


def test_a_chiller_in_remote_gets_its_pumps_from_the_original_controls(make_engine: MakeEngine) -> None:
    engine = make_engine(NIGHT)
    engine.write(f"{CHILLER}.remote", True, 0.0)
    engine.write(f"{CHILLER}.enable_command", True, 0.0)
    run(engine, 120.0)
    assert engine.read(f"{CHILLER}.status")
    assert_safe(engine)


def test_watchdog_expires_at_its_share_of_a_long_advance(make_engine: MakeEngine) -> None:
    # 600 simulated seconds in 120 wire seconds: the watchdog of 60 s bites half way
    whole, halves = started(make_engine(NOON), charging=True), started(make_engine(NOON), charging=True)
    run(whole, 600.0, wire_now=120.0)
    run(halves, 300.0, wire_now=60.0)
    assert not halves.read(f"{CHILLER}.remote")
    run(halves, 300.0, wire_now=120.0)
    assert whole.snapshot() == halves.snapshot()


def test_a_beating_heart_keeps_remote_however_fast_the_clock(make_engine: MakeEngine) -> None:
    engine = started(make_engine(NOON), charging=False)
    for beat in range(1, 20):
        run(engine, 3600.0, wire_now=beat * 30.0)
        engine.write("plant.gateway_1.heartbeat", beat, beat * 30.0)
    assert engine.read(f"{CHILLER}.remote")


def test_reading_does_not_refresh_the_watchdog(make_engine: MakeEngine) -> None:
    engine = started(make_engine(NOON), charging=False)
    for wire_now in range(1, 62):
        run(engine, 1.0, wire_now=float(wire_now))
        engine.snapshot()
    assert not engine.read(f"{CHILLER}.remote")


def test_lamps_go_back_to_full_when_the_supervisor_falls_silent(make_engine: MakeEngine) -> None:
    engine = make_engine(NOON)
    for group in (1, 2):
        engine.write(f"garage.group_{group}.remote", True, 0.0)
        engine.write(f"garage.group_{group}.brightness_command", 0.2, 0.0)
    run(engine, 40.0, wire_now=40.0)
    engine.write("garage.group_2.remote", True, 40.0)
    run(engine, 30.0, wire_now=70.0)
    assert engine.read("garage.group_1.brightness") == 1.0
    assert engine.read("garage.group_2.brightness") == 0.2


def test_registers_written_in_local_do_nothing_until_the_remote_bit_is_set(make_engine: MakeEngine) -> None:
    engine = make_engine(NOON)
    engine.write(f"{TANK}.charge_valve_command", True, 0.0)
    run(engine, 60.0)
    assert engine.read(f"{TANK}.charge_valve_command") is True
    assert engine.read(f"{TANK}.charge_valve_position") == 0.0
    engine.write(f"{TANK}.remote", True, 0.0)
    run(engine, 60.0)
    assert engine.read(f"{TANK}.charge_valve_status")


@pytest.mark.parametrize("start", [NOON, NIGHT])
@pytest.mark.parametrize("valve", ["charge", "discharge"])
@pytest.mark.parametrize("stopped_s", [None, 0.0, 20.0, 100.0])
def test_a_dead_supervisor_leaves_an_isolated_tank_before_pumps_stop(
    make_engine: MakeEngine, start: str, valve: str, stopped_s: float | None
) -> None:
    """Whatever the valves and however long ago the chiller was stopped: the watchdog drops everything at once, the
    valves take 30 s, and the original controls keep the pumps for longer where they were running."""
    engine = started(make_engine(start), charging=valve == "charge")
    engine.write(f"{TANK}.discharge_valve_command", valve == "discharge", 0.0)
    run(engine, 900.0)
    if stopped_s is not None:
        engine.write(f"{CHILLER}.enable_command", False, 0.0)
        run(engine, stopped_s)
    assert engine.read(f"{TANK}.{valve}_valve_position") == 1.0
    run(engine, 1.0, wire_now=61.0)
    assert not any(engine.read(f"{machine}.remote") for machine in MACHINES)
    for _ in range(400):
        had_pump = engine.read(f"{CHILLED}.status")
        run(engine, 1.0, wire_now=61.0)
        assert_safe(engine)
        if had_pump and not engine.read(f"{CHILLED}.status"):
            assert engine.read(f"{TANK}.{valve}_valve_position") == 0.0
    assert engine.read(f"{TANK}.{valve}_valve_position") == 0.0
    assert engine.read(f"{CHILLED}.status") is (start == NOON)


def test_a_supervisor_that_dies_while_it_discharges_leaves_the_building_to_its_chiller(make_engine: MakeEngine) -> None:
    engine = make_engine(NOON)
    for machine in MACHINES:
        engine.write(f"{machine}.remote", True, 0.0)
    for tag in (f"{CHILLER}.enable_command", f"{CONDENSER}.command", f"{CHILLED}.command"):
        engine.write(tag, False, 0.0)
    engine.write(f"{TANK}.discharge_valve_command", True, 0.0)
    run(engine, 900.0)
    assert engine.read(f"{TANK}.discharge_valve_status")
    run(engine, 1.0, wire_now=61.0)
    run(engine, 300.0, wire_now=61.0)
    assert engine.read(f"{TANK}.discharge_valve_position") == 0.0
    assert engine.read(f"{CHILLER}.status")
    assert_safe(engine)
