"""Whatever a supervisor writes, and whenever it falls silent: heat is kept, and a running chiller keeps its pumps."""

from datetime import datetime, timedelta
from math import isfinite
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from simulator.engine import Engine
from simulator.gateway import Value
from simulator.weather import HOURS_PER_YEAR, Outdoor, Weather
from tests.sweep import examples

START = datetime(2026, 7, 20, 5, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
WEATHER = Weather((Outdoor(31.0, 0.7, 26.5, 82.0, 250.0, 0.6),) * HOURS_PER_YEAR, "steady")
CHILLER, LOOP, TANK = "plant.chiller_1", "plant.chilled_water_loop_1", "plant.tank_1"
CHILLED, CONDENSER = "plant.chilled_water_pump_1", "plant.condenser_water_pump_1"

SWITCHES = [
    *(f"{machine}.remote" for machine in (CHILLER, CHILLED, CONDENSER, TANK)),
    f"{CHILLER}.enable_command",
    f"{CHILLED}.command",
    f"{CONDENSER}.command",
    f"{TANK}.charge_valve_command",
    f"{TANK}.discharge_valve_command",
]

writes = st.one_of(
    st.tuples(st.sampled_from(SWITCHES), st.booleans()),
    st.tuples(st.just(f"{CHILLED}.speed_command"), st.floats(0.0, 1.0)),
    st.tuples(st.just(f"{CHILLER}.chilled_water_temperature_setpoint"), st.floats(5.0, 15.0)),
    st.tuples(st.just("plant.gateway_1.heartbeat"), st.integers(0, 65535)),
)

actions = st.lists(st.tuples(writes, st.integers(0, 3000), st.integers(0, 40)), min_size=1, max_size=25)


def number(engine: Engine, tag: str) -> float:
    return float(engine.read(tag))


def loop_error(engine: Engine) -> float:
    """load + losses + what tank and pipes hold - evaporator [kWh]; the same at all times."""
    sinks = ("cooling_energy", "heat_gain_energy", "stored_energy")
    held = sum(number(engine, f"{LOOP}.{sink}") for sink in sinks)
    tank = number(engine, f"{TANK}.heat_gain_energy") + number(engine, f"{TANK}.stored_energy")
    return held + tank - number(engine, f"{CHILLER}.cooling_energy")


@examples(60)
@given(actions=actions)
def test_heat_is_kept_and_numbers_stay_numbers(actions: list[tuple[tuple[str, Value], int, int]]) -> None:
    engine = Engine(START, WEATHER, step_s=1.0)
    begin, wire_now = loop_error(engine), 0.0
    for (tag, value), seconds, silence in actions:
        engine.write(tag, value, wire_now)
        wire_now += silence
        engine.advance(engine.now + timedelta(seconds=seconds), wire_now)
        snapshot = engine.snapshot()
        assert all(isfinite(float(each)) for each in snapshot.values())
        assert abs(loop_error(engine) - begin) < 1e-6
        heat = number(engine, f"{CHILLER}.cooling_energy") + number(engine, f"{CHILLER}.energy")
        assert abs(heat - number(engine, f"{CHILLER}.heat_rejection_energy")) < 1e-6
        assert list(engine.plant.tank.layers) == sorted(engine.plant.tank.layers)
        temperatures = [float(each) for name, each in snapshot.items() if name.endswith("_temperature")]
        assert 0.0 < min(temperatures) <= max(temperatures) < 60.0


@examples(60)
@given(actions=actions)
def test_a_running_chiller_whose_pumps_the_original_controls_hold_keeps_them(
    actions: list[tuple[tuple[str, Value], int, int]],
) -> None:
    engine = Engine(START, WEATHER, step_s=1.0)
    wire_now = 0.0
    for (tag, value), seconds, silence in actions:
        if tag.endswith(("pump_1.command", "pump_1.remote")):
            continue  # the pumps stay in local
        engine.write(tag, value, wire_now)
        wire_now += silence
        for _ in range(min(seconds, 300)):
            engine.advance(engine.now + timedelta(seconds=1), wire_now)
            assert not engine.read(f"{CHILLER}.tripped")
            if engine.read(f"{CHILLER}.status"):
                assert engine.read(f"{CHILLED}.status")
                assert engine.read(f"{CONDENSER}.status")
