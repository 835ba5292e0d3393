"""A year with every machine at work: heat and power counters agree within 0.1 %, and would not if one were 1 % off.

The test plays the supervisor by writing tags: it charges the tank at night, discharges it in the afternoon and runs the
chiller in between. The balance is computed from counters logged every hour, as an auditor would from a history.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from simulator.engine import Engine
from simulator.opening import open_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
HOURS = 8760
TOLERANCE = 1e-3

CHILLER, CHILLED, CONDENSER, TANK, LOOP = (
    "plant.chiller_1",
    "plant.chilled_water_pump_1",
    "plant.condenser_water_pump_1",
    "plant.tank_1",
    "plant.chilled_water_loop_1",
)
METERS = {
    "load": f"{LOOP}.cooling_energy",
    "loop_gain": f"{LOOP}.heat_gain_energy",
    "tank_gain": f"{TANK}.heat_gain_energy",
    "stored": f"{TANK}.stored_energy",
    "pipes": f"{LOOP}.stored_energy",
    "evaporator": f"{CHILLER}.cooling_energy",
    "compressor": f"{CHILLER}.energy",
    "condenser": f"{CHILLER}.heat_rejection_energy",
}
Log = Mapping[str, list[float]]


def commands(local: datetime) -> dict[str, bool | float]:
    """Charge from 23:00, discharge from 14:00 to 17:00 on working days, else the chiller in the building's hours."""
    charging = local.hour >= 23 or local.hour < 5
    discharging = local.weekday() < 5 and 14 <= local.hour < 17
    chiller = charging or (local.weekday() < 6 and 6 <= local.hour < 22 and not discharging)
    return {
        f"{TANK}.charge_valve_command": charging,
        f"{TANK}.discharge_valve_command": discharging,
        f"{CONDENSER}.command": chiller,
        f"{CHILLED}.command": chiller,
        f"{CHILLED}.speed_command": 0.7 if charging else 1.0,
        f"{CHILLER}.chilled_water_temperature_setpoint": 5.0 if charging else 7.0,
        f"{CHILLER}.enable_command": chiller,
    }


def operate(engine: Engine, local: datetime) -> None:
    """The chiller first when it stops, last when it starts; pumps ten minutes after it."""
    wanted = commands(local)
    running = bool(engine.read(f"{CHILLER}.enable_command"))
    stopping = running and not wanted[f"{CHILLER}.enable_command"]
    if stopping:
        engine.write(f"{CHILLER}.enable_command", False, 0.0)
        engine.advance(engine.now + timedelta(minutes=10), 0.0)
    for tag, value in wanted.items():
        if engine.read(tag) != value:
            engine.write(tag, value, 0.0)


@pytest.fixture(scope="module")
def log() -> Log:
    engine, _ = open_engine(START, ROOT / "config/weather/hot_humid_tmy3.csv.gz", step_s=60.0, seed=1)
    for machine in (CHILLER, CHILLED, CONDENSER, TANK):
        engine.write(f"{machine}.remote", True, 0.0)
    logged: dict[str, list[float]] = {name: [] for name in METERS}
    for hour in range(HOURS + 1):
        engine.advance(START + timedelta(hours=hour), 0.0)
        for name, tag in METERS.items():
            logged[name].append(float(engine.read(tag)))
        operate(engine, START + timedelta(hours=hour))
    assert not engine.read(f"{CHILLER}.tripped")
    return logged


def change(log: Log, name: str) -> float:
    return log[name][-1] - log[name][0]


def hourly(log: Log, name: str) -> list[float]:
    return [later - sooner for sooner, later in pairwise(log[name])]


def left_over(error: list[float], log: Log, names: Iterable[str]) -> float:
    """The largest share of a term's hourly change that an hourly error follows (least-squares coefficient on one term).

    A meter that reads 1 % too much leaves 1 % of itself in the error, however small it is beside the others.
    """
    shares: list[float] = []
    for name in names:
        term = hourly(log, name)
        shares.append(abs(sum(e * t for e, t in zip(error, term, strict=True)) / sum(t * t for t in term)))
    return max(shares)


def loop_balances(log: Log) -> bool:
    """load + tank change + losses = evaporator, within 0.1 % over the year; and hour by hour, with the water in the
    pipes, within 0.1 % of each term.
    """
    change_of = {name: change(log, name) for name in METERS}
    sinks = change_of["load"] + change_of["loop_gain"] + change_of["tank_gain"] + change_of["stored"]
    year = abs(sinks - change_of["evaporator"]) <= TOLERANCE * change_of["evaporator"]
    terms = ("load", "loop_gain", "tank_gain", "stored", "pipes", "evaporator")
    hours = zip(*(hourly(log, name) for name in terms), strict=True)
    error = [load + gain + wall + stored + pipes - taken for load, gain, wall, stored, pipes, taken in hours]
    return year and left_over(error, log, terms) <= TOLERANCE


def machine_balances(log: Log) -> bool:
    """evaporator + compressor = condenser, within 0.1 % over the year."""
    error = change(log, "evaporator") + change(log, "compressor") - change(log, "condenser")
    return abs(error) <= TOLERANCE * change(log, "condenser")


def test_every_component_worked(log: Log) -> None:
    assert change(log, "load") > 500_000.0
    assert sum(abs(flow) for flow in hourly(log, "stored")) > 2 * 100_000.0
    assert change(log, "tank_gain") > 3_000.0
    assert change(log, "loop_gain") > 10_000.0
    assert change(log, "compressor") > 80_000.0


def test_load_tank_and_losses_are_what_the_evaporator_took(log: Log) -> None:
    assert loop_balances(log)


def test_evaporator_and_compressor_are_what_the_condenser_gave(log: Log) -> None:
    assert machine_balances(log)


@pytest.mark.parametrize("name", METERS)
def test_one_meter_off_by_one_percent_is_noticed(log: Log, name: str) -> None:
    disturbed = {**log, name: [value * 1.01 for value in log[name]]}
    assert not (loop_balances(disturbed) and machine_balances(disturbed))
